package portal

import (
	"fmt"

	"onrecord/audit"
)

// LogFormat is a form in which events of the log leave the portal.
type LogFormat struct {
	ID          string // "csv"
	Label       string // as people choose it
	Ending      string // of the file's name
	ContentType string
	Columns     bool // they can be chosen
}

// LogFormats are all of them, in the order of menus.
var LogFormats = []LogFormat{
	{"csv", "CSV (.csv)", "csv", "text/csv; charset=utf-8; header=present", true},
	{"jsonl", "JSON Lines (.jsonl)", "jsonl", "application/jsonl; charset=utf-8", false},
	VerifiedFormat,
}

// VerifiedFormat holds the sealed bytes and their proof: docs/verify.md.
var VerifiedFormat = LogFormat{"verified", "Verified, with proof (.jsonl)", "verified.jsonl", "application/jsonl; charset=utf-8", false}

// ReportFormat is the page for an auditor. Whoever speaks for people draws it.
var ReportFormat = LogFormat{"report", "Report to print", "html", "text/html; charset=utf-8", false}

func logFormat(id string) (LogFormat, error) {
	for _, f := range append(LogFormats, ReportFormat) {
		if f.ID == id {
			return f, nil
		}
	}
	return LogFormat{}, audit.Invalid("format", "The format %q is not known: it is csv, jsonl or verified.", clip(id))
}

// LogFile writes the file of an export: what comes first, then each event. Each
// is called from several goroutines at once. The same events must give the
// same bytes, for an export that was broken off is made again to go on.
type LogFile struct {
	Head []byte
	Each audit.Render
	Foot func(LogExported) []byte // may be nil
}

// file makes the writer of a format. A report has none here.
func (f LogFormat) file(columns []string) (LogFile, error) {
	switch f.ID {
	case "csv":
		w, err := audit.NewCSV(Catalogue, columns...)
		if err != nil {
			return LogFile{}, err
		}
		return LogFile{Head: w.Head(), Each: w.Append}, nil
	case "jsonl":
		return LogFile{Each: appendJSONLine}, nil
	case VerifiedFormat.ID:
		return LogFile{}, nil // it is made of raw bytes: see verifiedlog.go
	}
	return LogFile{}, fmt.Errorf("the format %s is drawn elsewhere", f.ID)
}

func appendJSONLine(b []byte, e *audit.Event) ([]byte, error) {
	b, err := e.AppendJSON(b)
	if err != nil {
		return b, fmt.Errorf("writing event %s: %w", e.ID, err)
	}
	return append(b, '\n'), nil
}
