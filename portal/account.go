package portal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"onrecord/audit"
	"onrecord/portal/store"
	"onrecord/session"
)

// Account is what a person sees of themselves.
type Account struct {
	ID          string
	Email       string
	Name        string    // or ""
	PasswordSet time.Time // zero if they have none
	Memberships []Membership
	Sessions    []Session // the last used first
}

// Session is one signed-in browser.
type Session struct {
	ID        string
	IP        string
	UserAgent string
	Created   time.Time
	Seen      time.Time // to the minute
	Current   bool      // the one that asks
}

// self reads who the caller is.
func (p *Portal) self(ctx context.Context, by Caller) (store.Account, []Membership, error) {
	if by.Type != audit.ActorUser || by.ID == "" {
		return store.Account{}, nil, errSignedOut()
	}
	a, err := store.AccountByID(ctx, p.db, p.Organization(), by.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return store.Account{}, nil, errSignedOut()
	}
	if err != nil {
		return store.Account{}, nil, fmt.Errorf("reading the account %s: %w", by.ID, err)
	}
	all, err := memberships(ctx, p.db, a.ID)
	return a, all, err
}

// allLogs are those that a change of a person's account stands in: the
// organization's, which explains the row, and each of their teams'.
func (p *Portal) allLogs(all []Membership) []string {
	logs := []string{p.Organization()}
	for _, m := range all {
		logs = append(logs, m.Team)
	}
	return logs
}

// Account shows the caller's own account.
//
// Permission: oneself. Events: none. Error: one that [SignedOut] knows.
func (p *Portal) Account(ctx context.Context, by Caller) (Account, error) {
	a, all, err := p.self(ctx, by)
	if err != nil {
		return Account{}, err
	}
	rows, err := store.Sessions(ctx, p.db, a.ID)
	if err != nil {
		return Account{}, fmt.Errorf("listing the sessions of %s: %w", a.ID, err)
	}
	me := Account{ID: a.ID, Email: a.Email, Name: a.Name, PasswordSet: a.PasswordSetAt, Memberships: all}
	for _, s := range rows {
		if expired(s, p.now()) {
			continue
		}
		me.Sessions = append(me.Sessions, Session{
			ID: s.ID, IP: s.IP, UserAgent: s.UserAgent, Created: s.Created, Seen: s.Seen, Current: s.ID == by.Session,
		})
	}
	return me, nil
}

// EndSession ends one of the caller's own sessions.
//
// Permission: oneself. Event: session.ended in the log of each of the person's
// teams, with the session in its data. Errors: NotFound for a session that is
// not one's own, recorded as denied; one that [SignedOut] knows.
func (p *Portal) EndSession(ctx context.Context, by Caller, id string) error {
	return p.endOwn(ctx, by, SessionEnded, map[string]string{"ended": clip(id)}, func(tx *audit.Tx) (bool, error) {
		ended, err := store.DeleteSession(ctx, tx, by.ID, id)
		if err == nil && !ended {
			return false, audit.NotFound("You have no such session; it may have ended already.")
		}
		return ended, err
	})
}

// EndOtherSessions ends all of the caller's sessions but the one that asks.
//
// Permission: oneself. Event: session.ended in the log of each of the person's
// teams; none if there was no other. Error: one that [SignedOut] knows.
func (p *Portal) EndOtherSessions(ctx context.Context, by Caller) error {
	return p.endOwn(ctx, by, SessionEnded, map[string]string{"ended": "all others"}, func(tx *audit.Tx) (bool, error) {
		n, err := store.DeleteSessions(ctx, tx, by.ID, by.Session)
		return n > 0, err
	})
}

// Rename sets the caller's own name.
//
// Permission: oneself. Events: account.renamed in the organization's log,
// which explains the account, and as its pair in each of the person's teams.
// Errors: Invalid, field name, for a name that cannot be or is theirs already;
// one that [SignedOut] knows.
func (p *Portal) Rename(ctx context.Context, by Caller, name string) error {
	name, err := cleanName("name", "The name", name)
	if err != nil {
		return err
	}
	a, all, err := p.self(ctx, by)
	if err != nil {
		return err
	}
	if a.Name == name {
		return audit.Invalid("name", "Your name is %s already.", name)
	}
	data := map[string]string{"from": a.Name, "to": name}
	a.Name = name
	_, err = p.everywhere(ctx, by, AccountRenamed, a, p.allLogs(all), data, func(tx *audit.Tx) error {
		return store.SetName(ctx, tx, p.Organization(), a.ID, name)
	})
	return err
}

// ChangePassword sets the caller's own password and ends all other sessions
// of theirs. A wrong current password is slowed down like a sign-in.
//
// Permission: oneself, knowing the present password. Events:
// account.password_changed in the organization's log, which explains the
// account, and as its pair in each of the person's teams; a wrong present
// password is its refusal in each of them. Errors: Denied, field current;
// Invalid, field password, for one that is too easy; TooMany; one that
// [SignedOut] knows.
func (p *Portal) ChangePassword(ctx context.Context, by Caller, current, password string) error {
	a, all, err := p.self(ctx, by)
	if err != nil {
		return err
	}
	if err := checkNew(password, a, all); err != nil {
		return err
	}
	if err := p.mayTry(ctx, a.EmailKey, by.IP); err != nil {
		return err
	}
	right, err := p.passwords.Verify(ctx, current, a.PasswordHash)
	if err != nil {
		return err
	}
	logs := p.allLogs(all)
	if !right {
		return p.wrongCurrent(ctx, by, a, logs)
	}
	if err := p.limits.Succeeded(ctx, a.EmailKey, by.IP); err != nil {
		return err
	}
	hash, err := p.passwords.Hash(ctx, password)
	if err != nil {
		return err
	}
	_, err = p.everywhere(ctx, by, AccountPasswordChanged, a, logs, nil, func(tx *audit.Tx) error {
		now, err := store.AccountByID(ctx, tx, p.Organization(), a.ID)
		if err != nil {
			return fmt.Errorf("reading the account %s: %w", a.ID, err)
		}
		if now.PasswordHash != a.PasswordHash {
			return audit.Conflict("The password was changed a moment ago, from elsewhere. Sign in with the new one.")
		}
		return p.setPassword(ctx, tx, now, hash, by.Session)
	})
	return err
}

// checkNew judges a new password.
func checkNew(password string, a store.Account, all []Membership) error {
	context := []string{a.Name}
	for _, m := range all {
		context = append(context, m.TeamName)
	}
	return session.CheckPassword(password, a.Email, context...)
}

func (p *Portal) wrongCurrent(ctx context.Context, by Caller, a store.Account, logs []string) error {
	in := audit.Intent{Actor: by.Actor, Context: by.Context, Action: AccountPasswordChanged, Object: userRef(a.ID, a.Name, a.Email)}
	wrong := &audit.Error{Code: audit.CodeDenied, Field: "current", Message: "The current password is not right."}
	for _, in.Log = range logs {
		if err := p.refuse(ctx, in, wrong); audit.CodeOf(err) != audit.CodeDenied {
			return err
		}
	}
	return wrong
}

// setPassword writes the password and the name, ends every session but one
// ("" spares none) and takes back the links that were not used.
func (p *Portal) setPassword(ctx context.Context, tx *audit.Tx, a store.Account, hash, but string) error {
	if err := store.SetPassword(ctx, tx, p.Organization(), a.ID, a.Name, hash, tx.Now()); err != nil {
		return fmt.Errorf("setting the password of %s: %w", a.ID, err)
	}
	if _, err := store.DeleteSessions(ctx, tx, a.ID, but); err != nil {
		return fmt.Errorf("ending the sessions of %s: %w", a.ID, err)
	}
	if err := store.DeleteOpenLinks(ctx, tx, a.ID); err != nil {
		return fmt.Errorf("taking links of %s back: %w", a.ID, err)
	}
	return nil
}
