package portal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal/store"
)

// The statuses of a member.
const (
	Active  = "active"
	Blocked = "blocked"
)

// Member is a person's place in a team.
type Member struct {
	ID      string // user_…: the same in all teams of the person
	Email   string
	Name    string // "" until it is known
	Role    Role
	Status  string // Active or Blocked
	Invited bool   // has not chosen a password yet and cannot sign in
	Added   time.Time
	Seen    time.Time // when they were last here, in whatever team; zero if never

	Version  string    // the event that last changed their place in the team
	Deleted  time.Time // zero while they are a member
	Deletion *Deletion // who deleted them and why; only from [Portal.User]
}

// Label is the name, or the mail address of somebody without one.
func (m Member) Label() string { return label(m.Name, m.Email) }

// Ref names the member as an object of the log.
func (m Member) Ref() audit.Ref { return userRef(m.ID, m.Name, m.Email) }

func label(name, email string) string {
	if name == "" {
		return email
	}
	return name
}

func userRef(id, name, email string) audit.Ref {
	return audit.Ref{Type: "user", ID: id, Name: label(name, email)}
}

func memberOf(m store.Member) Member {
	return Member{
		ID: m.ID, Email: m.Email, Name: m.Name, Role: Role(m.Role), Status: m.Status, Invited: !m.HasPassword,
		Added: m.Added, Seen: m.Seen, Version: m.EventID, Deleted: m.Deleted,
	}
}

// memberIn gives a member of the team, deleted or not. Error: NotFound.
func memberIn(ctx context.Context, q database.Querier, team, id string) (Member, error) {
	m, err := store.MemberByID(ctx, q, team, id)
	if errors.Is(err, sql.ErrNoRows) {
		return Member{}, audit.NotFound("This team has no such user.")
	}
	if err != nil {
		return Member{}, fmt.Errorf("reading user %s: %w", id, err)
	}
	return memberOf(m), nil
}

// present gives a member who is not deleted. Errors: NotFound, Gone.
func present(ctx context.Context, q database.Querier, team, id string) (Member, error) {
	m, err := memberIn(ctx, q, team, id)
	if err == nil && !m.Deleted.IsZero() {
		return m, &audit.Error{Code: audit.CodeGone,
			Message: m.Label() + " was deleted on " + m.Deleted.Format(minute) + ". Add them again to make them a member."}
	}
	return m, err
}

// lastAdmin refuses to take away the last active Admin of a team. It is asked
// inside the change, where nobody else can change anything.
func lastAdmin(ctx context.Context, q database.Querier, team string, m Member) error {
	if m.Role != Admin || m.Status != Active {
		return nil
	}
	others, err := store.OtherAdmins(ctx, q, team, m.ID)
	if err != nil {
		return fmt.Errorf("counting the Admins: %w", err)
	}
	if others == 0 {
		return audit.Conflict("%s is the last active Admin of the team. Make somebody else an Admin first.", m.Label())
	}
	return nil
}

// changeUser is the way of every change of one member.
func (p *Portal) changeUser(ctx context.Context, by Caller, action, team, user, version, reason string, change func(*audit.Tx, Member) error) (string, error) {
	if err := checkReason(reason); err != nil {
		return "", err
	}
	return p.log.Record(ctx, p.intentOn(by, team, action, "user", user, reason), func(tx *audit.Tx) error {
		if err := p.authorize(ctx, tx, by, team, Admin); err != nil {
			return err
		}
		m, err := present(ctx, tx, team, user)
		if m.ID != "" {
			tx.SetObject(m.Ref())
		}
		if err != nil {
			return err
		}
		if err := checkVersion(version, m.Version, m.Label()); err != nil {
			return err
		}
		return change(tx, m)
	})
}

// endSessions ends every session of a person, in the transaction of the
// change that is the reason.
func endSessions(ctx context.Context, tx *audit.Tx, user string) error {
	if _, err := store.DeleteSessions(ctx, tx, user, ""); err != nil {
		return fmt.Errorf("ending the sessions of %s: %w", user, err)
	}
	return nil
}

// ChangeRole gives a member another role and ends their sessions. version is
// the Version that the person saw, or "" for whatever stands.
//
// Permission: Admin. Event: user.role_changed, whose id is returned. Errors:
// Invalid for a role that is none, that they have already, or a reason too
// long (not recorded), Denied, NotFound, Gone for a deleted user, Conflict for
// the last active Admin or if they have changed since version.
func (p *Portal) ChangeRole(ctx context.Context, by Caller, team, user string, role Role, version, reason string) (string, error) {
	role, err := ParseRole(string(role))
	if err != nil {
		return "", err
	}
	return p.changeUser(ctx, by, UserRoleChanged, team, user, version, reason, func(tx *audit.Tx, m Member) error {
		if m.Role == role {
			return audit.Invalid("role", "%s has the role %s already.", m.Label(), role.Label())
		}
		if err := lastAdmin(ctx, tx, team, m); err != nil {
			return err
		}
		if err := store.SetRole(ctx, tx, team, user, string(role)); err != nil {
			return fmt.Errorf("setting the role of %s: %w", user, err)
		}
		return endSessions(ctx, tx, user)
	})
}

// BlockUser shuts a member out of the team and ends their sessions.
//
// Permission: Admin. Event: user.blocked, whose id is returned. Errors:
// Denied, NotFound, Gone for a deleted user, Conflict for the last active
// Admin, somebody blocked already, or if they have changed since version ("":
// whatever stands).
func (p *Portal) BlockUser(ctx context.Context, by Caller, team, user, version, reason string) (string, error) {
	return p.changeUser(ctx, by, UserBlocked, team, user, version, reason, func(tx *audit.Tx, m Member) error {
		if m.Status == Blocked {
			return audit.Conflict("%s is blocked already.", m.Label())
		}
		if err := lastAdmin(ctx, tx, team, m); err != nil {
			return err
		}
		if err := store.SetStatus(ctx, tx, team, user, Blocked); err != nil {
			return fmt.Errorf("blocking %s: %w", user, err)
		}
		return endSessions(ctx, tx, user)
	})
}

// UnblockUser lets a blocked member in again.
//
// Permission: Admin. Event: user.unblocked, whose id is returned. Errors:
// Denied, NotFound, Gone for a deleted user, Conflict for somebody who is not
// blocked or has changed since version ("": whatever stands).
func (p *Portal) UnblockUser(ctx context.Context, by Caller, team, user, version, reason string) (string, error) {
	return p.changeUser(ctx, by, UserUnblocked, team, user, version, reason, func(tx *audit.Tx, m Member) error {
		if m.Status != Blocked {
			return audit.Conflict("%s is not blocked.", m.Label())
		}
		if err := store.SetStatus(ctx, tx, team, user, Active); err != nil {
			return fmt.Errorf("unblocking %s: %w", user, err)
		}
		return nil
	})
}

// DeleteUser removes a member from the team, ends their sessions, takes back
// their devices and revokes the API keys that they answer for. Their other
// teams keep them. Who is added again gets the same id again.
//
// Permission: Admin. Events: user.deleted, whose id is returned, and caused by
// it device.unassigned for each device and api_key.revoked for each key. Errors: Denied, NotFound, Gone for
// somebody deleted already, Conflict for the last active Admin or if they have
// changed since version ("": whatever stands).
func (p *Portal) DeleteUser(ctx context.Context, by Caller, team, user, version, reason string) (string, error) {
	return p.changeUser(ctx, by, UserDeleted, team, user, version, reason, func(tx *audit.Tx, m Member) error {
		if err := lastAdmin(ctx, tx, team, m); err != nil {
			return err
		}
		if err := store.SetMemberDeleted(ctx, tx, team, user, tx.Now()); err != nil {
			return fmt.Errorf("deleting %s: %w", user, err)
		}
		if err := p.takeDevices(ctx, tx, by, team, m); err != nil {
			return err
		}
		if err := p.revokeKeysOf(ctx, tx, by, team, m); err != nil {
			return err
		}
		return endSessions(ctx, tx, user)
	})
}

// takeDevices takes back the devices of somebody who leaves the team.
func (p *Portal) takeDevices(ctx context.Context, tx *audit.Tx, by Caller, team string, m Member) error {
	devices, err := store.DevicesOf(ctx, tx, team, m.ID)
	if err != nil {
		return fmt.Errorf("reading the devices of %s: %w", m.ID, err)
	}
	for _, row := range devices {
		d := deviceOf(row)
		in := p.intent(by, team, DeviceUnassigned)
		in.Object, in.Related = d.Ref(), []audit.Ref{m.Ref()}
		_, err := tx.Also(in, "caused_by", func(also *audit.Tx) error {
			return store.SetDeviceUse(ctx, also, team, d.ID, "", d.without())
		})
		if err != nil {
			return fmt.Errorf("taking device %s back: %w", d.ID, err)
		}
	}
	return nil
}
