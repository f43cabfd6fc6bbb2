package web

import (
	"cmp"
	"encoding/csv"
	"net/url"
	"slices"
	"strings"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/web/view"
)

// logPath is the address of the team's audit log, or of one event of it.
func (v *visit) logPath(event string) string { return logPath(v.team(), event) }

func logPath(team, event string) string {
	if event == "" {
		return teamPath(team, "settings", "security", "audit-logs")
	}
	return teamPath(team, "settings", "security", "audit-logs", event)
}

// logQuery is what the address of the audit log asks for. Its whole filter
// stands in q, in the query language; all=1 asks for everything where nothing
// is asked for. The controls of the page send a part of the filter as values
// of their own, with the rest in q: merge puts them together again.
type logQuery struct {
	path   string
	home   string // the address that asks for nothing; path unless set
	text   string // q as it was typed
	filter audit.Filter
	all    bool
}

// address is the address of a filter.
func (q logQuery) address(f audit.Filter) string {
	if f.IsZero() {
		return cmp.Or(q.home, q.path)
	}
	return q.path + "?" + url.Values{"q": {f.String()}}.Encode()
}

// link is address as the list itself writes it, which is shorter.
func (q logQuery) link(f audit.Filter) string {
	if f.IsZero() {
		return q.address(f)
	}
	return strings.TrimPrefix(q.address(f), q.path)
}

// with is an address under which the same events are asked for, with further
// values (name, value, …).
func (q logQuery) with(path string, pairs ...string) string {
	values := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		values.Set(pairs[i], pairs[i+1])
	}
	if s := q.filter.String(); s != "" {
		values.Set("q", s)
	}
	if q.all {
		values.Set("all", "1")
	}
	if len(values) == 0 {
		return path
	}
	return path + "?" + values.Encode()
}

// page is the address of another page of the same events.
func (q logQuery) page(cursor string, newer bool) string {
	if newer {
		return q.with(q.path, "cursor", cursor, "newer", "1")
	}
	return q.with(q.path, "cursor", cursor)
}

// counted is the address at which the histogram is counted for longer.
func (q logQuery) counted() string { return q.with(q.path, "count", "on") }

// everything is the address where the quiet actions are shown as well.
func (q logQuery) everything() string { return q.path + "?all=1" }

// asked is the filter that is searched for: without any, the tracked actions.
func (q logQuery) asked() audit.Filter {
	if q.filter.IsZero() && !q.all {
		return audit.Filter{Action: audit.Values{Any: portal.Catalogue.Tracked()}}
	}
	return q.filter
}

// event is the address of one event that leads back to this list.
func (q logQuery) event(id string) string { return q.with(q.path + "/" + url.PathEscape(id)) }

// control is one of the page's filter controls: a view of a part of the
// filter.
type control struct {
	name   string
	fields []string                        // the values that its form sends
	clear  func(*audit.Filter)             // takes its part out of a filter
	set    func(*audit.Filter, form) error // puts in what its form says
}

type form struct{ url.Values }

// texts are the values of a name that are not empty.
func (f form) texts(name string) []string {
	var all []string
	for _, s := range f.Values[name] {
		if s = strings.TrimSpace(s); s != "" && !slices.Contains(all, s) {
			all = append(all, s)
		}
	}
	return all
}

var controls = []control{
	{"time", []string{"from", "to"},
		func(f *audit.Filter) { f.After, f.Before = time.Time{}, time.Time{} },
		func(f *audit.Filter, sent form) (err error) {
			if f.After, err = sent.time("from", "From"); err == nil {
				f.Before, err = sent.time("to", "To")
			}
			return err
		}},
	{"actor", []string{"actor"},
		func(f *audit.Filter) { f.Actor.Any = nil },
		func(f *audit.Filter, sent form) error { f.Actor.Any = sent.texts("actor"); return nil }},
	{"action", []string{"action"},
		func(f *audit.Filter) { f.Action.Any = nil },
		func(f *audit.Filter, sent form) error { f.Action.Any = sent.texts("action"); return nil }},
	{"object", []string{"kind", "object"},
		func(f *audit.Filter) { f.Type.Any, f.Object.Any = nil, nil },
		func(f *audit.Filter, sent form) error {
			f.Type.Any, f.Object.Any = sent.texts("kind"), readValues(sent.Get("object"))
			return nil
		}},
}

// time reads from or to. Error: Invalid with the name.
func (f form) time(name, label string) (time.Time, error) {
	text := strings.TrimSpace(f.Get(name))
	if text == "" {
		return time.Time{}, nil
	}
	t, err := audit.ParseTime(text)
	if err != nil {
		return t, audit.Invalid(name, "%s: “%s” cannot be: %s.", label, clipped(text, 40), err)
	}
	return t, nil
}

// readLogQuery reads an address of the log. merged tells that a control had
// sent its part, and that the address of the whole filter should take its
// place. Errors: *audit.QueryError for a text that is not understood, Invalid
// for a control's value that cannot be.
func readLogQuery(path string, values url.Values) (q logQuery, merged bool, err error) {
	q = logQuery{path: path, text: strings.TrimSpace(values.Get("q")), all: values.Get("all") != ""}
	if q.filter, err = audit.ParseQuery(q.text); err != nil {
		return q, false, err
	}
	for _, c := range controls {
		sent := slices.Contains(values["set"], c.name) || slices.ContainsFunc(c.fields, values.Has)
		if !sent {
			continue
		}
		merged = true
		c.clear(&q.filter)
		if err := c.set(&q.filter, form{values}); err != nil {
			return q, true, err
		}
	}
	picked, err := q.pick(values)
	if err != nil {
		return q, merged, err
	}
	merged = merged || picked
	if err := q.filter.CheckRange(); err != nil {
		return q, merged, err
	}
	if merged { // what came by a control must be sayable in the language as well
		q.text = q.filter.String()
		if q.filter, err = audit.ParseQuery(q.text); err != nil {
			return q, true, err
		}
	}
	return q, merged, nil
}

// pick narrows the filter to what only= names, or takes out what not= names: a
// word of the query language each. It tells whether there was one.
func (q *logQuery) pick(values url.Values) (bool, error) {
	picked := false
	for _, name := range []string{"only", "not"} {
		for _, word := range values[name] {
			f, err := audit.ParseQuery(word)
			if err != nil {
				return false, audit.Invalid(name, "%s: “%s” cannot be: it looks like actor:user_….", name, clipped(word, 100))
			}
			picked = true
			for _, field := range chipFields {
				for _, value := range field.values(&f).Any {
					if name == "only" {
						q.filter = only(q.filter, field.values, value)
					} else {
						q.filter = exclude(q.filter, field.values, value)
					}
				}
			}
		}
	}
	return picked, nil
}

// rest is what the form of a control carries along: its name, and the filter
// without its part.
func (q logQuery) rest(name string) []view.Hidden {
	f := q.filter
	for _, c := range controls {
		if c.name == name {
			c.clear(&f)
		}
	}
	fields := []view.Hidden{{Name: "set", Value: name}}
	if s := f.String(); s != "" {
		fields = append(fields, view.Hidden{Name: "q", Value: s})
	}
	return fields
}

// readValues reads several names or ids from one field: separated by commas,
// in quotes where a name holds one. What cannot be read so is one name.
func readValues(text string) []string {
	r := csv.NewReader(strings.NewReader(text))
	r.TrimLeadingSpace = true
	row, err := r.Read()
	if err != nil {
		row = []string{text}
	}
	return form{url.Values{"": row}}.texts("")
}

// writeValues is the text that readValues reads.
func writeValues(values []string) string {
	if len(values) == 0 {
		return ""
	}
	var b strings.Builder
	w := csv.NewWriter(&b)
	if err := w.Write(values); err != nil {
		return strings.Join(values, ", ")
	}
	w.Flush()
	return strings.TrimRight(b.String(), "\n")
}

// only narrows a field to one value.
func only(f audit.Filter, field func(*audit.Filter) *audit.Values, value string) audit.Filter {
	*field(&f) = audit.Values{Any: []string{value}}
	return f
}

// exclude adds a value to those that a field must not be.
func exclude(f audit.Filter, field func(*audit.Filter) *audit.Values, value string) audit.Filter {
	values := field(&f)
	*values = audit.Values{Any: without(values.Any, value), None: append(without(values.None, value), value)}
	return f
}

// without gives a copy of a list without a value.
func without(list []string, value string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return s == value })
}

func byActor(f *audit.Filter) *audit.Values   { return &f.Actor }
func byAction(f *audit.Filter) *audit.Values  { return &f.Action }
func byObject(f *audit.Filter) *audit.Values  { return &f.Object }
func byIP(f *audit.Filter) *audit.Values      { return &f.IP }
func byOutcome(f *audit.Filter) *audit.Values { return &f.Outcome }

// chipFields are the fields of the filter as chips name them.
var chipFields = []struct {
	label  string
	values func(*audit.Filter) *audit.Values
}{
	{"Actor", byActor}, {"Action", byAction}, {"Object", byObject},
	{"Kind", func(f *audit.Filter) *audit.Values { return &f.Type }},
	{"Outcome", byOutcome},
	{"IP", byIP},
	{"Via", func(f *audit.Filter) *audit.Values { return &f.Via }},
	{"Session", func(f *audit.Filter) *audit.Values { return &f.Session }},
	{"Request", func(f *audit.Filter) *audit.Values { return &f.Request }},
	{"Hours (UTC)", func(f *audit.Filter) *audit.Values { return &f.Hours }},
	{"Text", func(f *audit.Filter) *audit.Values { return &f.Text }},
}

// chips are the parts of the filter, each with the address without it. name
// puts an id into words.
func (q logQuery) chips(name func(string) string) []view.Chip {
	var chips []view.Chip
	add := func(label string, not bool, f audit.Filter) {
		chips = append(chips, view.Chip{Label: label, Exclude: not, RemoveURL: q.address(f)})
	}
	if t := q.filter.After; !t.IsZero() {
		f := q.filter
		f.After = time.Time{}
		add("From "+utc(t), false, f)
	}
	if t := q.filter.Before; !t.IsZero() {
		f := q.filter
		f.Before = time.Time{}
		add("Before "+utc(t), false, f)
	}
	for _, field := range chipFields {
		values := *field.values(&q.filter)
		for _, value := range values.Any {
			f := q.filter
			field.values(&f).Any = without(values.Any, value)
			add(field.label+": "+name(value), false, f)
		}
		for _, value := range values.None {
			f := q.filter
			field.values(&f).None = without(values.None, value)
			add(field.label+": "+name(value), true, f)
		}
	}
	return chips
}

// utc is a time as pages write it, to the second, or exactly if it has more.
func utc(t time.Time) string {
	if t.Equal(t.Truncate(time.Second)) {
		return t.UTC().Format("2006-01-02 15:04:05") + " UTC"
	}
	return t.UTC().Format("2006-01-02 15:04:05.000000") + " UTC"
}
