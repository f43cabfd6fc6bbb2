package bench

import (
	"slices"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
)

// TestLoad compares the load with what was measured on real logs.
func TestLoad(t *testing.T) {
	const steps, span = 100_000, 365 * 24 * time.Hour
	from := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	l := NewLoad(1, from, span, steps)
	actors, objects, actions := map[uint64]float64{}, map[uint64]float64{}, map[string]float64{}
	var reading, repeats, sameSecond, nobodys, calls float64
	longest := time.Duration(0)
	inSecond := map[int64]int{}
	last := Step{Time: from}
	for range steps {
		s := l.Next()
		if s.Time.Before(last.Time) {
			t.Fatalf("%s comes after %s", s.Time, last.Time)
		}
		actors[s.Actor]++
		actions[s.Action]++
		if s.object().Type == "call" {
			objects[s.Object]++
			calls++
		}
		if reads(s.Action) {
			reading++
		}
		if s.Actor == last.Actor && s.Action == last.Action && s.Object == last.Object {
			repeats++
		}
		if s.Actor == nobody {
			nobodys++
		}
		if s.Time.Unix() == last.Time.Unix() {
			sameSecond++
		}
		inSecond[s.Time.Unix()]++
		longest = max(longest, s.Time.Sub(last.Time))
		last = s
		if a, ok := portal.Catalogue.Get(s.Action); !ok || s.object().Type != "" && !slices.Contains(a.Objects, s.object().Type) {
			t.Fatalf("%s does not happen to a %q", s.Action, s.object().Type)
		}
	}
	once, burst := 0.0, 0
	for _, n := range objects {
		if n == 1 {
			once++
		}
	}
	for _, n := range inSecond {
		burst = max(burst, n)
	}
	top := func(actions map[string]float64) (most float64) {
		for _, n := range actions {
			most = max(most, n)
		}
		return most
	}
	for _, c := range []struct {
		what           string
		got, low, high float64
	}{
		{"share of the busiest actor", actors[0] / steps, 0.40, 0.96},
		{"actors", float64(len(actors)), 200, actorCount + 1},
		{"objects seen once", once / float64(len(objects)), 0.25, 0.5},
		{"share of the object that most happens to", objects[0] / calls, 0.01, 0.1},
		{"share of readings", reading / steps, 0.75, 0.85},
		{"share of the top action", top(actions) / steps, 0.2, 0.3},
		{"share of the rare action", actions[rareAction] / steps, 0.0001, 0.001},
		{"share of repeats", repeats / steps, 0.16, 0.26},
		{"share in the same second as the one before", sameSecond / steps, 0.3, 0.9},
		{"most in one second", float64(burst), 80, 300},
		{"longest pause, hours", longest.Hours(), 3, 24 * 60},
		{"what nobody did", nobodys / steps, 0.005, 0.05},
		{"days that it takes", last.Time.Sub(from).Hours() / 24, 300, 430},
	} {
		if c.got < c.low || c.got > c.high {
			t.Errorf("%s: %.4f, want %g to %g", c.what, c.got, c.low, c.high)
		}
	}
}

func TestLoadRepeatsItself(t *testing.T) {
	a, b := NewLoad(7, time.Unix(0, 0), time.Hour, 500), NewLoad(7, time.Unix(0, 0), time.Hour, 500)
	for i := range 500 {
		if x, y := a.Next(), b.Next(); x != y {
			t.Fatalf("step %d is %+v and %+v", i, x, y)
		}
	}
}

// TestStepIntent has what real logs have and a log must take.
func TestStepIntent(t *testing.T) {
	l := NewLoad(1, time.Unix(1_767_225_600, 0), time.Hour, 20_000)
	emails, most, system := map[string]bool{}, 0, false
	for range 20_000 {
		in := l.Next().Intent("team_x")
		if in.Actor.ID == actorID(3) {
			emails[in.Actor.Email] = true
		}
		most = max(most, len(in.Related))
		system = system || in.Actor.Type == audit.ActorSystem
	}
	if len(emails) != 2 || most != 10 || !system {
		t.Errorf("mail addresses of one person %v, most related objects %d, something by the system: %t", emails, most, system)
	}
}
