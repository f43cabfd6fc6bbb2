package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"time"

	"onrecord/database"
)

// CheckpointAt gives the signed note over the first size leaves of a log.
// Error: NotFound if there is none of that size.
func (l *Log) CheckpointAt(ctx context.Context, log string, size int64) (note []byte, err error) {
	defer func() { err = l.explain(err) }()
	err = l.db.QueryRowContext(ctx, `SELECT note FROM audit_checkpoint WHERE log = $1 AND size = $2`, log, size).Scan(&note)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, NotFound("The log has no checkpoint of %d leaves.", size)
	}
	if err != nil {
		return nil, fmt.Errorf("reading a checkpoint: %w", err)
	}
	return note, nil
}

// Cosignature is a witness's signature of a checkpoint as it is kept.
type Cosignature struct {
	Size    int64     // of the checkpoint
	Witness string    // its verifier key
	Line    []byte    // of the signed note, with its end
	Kept    time.Time // by our clock
}

// KeepCosignature keeps what a witness has signed; what is kept already stays.
func (l *Log) KeepCosignature(ctx context.Context, log string, c Cosignature) error {
	err := l.db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO audit_cosignature (log, size, witness, line, kept_at) VALUES ($1, $2, $3, $4, $5)
			ON CONFLICT (log, size, witness) DO NOTHING`, log, c.Size, c.Witness, c.Line, c.Kept.UnixMicro())
		return err
	})
	if err != nil {
		return l.explain(fmt.Errorf("keeping a cosignature: %w", err))
	}
	return nil
}

// Cosignatures gives those of one checkpoint.
func (l *Log) Cosignatures(ctx context.Context, log string, size int64) ([]Cosignature, error) {
	return l.cosignatures(ctx, `WHERE log = $1 AND size = $2 ORDER BY witness`, log, size)
}

// LastCosigned gives the largest checkpoint that a witness has cosigned; any of
// them if witness is "". Error: NotFound if there is none.
func (l *Log) LastCosigned(ctx context.Context, log, witness string) (Cosignature, error) {
	found, err := l.cosignatures(ctx, `WHERE log = $1 AND (witness = $2 OR $2 = '') ORDER BY size DESC LIMIT 1`, log, witness)
	if err == nil && len(found) == 0 {
		err = NotFound("No witness of that name has cosigned this log.")
	}
	if err != nil {
		return Cosignature{}, err
	}
	return found[0], nil
}

func (l *Log) cosignatures(ctx context.Context, where string, args ...any) (all []Cosignature, err error) {
	defer func() { err = l.explain(err) }()
	rows, err := l.db.QueryContext(ctx, `SELECT size, witness, line, kept_at FROM audit_cosignature `+where, args...)
	if err != nil {
		return nil, fmt.Errorf("reading cosignatures: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var c Cosignature
		var at int64
		if err := rows.Scan(&c.Size, &c.Witness, &c.Line, &at); err != nil {
			return nil, fmt.Errorf("reading cosignatures: %w", err)
		}
		c.Kept = time.UnixMicro(at).UTC()
		all = append(all, c)
	}
	return all, rows.Err()
}

// Matching gives what a filter matches of the first size leaves of a log, in
// their order, as [Log.InLeafOrder] does.
//
// Cost: every leaf is read; with a filter it is decoded and compared.
func (l *Log) Matching(ctx context.Context, log string, f Filter, size int64) iter.Seq2[RawEvent, error] {
	if f.IsZero() {
		return l.InLeafOrder(ctx, log, 0, size)
	}
	return func(yield func(RawEvent, error) bool) {
		wanted, err := l.resolve(ctx, log, f)
		if err != nil {
			yield(RawEvent{}, l.explain(err))
			return
		}
		for raw, err := range l.InLeafOrder(ctx, log, 0, size) {
			if err != nil {
				yield(raw, err)
				return
			}
			e, err := decode(raw.Body, raw.Who.decoded(), raw.What.decoded())
			if err != nil {
				yield(raw, fmt.Errorf("reading leaf %d of log %s: %w", raw.Leaf, log, err))
				return
			}
			if wanted.matches(&e, log) && f.spans(e.Time) && !yield(raw, nil) {
				return
			}
		}
	}
}
