package store

import (
	"context"
	"time"

	"onrecord/audit"
	"onrecord/database"
)

// APIKey is one key of the API.
type APIKey struct {
	ID        string // key_…, sorts by the time it was made
	Name      string
	TokenHash []byte
	Scope     string
	CreatedBy string // who answers for it: a member's id, or an operator's
	Created   time.Time
	Expires   time.Time // zero if it never does
	Revoked   time.Time // zero while it is not
	EventID   string    // the event that last changed it: its version

	Used time.Time // to the minute; zero if never
}

const keyColumns = `SELECT k.id, k.name, k.token_hash, k.scope, k.created_by, k.created_at, coalesce(k.expires_at, 0),
	coalesce(k.revoked_at, 0), k.event_id, coalesce(a.used_at, 0)
	FROM api_key k LEFT JOIN api_key_activity a ON a.team = k.team AND a.id = k.id `

func scanKey(row interface{ Scan(...any) error }) (APIKey, error) {
	var k APIKey
	var created, expires, revoked, used int64
	err := row.Scan(&k.ID, &k.Name, &k.TokenHash, &k.Scope, &k.CreatedBy, &created, &expires, &revoked, &k.EventID, &used)
	k.Created, k.Expires, k.Revoked, k.Used = fromMicros(created), fromMicros(expires), fromMicros(revoked), fromMicros(used)
	return k, err
}

// APIKeyByID gives a key of the team. Error: sql.ErrNoRows.
func APIKeyByID(ctx context.Context, q database.Querier, team, id string) (APIKey, error) {
	return scanKey(q.QueryRowContext(ctx, keyColumns+"WHERE k.team = $1 AND k.id = $2", fit(team), fit(id)))
}

// APIKeyByToken gives the key of the team whose token has this digest. Error:
// sql.ErrNoRows.
func APIKeyByToken(ctx context.Context, q database.Querier, team string, hash []byte) (APIKey, error) {
	return scanKey(q.QueryRowContext(ctx, keyColumns+"WHERE k.team = $1 AND k.token_hash = $2", team, hash))
}

// APIKeys gives every key that the team ever had, the newest first.
//
// Cost: one range of the key; a team has tens of keys.
func APIKeys(ctx context.Context, q database.Querier, team string) ([]APIKey, error) {
	rows, err := q.QueryContext(ctx, keyColumns+"WHERE k.team = $1 ORDER BY k.id DESC", team)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []APIKey
	for rows.Next() {
		k, err := scanKey(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, rows.Err()
}

// InsertAPIKey adds a key.
func InsertAPIKey(ctx context.Context, tx *audit.Tx, team string, k APIKey) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO api_key (team, id, name, token_hash, scope, created_by, created_at, expires_at, event_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		team, k.ID, k.Name, k.TokenHash, k.Scope, k.CreatedBy, k.Created.UnixMicro(), micros(k.Expires), tx.EventID())
	return err
}

// SetAPIKeyRevoked marks a key as revoked.
func SetAPIKeyRevoked(ctx context.Context, tx *audit.Tx, team, id string, at time.Time) error {
	_, err := tx.ExecContext(ctx, "UPDATE api_key SET revoked_at = $1, event_id = $2 WHERE team = $3 AND id = $4",
		at.UnixMicro(), tx.EventID(), team, id)
	return err
}

// SeeAPIKey remembers that a key was used.
func SeeAPIKey(ctx context.Context, tx Execer, team, id string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO api_key_activity (team, id, used_at) VALUES ($1, $2, $3)
		ON CONFLICT (team, id) DO UPDATE SET used_at = excluded.used_at`, team, id, at.UnixMicro())
	return err
}
