package audit

import (
	"context"
	"fmt"
	"time"
)

// isCounted tells whether the ready-made counts answer a filter: they know the
// hour of each event and its action.
func (f Filter) isCounted() bool {
	f.After, f.Before, f.Action = time.Time{}, time.Time{}, Values{}
	return f.IsZero()
}

// fromCounts fills a histogram of whole hours from the ready-made counts. What
// the range cuts off of an hour at either end is counted event by event.
func (h *Histogram) fromCounts(ctx context.Context, l *Log, log string, f Filter, from, to time.Time, limit time.Duration) error {
	first, last := from.Truncate(time.Hour), to.Truncate(time.Hour)
	if first.Before(from) {
		first = first.Add(time.Hour)
	}
	if f.Before.IsZero() {
		last = last.Add(time.Hour) // to is now: nothing is behind it
	}
	if !first.Before(last) {
		return h.tally(ctx, l, log, f, limit)
	}
	if err := h.hours(ctx, l, log, f, first, last); err != nil {
		return err
	}
	h.Complete = true
	for _, edge := range []struct{ from, to time.Time }{{last, to}, {from, first}} {
		if !h.Complete || !edge.from.Before(edge.to) {
			continue
		}
		piece := f
		piece.After, piece.Before = edge.from, edge.to
		if err := h.tally(ctx, l, log, piece, limit); err != nil {
			return err
		}
	}
	return nil
}

// hours adds what was counted between two full hours: of whole days by day, of
// what is left by hour, and what waits to be sealed one by one. It is one
// statement: an event that is sealed meanwhile is counted once.
func (h *Histogram) hours(ctx context.Context, l *Log, log string, f Filter, first, last time.Time) error {
	firstDay, lastDay := first, first // no whole day, unless the bars have some
	if h.Width >= oneDay {
		firstDay, lastDay = barStart(first.Add(oneDay-time.Microsecond), oneDay), barStart(last, oneDay)
		if lastDay.Before(firstDay) {
			firstDay, lastDay = first, first
		}
	}
	base, width := barStart(h.Bars[0].From, h.Width), h.Width
	rows, err := l.db.QueryContext(ctx, `
		SELECT bar, action, CAST(sum(events) AS BIGINT) FROM (
			SELECT (at - $2) / $3 AS bar, action, events FROM audit_count WHERE log = $1 AND span = 'day' AND at >= $4 AND at < $5
			UNION ALL
			SELECT (at - $2) / $3 AS bar, action, events FROM audit_count WHERE log = $1 AND span = 'hour' AND at >= $6 AND at < $4
			UNION ALL
			SELECT (at - $2) / $3 AS bar, action, events FROM audit_count WHERE log = $1 AND span = 'hour' AND at >= $5 AND at < $7
			UNION ALL
			SELECT (n / $8 - $2) / $3 AS bar, action, 1 AS events FROM audit_unsealed WHERE log = $1 AND n >= $9 AND n < $10
		) AS counted GROUP BY bar, action`,
		log, base.UnixMicro(), width.Microseconds(), firstDay.UnixMicro(), lastDay.UnixMicro(), first.UnixMicro(), last.UnixMicro(),
		int64(1)<<placeBits, placeAt(first), placeAt(last))
	if err != nil {
		return fmt.Errorf("counting events by hour: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var bar, events int64
		var action string
		if err := rows.Scan(&bar, &action, &events); err != nil {
			return fmt.Errorf("counting events by hour: %w", err)
		}
		if f.Action.admit(action) {
			h.add(base.Add(time.Duration(bar)*width), action, events)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("counting events by hour: %w", err)
	}
	return nil
}
