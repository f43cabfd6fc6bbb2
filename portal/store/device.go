package store

import (
	"context"
	"time"

	"onrecord/audit"
	"onrecord/database"
)

// Device is one device of a team.
type Device struct {
	ID       string
	Hostname string
	UserID   string // whose it is, or ""
	State    string
	Added    time.Time
	Deleted  time.Time // zero while it is there

	MovedTo     string // the team it was moved to, or ""
	MovedDevice string // its id there
	MovedFrom   string // the team it came from, or ""
	EventID     string // the event that last changed it: its version

	UserName, UserEmail string
	Seen                time.Time // zero if never
}

const deviceColumns = `SELECT d.id, d.hostname, coalesce(d.user_id, ''), d.state, d.added_at, coalesce(d.deleted_at, 0),
	coalesce(d.moved_to, ''), coalesce(d.moved_device, ''), coalesce(d.moved_from, ''), d.event_id,
	coalesce(a.name, ''), coalesce(a.email, ''), coalesce(s.seen_at, 0)
	FROM device d
	LEFT JOIN account a ON a.organization = (SELECT id FROM organization LIMIT 1) AND a.id = d.user_id
	LEFT JOIN device_activity s ON s.team = d.team AND s.device = d.id `

func scanDevice(row interface{ Scan(...any) error }) (Device, error) {
	var d Device
	var added, deleted, seen int64
	err := row.Scan(&d.ID, &d.Hostname, &d.UserID, &d.State, &added, &deleted,
		&d.MovedTo, &d.MovedDevice, &d.MovedFrom, &d.EventID, &d.UserName, &d.UserEmail, &seen)
	d.Added, d.Deleted, d.Seen = fromMicros(added), fromMicros(deleted), fromMicros(seen)
	return d, err
}

// DeviceByID gives a device of the team, deleted, moved or not. Error:
// sql.ErrNoRows.
func DeviceByID(ctx context.Context, q database.Querier, team, id string) (Device, error) {
	return scanDevice(q.QueryRowContext(ctx, deviceColumns+"WHERE d.team = $1 AND d.id = $2", fit(team), fit(id)))
}

// DeviceByHostname gives the device of the team that has a hostname, whatever
// the case of its ASCII letters, and is there. Error: sql.ErrNoRows.
func DeviceByHostname(ctx context.Context, q database.Querier, team, hostname string) (Device, error) {
	return scanDevice(q.QueryRowContext(ctx, deviceColumns+
		"WHERE d.team = $1 AND lower(d.hostname) = lower($2) AND d.deleted_at IS NULL", team, hostname))
}

// Devices gives the devices of the team that are there.
//
// Cost: one range of the key; a team has hundreds of devices, not millions.
func Devices(ctx context.Context, q database.Querier, team string) ([]Device, error) {
	return devices(ctx, q, "WHERE d.team = $1 AND d.deleted_at IS NULL ORDER BY d.id", team)
}

// DevicesOf gives the devices of the team that belong to a member.
func DevicesOf(ctx context.Context, q database.Querier, team, user string) ([]Device, error) {
	return devices(ctx, q, "WHERE d.team = $1 AND d.user_id = $2 AND d.deleted_at IS NULL ORDER BY d.hostname", team, user)
}

func devices(ctx context.Context, q database.Querier, where string, args ...any) ([]Device, error) {
	rows, err := q.QueryContext(ctx, deviceColumns+where, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Device
	for rows.Next() {
		d, err := scanDevice(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, d)
	}
	return all, rows.Err()
}

// InsertDevice adds a device.
func InsertDevice(ctx context.Context, tx *audit.Tx, team string, d Device) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO device (team, id, hostname, user_id, state, added_at, moved_from, event_id)
		VALUES ($1, $2, $3, nullif($4, ''), $5, $6, nullif($7, ''), $8)`,
		team, d.ID, d.Hostname, d.UserID, d.State, d.Added.UnixMicro(), d.MovedFrom, tx.EventID())
	return err
}

// SetDeviceUse sets whose a device is and its state.
func SetDeviceUse(ctx context.Context, tx *audit.Tx, team, id, user, state string) error {
	_, err := tx.ExecContext(ctx, "UPDATE device SET user_id = nullif($1, ''), state = $2, event_id = $3 WHERE team = $4 AND id = $5",
		user, state, tx.EventID(), team, id)
	return err
}

// SetDeviceMoved leaves a device's row behind as a tombstone.
func SetDeviceMoved(ctx context.Context, tx *audit.Tx, team, id, toTeam, toDevice string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		UPDATE device SET deleted_at = $1, moved_to = $2, moved_device = $3, event_id = $4
		WHERE team = $5 AND id = $6`, at.UnixMicro(), toTeam, toDevice, tx.EventID(), team, id)
	return err
}

// SeeDevice remembers that a device was heard of. An older time changes nothing.
func SeeDevice(ctx context.Context, tx Execer, team, id string, at time.Time) error {
	_, err := tx.ExecContext(ctx, `
		INSERT INTO device_activity (team, device, seen_at) VALUES ($1, $2, $3)
		ON CONFLICT (team, device) DO UPDATE SET seen_at = excluded.seen_at WHERE excluded.seen_at > device_activity.seen_at`, team, id, at.UnixMicro())
	return err
}
