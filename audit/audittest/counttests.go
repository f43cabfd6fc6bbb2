package audittest

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"onrecord/audit"
)

// someFilters are filters of every kind that a count takes another way for.
func someFilters(r *rand.Rand, oldest, newest time.Time) []audit.Filter {
	instant := func() time.Time {
		return oldest.Add(time.Duration(r.Int64N(int64(newest.Sub(oldest) + 2*time.Hour)))).Add(-time.Hour).Truncate(time.Microsecond)
	}
	conditions := []func(*audit.Filter){
		func(*audit.Filter) {},
		func(f *audit.Filter) { f.Action.Any = []string{"order.viewed", "shop.opened"} },
		func(f *audit.Filter) { f.Action.None = []string{"order.viewed"} },
		func(f *audit.Filter) { f.Action = audit.Values{Any: []string{"never.heard"}} },
		func(f *audit.Filter) { f.Actor.Any = []string{"user_0", "Sam Roe"} },
		func(f *audit.Filter) { f.Outcome.Any = []string{"denied"} },
		func(f *audit.Filter) { f.IP.Any = []string{"203.0.113.2/31"} },
		func(f *audit.Filter) { f.Text.Any = []string{"covers for dana"} },
		func(f *audit.Filter) { f.Hours.None = []string{"mon-fri/08:00-18:00"} },
		func(f *audit.Filter) { f.Object.Any, f.Via.Any = []string{"o1", "shelf_1"}, []string{"web"} },
	}
	ranges := []func(*audit.Filter){
		func(*audit.Filter) {},
		func(f *audit.Filter) { f.After = instant() },
		func(f *audit.Filter) { f.Before = instant() },
		func(f *audit.Filter) { f.After = instant(); f.Before = f.After.Add(time.Microsecond) },
		func(f *audit.Filter) {
			f.After = instant()
			f.Before = f.After.Add(time.Duration(1+r.Int64N(int64(40*24*time.Hour))).Truncate(time.Microsecond) + time.Microsecond)
		},
		func(f *audit.Filter) { f.After = time.UnixMicro(0) },
		func(f *audit.Filter) { f.After, f.Before = oldest.Truncate(time.Hour), newest.Truncate(24*time.Hour) },
	}
	var all []audit.Filter
	for _, c := range conditions {
		for _, span := range ranges {
			for range 3 {
				var f audit.Filter
				c(&f)
				span(&f)
				if f.CheckRange() == nil {
					all = append(all, f)
				}
			}
		}
	}
	return all
}

// histogramsEqualSearch compares every bar of many histograms with the events
// that a search of the same filter finds.
func histogramsEqualSearch(t *testing.T, s *Shop) {
	history(s)
	all := s.All(audit.Filter{})
	oldest, newest := all[len(all)-1].Time, all[0].Time
	r := rand.New(rand.NewPCG(5, 6))
	for _, f := range someFilters(r, oldest, newest) {
		bars := []int{1, 7, 60, 400}[r.IntN(4)]
		h, err := s.Log.Histogram(t.Context(), "shop_1", f, audit.HistogramQuery{Bars: bars, Limit: time.Minute, Now: newest.Add(time.Second)})
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("%q in at most %d bars", f, bars)
		if !h.Complete || len(h.Bars) > bars {
			t.Errorf("%s: %d bars, complete %v", name, len(h.Bars), h.Complete)
		}
		want := map[time.Time]map[string]int64{}
		total := int64(0)
		for _, e := range s.All(f) {
			i := slices.IndexFunc(h.Bars, func(b audit.Bar) bool { return !e.Time.Before(b.From) && e.Time.Before(b.To) })
			if i < 0 {
				t.Errorf("%s: no bar holds %s", name, e.Time)
				continue
			}
			from := h.Bars[i].From
			if want[from] == nil {
				want[from] = map[string]int64{}
			}
			want[from][e.Action]++
			total++
		}
		if h.Events != total {
			t.Errorf("%s: %d events, a search finds %d", name, h.Events, total)
		}
		for i, b := range h.Bars {
			if !maps.Equal(b.Events, want[b.From]) {
				t.Errorf("%s: the bar from %s holds %v, a search finds %v", name, b.From, b.Events, want[b.From])
			}
			if i > 0 && !h.Bars[i-1].To.Equal(b.From) {
				t.Errorf("%s: after %s comes %s", name, h.Bars[i-1].To, b.From)
			}
		}
	}
}

// facetsEqualSearch compares facets with the events that a search finds.
func facetsEqualSearch(t *testing.T, s *Shop) {
	history(s)
	all := s.All(audit.Filter{})
	r := rand.New(rand.NewPCG(7, 8))
	for _, f := range someFilters(r, all[len(all)-1].Time, all[0].Time) {
		got, err := s.Log.Facets(t.Context(), "shop_1", f, audit.FacetQuery{Top: 100, Limit: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		want := map[string]int64{}
		events := s.All(f)
		for _, e := range events {
			if e.Actor != nil {
				want["actor "+e.Actor.ID]++
			}
			if e.Object != nil && e.Object.ID != "" {
				want["object "+e.Object.ID]++
			}
			want["action "+e.Action]++
			want["outcome "+string(e.Outcome)]++
			if e.Context.IP != "" {
				want["ip "+e.Context.IP]++
			}
		}
		have := map[string]int64{}
		for kind, facets := range map[string][]audit.Facet{"actor ": got.Actors, "object ": got.Objects, "action ": got.Actions, "outcome ": got.Outcomes, "ip ": got.IPs} {
			for i, x := range facets {
				have[kind+x.Value] = x.Events
				if i > 0 && facets[i-1].Events < x.Events {
					t.Errorf("%q: %s%s stands behind a rarer one", f, kind, x.Value)
				}
				if (kind == "actor " || kind == "object ") && (x.Ref.ID != x.Value || x.Ref.Type == "") {
					t.Errorf("%q: %s%s is called %+v", f, kind, x.Value, x.Ref)
				}
			}
		}
		if !maps.Equal(have, want) || got.Events != int64(len(events)) || !got.Complete {
			t.Errorf("%q: %d events, %v; a search finds %d, %v", f, got.Events, have, len(events), want)
		}
	}
}

// neighboursAreNext compares the neighbours of every event, also of those that
// do not match, with what a search lists.
func neighboursAreNext(t *testing.T, s *Shop) {
	history(s)
	f := audit.Filter{Action: audit.Values{Any: []string{"order.changed"}}, Via: audit.Values{None: []string{"cli"}}}
	newer := ""
	for _, e := range s.All(audit.Filter{}) {
		matches := e.Action == "order.changed" && e.Context.Via != "cli"
		got, older, err := s.Log.Neighbours(t.Context(), "shop_1", f, e.ID)
		if err != nil || got != newer {
			t.Fatalf("after %s comes %q, not %q, %v", e.ID, got, newer, err)
		}
		if matches {
			newer = e.ID
		}
		if back, _, err := s.Log.Neighbours(t.Context(), "shop_1", f, older); older != "" && (err != nil || back != newer) {
			t.Fatalf("%s is older than %s, after which comes %q, %v", older, newer, back, err)
		}
	}
	_, _, err := s.Log.Neighbours(t.Context(), "shop_2", f, newer)
	code(t, "an event of another log", err, audit.CodeNotFound)
}

// countsSayHowFar: a count whose time is up tells of the newest events only,
// exactly, and says so.
func countsSayHowFar(t *testing.T, s *Shop) {
	history(s)
	all := s.All(audit.Filter{})
	f := audit.Filter{Via: audit.Values{None: []string{"system"}}}
	stopped := false
	for limit := time.Nanosecond; limit < time.Second; limit *= 3 {
		h, err := s.Log.Histogram(t.Context(), "shop_1", f, audit.HistogramQuery{Limit: limit, Now: all[0].Time})
		if err != nil {
			t.Fatal(err)
		}
		got, err := s.Log.Facets(t.Context(), "shop_1", f, audit.FacetQuery{Limit: limit})
		if err != nil {
			t.Fatal(err)
		}
		for name, c := range map[string]struct {
			events   int64
			complete bool
			reached  time.Time
		}{"histogram": {h.Events, h.Complete, h.Reached}, "facets": {got.Events, got.Complete, got.Reached}} {
			want := int64(0)
			for _, e := range all {
				if c.complete || !e.Time.Before(c.reached) {
					want++
				}
			}
			if c.events != want {
				t.Errorf("%s in %s: %d events from %s on, there are %d", name, limit, c.events, c.reached, want)
			}
			stopped = stopped || !c.complete
		}
	}
	if !stopped {
		t.Error("no count was stopped, which proves nothing")
	}
	if _, err := s.Log.Histogram(t.Context(), "shop_1", audit.Filter{After: all[0].Time, Before: all[1].Time}, audit.HistogramQuery{}); audit.CodeOf(err) != audit.CodeInvalid {
		t.Errorf("a range upside down: %v", err)
	}
	empty, err := s.Log.Histogram(t.Context(), "shop_none", audit.Filter{}, audit.HistogramQuery{})
	if err != nil || empty.Events != 0 || !empty.Complete {
		t.Errorf("a log without events: %+v, %v", empty, err)
	}
}
