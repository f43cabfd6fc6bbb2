package view

import (
	"strings"
	"time"
)

// Report is the page for an auditor: what a filter finds, on paper.
type Report struct {
	Title     string
	Team      string
	By        string // who asked
	Email     string
	Made      time.Time
	Export    string // its id
	ExportURL string

	Query       string // the filter in the query language; "" for none
	From, To    string // the range that was asked for; "" where it is open
	Events      int
	First, Last time.Time // of the events
	Actions     []ReportCount
	Size        int // of the log when the report was made

	Checkpoint string // the newest, as a signed note; "" without one
	Sealed     int    // leaves that it covers
}

// ReportCount is how often an action occurs.
type ReportCount struct {
	Label, ID string
	Events    int
}

// ReportRow is one event.
type ReportRow struct {
	Time                    time.Time
	ID                      string
	Leaf                    int64
	Actor, Email, IP        string
	Action, Outcome, Reason string
	Kind, Object            string
	Changes                 []Change
}

// ReportRows stands in a ReportPage where its rows go, which are drawn one by
// one as they are read.
const ReportRows = "<!-- rows -->"

// command makes the verified form of the report.
func (v Report) command() string {
	line := "onrecord events export --team " + quoteShell(v.Team) + " --format verified -o report.jsonl"
	if v.Query != "" {
		line += " -- " + quoteShell(v.Query)
	}
	return line + "\nonrecord verify report.jsonl --key KEY"
}

// quoteShell writes a text as one word of a shell.
func quoteShell(s string) string { return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'" }

// span is a range of times, open where nothing was asked for.
func span(from, to string) string {
	switch {
	case from == "" && to == "":
		return "all time"
	case to == "":
		return "from " + from
	case from == "":
		return "before " + to
	}
	return "from " + from + " to before " + to
}
