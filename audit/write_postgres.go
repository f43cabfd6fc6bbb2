package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"onrecord/database"
)

// pgBackend keeps the open record in settings of the transaction. What the
// engine writes goes with other statements where it can: the opening with the
// first of the change, the event with the commit.
type pgBackend struct{}

func (pgBackend) openRecord(_ context.Context, tx *database.Tx, log, event string) error {
	return tx.Ahead(`SELECT set_config('onrecord.event', $1, true), set_config('onrecord.log', $2, true),
		set_config('onrecord.piece', '0', true), set_config('onrecord.seen0', '', true)`, event, log)
}

// collect reads what the guards left: a JSON array a line.
func (pgBackend) collect(ctx context.Context, tx *database.Tx, glimpsed *string) ([]write, error) {
	var seen string
	var err error
	if glimpsed != nil {
		seen = *glimpsed
		err = tx.Ahead(`SELECT set_config('onrecord.event', '', true), set_config('onrecord.log', '', true)`)
	} else {
		err = tx.QueryRowContext(ctx, `SELECT audit_collect()`).Scan(&seen)
	}
	if err != nil {
		return nil, err
	}
	var writes []write
	for line := range strings.Lines(seen) {
		var w write
		var row, prev *string
		var before, after json.RawMessage
		if err := json.Unmarshal([]byte(line), &[]any{&w.table, &row, &prev, &before, &after}); err != nil {
			return nil, fmt.Errorf("reading what a guard left: %w", err)
		}
		if row != nil {
			w.row = *row
		}
		if prev != nil {
			w.prev = *prev
		}
		if string(before) != "null" {
			w.before = before
		}
		w.after = after
		writes = append(writes, w)
	}
	return writes, nil
}

// glimpse gives the first piece while there is no other.
func (pgBackend) glimpse() string {
	return `SELECT CASE current_setting('onrecord.piece') WHEN '0' THEN current_setting('onrecord.seen0') END`
}

// openRecords: none outlives its transaction.
func (pgBackend) openRecords() string { return `SELECT 0` }

// write places each event where its id says. That another has the same place
// is found by the key: see [Log.again].
func (pgBackend) write(ctx context.Context, tx *database.Tx, events []*staged) error {
	var rows, parts [][]any
	named := "|"
	mine := map[int64]bool{}
	for i := range events {
		s := events[i]
		_, uuid, err := ParseID(s.event.ID)
		if err != nil {
			return fmt.Errorf("placing events: %w", err)
		}
		n := stepped(place(uuid), s.step)
		for mine[n] {
			n = stepped(n, 1)
		}
		mine[n] = true
		named += s.event.ID + "|"
		rows = append(rows, []any{s.event.Log, n, s.event.ID, s.sealed.Body})
		parts = append(parts,
			[]any{s.event.Log, n, "what", s.sealed.What.Salt, s.sealed.What.JSON},
			[]any{s.event.Log, n, "who", s.sealed.Who.Salt, s.sealed.Who.JSON})
	}
	if err := tx.Ahead(`SELECT set_config('onrecord.append', $1, true), set_config('onrecord.placed', '', true)`, named); err != nil {
		return err
	}
	if err := insert(tx, "audit_event (log, n, id, body)", rows, ""); err != nil {
		return err
	}
	return insert(tx, "audit_part (log, n, kind, salt, part)", parts, "")
}

// placeTaken tells that an event of another program has the place that was
// wanted.
func (pgBackend) placeTaken(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.ConstraintName == "audit_event_pkey"
}

// turn is given to one sealer at a time, of whatever program.
func (pgBackend) turn(ctx context.Context, tx *database.Tx) (ok bool, err error) {
	err = tx.QueryRowContext(ctx, `SELECT pg_try_advisory_xact_lock($1)`, int64(lockSealer)).Scan(&ok)
	return ok, err
}
