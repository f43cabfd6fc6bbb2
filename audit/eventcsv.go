package audit

import (
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// CSV writes events as lines of RFC 4180, the same cells as the event's JSON.
// It holds no state: lines may be made beside each other and put together in
// any order.
type CSV struct {
	columns []csvColumn
	actions *Catalogue
}

// csvColumn is one column: its name in the first line, and a cell of it.
type csvColumn struct {
	name string
	cell func(*CSV, *Event) (string, error)
}

// csvColumns are all columns, in their order. Scripts go by the names: columns
// are only ever added, at the end.
var csvColumns = []csvColumn{
	{"id", ofEvent(func(e *Event) string { return e.ID })},
	{"time", ofEvent(func(e *Event) string { return stampOf(e.Time) })},
	{"recorded", ofEvent(func(e *Event) string { return stampOf(e.Recorded) })},
	{"team", ofEvent(func(e *Event) string { return e.Log })},
	{"actor_type", ofActor(func(a *Actor) string { return string(a.Type) })},
	{"actor_id", ofActor(func(a *Actor) string { return a.ID })},
	{"actor_name", ofActor(func(a *Actor) string { return a.Name })},
	{"actor_email", ofActor(func(a *Actor) string { return a.Email })},
	{"action", ofEvent(func(e *Event) string { return e.Action })},
	{"outcome", ofEvent(func(e *Event) string { return string(e.Outcome) })},
	{"error", ofEvent(func(e *Event) string { return e.Error })},
	{"object_type", ofObject(func(o *Ref) string { return o.Type })},
	{"object_id", ofObject(func(o *Ref) string { return o.ID })},
	{"object_name", ofObject(func(o *Ref) string { return o.Name })},
	{"changes", func(_ *CSV, e *Event) (string, error) {
		return jsonCell(len(e.Changes), func() any { return e.json().Changes })
	}},
	{"related", func(_ *CSV, e *Event) (string, error) {
		return jsonCell(len(e.Related), func() any { return e.json().Related })
	}},
	{"reason", ofEvent(func(e *Event) string { return e.Reason })},
	{"data", func(_ *CSV, e *Event) (string, error) { return jsonCell(len(e.Data), func() any { return e.Data }) }},
	{"ip", ofEvent(func(e *Event) string { return e.Context.IP })},
	{"user_agent", ofEvent(func(e *Event) string { return e.Context.UserAgent })},
	{"session", ofEvent(func(e *Event) string { return e.Context.Session })},
	{"request", ofEvent(func(e *Event) string { return e.Context.Request })},
	{"via", ofEvent(func(e *Event) string { return e.Context.Via })},
	{"leaf", ofEvent(func(e *Event) string {
		if e.Leaf == nil {
			return ""
		}
		return strconv.FormatInt(*e.Leaf, 10)
	})},
	{"action_label", func(c *CSV, e *Event) (string, error) { return c.actions.Label(e.Action), nil }},
	{"summary", ofEvent(summary)},
	{"actor_for", ofActor(func(a *Actor) string { return a.For })},
	{"source", ofEvent(func(e *Event) string { return e.Source })},
	{"links", func(_ *CSV, e *Event) (string, error) {
		return jsonCell(len(e.Links), func() any { return e.json().Links })
	}},
	{"erased", ofEvent(erasedParts)},
}

func ofEvent(of func(*Event) string) func(*CSV, *Event) (string, error) {
	return func(_ *CSV, e *Event) (string, error) { return of(e), nil }
}

func ofActor(of func(*Actor) string) func(*CSV, *Event) (string, error) {
	return ofEvent(func(e *Event) string {
		if e.Actor == nil {
			return ""
		}
		return of(e.Actor)
	})
}

func ofObject(of func(*Ref) string) func(*CSV, *Event) (string, error) {
	return ofEvent(func(e *Event) string {
		if e.Object == nil {
			return ""
		}
		return of(e.Object)
	})
}

// jsonCell is a list or an object as JSON, nothing if it is empty.
func jsonCell(n int, v func() any) (string, error) {
	if n == 0 {
		return "", nil
	}
	b, err := json.Marshal(v())
	return string(b), err
}

// summary is what changed, for people: "role: agent → admin; name: → Sam Roe".
func summary(e *Event) string {
	var all []string
	for _, c := range e.Changes {
		switch {
		case c.Field == "":
		case c.Class == Secret || c.Class == Digest || c.Class == Erased:
			all = append(all, c.Field+": "+string(c.Class))
		default:
			all = append(all, strings.Join(strings.Fields(c.Field+": "+c.From.String()+" → "+c.To.String()), " "))
		}
	}
	return strings.Join(all, "; ")
}

// erasedParts names the halves of the event that are gone.
func erasedParts(e *Event) string {
	switch {
	case e.WhoErased && e.WhatErased:
		return "who what"
	case e.WhoErased:
		return "who"
	case e.WhatErased:
		return "what"
	}
	return ""
}

// CSVColumns gives the names of all columns, in their order.
func CSVColumns() []string {
	names := make([]string, len(csvColumns))
	for i, c := range csvColumns {
		names[i] = c.name
	}
	return names
}

// NewCSV writes the columns of these names, in the order given; all of them if
// none is named. actions gives the labels. Error: Invalid, field columns, for a
// name that is not known or stands twice.
func NewCSV(actions *Catalogue, columns ...string) (*CSV, error) {
	c := &CSV{columns: csvColumns, actions: actions}
	if len(columns) == 0 {
		return c, nil
	}
	c.columns = nil
	for i, name := range columns {
		at := slices.IndexFunc(csvColumns, func(c csvColumn) bool { return c.name == name })
		switch {
		case at < 0:
			return nil, Invalid("columns", "There is no column %q: the columns are %s.", shortened(name), strings.Join(CSVColumns(), ", "))
		case slices.Contains(columns[:i], name):
			return nil, Invalid("columns", "The column %s is named twice.", name)
		}
		c.columns = append(c.columns, csvColumns[at])
	}
	return c, nil
}

func shortened(s string) string {
	const most = 40
	if utf8.RuneCountInString(s) > most {
		s = string([]rune(s)[:most]) + "…"
	}
	return strings.ToValidUTF8(s, "\uFFFD")
}

// Columns are the names of the columns that are written.
func (c *CSV) Columns() []string {
	names := make([]string, len(c.columns))
	for i, column := range c.columns {
		names[i] = column.name
	}
	return names
}

// Head is the line of names.
func (c *CSV) Head() []byte {
	return append([]byte(strings.Join(c.Columns(), ",")), '\r', '\n')
}

// Append adds the line of an event to b.
func (c *CSV) Append(b []byte, e *Event) ([]byte, error) {
	for i, column := range c.columns {
		cell, err := column.cell(c, e)
		if err != nil {
			return b, fmt.Errorf("writing the column %s of event %s: %w", column.name, e.ID, err)
		}
		if i > 0 {
			b = append(b, ',')
		}
		b = appendCell(b, cell)
	}
	return append(b, '\r', '\n'), nil
}

// appendCell writes a cell, in quotes where RFC 4180 wants them.
func appendCell(b []byte, cell string) []byte {
	if cell == "" {
		return b
	}
	quote := strings.ContainsAny(cell, ",\"\r\n") || cell[0] == ' '
	if quote {
		b = append(b, '"')
	}
	if isFormula(cell) {
		b = append(b, '\'')
	}
	if !quote {
		return append(b, cell...)
	}
	return append(append(b, strings.ReplaceAll(cell, `"`, `""`)...), '"')
}

// isFormula tells whether a spreadsheet might take a cell for a formula. Such
// a cell is written with an apostrophe before it. One that has apostrophes
// there already counts too, so that taking one away always gives the text back.
func isFormula(cell string) bool {
	r, _ := utf8.DecodeRuneInString(strings.TrimLeft(cell, "'"))
	return strings.ContainsRune("=+-@\t\r\n＝＋－＠", r)
}
