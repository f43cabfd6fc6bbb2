package audit

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/mod/sumdb/tlog"

	"onrecord/database"
)

const (
	sealEvents = 256     // of one batch: while it is written no change can be
	sealBytes  = 1 << 20 // read for one batch
)

// batch is what the next leaves of a log need, prepared outside any
// transaction.
type batch struct {
	log         string
	first       int64 // the number of its first leaf
	leaves      []leafRow
	entries     []entry
	counts      map[span]int64
	root        tlog.Hash // of the tree that ends with the batch
	last        bool      // nothing more was in the queue
	signTrouble error
}

type leafRow struct {
	n      int64
	hashes []byte
}

// span is a row of audit_count, without its number.
type span struct {
	name   string
	at     int64
	action string
}

const (
	spanHour = "hour"
	spanDay  = "day"
	spanAll  = "all"

	microsOfHour = 3600 * 1_000_000
	microsOfDay  = 24 * microsOfHour
)

// spansOf gives what an event of an action at a place is counted in.
func spansOf(n int64, action string) [3]span {
	at := n >> placeBits
	return [3]span{{spanHour, at - at%microsOfHour, action}, {spanDay, at - at%microsOfDay, action}, {spanAll, 0, action}}
}

func (b *batch) size() int64 { return b.first + int64(len(b.leaves)) }

// prepare reads the oldest events of a log's queue and works out what follows
// from them.
func (s *sealer) prepare(ctx context.Context, log string) (*batch, error) {
	q := s.log.db
	b := &batch{log: log, counts: map[span]int64{}}
	var err error
	// The size first: whoever seals after this look is noticed by it.
	if b.first, err = treeSize(ctx, q, log); err != nil {
		return nil, err
	}
	tree, err := growingTree(ctx, q, log, b.first)
	if err != nil {
		return nil, err
	}
	rows, err := q.QueryContext(ctx, `
		SELECT u.n, u.action, e.body, who.salt, who.part, what.salt, what.part
		FROM audit_unsealed u
		JOIN audit_event e ON e.log = u.log AND e.n = u.n
		LEFT JOIN audit_part what ON what.log = u.log AND what.n = u.n AND what.kind = 'what'
		LEFT JOIN audit_part who ON who.log = u.log AND who.n = u.n AND who.kind = 'who'
		WHERE u.log = $1 ORDER BY u.n LIMIT $2`, log, sealEvents)
	if err != nil {
		return nil, fmt.Errorf("reading the queue: %w", err)
	}
	defer rows.Close()
	for size := 0; ; {
		if size >= sealBytes || len(b.leaves) == sealEvents {
			break
		}
		if !rows.Next() {
			b.last = true
			break
		}
		var n int64
		var action string
		var body []byte
		var who, what part
		if err := rows.Scan(&n, &action, &body, &who.Salt, &who.JSON, &what.Salt, &what.JSON); err != nil {
			return nil, fmt.Errorf("reading the queue: %w", err)
		}
		size += len(body) + len(who.JSON) + len(what.JSON)
		hashes, err := tree.add(tlog.RecordHash(body))
		if err != nil {
			return nil, err
		}
		b.leaves = append(b.leaves, leafRow{n, hashes})
		b.entries = append(b.entries, entry{n, s.termsOf(log, n, body, who.unlessErased(), what.unlessErased())})
		for _, c := range spansOf(n, action) {
			b.counts[c]++
		}
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("reading the queue: %w", err)
	}
	b.root, err = tree.root()
	return b, err
}

// termsOf gives what an event can be found by. One that cannot be read, which
// takes a damaged file or somebody's hand in it, is sealed as it stands: left
// out, it would keep all later ones waiting. [Log.Check] names it.
func (s *sealer) termsOf(log string, n int64, body []byte, who, what *part) []term {
	e, err := decode(body, who, what)
	if err != nil {
		s.log.logger.Error("an event that cannot be read was sealed", "log", log, "place", n, "error", err)
		return []term{makeTerm(log, termLog)}
	}
	return terms(&e)
}

// write seals a batch, unless somebody has sealed events of the log since it
// was prepared.
func (s *sealer) write(ctx context.Context, tx *database.Tx, b *batch) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if ok, err := s.log.backend.turn(ctx, tx); err != nil {
		return err
	} else if !ok {
		return errNotTurn
	}
	size, err := treeSize(ctx, tx, b.log)
	if err != nil {
		return err
	}
	if size != b.first {
		return errOvertaken
	}
	var leaves, counts [][]any
	for i, l := range b.leaves {
		leaves = append(leaves, []any{b.log, b.first + int64(i), l.n, l.hashes})
	}
	if err := insert(tx, "audit_leaf (log, leaf, n, hashes)", leaves, ""); err != nil {
		return err
	}
	if err := s.log.backend.addToIndex(ctx, tx, b.log, b.entries); err != nil {
		return err
	}
	for _, c := range slices.SortedFunc(maps.Keys(b.counts), compareSpans) {
		counts = append(counts, []any{b.log, c.name, c.at, c.action, b.counts[c]})
	}
	if err := insert(tx, "audit_count (log, span, at, action, events)", counts,
		" ON CONFLICT (log, span, at, action) DO UPDATE SET events = audit_count.events + excluded.events"); err != nil {
		return err
	}
	if b.signTrouble, err = s.checkpoint(ctx, tx, b.log, b.size(), b.root); err != nil {
		return err
	}
	return s.leaveQueue(ctx, tx, b)
}

func compareSpans(a, b span) int {
	return cmp.Or(cmp.Compare(a.name, b.name), cmp.Compare(a.at, b.at), cmp.Compare(a.action, b.action))
}

// leaveQueue takes the events of a batch out of the queue: they are leaves now.
func (s *sealer) leaveQueue(ctx context.Context, tx *database.Tx, b *batch) error {
	res, err := tx.ExecContext(ctx, `
		DELETE FROM audit_unsealed WHERE log = $1 AND n BETWEEN $2 AND $3
		AND EXISTS (SELECT 1 FROM audit_leaf l WHERE l.log = audit_unsealed.log AND l.n = audit_unsealed.n)`,
		b.log, b.leaves[0].n, b.leaves[len(b.leaves)-1].n)
	if err != nil {
		return fmt.Errorf("leaving the queue: %w", err)
	}
	n, err := res.RowsAffected()
	if err == nil && n != int64(len(b.leaves)) {
		err = fmt.Errorf("leaving the queue: %d of %d events were in it", n, len(b.leaves))
	}
	return err
}

// checkpoint signs a log's tree. What the signer has against it is trouble, but
// no reason to undo the sealing: the log is left for a later attempt.
func (s *sealer) checkpoint(ctx context.Context, tx *database.Tx, log string, size int64, root tlog.Hash) (trouble, err error) {
	var note []byte
	if s.sign != nil {
		if note, trouble = s.sign(log, size, root); trouble != nil {
			trouble = fmt.Errorf("signing %d leaves: %w", size, trouble)
		}
	}
	if note == nil {
		_, err = tx.ExecContext(ctx, `INSERT INTO audit_unsigned (log) VALUES ($1) ON CONFLICT DO NOTHING`, log)
	} else if _, err = tx.ExecContext(ctx, `INSERT INTO audit_checkpoint (log, size, note) VALUES ($1, $2, $3)`, log, size, note); err == nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM audit_unsigned WHERE log = $1`, log)
	}
	if err != nil {
		return trouble, fmt.Errorf("keeping the checkpoint: %w", err)
	}
	return trouble, nil
}

// signLog signs the present tree of a log that was sealed without a signer.
func (s *sealer) signLog(ctx context.Context, log string) error {
	var trouble error
	err := s.log.db.Derive(ctx, func(tx *database.Tx) (err error) {
		trouble = nil
		if err := ctx.Err(); err != nil {
			return err
		}
		if ok, err := s.log.backend.turn(ctx, tx); err != nil {
			return err
		} else if !ok {
			return errNotTurn
		}
		size, err := treeSize(ctx, tx, log)
		if err != nil {
			return err
		}
		var signed sql.NullInt64
		if err := tx.QueryRowContext(ctx, `SELECT max(size) FROM audit_checkpoint WHERE log = $1`, log).Scan(&signed); err != nil {
			return fmt.Errorf("looking for the newest checkpoint: %w", err)
		}
		if signed.Int64 >= size {
			_, err := tx.ExecContext(ctx, `DELETE FROM audit_unsigned WHERE log = $1`, log)
			return err
		}
		root, err := tlog.TreeHash(size, hashReader{ctx, tx, log})
		if err != nil {
			return err
		}
		trouble, err = s.checkpoint(ctx, tx, log, size, root)
		return err
	})
	if err != nil {
		return err
	}
	return trouble
}
