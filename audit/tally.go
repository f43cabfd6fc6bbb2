package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
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
	w := &walk{log: l, logID: log, page: Page{Limit: 1}, low: 0, high: math.MaxInt64}
	if err := w.bounds(f); err != nil {
		return nil, err
	}
	var err error
	if w.filter, err = l.resolve(ctx, log, f); err != nil {
		return nil, err
	}
	if err := w.plan(ctx); err != nil {
		return nil, err
	}
	text := !f.Text.IsZero()
	return &tally{walk: w, who: who || text || !f.IP.IsZero(), what: text}, nil
}

// run gives each event that matches, newest first, for no longer than limit.
// The events are read quickly, not proved: their bytes and parts are only
// compared with the seal where an event is shown.
func (t *tally) run(ctx context.Context, limit time.Duration, each func(n int64, e *Event)) (reach, error) {
	timed, stop := context.WithTimeout(ctx, limit)
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
	case timed.Err() != nil && ctx.Err() == nil:
		err = nil // what was seen until then is true
	}
	return r, err
}

func (t *tally) read(ctx context.Context, each func(n int64, e *Event)) error {
	expr := t.all
	if expr == "" {
		expr = t.driver
	}
	rows, err := t.log.db.QueryContext(ctx, t.query(), expr, t.low, t.high, int64(math.MaxInt64))
	if err != nil {
		return fmt.Errorf("counting events: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var body, who, what sql.RawBytes
		if err := rows.Scan(&n, &body, &who, &what); err != nil {
			return fmt.Errorf("counting events: %w", err)
		}
		e, err := glance(string(body), string(who), string(what))
		if err != nil {
			return fmt.Errorf("counting the event at place %d: %w", n, err)
		}
		each(n, &e)
		if err := ctx.Err(); err != nil {
			return err
		}
	}
	return rows.Err()
}

func (t *tally) query() string {
	who, what, join := "NULL", "NULL", ""
	if t.who {
		who, join = "who.part", ` LEFT JOIN audit_part who ON who.n = e.n AND who.kind = 'who'`
	}
	if t.what {
		what, join = "what.part", join+` LEFT JOIN audit_part what ON what.n = e.n AND what.kind = 'what'`
	}
	return `SELECT e.n, e.body, ` + who + `, ` + what + `
		FROM (` + indexQuery("DESC") + `) AS place
		CROSS JOIN audit_event e ON e.n = place.n` + join
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
	order := "DESC"
	if oldest {
		order = "ASC"
	}
	var n int64
	err := l.db.QueryRowContext(ctx, indexQuery(order), term(log, termLog), 0, int64(math.MaxInt64), 1).Scan(&n)
	if errors.Is(err, sql.ErrNoRows) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, fmt.Errorf("looking for the ends of a log: %w", err)
	}
	return timeAt(n), true, nil
}
