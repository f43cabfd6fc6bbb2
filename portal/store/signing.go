package store

import (
	"context"
	"time"

	"onrecord/audit"
	"onrecord/database"
)

// SigningKey is the public half of a key that signs checkpoints.
type SigningKey struct {
	ID        string // skey_…, sorts by the time it was added
	PublicKey string // base64
	Added     time.Time
	Retired   time.Time // zero while it signs
	EventID   string    // the event that last changed it: its version
}

// SigningKeys gives every key that the organization ever had, the oldest
// first.
func SigningKeys(ctx context.Context, q database.Querier, org string) ([]SigningKey, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT id, public_key, added_at, coalesce(retired_at, 0), event_id
		FROM signing_key WHERE organization = $1 ORDER BY id`, org)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []SigningKey
	for rows.Next() {
		var k SigningKey
		var added, retired int64
		if err := rows.Scan(&k.ID, &k.PublicKey, &added, &retired, &k.EventID); err != nil {
			return nil, err
		}
		k.Added, k.Retired = fromMicros(added), fromMicros(retired)
		all = append(all, k)
	}
	return all, rows.Err()
}

// InsertSigningKey adds a key.
func InsertSigningKey(ctx context.Context, tx *audit.Tx, org string, k SigningKey) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO signing_key (organization, id, public_key, added_at, event_id) VALUES ($1, $2, $3, $4, $5)`,
		org, k.ID, k.PublicKey, k.Added.UnixMicro(), tx.EventID())
	return err
}

// SetSigningKeyRetired marks a key as one that signs no more.
func SetSigningKeyRetired(ctx context.Context, tx *audit.Tx, org, id string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `UPDATE signing_key SET retired_at = $1, event_id = $2 WHERE organization = $3 AND id = $4`,
		at.UnixMicro(), tx.EventID(), org, id)
	return err
}
