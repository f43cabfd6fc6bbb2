package audit

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestHoursHold(t *testing.T) {
	for text, c := range map[string]struct{ in, out []string }{
		"mon-fri/08:00-18:00": {[]string{"2026-11-23T08:00", "2026-11-27T17:59"}, []string{"2026-11-23T07:59", "2026-11-23T18:00", "2026-11-28T12:00", "2026-11-29T12:00"}},
		"fri-mon":             {[]string{"2026-11-27T00:00", "2026-11-28T23:59", "2026-11-30T23:59"}, []string{"2026-12-01T00:00", "2026-11-26T23:59"}},
		"18-8":                {[]string{"2026-11-23T18:00", "2026-11-23T00:00", "2026-11-23T07:59"}, []string{"2026-11-23T08:00", "2026-11-23T17:59"}},
		"sat/22-6":            {[]string{"2026-11-28T22:00", "2026-11-28T05:59"}, []string{"2026-11-29T05:59", "2026-11-28T06:00"}},
		"sun/23:30-0":         {[]string{"2026-11-29T23:30"}, []string{"2026-11-29T23:29", "2026-11-30T00:00"}},
	} {
		h, wrong := parseHours(text)
		if wrong != "" {
			t.Fatalf("%s: %s", text, wrong)
		}
		for want, times := range map[bool][]string{true: c.in, false: c.out} {
			for _, s := range times {
				at, err := time.Parse("2006-01-02T15:04", s)
				if err != nil {
					t.Fatal(err)
				}
				if h.holds(at) != want || h.holds(at.In(time.FixedZone("", 5*3600))) != want {
					t.Errorf("%s holds %s: %v", text, s, !want)
				}
			}
		}
	}
}

// What is written reads back as hours that hold the same minutes of a week.
func TestHoursReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		h := hours{
			first: time.Weekday(rapid.IntRange(0, 6).Draw(t, "first")), last: time.Weekday(rapid.IntRange(0, 6).Draw(t, "last")),
			from: rapid.IntRange(0, minutesOfDay-1).Draw(t, "from"), to: rapid.IntRange(1, minutesOfDay).Draw(t, "to"),
		}
		if h.from == h.to {
			return
		}
		again, wrong := parseHours(h.String())
		if wrong != "" || again.String() != h.String() {
			t.Fatalf("%+v is written %s, which reads as %+v, %s", h, h, again, wrong)
		}
		at := time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "at"))
		if h.holds(at) != again.holds(at) {
			t.Fatalf("%s holds %s: %v, and again %v", h, at, h.holds(at), again.holds(at))
		}
	})
}
