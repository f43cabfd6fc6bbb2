package store

import (
	"context"
	"time"

	"onrecord/database"
)

// Session is one signed-in browser.
type Session struct {
	ID        string // ses_…
	Account   string
	TokenHash []byte
	Created   time.Time
	Seen      time.Time
	IP        string
	UserAgent string
}

const sessionColumns = "SELECT id, account, token_hash, created_at, seen_at, ip, user_agent FROM session "

func scanSession(row interface{ Scan(...any) error }) (Session, error) {
	var s Session
	var created, seen int64
	err := row.Scan(&s.ID, &s.Account, &s.TokenHash, &created, &seen, &s.IP, &s.UserAgent)
	s.Created, s.Seen = fromMicros(created), fromMicros(seen)
	return s, err
}

// SessionByToken gives the session whose token has this digest. Error:
// sql.ErrNoRows.
func SessionByToken(ctx context.Context, q database.Querier, hash []byte) (Session, error) {
	return scanSession(q.QueryRowContext(ctx, sessionColumns+"WHERE token_hash = $1", hash))
}

// SessionByID gives a session of a person. Error: sql.ErrNoRows.
func SessionByID(ctx context.Context, q database.Querier, account, id string) (Session, error) {
	return scanSession(q.QueryRowContext(ctx, sessionColumns+"WHERE account = $1 AND id = $2", account, fit(id)))
}

// Sessions gives a person's sessions, the last used first.
func Sessions(ctx context.Context, q database.Querier, account string) ([]Session, error) {
	rows, err := q.QueryContext(ctx, sessionColumns+"WHERE account = $1 ORDER BY seen_at DESC, id DESC", account)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Session
	for rows.Next() {
		s, err := scanSession(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return all, rows.Err()
}

// InsertSession adds a session.
func InsertSession(ctx context.Context, tx Execer, s Session) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO session (id, account, token_hash, created_at, seen_at, ip, user_agent)
		VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		s.ID, s.Account, s.TokenHash, s.Created.UnixMicro(), s.Seen.UnixMicro(), s.IP, s.UserAgent)
	return err
}

// SeeSession remembers that a session and its person were here.
func SeeSession(ctx context.Context, tx Execer, id, account string, at time.Time) error {
	if _, err := tx.ExecContext(ctx, "UPDATE session SET seen_at = $1 WHERE id = $2", at.UnixMicro(), id); err != nil {
		return err
	}
	return SeeAccount(ctx, tx, account, at)
}

// SeeAccount remembers that a person was here.
func SeeAccount(ctx context.Context, tx Execer, account string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO account_activity (account, seen_at) VALUES ($1, $2)
		ON CONFLICT (account) DO UPDATE SET seen_at = excluded.seen_at WHERE excluded.seen_at > account_activity.seen_at`, account, at.UnixMicro())
	return err
}

// DeleteSession ends one session of a person and tells whether there was one.
func DeleteSession(ctx context.Context, tx Execer, account, id string) (bool, error) {
	res, err := tx.ExecContext(ctx, "DELETE FROM session WHERE account = $1 AND id = $2", account, fit(id))
	if err != nil {
		return false, err
	}
	n, err := res.RowsAffected()
	return n > 0, err
}

// DeleteSessions ends all sessions of a person but one ("" spares none) and
// tells how many.
func DeleteSessions(ctx context.Context, tx Execer, account, but string) (int64, error) {
	res, err := tx.ExecContext(ctx, "DELETE FROM session WHERE account = $1 AND id <> $2", account, but)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

// DeleteOldSessions drops sessions that were last used before idle or began
// before oldest.
func DeleteOldSessions(ctx context.Context, tx Execer, idle, oldest time.Time) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM session WHERE seen_at < $1 OR created_at < $2", idle.UnixMicro(), oldest.UnixMicro())
	return err
}

// Link is a one-time link with which a person chooses a password.
type Link struct {
	TokenHash []byte
	Account   string
	Team      string // whose Admin made it
	Created   time.Time
	Expires   time.Time
	Used      time.Time // zero while it can be used
}

// LinkByToken gives the link whose token has this digest. Error: sql.ErrNoRows.
func LinkByToken(ctx context.Context, q database.Querier, hash []byte) (Link, error) {
	l := Link{TokenHash: hash}
	var created, expires, used int64
	err := q.QueryRowContext(ctx, "SELECT account, team, created_at, expires_at, coalesce(used_at, 0) FROM sign_in_link WHERE token_hash = $1", hash).
		Scan(&l.Account, &l.Team, &created, &expires, &used)
	l.Created, l.Expires, l.Used = fromMicros(created), fromMicros(expires), fromMicros(used)
	return l, err
}

// InsertLink adds a link.
func InsertLink(ctx context.Context, tx Execer, l Link) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO sign_in_link (token_hash, account, team, created_at, expires_at) VALUES ($1, $2, $3, $4, $5)",
		l.TokenHash, l.Account, l.Team, l.Created.UnixMicro(), l.Expires.UnixMicro())
	return err
}

// UseLink marks a link as used.
func UseLink(ctx context.Context, tx Execer, hash []byte, at time.Time) error {
	_, err := tx.ExecContext(ctx, "UPDATE sign_in_link SET used_at = $1 WHERE token_hash = $2", at.UnixMicro(), hash)
	return err
}

// DeleteOpenLinks takes back the links of a person that were not used.
func DeleteOpenLinks(ctx context.Context, tx Execer, account string) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM sign_in_link WHERE account = $1 AND used_at IS NULL", account)
	return err
}

// DeleteOldLinks drops links that expired before then.
func DeleteOldLinks(ctx context.Context, tx Execer, before time.Time) error {
	_, err := tx.ExecContext(ctx, "DELETE FROM sign_in_link WHERE expires_at < $1", before.UnixMicro())
	return err
}
