package audit

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"

	"onrecord/database"
)

// placed is an event at its place. It is the zero event where the log has none,
// which an index of hashes may propose.
type placed struct {
	n     int64
	event Event
}

// eventsAt joins a log's events, which come last in the arguments, to places.
// They are joined to the left, so that each place counts, whatever is found
// there; SQLite keeps their order.
func eventsAt(places string, args int) string {
	return `
		FROM (` + places + `) AS place
		LEFT JOIN audit_event e ON e.log = $` + strconv.Itoa(args+1) + ` AND e.n = place.n`
}

// readEvents decodes the events of a log at the places that a query gives; in
// its order on SQLite only.
func readEvents(ctx context.Context, q database.Querier, log, places string, args ...any) ([]placed, error) {
	rows, err := q.QueryContext(ctx, `SELECT place.n, e.body, who.salt, who.part, what.salt, what.part, l.leaf`+eventsAt(places, len(args))+`
		LEFT JOIN audit_part what ON what.log = e.log AND what.n = e.n AND what.kind = 'what'
		LEFT JOIN audit_part who ON who.log = e.log AND who.n = e.n AND who.kind = 'who'
		LEFT JOIN audit_leaf l ON l.log = e.log AND l.n = e.n`, append(args, log)...)
	if err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	defer rows.Close()
	var all []placed
	for rows.Next() {
		p := placed{}
		var body []byte
		var who, what part
		var leaf sql.NullInt64
		if err := rows.Scan(&p.n, &body, &who.Salt, &who.JSON, &what.Salt, &what.JSON, &leaf); err != nil {
			return nil, fmt.Errorf("reading events: %w", err)
		}
		if body != nil {
			if p.event, err = decode(body, who.unlessErased(), what.unlessErased()); err != nil {
				return nil, fmt.Errorf("reading the event at place %d: %w", p.n, err)
			}
			if leaf.Valid {
				p.event.Leaf = &leaf.Int64
			}
		}
		all = append(all, p)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading events: %w", err)
	}
	return all, nil
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
	found, err := l.placed(ctx, log, id)
	return found.event, err
}

// placed gives an event by its id, with its place. Error: NotFound.
func (l *Log) placed(ctx context.Context, log, id string) (placed, error) {
	missing := NotFound("There is no event %s in this log.", id)
	first, last, err := placesOf(id)
	if err != nil {
		return placed{}, missing
	}
	found, err := readEvents(ctx, l.db, log, `SELECT n FROM audit_event WHERE n BETWEEN $1 AND $2 AND id = $3 AND log = $4`, first, last, id, log)
	if err != nil {
		return placed{}, err
	}
	if len(found) == 0 {
		return placed{}, missing
	}
	return found[0], nil
}
