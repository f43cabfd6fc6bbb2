package audit

import (
	"context"
	"fmt"

	"onrecord/database"
)

// rowsAt reads the stored events at the places that a query gives, in its
// order. CROSS JOIN keeps that order: SQLite takes it as written.
func rowsAt(places string) string {
	return `
		SELECT e.n, e.body, who.salt, who.part, what.salt, what.part
		FROM (` + places + `) AS place
		CROSS JOIN audit_event e ON e.n = place.n
		LEFT JOIN audit_part what ON what.n = e.n AND what.kind = 'what'
		LEFT JOIN audit_part who ON who.n = e.n AND who.kind = 'who'`
}

// readEvents decodes the events at the places that a query gives, in its
// order.
func readEvents(ctx context.Context, q database.Querier, places string, each func(placed), args ...any) error {
	rows, err := q.QueryContext(ctx, rowsAt(places), args...)
	if err != nil {
		return fmt.Errorf("reading events: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var body []byte
		var who, what part
		if err := rows.Scan(&n, &body, &who.Salt, &who.JSON, &what.Salt, &what.JSON); err != nil {
			return fmt.Errorf("reading events: %w", err)
		}
		e, err := decode(body, who.unlessErased(), what.unlessErased())
		if err != nil {
			return fmt.Errorf("reading the event at place %d: %w", n, err)
		}
		each(placed{n, e})
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("reading events: %w", err)
	}
	return nil
}

// unlessErased is nil for a part whose row is gone.
func (p *part) unlessErased() *part {
	if p.Salt == nil {
		return nil
	}
	return p
}

// Event gives one event of a log by its id.
//
// Cost: one look-up by the primary key, and one for its parts.
func (l *Log) Event(ctx context.Context, log, id string) (_ Event, err error) {
	defer func() { err = l.explain(err) }()
	missing := NotFound("There is no event %s in this log.", id)
	first, last, err := placesOf(id)
	if err != nil {
		return Event{}, missing
	}
	found := Event{}
	err = readEvents(ctx, l.db, `SELECT n FROM audit_event WHERE n BETWEEN $1 AND $2 AND id = $3 AND log = $4`,
		func(p placed) { found = p.event }, first, last, id, log)
	if err != nil {
		return Event{}, err
	}
	if found.ID == "" {
		return Event{}, missing
	}
	return found, nil
}

// Totals counts a log's events by action.
//
// Cost: one row an action.
func (l *Log) Totals(ctx context.Context, log string) (_ map[string]int64, err error) {
	defer func() { err = l.explain(err) }()
	rows, err := l.db.QueryContext(ctx, `SELECT action, events FROM audit_total WHERE log = $1`, log)
	if err != nil {
		return nil, fmt.Errorf("counting events: %w", err)
	}
	defer rows.Close()
	totals := map[string]int64{}
	for rows.Next() {
		var action string
		var n int64
		if err := rows.Scan(&action, &n); err != nil {
			return nil, fmt.Errorf("counting events: %w", err)
		}
		totals[action] = n
	}
	return totals, rows.Err()
}
