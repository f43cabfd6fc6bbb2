package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"onrecord/audit"
	"onrecord/database"
)

// Member is a person's place in a team, with what the account says of them.
type Member struct {
	ID      string // the account's
	Role    string
	Status  string
	Added   time.Time
	Deleted time.Time // zero while they are a member
	EventID string    // the event that last changed it: its version

	Email       string
	Name        string // or ""
	HasPassword bool
	Seen        time.Time // when they were last here, in whatever team; zero if never
}

const memberColumns = `SELECT m.id, m.role, m.status, m.added_at, coalesce(m.deleted_at, 0), m.event_id,
	a.email, a.name, a.password_hash IS NOT NULL, coalesce(s.seen_at, 0)
	FROM member m
	JOIN account a ON a.organization = (SELECT id FROM organization LIMIT 1) AND a.id = m.id
	LEFT JOIN account_activity s ON s.account = m.id `

func scanMember(row interface{ Scan(...any) error }) (Member, error) {
	var m Member
	var added, deleted, seen int64
	err := row.Scan(&m.ID, &m.Role, &m.Status, &added, &deleted, &m.EventID, &m.Email, &m.Name, &m.HasPassword, &seen)
	m.Added, m.Deleted, m.Seen = fromMicros(added), fromMicros(deleted), fromMicros(seen)
	return m, err
}

// MemberByID gives a member of the team, deleted or not. Error: sql.ErrNoRows.
func MemberByID(ctx context.Context, q database.Querier, team, id string) (Member, error) {
	return scanMember(q.QueryRowContext(ctx, memberColumns+"WHERE m.team = $1 AND m.id = $2", fit(team), fit(id)))
}

// Members gives everybody who is a member of the team and not deleted.
//
// Cost: one range of the key; a team has hundreds of members, not millions.
func Members(ctx context.Context, q database.Querier, team string) ([]Member, error) {
	rows, err := q.QueryContext(ctx, memberColumns+"WHERE m.team = $1 AND m.deleted_at IS NULL ORDER BY m.id", team)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Member
	for rows.Next() {
		m, err := scanMember(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}

// OtherAdmins counts the active Admins of a team besides one.
func OtherAdmins(ctx context.Context, q database.Querier, team, but string) (int, error) {
	var n int
	err := q.QueryRowContext(ctx, `
		SELECT count(*) FROM member
		WHERE team = $1 AND role = 'admin' AND status = 'active' AND deleted_at IS NULL AND id <> $2`, team, but).Scan(&n)
	return n, err
}

// InsertMember makes somebody a member for the first time.
func InsertMember(ctx context.Context, tx *audit.Tx, team, id, role string, at time.Time) error {
	_, err := tx.ExecContext(ctx, "INSERT INTO member (team, id, role, status, added_at, event_id) VALUES ($1, $2, $3, 'active', $4, $5)",
		team, id, role, at.UnixMicro(), tx.EventID())
	if err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, "INSERT INTO account_team (account, team) VALUES ($1, $2) ON CONFLICT DO NOTHING", id, team)
	return err
}

// ReviveMember makes somebody a member again who was deleted.
func ReviveMember(ctx context.Context, tx *audit.Tx, team, id, role string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE member SET role = $1, status = 'active', added_at = $2, deleted_at = NULL, event_id = $3
		WHERE team = $4 AND id = $5`, role, at.UnixMicro(), tx.EventID(), team, id)
	return err
}

// SetRole sets a member's role.
func SetRole(ctx context.Context, tx *audit.Tx, team, id, role string) error {
	_, err := tx.ExecContext(ctx, "UPDATE member SET role = $1, event_id = $2 WHERE team = $3 AND id = $4",
		role, tx.EventID(), team, id)
	return err
}

// SetStatus sets a member's status.
func SetStatus(ctx context.Context, tx *audit.Tx, team, id, status string) error {
	_, err := tx.ExecContext(ctx, "UPDATE member SET status = $1, event_id = $2 WHERE team = $3 AND id = $4",
		status, tx.EventID(), team, id)
	return err
}

// SetMemberDeleted marks a member as deleted.
func SetMemberDeleted(ctx context.Context, tx *audit.Tx, team, id string, at time.Time) error {
	_, err := tx.ExecContext(ctx, "UPDATE member SET deleted_at = $1, event_id = $2 WHERE team = $3 AND id = $4",
		at.UnixMicro(), tx.EventID(), team, id)
	return err
}

// Membership is a person's place in one of their teams.
type Membership struct {
	Team, TeamName, Plan string
	Role, Status         string
}

// Memberships gives the teams in which a person is not deleted, by name.
//
// Cost: a look-up for each team that they ever joined, so that none of them
// reads more than one team.
func Memberships(ctx context.Context, q database.Querier, account string) ([]Membership, error) {
	joined, err := teamsOf(ctx, q, account)
	if err != nil {
		return nil, err
	}
	var all []Membership
	for _, m := range joined {
		err := q.QueryRowContext(ctx, "SELECT role, status FROM member WHERE team = $1 AND id = $2 AND deleted_at IS NULL", m.Team, account).
			Scan(&m.Role, &m.Status)
		if errors.Is(err, sql.ErrNoRows) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, nil
}

// teamsOf gives the teams that a person ever joined, by name.
func teamsOf(ctx context.Context, q database.Querier, account string) ([]Membership, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT t.id, t.name, t.plan
		FROM account_team j JOIN team t ON t.organization = (SELECT id FROM organization LIMIT 1) AND t.id = j.team
		WHERE j.account = $1 ORDER BY t.name_key`, account)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Membership
	for rows.Next() {
		var m Membership
		if err := rows.Scan(&m.Team, &m.TeamName, &m.Plan); err != nil {
			return nil, err
		}
		all = append(all, m)
	}
	return all, rows.Err()
}
