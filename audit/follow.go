package audit

import (
	"context"
	"fmt"
	"iter"
	"time"

	"onrecord/database"
)

const (
	leafPage  = 256                    // events that are read at once in the order of the leaves
	leafBytes = 4 << 20                // of them, at most
	leafPoll  = 250 * time.Millisecond // how often a follower looks for what other programs sealed
)

// RawEvent is a sealed event as it is kept, byte for byte.
type RawEvent struct {
	Leaf      int64
	Body      []byte   // the sealed bytes
	Who, What *RawPart // nil: erased
}

// RawPart is an erasable part of an event and its salt.
type RawPart struct{ Salt, Part []byte }

func (p *RawPart) decoded() *part {
	if p == nil {
		return nil
	}
	return &part{Salt: p.Salt, JSON: p.Part}
}

// InLeafOrder reads the sealed events of a log from leaf first up to leaf end,
// without end. It ends early where the leaves do; a leaf that is missing before
// that, or has no event, is an error.
//
// Cost: each event once, some hundred or 4 MiB in memory at a time; no
// connection is held while the caller works.
func (l *Log) InLeafOrder(ctx context.Context, log string, first, end int64) iter.Seq2[RawEvent, error] {
	return func(yield func(RawEvent, error) bool) {
		for next := first; next < end; {
			page, err := readLeaves(ctx, l.db, log, next, end)
			if err != nil {
				yield(RawEvent{}, l.explain(err))
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
			}
			if len(page) == 0 {
				return
			}
			next += int64(len(page))
		}
	}
}

// readLeaves reads the next page.
func readLeaves(ctx context.Context, q database.Querier, log string, first, end int64) ([]RawEvent, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT l.leaf, e.body, who.salt, who.part, what.salt, what.part
		FROM audit_leaf l
		LEFT JOIN audit_event e ON e.log = l.log AND e.n = l.n
		LEFT JOIN audit_part what ON what.log = l.log AND what.n = l.n AND what.kind = 'what'
		LEFT JOIN audit_part who ON who.log = l.log AND who.n = l.n AND who.kind = 'who'
		WHERE l.log = $1 AND l.leaf >= $2 AND l.leaf < $3 ORDER BY l.leaf LIMIT $4`, log, first, end, leafPage)
	if err != nil {
		return nil, fmt.Errorf("reading leaves: %w", err)
	}
	defer rows.Close()
	var page []RawEvent
	for size := 0; size < leafBytes && rows.Next(); {
		var e RawEvent
		var who, what RawPart
		if err := rows.Scan(&e.Leaf, &e.Body, &who.Salt, &who.Part, &what.Salt, &what.Part); err != nil {
			return nil, fmt.Errorf("reading leaves: %w", err)
		}
		if want := first + int64(len(page)); e.Leaf != want {
			return nil, fmt.Errorf("reading leaves: leaf %d of log %s is missing", want, log)
		}
		if e.Body == nil {
			return nil, fmt.Errorf("reading leaves: the event of leaf %d of log %s is missing", e.Leaf, log)
		}
		if who.Salt != nil {
			e.Who = &who
		}
		if what.Salt != nil {
			e.What = &what
		}
		size += len(e.Body) + len(who.Part) + len(what.Part)
		page = append(page, e)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading leaves: %w", err)
	}
	return page, nil
}

// Follow gives the events of a log that a filter matches in the order of their
// leaves: those after leaf after (-1 for all), then each new one as it is
// sealed, until ctx ends or the caller stops. Whoever starts again with the
// last Event.Leaf misses none and gets none twice.
//
// Cost: every sealed event after that leaf is read and compared; while nothing
// happens one look at the end of the leaves four times a second.
func (l *Log) Follow(ctx context.Context, log string, f Filter, after int64) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		for {
			news := l.sealer.fresh() // before the look: nothing falls between
			page, err := l.followPage(ctx, log, f, &after)
			if err != nil {
				if ctx.Err() == nil {
					yield(Event{}, l.explain(err))
				}
				return
			}
			for _, e := range page {
				if ctx.Err() != nil || !yield(e, nil) {
					return
				}
			}
			if page != nil {
				continue
			}
			select {
			case <-news:
			case <-time.After(leafPoll):
			case <-ctx.Done():
				return
			}
		}
	}
}

// followPage gives what matches of the next leaves, nil if there are none, and
// moves after to the last of them.
func (l *Log) followPage(ctx context.Context, log string, f Filter, after *int64) ([]Event, error) {
	raw, err := readLeaves(ctx, l.db, log, *after+1, 1<<62)
	if err != nil || len(raw) == 0 {
		return nil, err
	}
	wanted, err := l.resolve(ctx, log, f) // each time: names change
	if err != nil {
		return nil, err
	}
	page := []Event{}
	for i := range raw {
		e, err := decode(raw[i].Body, raw[i].Who.decoded(), raw[i].What.decoded())
		if err != nil {
			return nil, fmt.Errorf("reading leaf %d of log %s: %w", raw[i].Leaf, log, err)
		}
		e.Leaf = &raw[i].Leaf
		*after = raw[i].Leaf
		if wanted.matches(&e, log) && f.spans(e.Time) {
			page = append(page, e)
		}
	}
	return page, nil
}

// spans tells whether a time is between the filter's bounds.
func (f Filter) spans(t time.Time) bool {
	return (f.After.IsZero() || !t.Before(f.After)) && (f.Before.IsZero() || t.Before(f.Before))
}
