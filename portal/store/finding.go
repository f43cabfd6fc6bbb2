package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"onrecord/database"
)

// Finding is what the last check of a log found, or a witness of it.
type Finding struct {
	Log    string
	Source string // "check", or a witness's name
	At     time.Time
	Leaves int64  // how far
	Faults int64  // 0: all is well
	First  string // the first fault, as a sentence
}

// Findings gives those of a log.
func Findings(ctx context.Context, q database.Querier, log string) ([]Finding, error) {
	rows, err := q.QueryContext(ctx, `SELECT source, at, leaves, faults, first FROM log_finding WHERE log = $1 ORDER BY source`, log)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Finding
	for rows.Next() {
		f := Finding{Log: log}
		var at int64
		if err := rows.Scan(&f.Source, &at, &f.Leaves, &f.Faults, &f.First); err != nil {
			return nil, err
		}
		f.At = fromMicros(at)
		all = append(all, f)
	}
	return all, rows.Err()
}

// LastFault is the first fault of a finding, "" if it had none or there is none.
func LastFault(ctx context.Context, q database.Querier, log, source string) (string, error) {
	first := ""
	err := q.QueryRowContext(ctx, `SELECT first FROM log_finding WHERE log = $1 AND source = $2`, log, source).Scan(&first)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return first, err
}

// SetFinding replaces a finding.
func SetFinding(ctx context.Context, tx Execer, f Finding) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO log_finding (log, source, at, leaves, faults, first) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (log, source) DO UPDATE SET at = excluded.at, leaves = excluded.leaves, faults = excluded.faults, first = excluded.first`,
		f.Log, f.Source, f.At.UnixMicro(), f.Leaves, f.Faults, f.First)
	return err
}
