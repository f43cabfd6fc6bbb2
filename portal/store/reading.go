package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"onrecord/database"
)

// Execer changes tables that need no record: *database.Tx and *audit.Tx.
type Execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// MarkReading notes that a session read something in an hour (hours since
// 1970) and tells whether it is the first time.
func MarkReading(ctx context.Context, tx Execer, session, what string, hour int64) (first bool, err error) {
	res, err := tx.ExecContext(ctx, "INSERT INTO reading (session, what, hour) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
		session, what, hour)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// HasRead tells whether MarkReading was called so before.
func HasRead(ctx context.Context, q database.Querier, session, what string, hour int64) (bool, error) {
	var one int
	err := q.QueryRowContext(ctx, "SELECT 1 FROM reading WHERE session = $1 AND what = $2 AND hour = $3", session, what, hour).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// ForgetReadings drops what was read before the hour.
func ForgetReadings(ctx context.Context, tx Execer, before int64) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM reading WHERE hour < $1", before)
	return err
}

// NoteOpened remembers that a session opened a call now. It voids what
// SpareOpening left, if that was not used.
func NoteOpened(ctx context.Context, tx Execer, session, call string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO redirect_note (session, call, spare, until) VALUES ($1, $2, 0, $3)
		ON CONFLICT (session, call) DO UPDATE SET spare = 0, until = excluded.until`, session, call, now.UnixMicro())
	return err
}

// SpareOpening lets the session open the call once more until then without a
// further record, provided that it has opened it before.
func SpareOpening(ctx context.Context, tx Execer, session, call string, until time.Time) error {
	_, err := tx.ExecContext(ctx, "UPDATE redirect_note SET spare = 1, until = $1 WHERE session = $2 AND call = $3",
		until.UnixMicro(), session, call)
	return err
}

// UseSpare takes what SpareOpening left and tells whether there was anything.
// That it is taken does not depend on the time: of two that ask at once, the
// later one may have looked at the clock before.
func UseSpare(ctx context.Context, tx Execer, session, call string, now time.Time) (bool, error) {
	res, err := tx.ExecContext(ctx, "UPDATE redirect_note SET spare = 0, until = $1 WHERE session = $2 AND call = $3 AND spare = 1 AND until > $1",
		now.UnixMicro(), session, call)
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n == 1, err
}

// ForgetOpened drops the notes of openings before then.
func ForgetOpened(ctx context.Context, tx Execer, before time.Time) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM redirect_note WHERE until < $1", before.UnixMicro())
	return err
}
