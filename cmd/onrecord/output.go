package main

import (
	"bufio"
	"encoding/csv"
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
		return &csvWriter{out: csv.NewWriter(c.out)}
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

var csvHead = []string{
	"id", "time", "recorded", "team", "actor_type", "actor_id", "actor_name", "actor_email", "action", "outcome", "error",
	"object_type", "object_id", "object_name", "changes", "related", "reason", "data", "ip", "user_agent", "session", "request", "via",
}

// csvWriter writes RFC 4180 with a line of names first. Changes, related
// objects and data are JSON within their cells.
type csvWriter struct {
	out   *csv.Writer
	begun bool
}

func (w *csvWriter) write(events []audit.Event) error {
	if !w.begun {
		w.begun = true
		w.out.UseCRLF = true
		if err := w.out.Write(csvHead); err != nil {
			return err
		}
	}
	for _, e := range events {
		row, err := csvRow(e)
		if err != nil {
			return err
		}
		if err := w.out.Write(row); err != nil {
			return err
		}
	}
	w.out.Flush()
	return w.out.Error()
}

func (w *csvWriter) finish() error {
	w.out.Flush()
	return w.out.Error()
}

// csvRow takes the cells from the event's JSON, so that both say the same.
func csvRow(e audit.Event) ([]string, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	var j map[string]json.RawMessage
	if err := json.Unmarshal(text, &j); err != nil {
		return nil, err
	}
	for _, part := range []string{"actor", "object", "context"} {
		if err := spread(j, part); err != nil {
			return nil, err
		}
	}
	row := make([]string, len(csvHead))
	for i, name := range csvHead {
		row[i] = harmless(cell(j[name]))
	}
	return row, nil
}

// spread lifts the members of an object: actor.id becomes actor_id, those of
// the context keep their names.
func spread(j map[string]json.RawMessage, part string) error {
	if j[part] == nil {
		return nil
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(j[part], &members); err != nil {
		return err
	}
	for name, value := range members {
		if part != "context" {
			name = part + "_" + name
		}
		j[name] = value
	}
	return nil
}

// cell is a text as it is, an empty list as nothing, anything else as JSON.
func cell(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	if string(value) == "[]" {
		return ""
	}
	return string(value)
}

// harmless keeps spreadsheets from taking a cell for a formula.
func harmless(s string) string {
	if s != "" && strings.ContainsRune("=+-@\t\r", rune(s[0])) {
		return "'" + s
	}
	return s
}
