package audit

import (
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func day(y, m, d int) time.Time { return time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC) }

func anyOfValues(v ...string) Values { return Values{Any: v} }

func TestParseQuery(t *testing.T) {
	for query, want := range map[string]Filter{
		"":                                  {},
		" \t\n\u00a0\u3000":                 {},
		"actor:dana@example.com":            {Actor: anyOfValues("dana@example.com")},
		"actor:a actor:b,a":                 {Actor: anyOfValues("a", "b")},
		"-actor:a,b":                        {Actor: Values{None: []string{"a", "b"}}},
		`actor:"Dana Cruz",sam`:             {Actor: anyOfValues("Dana Cruz", "sam")},
		`object:"a \"quote\", a \\ and \n"`: {Object: anyOfValues(`a "quote", a \ and \n`)},
		"object:a\\b":                       {Object: anyOfValues(`a\b`)},
		"action:call.viewed -outcome:ok":    {Action: anyOfValues("call.viewed"), Outcome: Values{None: []string{"ok"}}},
		"ip:203.0.113.7,203.0.113.9/24":     {IP: anyOfValues("203.0.113.7", "203.0.113.0/24")},
		"ip:2001:DB8::1,2001:db8::/32":      {IP: anyOfValues("2001:db8::1", "2001:db8::/32")},
		"ip:::ffff:203.0.113.7,::ffff:203.0.113.7/120":                                 {IP: anyOfValues("203.0.113.7", "203.0.113.0/24")},
		"type:call via:api,cli session:s request:r":                                    {Type: anyOfValues("call"), Via: anyOfValues("api", "cli"), Session: anyOfValues("s"), Request: anyOfValues("r")},
		"hours:MON-fri/8-18:30 -hours:sat,18-8,22-0,fri-mon":                           {Hours: Values{Any: []string{"mon-fri/08:00-18:30"}, None: []string{"sat", "18:00-08:00", "22:00-24:00", "fri-mon"}}},
		"after:2026-11-01 before:2026-11-08T12:00Z":                                    {After: day(2026, 11, 1), Before: day(2026, 11, 8).Add(12 * time.Hour)},
		`after:"2026-11-01T02:00:05.25+02:00"`:                                         {After: day(2026, 11, 1).Add(5250 * time.Millisecond)},
		"before:2026-11-01T12:00":                                                      {Before: day(2026, 11, 1).Add(12 * time.Hour)},
		`refund "free text" -test -"two words" 12:30 "actor:x" ` + "\u00a0grün\u2003x": {Text: Values{Any: []string{"refund", "free text", "12:30", "actor:x", "grün", "x"}, None: []string{"test", "two words"}}},
		"--x a-b":      {Text: Values{Any: []string{"a-b"}, None: []string{"-x"}}},
		"actor:\ufffd": {Actor: anyOfValues("\ufffd")},
		"a,b":          {Text: anyOfValues("a,b")},
	} {
		got, err := ParseQuery(query)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %+v, %v; want %+v", query, got, err, want)
		}
		checkQuery(t, query)
	}
}

// checkQuery wants an error that points into the query, or a filter that reads
// back from its own text.
func checkQuery(t interface{ Errorf(string, ...any) }, query string) {
	f, err := ParseQuery(query)
	if err != nil {
		checkQueryError(t, query, err)
		return
	}
	text := f.String()
	again, err := ParseQuery(text)
	if err != nil || !reflect.DeepEqual(again, f) {
		t.Errorf("%q reads as %+v, written %q reads as %+v, %v", query, f, text, again, err)
	}
	if text != again.String() {
		t.Errorf("%q is written %q, then %q", query, text, again.String())
	}
	if f.IsZero() != (text == "") {
		t.Errorf("%q: wants everything is %v, written %q", query, f.IsZero(), text)
	}
}

func checkQueryError(t interface{ Errorf(string, ...any) }, query string, err error) {
	e, ok := errors.AsType[*QueryError](err)
	if !ok || e.Message == "" || e.Pos < 0 || e.End < e.Pos || e.End > len(query) || e.End == e.Pos && query != "" {
		t.Errorf("%q: error %#v does not point into the query", query, err)
		return
	}
	if e.Word != "" && e.Word != query[e.Pos:e.End] {
		t.Errorf("%q: error at %d to %d speaks of %q", query, e.Pos, e.End, e.Word)
	}
	if utf8.ValidString(query) && !utf8.ValidString(query[e.Pos:e.End]) {
		t.Errorf("%q: error at %d to %d cuts a character", query, e.Pos, e.End)
	}
	people, ok := errors.AsType[*Error](err)
	if !ok || people.Code != CodeInvalid || people.Field != "q" || !utf8.ValidString(people.Message) {
		t.Errorf("%q: %#v is no Error for people", query, err)
	}
}

func TestQueryErrors(t *testing.T) {
	for _, c := range []struct{ query, word, message string }{
		{"-", "-", "nothing to search for"},
		{"a - b", "-", "nothing to search for"},
		{"... x", "...", "nothing to search for"},
		{`""`, `""`, "nothing to search for"},
		{`a "b c`, `"b c`, "not closed"},
		{`a b"c d`, `b"c`, "inside a word"},
		{`"a"b`, `"a"b`, "a space is missing"},
		{`actor:"a"b c`, `actor:"a"b`, "a space is missing"},
		{"x actor:", "actor:", "wants a value"},
		{"actor: dana", "actor:", "wants a value"},
		{"actor:a,", "actor:a,", "wants a value"},
		{"actor:,a", "actor:", "wants a value"},
		{`actor:"" x`, `actor:""`, "wants a value"},
		{"actr:x", "actr:x", "there is no field actr:"},
		{"Actor:x", "Actor:x", "did you mean actor:?"},
		{"out:ok", "out:ok", "did you mean outcome:?"},
		{"-objects:x y", "-objects:x", "did you mean object:?"},
		{"http://example.com", "http://example.com", "in quotes"},
		{"a action:viewed", "viewed", "an action looks like call.viewed"},
		{"action:call.viewed,Call.Viewed", "Call.Viewed", "an action looks like"},
		{"outcome:OK", "OK", "one of ok, denied, failed"},
		{"via:email", "email", "one of web, api, cli, system"},
		{"ip:1.2.3", "1.2.3", "an address looks like"},
		{"hours:8-18,monday", "monday", "a day is one of mon"},
		{"hours:8-25", "8-25", "hours look like"},
		{"hours:08:60-09", "08:60-09", "hours look like"},
		{"hours:/8-9", "/8-9", "hours look like"},
		{"hours:mon/", "mon/", "hours look like"},
		{"-hours:8-8", "8-8", "begin and end at different times"},
		{"ip:1.2.3.4/33", "1.2.3.4/33", "an address looks like"},
		{"ip:fe80::1%eth0", "fe80::1%eth0", "an address looks like"},
		{"after:yesterday", "after:yesterday", "a time looks like"},
		{"after:", "after:", "a time looks like"},
		{"after:2026-11-31", "after:2026-11-31", "no such day"},
		{"after:2026-11-01,2026-11-02", "after:2026-11-01,2026-11-02", "a time looks like"},
		{"after:2026-11-01T10:00:00,5Z", "after:2026-11-01T10:00:00,5Z", "a time looks like"},
		{"after:2026-11-01T10:00:00.1234567Z", "after:2026-11-01T10:00:00.1234567Z", "at most six digits"},
		{"after:1969-12-31", "after:1969-12-31", "not between 1970 and 2100"},
		{"after:1970-01-01T00:00+01:00", "after:1970-01-01T00:00+01:00", "the year 1969"},
		{"before:2101-01-01", "before:2101-01-01", "not between 1970 and 2100"},
		{"-after:2026-11-01", "-after:2026-11-01", "cannot be excluded"},
		{"after:2026-11-01 after:2026-11-02", "after:2026-11-02", "twice"},
		{"before:2026-11-01 x after:2026-11-01", "before:2026-11-01", "later than it begins"},
		{"a\x00b", "\x00", "control character"},
		{"a\u0080", "\u0080", "control character"},
		{"ab\xff", "\xff", "not valid UTF-8"},
		{"\xed\xa0\x80", "\xed", "not valid UTF-8"},
		{"\ufffd", "\ufffd", "nothing to search for"},
		{"type:" + strings.Repeat("a,", 4000), "", "at most 4096"},
		{"-" + strings.Repeat("\\", 4000) + "a", "", "at most 4096"}, // longer once it is quoted
		{"type:" + numbers(101), "type:" + numbers(101), "at most 100 values"},
	} {
		f, err := ParseQuery(c.query)
		e, ok := errors.AsType[*QueryError](err)
		if !ok || e.Word != c.word || !strings.Contains(e.Message, c.message) || !f.IsZero() {
			t.Errorf("%.60q: %+v, %v (%#v); want %.60q and %q", c.query, f, err, e, c.word, c.message)
			continue
		}
		checkQueryError(t, c.query, err)
	}
	if _, err := ParseQuery("type:" + numbers(100)); err != nil {
		t.Error(err)
	}
}

func numbers(n int) string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint(i))
	}
	return strings.Join(all, ",")
}

// TestFilterString: every filter that can be asked for has a text, and the
// text means that filter.
func TestFilterString(t *testing.T) {
	awkward := []string{"-", "a:b", `"`, `\`, `\"`, ",", " ", "\u00a0", "a b", "-x", "after:2026-11-01", "é", "\u202e", `ends\`, "\n", "\t tab"}
	value := rapid.OneOf(rapid.SampledFrom(awkward), rapid.StringOfN(rapid.RuneFrom([]rune("aé:,\"\\- \u2003\u0301ß")), 1, 8, -1))
	word := rapid.Map(value, func(s string) string { return "w" + s })
	list := func(of *rapid.Generator[string]) *rapid.Generator[[]string] {
		return rapid.SliceOfNDistinct(of, 0, 3, rapid.ID[string])
	}
	values := func(of *rapid.Generator[string]) *rapid.Generator[Values] {
		return rapid.Custom(func(t *rapid.T) Values {
			v := Values{list(of).Draw(t, "any"), list(of).Draw(t, "none")}
			for _, l := range []*[]string{&v.Any, &v.None} {
				if len(*l) == 0 {
					*l = nil
				}
			}
			return v
		})
	}
	instant := func(low, high int64) *rapid.Generator[time.Time] {
		unit := rapid.SampledFrom([]int64{1, 1e6, 60e6, 86400e6})
		return rapid.Custom(func(t *rapid.T) time.Time {
			u := unit.Draw(t, "unit")
			return time.UnixMicro(rapid.Int64Range(low/u, high/u).Draw(t, "time") * u).UTC()
		})
	}
	rapid.Check(t, func(t *rapid.T) {
		f := Filter{
			Actor: values(value).Draw(t, "actor"), Object: values(value).Draw(t, "object"), Type: values(value).Draw(t, "type"),
			Session: values(value).Draw(t, "session"), Request: values(value).Draw(t, "request"), Text: values(word).Draw(t, "text"),
			Action:  values(rapid.StringMatching(`[a-z][a-z0-9_]{0,3}\.[a-z][a-z0-9_]{0,3}`)).Draw(t, "action"),
			Outcome: values(rapid.SampledFrom([]string{"ok", "denied", "failed"})).Draw(t, "outcome"),
			Via:     values(rapid.SampledFrom([]string{"web", "api", "cli", "system"})).Draw(t, "via"),
			Hours:   values(rapid.SampledFrom([]string{"mon", "mon-fri", "fri-mon", "08:00-18:00", "18:30-24:00", "sat-sun/22:15-06:00"})).Draw(t, "hours"),
			IP:      values(rapid.SampledFrom([]string{"203.0.113.7", "203.0.113.0/24", "2001:db8::/32", "::1"})).Draw(t, "ip"),
		}
		const year2000, year2050, year2100 = 946684800e6, 2524608000e6, 4102444800e6
		if rapid.Bool().Draw(t, "has after") {
			f.After = instant(86400e6, year2050).Draw(t, "after")
		}
		if rapid.Bool().Draw(t, "has before") {
			f.Before = instant(year2050+86400e6, year2100).Draw(t, "before")
		}
		got, err := ParseQuery(f.String())
		if err != nil || !reflect.DeepEqual(got, f) {
			t.Fatalf("%+v is written %q, which reads as %+v, %v", f, f, got, err)
		}
		checkQuery(t, f.String())
	})
}

func TestParseTimeIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMicro(rapid.Int64Range(0, 4102444800e6).Draw(t, "micros")).UTC()
		zone := time.FixedZone("", rapid.IntRange(-14*60, 14*60).Draw(t, "offset")*60)
		for _, text := range []string{showTime(at), at.Format(timeFormat), at.In(zone).Format("2006-01-02T15:04:05.999999Z07:00")} {
			got, err := ParseTime(text)
			if err != nil || !got.Equal(at) || got.Location() != time.UTC {
				t.Fatalf("%q reads as %v, %v; want %v", text, got, err, at)
			}
		}
	})
}

func FuzzParseQuery(f *testing.F) {
	for _, s := range []string{
		`actor:dana@example.com action:call.deleted object:call_01kb type:call outcome:denied ip:203.0.113.0/24 after:2026-11-01 before:2026-11-08T12:00Z via:api "free text"`,
		`-actor:"a b",c -"x \" y" --z session:s request:r`, "-hours:mon-fri/08:00-18:00 hours:18-8,sat", "hours:8:5-24:1", "-", `"`, `a"b`, "actor:", "x:y", "after:2026-11-01T00:00:00.000001+14:00",
		"ip:::ffff:1.2.3.0/120", "\u00a0a\u2003b", "\ufffd", "\xff", `\`, `"\`, strings.Repeat(`\`, 3000), "ıİ ﬁ:x",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, q string) { checkQuery(t, q) })
}
