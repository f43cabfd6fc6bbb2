package store

import (
	"context"

	"onrecord/database"
)

// Place says what has become of something.
type Place struct {
	Deleted bool
	MovedTo string // the team that a device was moved to, or ""
}

var placeQueries = map[string]string{
	"call":    "SELECT id, deleted_at IS NOT NULL, '' FROM call WHERE team = $1 AND id ",
	"user":    "SELECT id, deleted_at IS NOT NULL, '' FROM member WHERE team = $1 AND id ",
	"device":  "SELECT id, deleted_at IS NOT NULL, coalesce(moved_to, '') FROM device WHERE team = $1 AND id ",
	"api_key": "SELECT id, revoked_at IS NOT NULL, '' FROM api_key WHERE team = $1 AND id ",

	"saved_view": "SELECT id, deleted_at IS NOT NULL, '' FROM saved_view WHERE team = $1 AND id ",
}

// Places tells what has become of calls, users, devices, API keys or saved views
// (typ) of a team. An id that the team never had is absent, and so is every id of another type.
func Places(ctx context.Context, q database.Querier, team, typ string, ids []string) (map[string]Place, error) {
	query := placeQueries[typ]
	if query == "" || len(ids) == 0 {
		return nil, nil
	}
	places := make(map[string]Place, len(ids))
	for len(ids) > 0 {
		list, args, left := idList([]any{team}, ids)
		if err := readPlaces(ctx, q, query+list, args, places); err != nil {
			return nil, err
		}
		ids = left
	}
	return places, nil
}

func readPlaces(ctx context.Context, q database.Querier, query string, args []any, places map[string]Place) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var p Place
		if err := rows.Scan(&id, &p.Deleted, &p.MovedTo); err != nil {
			return err
		}
		places[id] = p
	}
	return rows.Err()
}
