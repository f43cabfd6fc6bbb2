package audit

import (
	"context"
	"fmt"
)

// LeafPage is one page of sealed events in the order of their leaves.
type LeafPage struct {
	Events []Event
	Last   int64 // the last leaf that was looked at: the next page begins after it
}

// SealedAfter gives the sealed events that a filter matches, in the order of
// their leaves, after leaf after (-1 for all): an event that committed late is
// numbered late, so that whoever goes on from Last misses none. A page may be
// short, even empty, before the end of the log; it is the end when Last is
// after.
//
// Errors: Invalid for a limit that is not 1 to 1,000, and for a leaf that the
// log does not have.
//
// Cost: every event after that leaf is read and compared, at most 10,000 a page.
func (l *Log) SealedAfter(ctx context.Context, log string, f Filter, after int64, limit int) (_ LeafPage, err error) {
	defer func() { err = l.explain(err) }()
	if limit < 1 || limit > maxLimit {
		return LeafPage{}, Invalid("limit", "limit %d: a page has 1 to %d events", limit, maxLimit)
	}
	if err := f.CheckRange(); err != nil {
		return LeafPage{}, err
	}
	size, err := treeSize(ctx, l.db, log)
	if err != nil {
		return LeafPage{}, err
	}
	if after < -1 || after >= size {
		return LeafPage{}, Invalid("cursor", "There is no leaf %d: the leaves of this log are numbered from 0, and it has %d.", after, size)
	}
	page := LeafPage{Last: after}
	for start := after; page.Last-start < maxWalked && len(page.Events) < limit; {
		last := page.Last
		events, err := l.followPage(ctx, log, f, &last)
		if err != nil {
			return LeafPage{}, fmt.Errorf("reading on from leaf %d: %w", page.Last, err)
		}
		if last == page.Last {
			break
		}
		page.Last = last
		if room := limit - len(page.Events); len(events) > room {
			events = events[:room]
			page.Last = *events[room-1].Leaf
		}
		page.Events = append(page.Events, events...)
	}
	return page, nil
}
