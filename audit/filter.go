package audit

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// Filter says which events of a log are wanted. Its controls on the page, the
// text of the search field, the API and the command line are views of it:
// [ParseQuery] reads the text, [Filter.String] writes it.
//
// The values of one field are or-ed, the fields are and-ed. The zero Filter
// wants everything.
type Filter struct {
	After  time.Time // at or after it; zero for no bound
	Before time.Time // strictly before it; zero for no bound

	Actor   Values // ids, names or mail addresses, as they are or ever were
	Action  Values // ids of the catalogue
	Object  Values // ids or names; also objects that are only related
	Type    Values // of the object
	Outcome Values // ok, denied, failed
	IP      Values // addresses or networks
	Via     Values // web, api, cli, system
	Session Values
	Request Values
	Hours   Values // hours of the week, such as mon-fri/08:00-18:00 (UTC)
	Text    Values // words or phrases: Any must ALL occur, None must not
}

// Values are what a field may be and what it must not be.
type Values struct{ Any, None []string }

// IsZero tells that there is no condition.
func (v Values) IsZero() bool { return len(v.Any) == 0 && len(v.None) == 0 }

// field is one field of the query language.
type field struct {
	name   string
	values func(*Filter) *Values
	check  func(string) (canonical, wrong string)
}

// fields stand in the order in which String writes them.
var fields = []field{
	{"actor", func(f *Filter) *Values { return &f.Actor }, anything},
	{"action", func(f *Filter) *Values { return &f.Action }, checkAction},
	{"object", func(f *Filter) *Values { return &f.Object }, anything},
	{"type", func(f *Filter) *Values { return &f.Type }, anything},
	{"outcome", func(f *Filter) *Values { return &f.Outcome }, oneOf(string(OutcomeOK), string(OutcomeDenied), string(OutcomeFailed))},
	{"ip", func(f *Filter) *Values { return &f.IP }, checkIP},
	{"via", func(f *Filter) *Values { return &f.Via }, oneOf("web", "api", "cli", "system")},
	{"session", func(f *Filter) *Values { return &f.Session }, anything},
	{"request", func(f *Filter) *Values { return &f.Request }, anything},
	{"hours", func(f *Filter) *Values { return &f.Hours }, checkHours},
}

func fieldNamed(name string) (field, bool) {
	i := slices.IndexFunc(fields, func(f field) bool { return f.name == name })
	if i < 0 {
		return field{}, false
	}
	return fields[i], true
}

func fieldNames() string {
	names := []string{}
	for _, f := range fields {
		names = append(names, f.name+":")
	}
	return strings.Join(append(names, "after:", "before:"), " ")
}

func anything(s string) (string, string) { return s, "" }

func checkAction(s string) (string, string) {
	if !actionID.MatchString(s) {
		return "", "an action looks like call.viewed"
	}
	return s, ""
}

func oneOf(words ...string) func(string) (string, string) {
	return func(s string) (string, string) {
		if !slices.Contains(words, s) {
			return "", "it is one of " + strings.Join(words, ", ")
		}
		return s, ""
	}
}

func checkIP(s string) (string, string) {
	if a, err := netip.ParseAddr(s); err == nil && a.Zone() == "" {
		return a.Unmap().String(), ""
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		if p.Addr().Is4In6() && p.Bits() >= 96 { // ::ffff:203.0.113.0/120 is 203.0.113.0/24
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		return p.Masked().String(), ""
	}
	return "", "an address looks like 203.0.113.7, a network like 203.0.113.0/24"
}

// IsZero tells that the filter wants everything.
func (f Filter) IsZero() bool {
	for _, d := range fields {
		if !d.values(&f).IsZero() {
			return false
		}
	}
	return f.Text.IsZero() && f.After.IsZero() && f.Before.IsZero()
}

// CheckRange refuses a range of time that ends before it begins.
func (f Filter) CheckRange() error {
	if !f.After.IsZero() && !f.Before.IsZero() && !f.After.Before(f.Before) {
		return Invalid("before", "The range ends at %s; it must end later than it begins, at %s.", showTime(f.Before), showTime(f.After))
	}
	return nil
}

// String writes the filter in the query language; ParseQuery reads it back as
// the same filter.
func (f Filter) String() string {
	var words []string
	for _, d := range fields {
		v := d.values(&f)
		if len(v.Any) > 0 {
			words = append(words, d.name+":"+joinValues(v.Any))
		}
		if len(v.None) > 0 {
			words = append(words, "-"+d.name+":"+joinValues(v.None))
		}
	}
	if !f.After.IsZero() {
		words = append(words, "after:"+showTime(f.After))
	}
	if !f.Before.IsZero() {
		words = append(words, "before:"+showTime(f.Before))
	}
	for _, t := range f.Text.Any {
		words = append(words, quoteText(t))
	}
	for _, t := range f.Text.None {
		words = append(words, "-"+quoteText(t))
	}
	return strings.Join(words, " ")
}

func joinValues(values []string) string {
	quoted := make([]string, len(values))
	for i, v := range values {
		quoted[i] = quoteValue(v)
	}
	return strings.Join(quoted, ",")
}

func quoteValue(v string) string {
	if v == "" || strings.ContainsAny(v, " ,\"\\") || strings.ContainsFunc(v, isSpace) {
		return quoted(v)
	}
	return v
}

// quoteText quotes what would read as something else than one word of text.
func quoteText(t string) string {
	if quoteValue(t) != t || strings.HasPrefix(t, "-") || strings.Contains(t, ":") {
		return quoted(t)
	}
	return t
}

func quoted(s string) string {
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}

// showTime is a time as the query language writes it: no longer than needed.
func showTime(t time.Time) string {
	t = t.UTC()
	switch {
	case t.Equal(t.Truncate(24 * time.Hour)):
		return t.Format("2006-01-02")
	case t.Equal(t.Truncate(time.Minute)):
		return t.Format("2006-01-02T15:04Z")
	case t.Equal(t.Truncate(time.Second)):
		return t.Format("2006-01-02T15:04:05Z")
	}
	return t.Format(timeFormat)
}

// timeLayouts are the forms of a time, without and with a zone. Go reads a
// fraction of a second behind either of those with seconds.
var timeLayouts = []string{
	"2006-01-02", "2006-01-02T15:04Z07:00", "2006-01-02T15:04:05Z07:00", "2006-01-02T15:04", "2006-01-02T15:04:05",
}

// The years that a time of the query language may have: those that every
// event's place fits (order.go).
const minYear, maxYear = 1970, 2100

// ParseTime reads a time of the query language: 2026-11-01,
// 2026-11-01T12:00Z, 2026-11-01T12:00:05Z, with up to six digits of a second,
// or with an offset instead of Z. A time without a zone is UTC.
func ParseTime(s string) (time.Time, error) {
	for _, layout := range timeLayouts {
		t, err := time.Parse(layout, s)
		if err != nil || strings.Contains(s, ",") {
			continue
		}
		t = t.UTC()
		if t.Year() < minYear || t.Year() > maxYear {
			return time.Time{}, fmt.Errorf("the year %d is not between %d and %d", t.Year(), minYear, maxYear)
		}
		if t.Nanosecond()%1000 != 0 {
			return time.Time{}, fmt.Errorf("a second has at most six digits behind its point")
		}
		return t, nil
	}
	if len(s) == len("2006-01-02") && strings.Count(s, "-") == 2 {
		return time.Time{}, fmt.Errorf("there is no such day")
	}
	return time.Time{}, fmt.Errorf("a time looks like 2026-11-01 or 2026-11-01T12:00Z")
}
