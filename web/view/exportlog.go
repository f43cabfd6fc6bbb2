package view

import (
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// ExportButton leads from the log to the page "Export", with the filter.
type ExportButton struct {
	URL    string
	Hidden []Hidden
}

// ExportLog is the page "Export": what leaves the log, and in which form.
type ExportLog struct {
	Page
	URL     string // post; answers with the file
	Query   string // the filter in the query language; "" for none
	All     bool   // without a filter: everything, not the tracked actions alone
	Formats []ExportFormat
	Columns []string // of a CSV
	BackURL string
	Known   []Export // the newest first
}

// ExportFormat is one form to choose.
type ExportFormat struct{ ID, Label, Hint string }

// OneExport is the page of one export.
type OneExport struct {
	Page
	Export Export
}

// Export is an export of the log.
type Export struct {
	ID       string
	URL      string // its page
	EventURL string // of the event that recorded its beginning
	Name     string // of the file
	Format   string // label
	By       string
	Begun    time.Time
	Ended    time.Time // zero while it runs
	Query    string
	Events   int
	Bytes    int64
	SHA256   string
	Verified bool   // it holds proofs
	Broken   string // why it was broken off; "" if it was not
	RestURL  string // sends it again; "" where it cannot go on
}

// state is how the export stands: a text, an icon and a class.
func (e Export) state() (text, iconName, class string) {
	switch {
	case e.Ended.IsZero():
		return "Under way", "clock", "pill wait"
	case e.Broken != "":
		return "Broken off", "warning", "pill bad"
	}
	return "Whole", "check", "pill good"
}

// size is a number of bytes for people: "1.2 MB".
func size(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

// words is a name of a column as people read it.
func words(name string) string { return strings.ReplaceAll(name, "_", " ") }

// short is the beginning of a digest, enough to tell files apart.
func short(sum string) string { return sum[:min(len(sum), 12)] }
