package portal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal/store"
	"onrecord/session"
)

// linkTime is how long a one-time link can be used.
const linkTime = 7 * 24 * time.Hour

// SignInLink is a one-time link with which a person chooses a password. The
// token is shown once and kept nowhere.
type SignInLink struct {
	Token   string
	Expires time.Time
}

// AddedUser is somebody who became a member.
type AddedUser struct {
	Member
	Event string
	Link  *SignInLink // for a new Admin or Auditor without a password
	// NoLink says why somebody who needs a link got none, or is "".
	NoLink string
}

// SkippedUser is an entry that was passed over.
type SkippedUser struct{ Email, Why string }

// AddedUsers is what became of a list.
type AddedUsers struct {
	Added   []AddedUser
	Skipped []SkippedUser
}

// AddUsers makes people members of the team, each in a transaction of its own.
// Members already, addresses twice in the list and what cannot be an address
// are skipped, with the reason; casing does not make a second person. Who was
// deleted from the team becomes a member again. New Admins and Auditors
// without a password get a one-time link.
//
// Permission: Admin. Events: for each user.created; account.created in the
// organization's log for an address that is new there; user.link_created with
// a link. Errors: Invalid for an unknown role, an empty list, more than 1,000
// entries or a reason too long; Denied, NotFound; with a fault of the database
// what was added before it is returned as well.
func (p *Portal) AddUsers(ctx context.Context, by Caller, team string, users []NewUser, role Role, reason string) (AddedUsers, error) {
	role, err := ParseRole(string(role))
	if err != nil {
		return AddedUsers{}, err
	}
	if err := checkReason(reason); err != nil {
		return AddedUsers{}, err
	}
	if len(users) == 0 {
		return AddedUsers{}, audit.Invalid("emails", "Type at least one mail address, or choose a CSV file.")
	}
	if len(users) > maxAdded {
		return AddedUsers{}, audit.Invalid("emails", "%d addresses are too many at once: add up to %d.", len(users), maxAdded)
	}
	if err := p.authorize(ctx, p.db, by, team, Admin); err != nil {
		return AddedUsers{}, p.refuse(ctx, p.intent(by, team, UserCreated), err)
	}
	var done AddedUsers
	seen := map[string]bool{}
	for _, u := range users {
		if u, err = u.clean(); err != nil {
			done.Skipped = append(done.Skipped, SkippedUser{clip(u.Email), err.Error()})
			continue
		}
		key := emailKey(u.Email)
		if seen[key] {
			done.Skipped = append(done.Skipped, SkippedUser{u.Email, "It stands in the list twice."})
			continue
		}
		seen[key] = true
		added, err := p.addUser(ctx, by, team, u, role, reason)
		if err != nil {
			return done, err
		}
		if added.Event == "" {
			done.Skipped = append(done.Skipped, SkippedUser{u.Email, "Already a member of this team."})
			continue
		}
		done.Added = append(done.Added, added)
	}
	return done, nil
}

// clean checks what was given of a person. On an error the address stays as
// it was given.
func (u NewUser) clean() (NewUser, error) {
	email, err := ParseEmail(u.Email)
	if err != nil {
		return u, err
	}
	name := ""
	if strings.TrimSpace(u.Name) != "" {
		if name, err = cleanName("name", "The name", u.Name); err != nil {
			return u, err
		}
	}
	return NewUser{Email: email, Name: name}, nil
}

// addUser adds one person; for a member it does nothing and leaves Event "".
func (p *Portal) addUser(ctx context.Context, by Caller, team string, u NewUser, role Role, reason string) (AddedUser, error) {
	in := p.intent(by, team, UserCreated)
	in.Reason = reason
	token := session.NewToken()
	var added AddedUser
	event, err := p.log.Record(ctx, in, func(tx *audit.Tx) error {
		added = AddedUser{}
		if err := p.authorize(ctx, tx, by, team, Admin); err != nil {
			return err
		}
		var err error
		if added.Member, err = join(ctx, tx, by, p.Organization(), team, u, role, ""); err != nil {
			return err
		}
		if role == Agent || !added.Invited {
			return nil
		}
		err = p.mayLink(ctx, tx, by, added.Member)
		if audit.CodeOf(err) == audit.CodeDenied {
			added.NoLink = err.Error()
			return nil
		}
		if err != nil {
			return err
		}
		link := p.intent(by, team, UserLinkCreated)
		link.Object = added.Ref()
		_, err = tx.Also(link, "caused_by", func(also *audit.Tx) error {
			expires, err := storeLink(ctx, also, team, added.ID, token)
			added.Link = &SignInLink{token, expires}
			return err
		})
		return err
	})
	if err != nil || event == "" {
		return AddedUser{}, err
	}
	added.Event = event
	return added, nil
}

// join makes a person a member inside the open record of user.created, and
// gives an address that is new in the organization its account, with the
// password's hash if there is one. Error: audit.ErrNothing for a member.
func join(ctx context.Context, tx *audit.Tx, by Caller, org, team string, u NewUser, role Role, hash string) (Member, error) {
	a, err := store.AccountByEmail(ctx, tx, org, emailKey(u.Email))
	isNew := errors.Is(err, sql.ErrNoRows)
	if isNew {
		a = store.Account{ID: audit.NewID("user", tx.Now()), Email: u.Email, EmailKey: emailKey(u.Email), Name: u.Name, PasswordHash: hash}
		if hash != "" {
			a.PasswordSetAt = tx.Now()
		}
	} else if err != nil {
		return Member{}, fmt.Errorf("looking up an address: %w", err)
	}
	// The address is the name here, so that the log knows people by both.
	tx.SetObject(audit.Ref{Type: "user", ID: a.ID, Name: a.Email})
	if err := joinTeam(ctx, tx, team, a.ID, role); err != nil {
		return Member{}, err
	}
	if isNew {
		in := audit.Intent{Log: org, Actor: by.Actor, Context: by.Context, Action: AccountCreated, Object: userRef(a.ID, a.Name, a.Email)}
		_, err := tx.Also(in, "caused_by", func(also *audit.Tx) error { return store.InsertAccount(ctx, also, org, a) })
		if err != nil {
			return Member{}, fmt.Errorf("adding the account: %w", err)
		}
	}
	m, err := memberIn(ctx, tx, team, a.ID)
	m.Version = tx.EventID()
	return m, err
}

// joinTeam writes the member's row, the first or the one left from before.
func joinTeam(ctx context.Context, tx *audit.Tx, team, id string, role Role) error {
	was, err := store.MemberByID(ctx, tx, team, id)
	switch {
	case errors.Is(err, sql.ErrNoRows):
		err = store.InsertMember(ctx, tx, team, id, string(role), tx.Now())
	case err == nil && was.Deleted.IsZero():
		return audit.ErrNothing
	case err == nil:
		err = store.ReviveMember(ctx, tx, team, id, string(role), tx.Now())
	}
	if err != nil {
		return fmt.Errorf("adding the member: %w", err)
	}
	return nil
}

// NewLink makes a one-time link with which a member chooses a new password,
// and takes back every link of theirs that was not used. Since the password
// opens all teams of a person, the caller must be an Admin in each of them.
//
// Permission: Admin. Event: user.link_created. Errors: Denied, also for
// somebody who is a member elsewhere, NotFound, Gone for a deleted user,
// Conflict for a blocked one, Invalid for a reason too long.
func (p *Portal) NewLink(ctx context.Context, by Caller, team, user, reason string) (SignInLink, error) {
	link := SignInLink{Token: session.NewToken()}
	_, err := p.changeUser(ctx, by, UserLinkCreated, team, user, "", reason, func(tx *audit.Tx, m Member) error {
		if m.Status == Blocked {
			return audit.Conflict("%s is blocked. Unblock them first.", m.Label())
		}
		if err := p.mayLink(ctx, tx, by, m); err != nil {
			return err
		}
		var err error
		link.Expires, err = storeLink(ctx, tx, team, user, link.Token)
		return err
	})
	if err != nil {
		return SignInLink{}, err
	}
	return link, nil
}

// mayLink refuses a link for somebody who is also a member of a team in which
// the caller is no Admin: the link would open that team too.
func (p *Portal) mayLink(ctx context.Context, q database.Querier, by Caller, m Member) error {
	memberships, err := store.Memberships(ctx, q, m.ID)
	if err != nil {
		return fmt.Errorf("reading the teams of %s: %w", m.ID, err)
	}
	for _, in := range memberships {
		err := p.authorize(ctx, q, by, in.Team, Admin)
		switch audit.CodeOf(err) {
		case "":
		case audit.CodeDenied, audit.CodeNotFound:
			return audit.Denied("%s is also a member of another team, in which you are no Admin: a link would open that one too. An operator can make it with onrecord users link.", m.Label())
		default:
			return err
		}
	}
	return nil
}

func storeLink(ctx context.Context, tx *audit.Tx, team, user, token string) (time.Time, error) {
	now := tx.Now()
	if err := store.DeleteOpenLinks(ctx, tx, user); err != nil {
		return time.Time{}, fmt.Errorf("taking older links back: %w", err)
	}
	// A month after its end nobody asks what became of a link.
	if err := store.DeleteOldLinks(ctx, tx, now.AddDate(0, -1, 0)); err != nil {
		return time.Time{}, fmt.Errorf("dropping old links: %w", err)
	}
	l := store.Link{TokenHash: session.HashToken(token), Account: user, Team: team, Created: now, Expires: now.Add(linkTime)}
	if err := store.InsertLink(ctx, tx, l); err != nil {
		return time.Time{}, fmt.Errorf("storing the link: %w", err)
	}
	return l.Expires, nil
}
