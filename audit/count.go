package audit

import (
	"context"
	"database/sql"
	"fmt"
	"time"
)

// Count counts a log's events by action, sealed or not.
//
// Cost: one row an action, and one for each event that waits to be sealed.
func (l *Log) Count(ctx context.Context, log string) (_ map[string]int64, err error) {
	defer func() { err = l.explain(err) }()
	// One statement: an event that is sealed meanwhile is counted once.
	rows, err := l.db.QueryContext(ctx, `
		SELECT action, CAST(sum(events) AS BIGINT) FROM (
			SELECT action, events FROM audit_count WHERE log = $1 AND span = 'all' AND at = 0
			UNION ALL
			SELECT action, 1 AS events FROM audit_unsealed WHERE log = $1
		) AS counted GROUP BY action`, log)
	if err != nil {
		return nil, fmt.Errorf("counting events: %w", err)
	}
	defer rows.Close()
	counts := map[string]int64{}
	for rows.Next() {
		var action string
		var n int64
		if err := rows.Scan(&action, &n); err != nil {
			return nil, fmt.Errorf("counting events: %w", err)
		}
		counts[action] = n
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("counting events: %w", err)
	}
	return counts, nil
}

// SealState tells how far a log is sealed.
type SealState struct {
	Events int64 // all of the log
	Leaves int64 // of them numbered, in the tree and in the index
	Sealed int64 // of them under the newest checkpoint; 0 without one

	Checkpoint []byte    // the newest, a signed note; nil if there is none
	Oldest     time.Time // of the events that have no leaf yet; zero if there is none
}

// SealState tells how far a log is sealed now.
//
// Cost: the newest rows of leaves and checkpoints, and the events in the queue.
func (l *Log) SealState(ctx context.Context, log string) (_ SealState, err error) {
	defer func() { err = l.explain(err) }()
	var s SealState
	var waiting int64
	var oldest, sealed sql.NullInt64
	err = l.db.QueryRowContext(ctx, `
		SELECT (SELECT count(*) FROM audit_unsealed WHERE log = $1), (SELECT min(n) FROM audit_unsealed WHERE log = $1),
		       (SELECT coalesce(max(leaf) + 1, 0) FROM audit_leaf WHERE log = $1), c.size, c.note
		FROM (SELECT max(size) AS size FROM audit_checkpoint WHERE log = $1) AS newest
		LEFT JOIN audit_checkpoint c ON c.log = $1 AND c.size = newest.size`, log).Scan(&waiting, &oldest, &s.Leaves, &sealed, &s.Checkpoint)
	if err != nil {
		return SealState{}, fmt.Errorf("asking how far log %s is sealed: %w", log, err)
	}
	s.Events, s.Sealed = s.Leaves+waiting, sealed.Int64
	if oldest.Valid {
		s.Oldest = timeAt(oldest.Int64)
	}
	return s, nil
}
