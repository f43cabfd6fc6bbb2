package audit

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"sort"

	"onrecord/database"
)

func (sqliteBackend) openRecord(ctx context.Context, tx *database.Tx, log, event string) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO audit_open (seq, log, event) VALUES (0, $1, $2)`, log, event)
	return err
}

func (sqliteBackend) collect(ctx context.Context, tx *database.Tx, _ *string) ([]write, error) {
	rows, err := tx.QueryContext(ctx, `DELETE FROM audit_open RETURNING seq, tbl, row, prev, old, new`)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	type numbered struct {
		seq int64
		write
	}
	var found []numbered
	for rows.Next() {
		var w numbered
		var table, row, prev sql.NullString
		var before, after sql.RawBytes
		if err := rows.Scan(&w.seq, &table, &row, &prev, &before, &after); err != nil {
			return nil, err
		}
		w.table, w.row, w.prev = table.String, row.String, prev.String
		w.before, w.after = bytes.Clone(before), bytes.Clone(after)
		if w.seq > 0 {
			found = append(found, w)
		}
	}
	sort.Slice(found, func(i, j int) bool { return found[i].seq < found[j].seq })
	writes := make([]write, len(found))
	for i, w := range found {
		writes[i] = w.write
	}
	return writes, rows.Err()
}

// placeTaken: places are looked up while nobody else writes.
func (sqliteBackend) placeTaken(error) bool { return false }

func (sqliteBackend) glimpse() string { return "" }

func (sqliteBackend) openRecords() string { return `SELECT count(*) FROM audit_open` }

// write is one insert into a view that spreads each row over the tables.
func (sqliteBackend) write(ctx context.Context, tx *database.Tx, events []*staged) error {
	ids := make([]string, len(events))
	for i := range events {
		ids[i] = events[i].event.ID
	}
	places, err := takePlaces(ctx, tx, ids)
	if err != nil {
		return err
	}
	rows := make([][]any, len(events))
	for i, s := range events {
		rows[i] = []any{
			places[i], s.event.Log, s.event.ID, s.event.Action, s.sealed.Body,
			s.sealed.Who.Salt, s.sealed.Who.JSON, s.sealed.What.Salt, s.sealed.What.JSON,
		}
	}
	return insert(tx, "audit_append (n, log, id, action, body, who_salt, who, what_salt, what)", rows, "")
}

// takePlaces gives each id its n, stepping past places already taken.
//
// Cost: one look at the end of the table; events that are older than the
// newest (another process was faster, a clock was set back, an import) look
// their own places up.
func takePlaces(ctx context.Context, tx *database.Tx, ids []string) ([]int64, error) {
	var newest sql.NullInt64
	if err := tx.QueryRowContext(ctx, `SELECT max(n) FROM audit_event`).Scan(&newest); err != nil {
		return nil, fmt.Errorf("placing events: %w", err)
	}
	places := make([]int64, len(ids))
	mine := make(map[int64]bool, len(ids))
	for i, id := range ids {
		_, uuid, err := ParseID(id)
		if err != nil {
			return nil, fmt.Errorf("placing events: %w", err)
		}
		n := place(uuid)
		for {
			taken := mine[n]
			if !taken && newest.Valid && n <= newest.Int64 {
				if taken, err = exists(ctx, tx, `SELECT 1 FROM audit_event WHERE n = $1`, n); err != nil {
					return nil, fmt.Errorf("placing events: %w", err)
				}
			}
			if !taken {
				break
			}
			n = stepped(n, 1)
		}
		places[i], mine[n] = n, true
	}
	return places, nil
}
