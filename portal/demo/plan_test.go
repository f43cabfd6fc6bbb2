package demo

import (
	"strings"
	"testing"
	"time"
)

func lines(o Options) string {
	var b strings.Builder
	for _, s := range plan(o).steps {
		b.WriteString(s.at.Format(time.RFC3339Nano) + " " + s.what + " " + strings.Join(s.reads, ",") + " " + strings.Join(s.writes, ",") + "\n")
	}
	return b.String()
}

func TestPlanFollowsFromSeedAndTime(t *testing.T) {
	o := Options{Seed: 7, Now: time.Date(2026, 11, 24, 10, 17, 0, 0, time.UTC)}
	one := lines(o)
	if one != lines(o) {
		t.Error("the same seed and time gave two plans")
	}
	o.Seed++
	if one == lines(o) {
		t.Error("another seed gave the same plan")
	}
}

// Whatever the day, nothing happens in the future, in the wrong order, or
// before the beginning.
func TestPlanOnEveryDay(t *testing.T) {
	for n := range 30 {
		now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(n) * (31*time.Hour + 17*time.Minute))
		c := plan(Options{Seed: uint64(n), Now: now})
		first, last := c.steps[0], c.steps[len(c.steps)-1]
		if first.at.Before(now.AddDate(0, 0, -Days-1)) || last.at.After(now) {
			t.Fatalf("on %s the history is from %s to %s", now, first.at, last.at)
		}
		for i, s := range c.steps[1:] {
			if s.at.Before(c.steps[i].at) {
				t.Fatalf("on %s the step %s comes after a later one", now, s.what)
			}
		}
		if len(c.steps) < 2500 || len(c.steps) > 6000 {
			t.Errorf("on %s there are %d steps", now, len(c.steps))
		}
	}
}

func TestOrder(t *testing.T) {
	o := newOrder()
	make1 := &step{writes: []string{"a"}}
	read1, read2 := &step{reads: []string{"a"}}, &step{reads: []string{"a", "b"}}
	change := &step{reads: []string{"a"}, writes: []string{"a"}}
	after := &step{reads: []string{"a"}}
	for _, c := range []struct {
		name string
		s    *step
		want []*step
	}{
		{"the first", make1, nil},
		{"a reader", read1, []*step{make1}},
		{"another reader", read2, []*step{make1}},
		{"a change", change, []*step{make1, make1, read1, read2}},
		{"a reader after the change", after, []*step{change}},
	} {
		got := o.before(c.s)
		if len(got) != len(c.want) {
			t.Fatalf("%s waits for %d steps, want %d", c.name, len(got), len(c.want))
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Errorf("%s waits for another step at %d", c.name, i)
			}
		}
	}
}
