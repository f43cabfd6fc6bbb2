package audit

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

// The place is marked by ^ in the query.
func TestWordAt(t *testing.T) {
	for marked, want := range map[string]Typed{
		"^":                           {},
		"  ^  x":                      {From: 2, To: 2},
		"act^":                        {To: 3, Text: "act"},
		"a^ct or":                     {To: 3, Text: "act"},
		"-act^":                       {From: 1, To: 4, Text: "act"},
		"x actor:^":                   {From: 8, To: 8, Field: "actor"},
		"x actor:da^na y":             {From: 8, To: 12, Field: "actor", Text: "dana"},
		"act^or:dana":                 {To: 10, Text: "actor:dana"},
		`actor:"Dana C^`:              {From: 6, To: 13, Field: "actor", Text: "Dana C"},
		`actor:"Dana Cruz",sa^ x`:     {From: 18, To: 20, Field: "actor", Text: "sa"},
		`actor:da^,sam`:               {From: 6, To: 8, Field: "actor", Text: "da"},
		"action:call.viewed,^":        {From: 19, To: 19, Field: "action"},
		`"two wo^rds" x`:              {To: 11, Text: "two words"},
		"type:call ^":                 {From: 10, To: 10},
		"type:call^ dana":             {From: 5, To: 9, Field: "type", Text: "call"},
		`-hours:mon-fri/^08:00-18:00`: {From: 7, To: 26, Field: "hours", Text: "mon-fri/08:00-18:00"},
	} {
		at := strings.IndexByte(marked, '^')
		if got := WordAt(strings.Replace(marked, "^", "", 1), at); got != want {
			t.Errorf("%s: %+v, want %+v", marked, got, want)
		}
	}
}

// Whatever is typed, a place has a word that holds it, and a value put there
// reads as a value of that field.
func TestWordAtHoldsThePlace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		q := rapid.StringOf(rapid.SampledFrom([]rune(`aé:,"\- actor`))).Draw(t, "q")
		at := rapid.IntRange(-1, len(q)+1).Draw(t, "at")
		got := WordAt(q, at)
		low := min(max(at, 0), len(q))
		if got.From > got.To || got.To > len(q) || low > got.To || !utf8.ValidString(q[:got.From]) || !utf8.ValidString(q[got.To:]) {
			t.Fatalf("%q at %d: %+v", q, at, got)
		}
		if got.Field == "actor" && !strings.Contains(q[:got.From], `"`) {
			whole := q[:got.From] + QuoteValue("Dana Cruz") + " "
			if f, err := ParseQuery(whole); err == nil && !strings.Contains(f.String(), "Dana Cruz") {
				t.Fatalf("%q with the suggestion is %q, which reads as %q", q, whole, f)
			}
		}
	})
}
