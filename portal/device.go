package portal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal/store"
)

// The states of a device.
const (
	DeviceStateAssigned   = "assigned"
	DeviceStateUnassigned = "unassigned"
	DeviceStateBlocked    = "blocked" // keeps its member
)

// Device is one device of a team.
type Device struct {
	ID        string
	Hostname  string
	UserID    string // whose it is, or ""
	UserName  string // their name or mail address, or ""
	State     string
	Added     time.Time
	Seen      time.Time // when it was last heard of; zero if never
	MovedFrom string    // the team it came from, or ""

	Version string    // the event that last changed it
	Deleted time.Time // zero while it is there
	// Of a device that was moved: the team it went to and its id there.
	MovedTo, MovedDevice string
	Deletion             *Deletion // who moved it and why; only from [Portal.Device]
}

// Ref names the device as an object of the log.
func (d Device) Ref() audit.Ref { return audit.Ref{Type: "device", ID: d.ID, Name: d.Hostname} }

// without is its state when nobody has it.
func (d Device) without() string {
	if d.State == DeviceStateBlocked {
		return DeviceStateBlocked
	}
	return DeviceStateUnassigned
}

func deviceOf(d store.Device) Device {
	return Device{
		ID: d.ID, Hostname: d.Hostname, UserID: d.UserID, UserName: label(d.UserName, d.UserEmail), State: d.State,
		Added: d.Added, Seen: d.Seen, MovedFrom: d.MovedFrom, Version: d.EventID, Deleted: d.Deleted,
		MovedTo: d.MovedTo, MovedDevice: d.MovedDevice,
	}
}

// deviceIn gives a device of the team, moved or not. Error: NotFound.
func deviceIn(ctx context.Context, q database.Querier, team, id string) (Device, error) {
	d, err := store.DeviceByID(ctx, q, team, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Device{}, audit.NotFound("This team has no such device.")
	}
	if err != nil {
		return Device{}, fmt.Errorf("reading device %s: %w", id, err)
	}
	return deviceOf(d), nil
}

const maxHostname = 253 // RFC 1035, 2.3.4, as text

// A hostname is one by RFC 1123, section 2.1, or with an underscore, which
// Windows machines have.
var hostname = regexp.MustCompile(`^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)*$`)

// ParseHostname reads a hostname. Error: Invalid, field hostname.
func ParseHostname(s string) (string, error) {
	s = strings.TrimSuffix(strings.TrimSpace(s), ".")
	switch {
	case s == "":
		return "", audit.Invalid("hostname", "The hostname is missing, for example desk-14 or desk-14.example.com.")
	case len(s) > maxHostname:
		return "", audit.Invalid("hostname", "The hostname %s is longer than %d characters.", clip(s), maxHostname)
	case !hostname.MatchString(s):
		return "", audit.Invalid("hostname", "%q cannot be a hostname: letters, digits, hyphens and underscores, in parts of up to 63 joined by dots, for example desk-14.example.com.", clip(s))
	}
	return s, nil
}

// freeHostname refuses a hostname that another device of the team has.
func freeHostname(ctx context.Context, q database.Querier, team, name, where string) error {
	d, err := store.DeviceByHostname(ctx, q, team, name)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return nil
	case err != nil:
		return fmt.Errorf("looking up a hostname: %w", err)
	}
	return audit.Conflict("%s has a device with the hostname %s already.", where, d.Hostname)
}

// AddDevice adds a device by its hostname, unassigned.
//
// Permission: Admin. Event: device.added. Errors: Invalid for what is no
// hostname or a reason too long, Denied, NotFound, Conflict if the team has a
// device of that hostname, whatever its case.
func (p *Portal) AddDevice(ctx context.Context, by Caller, team, hostname, reason string) (Device, error) {
	hostname, err := ParseHostname(hostname)
	if err != nil {
		return Device{}, err
	}
	if err := checkReason(reason); err != nil {
		return Device{}, err
	}
	in := p.intent(by, team, DeviceAdded)
	in.Reason = reason
	var d Device
	_, err = p.log.Record(ctx, in, func(tx *audit.Tx) error {
		if err := p.authorize(ctx, tx, by, team, Admin); err != nil {
			return err
		}
		if err := freeHostname(ctx, tx, team, hostname, "This team"); err != nil {
			return err
		}
		d = Device{ID: audit.NewID("dev", tx.Now()), Hostname: hostname, State: DeviceStateUnassigned, Added: tx.Now(), Version: tx.EventID()}
		tx.SetObject(d.Ref())
		if err := store.InsertDevice(ctx, tx, team, store.Device{ID: d.ID, Hostname: hostname, State: d.State, Added: d.Added}); err != nil {
			return fmt.Errorf("adding the device: %w", err)
		}
		return nil
	})
	if err != nil {
		return Device{}, err
	}
	return d, nil
}

// changeDevice is the way of every change of one device.
func (p *Portal) changeDevice(ctx context.Context, in audit.Intent, by Caller, team, device, version string, change func(*audit.Tx, Device) error) (string, error) {
	if err := checkReason(in.Reason); err != nil {
		return "", err
	}
	return p.log.Record(ctx, in, func(tx *audit.Tx) error {
		if err := p.authorize(ctx, tx, by, team, Admin); err != nil {
			return err
		}
		d, err := deviceIn(ctx, tx, team, device)
		if err != nil {
			return err
		}
		tx.SetObject(d.Ref())
		if !d.Deleted.IsZero() {
			return &audit.Error{Code: audit.CodeGone,
				Message: d.Hostname + " was moved to another team on " + d.Deleted.Format(minute) + "."}
		}
		if err := checkVersion(version, d.Version, d.Hostname); err != nil {
			return err
		}
		return change(tx, d)
	})
}

// setUse writes whose a device is and its state.
func setUse(ctx context.Context, tx *audit.Tx, team string, d Device, user, state string) error {
	if err := store.SetDeviceUse(ctx, tx, team, d.ID, user, state); err != nil {
		return fmt.Errorf("changing device %s: %w", d.ID, err)
	}
	return nil
}

// AssignDevice gives a device to a member, also one that somebody else has.
// version is the Version that the person saw, or "" for whatever stands.
//
// Permission: Admin. Event: device.assigned, the member being related; its id
// is returned. Errors: Denied, NotFound for device or member, Gone for a
// device that was moved or a deleted member, Conflict for a blocked device or
// member, a device that the member has already, or one that has changed since
// version; Invalid for a reason too long.
func (p *Portal) AssignDevice(ctx context.Context, by Caller, team, device, user, version, reason string) (string, error) {
	in := p.intentOn(by, team, DeviceAssigned, "device", device, reason)
	switch m, err := memberIn(ctx, p.db, team, user); {
	case err == nil:
		in.Related = []audit.Ref{m.Ref()}
	case audit.CodeOf(err) != audit.CodeNotFound:
		return "", err
	default:
		in.Data = joined(in.Data, "tried", "user "+clip(user))
	}
	return p.changeDevice(ctx, in, by, team, device, version, func(tx *audit.Tx, d Device) error {
		m, err := present(ctx, tx, team, user)
		switch {
		case err != nil:
			return err
		case m.Status == Blocked:
			return audit.Conflict("%s is blocked and cannot be given a device.", m.Label())
		case d.State == DeviceStateBlocked:
			return audit.Conflict("%s is blocked. Unblock it first.", d.Hostname)
		case d.UserID == user:
			return audit.Conflict("%s belongs to %s already.", d.Hostname, m.Label())
		}
		return setUse(ctx, tx, team, d, user, DeviceStateAssigned)
	})
}

// UnassignDevice takes a device back from its member. A blocked one stays
// blocked.
//
// Permission: Admin. Event: device.unassigned, the member being related; its
// id is returned. Errors: Denied, NotFound, Gone for a device that was moved,
// Conflict if nobody has it or it has changed since version ("": whatever
// stands); Invalid for a reason too long.
func (p *Portal) UnassignDevice(ctx context.Context, by Caller, team, device, version, reason string) (string, error) {
	in := p.intentOn(by, team, DeviceUnassigned, "device", device, reason)
	return p.changeDevice(ctx, in, by, team, device, version, func(tx *audit.Tx, d Device) error {
		if d.UserID == "" {
			return audit.Conflict("Nobody has %s.", d.Hostname)
		}
		tx.AddRelated(audit.Ref{Type: "user", ID: d.UserID, Name: d.UserName})
		return setUse(ctx, tx, team, d, "", d.without())
	})
}

// BlockDevice blocks a device; whose it is stays.
//
// Permission: Admin. Event: device.blocked, whose id is returned. Errors:
// Denied, NotFound, Gone for a device that was moved, Conflict if it is
// blocked already or has changed since version ("": whatever stands); Invalid
// for a reason too long.
func (p *Portal) BlockDevice(ctx context.Context, by Caller, team, device, version, reason string) (string, error) {
	in := p.intentOn(by, team, DeviceBlocked, "device", device, reason)
	return p.changeDevice(ctx, in, by, team, device, version, func(tx *audit.Tx, d Device) error {
		if d.State == DeviceStateBlocked {
			return audit.Conflict("%s is blocked already.", d.Hostname)
		}
		return setUse(ctx, tx, team, d, d.UserID, DeviceStateBlocked)
	})
}

// UnblockDevice lets a blocked device be used again, by whom it belonged to.
//
// Permission: Admin. Event: device.unblocked, whose id is returned. Errors:
// Denied, NotFound, Gone for a device that was moved, Conflict if it is not
// blocked or has changed since version ("": whatever stands); Invalid for a
// reason too long.
func (p *Portal) UnblockDevice(ctx context.Context, by Caller, team, device, version, reason string) (string, error) {
	in := p.intentOn(by, team, DeviceUnblocked, "device", device, reason)
	return p.changeDevice(ctx, in, by, team, device, version, func(tx *audit.Tx, d Device) error {
		if d.State != DeviceStateBlocked {
			return audit.Conflict("%s is not blocked.", d.Hostname)
		}
		state := DeviceStateAssigned
		if d.UserID == "" {
			state = DeviceStateUnassigned
		}
		return setUse(ctx, tx, team, d, d.UserID, state)
	})
}

// MoveDevice moves a device to another team of the organization. Here a
// tombstone stays; there it gets a new id, which is returned, and belongs to
// nobody. A blocked one stays blocked.
//
// Permission: Admin in both teams. Events: device.moved in both logs, each
// naming the other as its pair and both teams as related. Errors: Denied,
// NotFound for the device or a team that is not the caller's, Gone for a
// device that was moved already, Conflict if the other team has the hostname
// or the device has changed since version ("": whatever stands); Invalid for
// its own team or a reason too long.
func (p *Portal) MoveDevice(ctx context.Context, by Caller, team, device, to, version, reason string) (string, error) {
	in := p.intentOn(by, team, DeviceMoved, "device", device, reason)
	if !p.isTeam(to) {
		in.Data = joined(in.Data, "tried", "team "+clip(to))
	}
	var moved string
	_, err := p.changeDevice(ctx, in, by, team, device, version, func(tx *audit.Tx, d Device) error {
		if to == team {
			return audit.Invalid("team", "%s is in this team already: choose another one.", d.Hostname)
		}
		if err := p.authorize(ctx, tx, by, to, Admin); err != nil {
			return err
		}
		here, there, err := p.bothTeams(ctx, tx, team, to)
		if err != nil {
			return err
		}
		if err := freeHostname(ctx, tx, to, d.Hostname, there.Name); err != nil {
			return err
		}
		moved = audit.NewID("dev", tx.Now())
		tx.AddRelated(here, there)
		if err := store.SetDeviceMoved(ctx, tx, team, device, to, moved, tx.Now()); err != nil {
			return fmt.Errorf("moving device %s: %w", device, err)
		}
		arrival := p.intent(by, to, DeviceMoved)
		arrival.Reason, arrival.Related = reason, []audit.Ref{here, there}
		arrival.Object = audit.Ref{Type: "device", ID: moved, Name: d.Hostname}
		_, err = tx.Also(arrival, "pair", func(also *audit.Tx) error {
			err := store.InsertDevice(ctx, also, to, store.Device{
				ID: moved, Hostname: d.Hostname, State: d.without(), Added: tx.Now(), MovedFrom: team,
			})
			if err != nil || d.Seen.IsZero() {
				return err
			}
			return store.SeeDevice(ctx, also, to, moved, d.Seen)
		})
		if err != nil {
			return fmt.Errorf("moving device %s: %w", device, err)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	return moved, nil
}

func (p *Portal) bothTeams(ctx context.Context, q database.Querier, here, there string) (a, b audit.Ref, err error) {
	for id, ref := range map[string]*audit.Ref{here: &a, there: &b} {
		t, err := store.TeamByID(ctx, q, p.Organization(), id)
		if err != nil {
			return a, b, fmt.Errorf("reading team %s: %w", id, err)
		}
		*ref = teamRef(t)
	}
	return a, b, nil
}
