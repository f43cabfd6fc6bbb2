package audit

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"
)

// walk is one search: where it looks, and by which terms.
type walk struct {
	log       *Log
	logID     string
	filter    resolved
	page      Page
	low, high int64     // places to look at, both inclusive
	driver    condition // the one that is walked
	whole     wants     // all that terms can say
	several   bool      // whole says more than driver
}

// search runs a search whose log, page and places are set.
func (w *walk) search(ctx context.Context, f Filter) (Result, error) {
	if err := w.prepare(ctx, f); err != nil {
		return Result{}, err
	}
	return w.run(ctx, f)
}

// prepare decides where and how to look for the events of a filter.
func (w *walk) prepare(ctx context.Context, f Filter) (err error) {
	if err := w.bounds(f); err != nil {
		return err
	}
	if w.filter, err = w.log.resolve(ctx, w.logID, f); err != nil {
		return err
	}
	return w.plan(ctx)
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
//
// Events that are not sealed yet stand in no index. They are read first: one
// that is sealed meanwhile comes twice, none is missed.
func (w *walk) next(ctx context.Context, batch int) (found []placed, walked int, last int64, err error) {
	tail, err := w.unsealed(ctx, batch)
	if err != nil {
		return nil, 0, 0, err
	}
	low, high := w.low, w.high
	if len(tail) == batch { // what comes after these was not read
		w.cut(&low, &high, tail[batch-1].n)
	}
	var proposed []placed
	if w.several {
		places, err := w.candidates(ctx, w.driver, low, high, batch)
		if err != nil {
			return nil, 0, 0, err
		}
		for _, n := range places {
			proposed = append(proposed, placed{n: n})
		}
	} else if proposed, err = w.read(ctx, wants{all: []condition{w.driver}}, low, high, batch); err != nil {
		return nil, 0, 0, err
	}
	all := w.merge(tail, proposed)
	all = all[:min(len(all), batch)]
	if len(all) == 0 {
		return nil, 0, 0, nil
	}
	walked, last = len(all), all[len(all)-1].n
	if w.several && len(proposed) > 0 {
		low, high = w.low, w.high
		w.cut(&low, &high, last)
		// No limit: what was sealed since the look at the tail may stand between.
		if proposed, err = w.read(ctx, w.whole, low, high, math.MaxInt32); err != nil {
			return nil, 0, 0, err
		}
		all = w.merge(all, proposed)
	}
	for _, p := range all {
		if w.filter.matches(&p.event, w.logID) {
			found = append(found, p)
		}
	}
	return found, walked, last, nil
}

// cut ends a range of places with n, in the direction of the walk.
func (w *walk) cut(low, high *int64, n int64) {
	if w.page.Newer {
		*high = min(*high, n)
	} else {
		*low = max(*low, n)
	}
}

// merge joins two lists in the order of the walk, each place once, with its
// event if either list has it.
func (w *walk) merge(a, b []placed) []placed {
	all := append(a, b...)
	if w.sort(all); len(all) == 0 {
		return nil
	}
	kept := all[:1]
	for _, p := range all[1:] {
		if last := &kept[len(kept)-1]; last.n != p.n {
			kept = append(kept, p)
		} else if last.event.ID == "" {
			*last = p
		}
	}
	return kept
}

// sort puts events in the order of the walk: a join may have lost it.
func (w *walk) sort(all []placed) {
	slices.SortStableFunc(all, func(x, y placed) int {
		if w.page.Newer {
			return cmp.Compare(x.n, y.n)
		}
		return cmp.Compare(y.n, x.n)
	})
}

// unsealedPlaces gives a statement for the places of a log's events that wait
// to be sealed.
func unsealedPlaces(log string, low, high int64, limit int, oldest bool) (query string, args []any) {
	order := "DESC"
	if oldest {
		order = "ASC"
	}
	return `SELECT n FROM audit_unsealed WHERE log = $1 AND n BETWEEN $2 AND $3 ORDER BY n ` + order + ` LIMIT $4`, []any{log, low, high, limit}
}

// unsealed reads the next events that wait to be sealed, whatever they are.
func (w *walk) unsealed(ctx context.Context, limit int) ([]placed, error) {
	query, args := unsealedPlaces(w.logID, w.low, w.high, limit, w.page.Newer)
	all, err := readEvents(ctx, w.log.db, w.logID, query, args...)
	w.sort(all)
	return all, err
}

// candidates gives up to limit places between low and high, nearest to the
// cursor first.
func (w *walk) candidates(ctx context.Context, c condition, low, high int64, limit int) ([]int64, error) {
	query, args := w.log.backend.find(w.logID, wants{all: []condition{c}}, low, high, limit, w.page.Newer)
	return w.places(ctx, query, args...)
}

// read decodes the events that the index proposes, in one statement.
func (w *walk) read(ctx context.Context, what wants, low, high int64, limit int) ([]placed, error) {
	query, args := w.log.backend.find(w.logID, what, low, high, limit, w.page.Newer)
	all, err := readEvents(ctx, w.log.db, w.logID, query, args...)
	w.sort(all)
	return all, err
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
