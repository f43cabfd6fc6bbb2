package audit

import (
	"context"
	"fmt"

	"onrecord/database"
)

// IndexAgain writes the index entries of a log's sealed events from leaf first
// on, most of them at most, inside a transaction of the caller. It gives the
// leaf to go on from; first itself if there is no such leaf. The entries must
// not be there yet: it is for a database into which events were copied, whose
// index is of another kind.
func (l *Log) IndexAgain(ctx context.Context, tx *database.Tx, log string, first int64, most int) (next int64, err error) {
	entries, err := l.entriesOf(ctx, tx, log, first, most)
	if err != nil {
		return first, fmt.Errorf("reading the leaves of %s from %d: %w", log, first, err)
	}
	if len(entries) == 0 {
		return first, nil
	}
	if err := l.backend.addToIndex(ctx, tx, log, entries); err != nil {
		return first, fmt.Errorf("indexing the leaves of %s from %d: %w", log, first, err)
	}
	return first + int64(len(entries)), nil
}

func (l *Log) entriesOf(ctx context.Context, q database.Querier, log string, first int64, most int) ([]entry, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT l.n, e.body, who.salt, who.part, what.salt, what.part
		FROM audit_leaf l
		JOIN audit_event e ON e.log = l.log AND e.n = l.n
		LEFT JOIN audit_part what ON what.log = l.log AND what.n = l.n AND what.kind = 'what'
		LEFT JOIN audit_part who ON who.log = l.log AND who.n = l.n AND who.kind = 'who'
		WHERE l.log = $1 AND l.leaf >= $2 ORDER BY l.leaf LIMIT $3`, log, first, most)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []entry
	for rows.Next() {
		var n int64
		var body []byte
		var who, what part
		if err := rows.Scan(&n, &body, &who.Salt, &who.JSON, &what.Salt, &what.JSON); err != nil {
			return nil, err
		}
		all = append(all, entry{n, l.sealer.termsOf(log, n, body, who.unlessErased(), what.unlessErased())})
	}
	return all, rows.Err()
}
