package store

import (
	"context"
	"encoding/json"
	"fmt"

	"onrecord/database"
)

// Place says what has become of something.
type Place struct {
	Deleted bool
	MovedTo string // the team that a device was moved to, or ""
}

var placeQueries = map[string]string{
	"call":   "SELECT id, deleted_at IS NOT NULL, '' FROM call WHERE team = $1 AND id IN (SELECT value FROM json_each($2))",
	"user":   "SELECT id, deleted_at IS NOT NULL, '' FROM member WHERE team = $1 AND id IN (SELECT value FROM json_each($2))",
	"device": "SELECT id, deleted_at IS NOT NULL, coalesce(moved_to, '') FROM device WHERE team = $1 AND id IN (SELECT value FROM json_each($2))",
}

// Places tells what has become of calls, users or devices (typ) of a team. An
// id that the team never had is absent, and so is every id of another type.
func Places(ctx context.Context, q database.Querier, team, typ string, ids []string) (map[string]Place, error) {
	query := placeQueries[typ]
	if query == "" || len(ids) == 0 {
		return nil, nil
	}
	list, err := json.Marshal(ids)
	if err != nil {
		return nil, fmt.Errorf("listing ids: %w", err)
	}
	rows, err := q.QueryContext(ctx, query, team, string(list))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	places := make(map[string]Place, len(ids))
	for rows.Next() {
		var id string
		var p Place
		if err := rows.Scan(&id, &p.Deleted, &p.MovedTo); err != nil {
			return nil, err
		}
		places[id] = p
	}
	return places, rows.Err()
}
