package audit

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"
)

// tally walks the events of a filter, newest first, until none is left or the
// time is up.
type tally struct {
	*walk
	who, what bool // read these parts as well
}

// reach says how far a tally came.
type reach struct {
	events   int64
	complete bool
	last     int64 // the place of the oldest event that was seen; 0 for none
}

// tally prepares to count the events of a filter. who asks for the names and
// addresses of actors as well.
func (l *Log) tally(ctx context.Context, log string, f Filter, who bool) (*tally, error) {
	w := &walk{log: l, logID: log, page: Page{Limit: 1}, high: math.MaxInt64}
	if err := w.prepare(ctx, f); err != nil {
		return nil, err
	}
	text := !f.Text.IsZero()
	return &tally{walk: w, who: who || text || !f.IP.IsZero(), what: text}, nil
}

// run gives each event that matches, newest first, for no longer than limit.
// The events are read quickly, not proved: their bytes and parts are only
// compared with the seal where an event is shown.
func (t *tally) run(ctx context.Context, limit time.Duration, each func(n int64, e *Event)) (reach, error) {
	end := time.Now().Add(limit)
	timed, stop := context.WithDeadline(ctx, end)
	defer stop()
	var r reach
	err := t.read(timed, func(n int64, e *Event) {
		r.last = n
		if t.filter.matches(e, t.logID) {
			r.events++
			each(n, e)
		}
	})
	switch {
	case err == nil:
		r.complete = true
	case !time.Now().Before(end) && ctx.Err() == nil: // a connection may notice before timed does
		err = nil // what was seen until then is true
	}
	return r, err
}

// read gives all events, newest first: those that wait to be sealed, which are
// read first, at their places among those of the index.
func (t *tally) read(ctx context.Context, each func(n int64, e *Event)) error {
	for high := t.high; ; {
		low := t.low
		var tail []placed
		query, args := unsealedPlaces(t.logID, low, high, maxBatch, false)
		_, _, err := t.rows(ctx, query, args, func(n int64, e *Event) { tail = append(tail, placed{n, *e}) })
		if err != nil {
			return err
		}
		last := len(tail) < maxBatch
		if !last {
			low = tail[len(tail)-1].n
		}
		err = t.sealed(ctx, low, high, func(n int64, e *Event) {
			for len(tail) > 0 && tail[0].n > n {
				each(tail[0].n, &tail[0].event)
				tail = tail[1:]
			}
			if len(tail) > 0 && tail[0].n == n { // sealed meanwhile
				tail = tail[1:]
			}
			each(n, e)
		})
		if err != nil {
			return err
		}
		for i := range tail {
			each(tail[i].n, &tail[i].event)
		}
		if last {
			return nil
		}
		high = low - 1
	}
}

// sealed reads the events that the index proposes, as many in a statement as
// the database gives without working ahead of what is wanted.
func (t *tally) sealed(ctx context.Context, low, high int64, each func(n int64, e *Event)) error {
	limit := t.log.backend.stream()
	for {
		query, args := t.log.backend.find(t.logID, t.whole, low, high, limit, false)
		walked, last, err := t.rows(ctx, query, args, each)
		if err != nil || walked < limit {
			return err
		}
		high = last - 1
	}
}

// rows reads the events at the places that a query gives, and tells how many
// there were and the last of them.
func (t *tally) rows(ctx context.Context, places string, args []any, each func(n int64, e *Event)) (walked int, last int64, err error) {
	rows, err := t.log.db.QueryContext(ctx, t.query(places, len(args)), append(args, t.logID)...)
	if err != nil {
		return 0, 0, fmt.Errorf("counting events: %w", err)
	}
	defer rows.Close()
	for ; rows.Next(); walked++ {
		var body, who, what sql.RawBytes
		if err := rows.Scan(&last, &body, &who, &what); err != nil {
			return walked, last, fmt.Errorf("counting events: %w", err)
		}
		if body == nil {
			continue // an entry of another log with the same hash
		}
		e, err := glance(string(body), string(who), string(what))
		if err != nil {
			return walked, last, fmt.Errorf("counting the event at place %d: %w", last, err)
		}
		each(last, &e)
		if err := ctx.Err(); err != nil {
			return walked, last, err
		}
	}
	return walked, last, rows.Err()
}

func (t *tally) query(places string, args int) string {
	who, what, join := "NULL", "NULL", ""
	if t.who {
		who, join = "who.part", ` LEFT JOIN audit_part who ON who.log = e.log AND who.n = e.n AND who.kind = 'who'`
	}
	if t.what {
		what, join = "what.part", join+` LEFT JOIN audit_part what ON what.log = e.log AND what.n = e.n AND what.kind = 'what'`
	}
	return `SELECT place.n, e.body, ` + who + `, ` + what + eventsAt(places, args) + join + t.log.backend.inOrder()
}

// glance reads an event without comparing it with its seal: a tenth of what
// decode costs. A part that is "" was erased or is not asked for.
func glance(body, who, what string) (Event, error) {
	b, ok := readBody(body)
	if !ok || b.V != bodyVersion {
		return unread([]byte(body))
	}
	e, err := b.event()
	if err != nil {
		return Event{}, err
	}
	if who != "" {
		p, ok := readWho(who)
		if !ok {
			return Event{}, errNotCanonical("part who")
		}
		if err := p.fill(&e); err != nil {
			return Event{}, err
		}
	}
	if what != "" {
		p, ok := readWhat(what)
		if !ok {
			return Event{}, errNotCanonical("part what")
		}
		if err := p.fill(&e); err != nil {
			return Event{}, err
		}
	}
	return e, nil
}

// reached is the time down to which a tally that was stopped has seen all.
func (t *tally) reached(r reach) time.Time {
	if r.last == 0 {
		return timeAt(t.high)
	}
	return timeAt(r.last)
}

// edge is the time of a log's oldest or newest event.
func (l *Log) edge(ctx context.Context, log string, oldest bool) (time.Time, bool, error) {
	w := &walk{log: l, logID: log, page: Page{Newer: oldest}, high: math.MaxInt64}
	query, args := unsealedPlaces(log, 0, math.MaxInt64, 1, oldest)
	ends, err := w.places(ctx, query, args...)
	if err != nil {
		return time.Time{}, false, err
	}
	sealed, err := w.candidates(ctx, everything(log), 0, math.MaxInt64, 1)
	if ends = append(ends, sealed...); err != nil || len(ends) == 0 {
		return time.Time{}, false, err
	}
	if oldest {
		return timeAt(slices.Min(ends)), true, nil
	}
	return timeAt(slices.Max(ends)), true, nil
}
