package audit

import (
	"context"
	"fmt"
	"slices"
)

// walk is one search: where it looks, and by which terms.
type walk struct {
	log       *Log
	logID     string
	filter    resolved
	page      Page
	low, high int64  // places to look at, both inclusive
	driver    string // the query of the index that is walked
	all       string // every condition that terms can say; "" if the driver says it
}

// bounds turns the filter's time and the cursor into places.
func (w *walk) bounds(f Filter) error {
	if err := f.CheckRange(); err != nil {
		return err
	}
	if !f.After.IsZero() {
		w.low = placeAt(f.After)
	}
	if !f.Before.IsZero() {
		w.high = placeAt(f.Before) - 1
	}
	if w.page.Cursor == "" {
		return nil
	}
	n, err := readCursor(w.page.Cursor, w.logID, f)
	if err != nil {
		return err
	}
	if w.page.Newer {
		w.low = max(w.low, n+1)
	} else {
		w.high = min(w.high, n-1)
	}
	return nil
}

// next reads the events of the next batch that the terms propose, newest or
// oldest first, and tells how many entries were looked at and which place the
// walk has reached.
func (w *walk) next(ctx context.Context, batch int) (found []placed, walked int, last int64, err error) {
	low, high := w.low, w.high
	if w.all != "" {
		places, err := w.candidates(ctx, w.driver, low, high, batch)
		if err != nil || len(places) == 0 {
			return nil, 0, 0, err
		}
		walked, last = len(places), places[len(places)-1]
		low, high = min(places[0], last), max(places[0], last)
	}
	expr := w.driver
	if w.all != "" {
		expr = w.all
	}
	err = w.read(ctx, expr, low, high, batch, func(p placed) {
		if w.all == "" {
			walked, last = walked+1, p.n
		}
		if w.filter.matches(&p.event, w.logID) {
			found = append(found, p)
		}
	})
	return found, walked, last, err
}

func (w *walk) order() string {
	if w.page.Newer {
		return "ASC"
	}
	return "DESC"
}

// candidates gives up to limit places between low and high, nearest to the
// cursor first.
func (w *walk) candidates(ctx context.Context, expr string, low, high int64, limit int) ([]int64, error) {
	return w.places(ctx, indexQuery(w.order()), expr, low, high, limit)
}

func indexQuery(order string) string {
	return `SELECT rowid AS n FROM audit_index WHERE audit_index MATCH $1 AND rowid BETWEEN $2 AND $3 ORDER BY rowid ` + order + ` LIMIT $4`
}

// read decodes the events of candidates, in one statement.
func (w *walk) read(ctx context.Context, expr string, low, high int64, limit int, each func(placed)) error {
	return readEvents(ctx, w.log.db, indexQuery(w.order()), each, expr, low, high, limit)
}

func (w *walk) places(ctx context.Context, query string, args ...any) ([]int64, error) {
	rows, err := w.log.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, fmt.Errorf("searching: %w", err)
	}
	defer rows.Close()
	var places []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return nil, fmt.Errorf("searching: %w", err)
		}
		places = append(places, n)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("searching: %w", err)
	}
	return places, nil
}

// run walks until the page is full, nothing is left, or it has looked at
// enough. One event more than the page holds tells whether there is another
// page.
func (w *walk) run(ctx context.Context, f Filter) (Result, error) {
	var found []placed
	walked, last, exhausted := 0, int64(0), false
	batch := w.page.Limit + 1
	for len(found) <= w.page.Limit && !exhausted && walked < maxWalked {
		batch = min(batch, maxWalked-walked)
		events, n, reached, err := w.next(ctx, batch)
		if err != nil {
			return Result{}, err
		}
		exhausted = n < batch
		if n == 0 {
			break
		}
		walked, last = walked+n, reached
		if w.page.Newer {
			w.low = last + 1
		} else {
			w.high = last - 1
		}
		found = append(found, events...)
		batch = min(batch*4, maxBatch)
	}
	return w.result(f, found, walked, last, exhausted), nil
}

type placed struct {
	n     int64
	event Event
}

// result cuts the page and makes its cursors.
func (w *walk) result(f Filter, found []placed, walked int, last int64, exhausted bool) Result {
	more := len(found) > w.page.Limit
	found = found[:min(len(found), w.page.Limit)]
	res := Result{Walked: walked, Complete: more || exhausted}
	if !res.Complete {
		res.Reached = timeAt(last)
	}
	end := last // where the next page in this direction goes on
	if more || exhausted {
		end = 0
		if len(found) > 0 {
			end = found[len(found)-1].n
		}
	}
	if w.page.Newer {
		slices.Reverse(found)
	}
	for _, p := range found {
		res.Events = append(res.Events, p.event)
	}
	onward := more || !exhausted
	back := w.page.Cursor != "" && len(found) > 0
	start := int64(0)
	if back {
		start = found[0].n
		if w.page.Newer {
			start = found[len(found)-1].n
		}
	}
	older, newer := "", ""
	if onward {
		older = makeCursor(end, w.logID, f)
	}
	if back {
		newer = makeCursor(start, w.logID, f)
	}
	if w.page.Newer {
		older, newer = newer, older
	}
	res.Older, res.Newer = older, newer
	return res
}
