package audit

import (
	"cmp"
	"context"
	"slices"
	"time"
)

// FacetQuery says how much to tell of a filter's events, and for how long to
// count.
type FacetQuery struct {
	Top   int           // values of each facet; 6 unless set
	Limit time.Duration // 200 ms unless set
}

// Facets are the most frequent values among the events of a filter. All
// numbers are exact for the events from Reached on, which are all there are if
// Complete.
type Facets struct {
	Actors, Actions, Objects, IPs, Outcomes []Facet // the most frequent first

	Events   int64 // that were counted
	Complete bool
	Reached  time.Time
}

// Facet is one value and how often it occurs. Ref is set of actors and objects.
type Facet struct {
	Value  string // what the filter finds it by: an id, an address
	Ref    Ref    // as the newest event names it; the name is "" where it was erased
	Events int64
}

// Facets counts actors, actions, objects, addresses and outcomes of a filter's
// events. An object that an event only relates to is not counted.
//
// Cost: events are read one by one, newest first, for no longer than the
// limit: some ten thousand in 200 ms.
func (l *Log) Facets(ctx context.Context, log string, f Filter, q FacetQuery) (_ Facets, err error) {
	defer func() { err = l.explain(err) }()
	if q.Top <= 0 {
		q.Top = 6
	}
	if q.Limit <= 0 {
		q.Limit = defaultTallyTime
	}
	t, err := l.tally(ctx, log, f, true)
	if err != nil {
		return Facets{}, err
	}
	t.what = true // names of objects
	var actors, actions, objects, ips, outcomes counter
	r, err := t.run(ctx, q.Limit, func(_ int64, e *Event) {
		if a := e.Actor; a != nil {
			actors.add(a.ID, Ref{string(a.Type), a.ID, cmp.Or(a.Name, a.Email)})
		}
		if o := e.Object; o != nil {
			objects.add(o.ID, *o)
		}
		actions.add(e.Action, Ref{})
		ips.add(e.Context.IP, Ref{})
		outcomes.add(string(e.Outcome), Ref{})
	})
	if err != nil {
		return Facets{}, err
	}
	found := Facets{Events: r.events, Complete: r.complete}
	if !r.complete {
		found.Reached = t.reached(r)
	}
	for _, c := range []struct {
		to   *[]Facet
		from counter
	}{{&found.Actors, actors}, {&found.Actions, actions}, {&found.Objects, objects}, {&found.IPs, ips}, {&found.Outcomes, outcomes}} {
		*c.to = c.from.top(q.Top)
	}
	return found, nil
}

// counter counts values. "" is none.
type counter map[string]*Facet

func (c *counter) add(value string, ref Ref) {
	if value == "" {
		return
	}
	if *c == nil {
		*c = counter{}
	}
	f := (*c)[value]
	if f == nil {
		f = &Facet{Value: value, Ref: ref}
		(*c)[value] = f
	}
	f.Events++
}

func (c counter) top(most int) []Facet {
	var all []Facet
	for _, f := range c {
		all = append(all, *f)
	}
	slices.SortFunc(all, func(a, b Facet) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Value, b.Value))
	})
	return all[:min(most, len(all))]
}
