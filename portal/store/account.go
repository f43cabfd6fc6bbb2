package store

import (
	"context"
	"time"

	"onrecord/audit"
	"onrecord/database"
)

// Account is a person, once for all teams.
type Account struct {
	ID       string // user_…
	Email    string
	EmailKey string // folded
	Name     string // or ""

	PasswordHash  string // "" until one was chosen
	PasswordSetAt time.Time
	EventID       string
}

const accountColumns = `SELECT id, email, email_key, name, coalesce(password_hash, ''), coalesce(password_set_at, 0), event_id FROM account `

func scanAccount(row interface{ Scan(...any) error }) (Account, error) {
	var a Account
	var set int64
	err := row.Scan(&a.ID, &a.Email, &a.EmailKey, &a.Name, &a.PasswordHash, &set, &a.EventID)
	a.PasswordSetAt = fromMicros(set)
	return a, err
}

// AccountByID gives a person. Error: sql.ErrNoRows.
func AccountByID(ctx context.Context, q database.Querier, org, id string) (Account, error) {
	return scanAccount(q.QueryRowContext(ctx, accountColumns+"WHERE organization = $1 AND id = $2", org, fit(id)))
}

// AccountByEmail gives the person whose folded address is key. Error:
// sql.ErrNoRows.
func AccountByEmail(ctx context.Context, q database.Querier, org, key string) (Account, error) {
	return scanAccount(q.QueryRowContext(ctx, accountColumns+"WHERE organization = $1 AND email_key = $2", org, fit(key)))
}

// InsertAccount adds a person.
func InsertAccount(ctx context.Context, tx *audit.Tx, org string, a Account) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO account (organization, id, email, email_key, name, password_hash, password_set_at, event_id)
		VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7, $8)`,
		org, a.ID, a.Email, a.EmailKey, a.Name, a.PasswordHash, micros(a.PasswordSetAt), tx.EventID())
	return err
}

// SetName sets a person's name.
func SetName(ctx context.Context, tx *audit.Tx, org, id, name string) error {
	_, err := tx.ExecContext(ctx, "UPDATE account SET name = $1, event_id = $2 WHERE organization = $3 AND id = $4",
		name, tx.EventID(), org, id)
	return err
}

// SetPassword sets a person's name and password.
func SetPassword(ctx context.Context, tx *audit.Tx, org, id, name, hash string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE account SET name = $1, password_hash = $2, password_set_at = $3, event_id = $4
		WHERE organization = $5 AND id = $6`, name, hash, micros(at), tx.EventID(), org, id)
	return err
}
