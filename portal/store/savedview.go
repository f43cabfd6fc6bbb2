package store

import (
	"context"
	"time"

	"onrecord/audit"
	"onrecord/database"
)

// SavedView is a filter of the log that somebody keeps under a name.
type SavedView struct {
	ID        string // view_…
	Owner     string // a member's id
	Name      string
	Query     string // in the query language
	Shared    bool   // with the team
	Preferred bool   // the log opens with it for its owner
	Created   time.Time
	Deleted   time.Time
	EventID   string
}

const savedViewColumns = "SELECT id, owner, name, query, shared, preferred, created_at, coalesce(deleted_at, 0), event_id FROM saved_view "

func scanSavedView(row interface{ Scan(...any) error }) (SavedView, error) {
	var v SavedView
	var created, deleted int64
	err := row.Scan(&v.ID, &v.Owner, &v.Name, &v.Query, &v.Shared, &v.Preferred, &created, &deleted, &v.EventID)
	v.Created, v.Deleted = fromMicros(created), fromMicros(deleted)
	return v, err
}

// SavedViews gives the views of a team that are not deleted and that a member
// may use: their own and the shared ones, by name.
func SavedViews(ctx context.Context, q database.Querier, team, member string) ([]SavedView, error) {
	rows, err := q.QueryContext(ctx, savedViewColumns+`
		WHERE team = $1 AND deleted_at IS NULL AND (owner = $2 OR shared = 1) ORDER BY name, id`, team, member)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []SavedView
	for rows.Next() {
		v, err := scanSavedView(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, v)
	}
	return all, rows.Err()
}

// SavedViewByID gives a view, deleted or not. Error: sql.ErrNoRows.
func SavedViewByID(ctx context.Context, q database.Querier, team, id string) (SavedView, error) {
	return scanSavedView(q.QueryRowContext(ctx, savedViewColumns+"WHERE team = $1 AND id = $2", fit(team), fit(id)))
}

// InsertSavedView adds a view.
func InsertSavedView(ctx context.Context, tx *audit.Tx, team string, v SavedView) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO saved_view (team, id, owner, name, query, shared, preferred, created_at, event_id)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)`,
		team, v.ID, v.Owner, v.Name, v.Query, integer(v.Shared), integer(v.Preferred), v.Created.UnixMicro(), tx.EventID())
	return err
}

// UpdateSavedView changes all of a view but its owner.
func UpdateSavedView(ctx context.Context, tx *audit.Tx, team string, v SavedView) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE saved_view SET name = $1, query = $2, shared = $3, preferred = $4, deleted_at = $5, event_id = $6 WHERE team = $7 AND id = $8`,
		v.Name, v.Query, integer(v.Shared), integer(v.Preferred), micros(v.Deleted), tx.EventID(), team, v.ID)
	return err
}
