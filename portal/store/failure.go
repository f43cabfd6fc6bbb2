package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"onrecord/database"
)

// SignInFailures gives how often signing in failed for somebody or from
// somewhere (who is a digest), and when last; zero if it never did.
func SignInFailures(ctx context.Context, q database.Querier, who string) (count int, last time.Time, err error) {
	var at int64
	err = q.QueryRowContext(ctx, "SELECT failures, last_at FROM sign_in_failure WHERE who = $1", who).Scan(&count, &at)
	if errors.Is(err, sql.ErrNoRows) {
		return 0, time.Time{}, nil
	}
	return count, fromMicros(at), err
}

// SetSignInFailures remembers failures until then.
func SetSignInFailures(ctx context.Context, tx Execer, who string, count int, last, until time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO sign_in_failure (who, failures, last_at, until) VALUES ($1, $2, $3, $4)
		ON CONFLICT (who) DO UPDATE SET failures = excluded.failures, last_at = excluded.last_at, until = excluded.until`,
		who, count, last.UnixMicro(), until.UnixMicro())
	return err
}

// DropSignInFailures forgets the failures of one.
func DropSignInFailures(ctx context.Context, tx Execer, who string) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM sign_in_failure WHERE who = $1", who)
	return err
}

// ForgetSignInFailures drops what need not be remembered any more.
func ForgetSignInFailures(ctx context.Context, tx Execer, now time.Time) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM sign_in_failure WHERE until < $1", now.UnixMicro())
	return err
}
