package store

import (
	"context"

	"onrecord/audit"
	"onrecord/database"
)

// Org is the organization.
type Org struct{ ID, Name, EventID string }

// Team is one team.
type Team struct {
	ID, Name, NameKey, Plan string
	EventID                 string // the event that last changed it: its version
}

// Organization gives the one organization. Error: sql.ErrNoRows before set-up.
func Organization(ctx context.Context, q database.Querier) (Org, error) {
	var o Org
	err := q.QueryRowContext(ctx, "SELECT id, name, event_id FROM organization LIMIT 1").Scan(&o.ID, &o.Name, &o.EventID)
	return o, err
}

// InsertOrganization adds the organization.
func InsertOrganization(ctx context.Context, tx *audit.Tx, id, name string) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO organization (organization, id, name, event_id) VALUES ($1, $1, $2, $3)",
		id, name, tx.EventID())
	return err
}

const teamColumns = "SELECT id, name, name_key, plan, event_id FROM team "

func scanTeam(row interface{ Scan(...any) error }) (Team, error) {
	var t Team
	err := row.Scan(&t.ID, &t.Name, &t.NameKey, &t.Plan, &t.EventID)
	return t, err
}

// Teams gives all teams of the organization by name.
func Teams(ctx context.Context, q database.Querier, org string) ([]Team, error) {
	rows, err := q.QueryContext(ctx, teamColumns+"WHERE organization = $1 ORDER BY name_key", org)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Team
	for rows.Next() {
		t, err := scanTeam(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, rows.Err()
}

// TeamByID gives a team. Error: sql.ErrNoRows.
func TeamByID(ctx context.Context, q database.Querier, org, id string) (Team, error) {
	return scanTeam(q.QueryRowContext(ctx, teamColumns+"WHERE organization = $1 AND id = $2", org, fit(id)))
}

// TeamByName gives the team whose folded name is key. Error: sql.ErrNoRows.
func TeamByName(ctx context.Context, q database.Querier, org, key string) (Team, error) {
	return scanTeam(q.QueryRowContext(ctx, teamColumns+"WHERE organization = $1 AND name_key = $2", org, fit(key)))
}

// Plan gives a team's plan. Error: sql.ErrNoRows.
func Plan(ctx context.Context, q database.Querier, team string) (string, error) {
	var plan string
	err := q.QueryRowContext(ctx, `
		SELECT plan FROM team WHERE organization = (SELECT id FROM organization LIMIT 1) AND id = $1`, team).Scan(&plan)
	return plan, err
}

// InsertTeam adds a team.
func InsertTeam(ctx context.Context, tx *audit.Tx, org string, t Team) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO team (organization, id, name, name_key, plan, event_id) VALUES ($1, $2, $3, $4, $5, $6)",
		org, t.ID, t.Name, t.NameKey, t.Plan, tx.EventID())
	return err
}

// UpdateTeam sets a team's name and plan.
func UpdateTeam(ctx context.Context, tx *audit.Tx, org string, t Team) error {
	_, err := tx.ExecContext(ctx, "UPDATE team SET name = $1, name_key = $2, plan = $3, event_id = $4 WHERE organization = $5 AND id = $6",
		t.Name, t.NameKey, t.Plan, tx.EventID(), org, t.ID)
	return err
}

// Size counts what a team has: members and devices and calls that are there.
func Size(ctx context.Context, q database.Querier, team string) (members, devices, calls int, err error) {
	err = q.QueryRowContext(ctx, `SELECT
		(SELECT count(*) FROM member WHERE team = $1 AND deleted_at IS NULL),
		(SELECT count(*) FROM device WHERE team = $1 AND deleted_at IS NULL),
		(SELECT count(*) FROM call WHERE team = $1 AND deleted_at IS NULL)`, team).Scan(&members, &devices, &calls)
	return members, devices, calls, err
}
