package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"onrecord/audit"
)

// eventWriter writes events as they come, in one of the formats.
type eventWriter interface {
	write([]audit.Event) error
	finish() error
}

func newEventWriter(c *console, format string, actions *audit.Catalogue) eventWriter {
	if format == "auto" {
		format = "json"
		if isTerminal(c.out) {
			format = "table"
		}
	}
	switch format {
	case "table":
		return &tableWriter{out: bufio.NewWriter(c.out), actions: actions}
	case "csv":
		lines, err := audit.NewCSV(actions)
		if err != nil {
			panic(err) // all columns are known
		}
		return &csvWriter{out: bufio.NewWriter(c.out), lines: lines}
	}
	out := bufio.NewWriter(c.out)
	return &jsonWriter{out: out, lines: json.NewEncoder(out)}
}

// jsonWriter writes one object a line.
type jsonWriter struct {
	out   *bufio.Writer
	lines *json.Encoder
}

func (w *jsonWriter) write(events []audit.Event) error {
	for _, e := range events {
		if err := w.lines.Encode(e); err != nil {
			return err
		}
	}
	return w.out.Flush()
}

func (w *jsonWriter) finish() error { return w.out.Flush() }

// tableWriter writes columns for people. Their widths follow from the first
// page, so that nothing has to be held back.
type tableWriter struct {
	out     *bufio.Writer
	actions *audit.Catalogue
	widths  []int
}

func (w *tableWriter) write(events []audit.Event) error {
	var rows [][]string
	for _, e := range events {
		rows = append(rows, w.row(e))
	}
	if w.widths == nil {
		head := []string{"Timestamp (UTC)", "Actor", "Action", "Object"}
		rows = append([][]string{head}, rows...)
		w.widths = make([]int, len(head))
		for _, row := range rows {
			for i, cell := range row {
				w.widths[i] = max(w.widths[i], utf8.RuneCountInString(cell))
			}
		}
	}
	for _, row := range rows {
		var line strings.Builder
		for i, cell := range row {
			fmt.Fprintf(&line, "%-*s  ", w.widths[i], cell)
		}
		if _, err := fmt.Fprintln(w.out, strings.TrimRight(line.String(), " ")); err != nil {
			return err
		}
	}
	return w.out.Flush()
}

func (w *tableWriter) row(e audit.Event) []string {
	actor, object := "", ""
	if a := e.Actor; a != nil {
		actor = firstOf(a.Name, a.Email, a.ID, string(a.Type))
	}
	if o := e.Object; o != nil {
		object = firstOf(o.Name, o.Type+" "+o.ID)
	}
	action := w.actions.Label(e.Action)
	if e.Outcome != audit.OutcomeOK {
		action += " (" + string(e.Outcome) + ")"
	}
	return []string{e.Time.UTC().Format("2006-01-02 15:04:05.000"), visible(actor), visible(action), visible(object)}
}

func (w *tableWriter) finish() error { return w.out.Flush() }

func firstOf(values ...string) string {
	for _, v := range values {
		if v != "" {
			return v
		}
	}
	return ""
}

// visible replaces what could move the cursor, colour the terminal or turn the
// direction of a line: names come from people.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
			return utf8.RuneError
		}
		return r
	}, s)
}

// csvWriter writes the columns of an export, with a line of names first.
type csvWriter struct {
	out   *bufio.Writer
	lines *audit.CSV
	begun bool
}

func (w *csvWriter) write(events []audit.Event) error {
	if !w.begun {
		w.begun = true
		if _, err := w.out.Write(w.lines.Head()); err != nil {
			return err
		}
	}
	var line []byte
	for i := range events {
		var err error
		if line, err = w.lines.Append(line[:0], &events[i]); err != nil {
			return err
		}
		if _, err := w.out.Write(line); err != nil {
			return err
		}
	}
	return w.out.Flush()
}

func (w *csvWriter) finish() error { return w.out.Flush() }
