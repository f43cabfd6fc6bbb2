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

// LinkPage is what a one-time link shows before it is used.
type LinkPage struct {
	Email   string
	Name    string // or ""
	Team    string // the name of the team whose Admin made it
	Expires time.Time
}

// linkIn gives an unused link and its person. Errors: NotFound, Gone.
func (p *Portal) linkIn(ctx context.Context, q database.Querier, token string) (store.Link, store.Account, error) {
	l, err := store.LinkByToken(ctx, q, session.HashToken(token))
	if errors.Is(err, sql.ErrNoRows) {
		return l, store.Account{}, audit.NotFound("This sign-in link is not known: a newer one has taken its place, or it was not copied whole. Ask an Admin of your team for a new one.")
	}
	if err != nil {
		return l, store.Account{}, fmt.Errorf("looking up a link: %w", err)
	}
	a, err := store.AccountByID(ctx, q, p.Organization(), l.Account)
	if err != nil {
		return l, a, fmt.Errorf("reading the account %s: %w", l.Account, err)
	}
	gone := func(format string, args ...any) error {
		return &audit.Error{Code: audit.CodeGone, Message: fmt.Sprintf(format, args...)}
	}
	switch {
	case !l.Used.IsZero():
		return l, a, gone("This sign-in link was used on %s. Sign in with the password that was chosen then, or ask an Admin of your team for a new link.", l.Used.Format(minute))
	case !p.now().Before(l.Expires):
		return l, a, gone("This sign-in link ended on %s. Ask an Admin of your team for a new one.", l.Expires.Format(minute))
	}
	return l, a, nil
}

// Link shows a one-time link. Opening it changes nothing, so that a mail
// program that looks at links does not use it up.
//
// Permission: whoever has the link. Events: none; a refusal is
// account.password_set, in the logs of the person's teams, or for an unknown
// token in the organization's, without the token. Errors: NotFound, Gone for a
// link that was used or has ended.
func (p *Portal) Link(ctx context.Context, by Caller, token string) (LinkPage, error) {
	l, a, err := p.linkIn(ctx, p.db, token)
	if err != nil {
		return LinkPage{}, p.linkRefused(ctx, by, a, err)
	}
	team, err := p.teamName(ctx, l.Team)
	return LinkPage{Email: a.Email, Name: a.Name, Team: team, Expires: l.Expires}, err
}

// UseLink sets the person's password (and their name, unless "" leaves it) and
// signs them in. The link is used up; every older session of theirs ends.
//
// Permission: whoever has the link. Events: account.password_set in the
// organization's log, which explains the account, and as its pair in each of
// the person's teams; then as [Portal.SignIn]. Errors: NotFound, Gone for a
// link that was used or has ended, Denied for somebody who is blocked in every
// team or a member of none, each recorded as a refusal as [Portal.Link] does;
// Invalid, field name or password.
func (p *Portal) UseLink(ctx context.Context, by Caller, token, name, password string) (SignedIn, error) {
	_, a, err := p.linkIn(ctx, p.db, token)
	if err != nil {
		return SignedIn{}, p.linkRefused(ctx, by, a, err)
	}
	if strings.TrimSpace(name) != "" {
		if a.Name, err = cleanName("name", "Your name", name); err != nil {
			return SignedIn{}, err
		}
	}
	all, err := memberships(ctx, p.db, a.ID)
	if err != nil {
		return SignedIn{}, err
	}
	if err := checkNew(password, a, all); err != nil {
		return SignedIn{}, err
	}
	if a.PasswordHash, err = p.passwords.Hash(ctx, password); err != nil {
		return SignedIn{}, err
	}
	by.Actor = audit.Actor{Type: audit.ActorUser, ID: a.ID, Name: a.Name, Email: a.Email}
	by.Session = ""
	_, err = p.everywhere(ctx, by, AccountPasswordSet, a, p.allLogs(all), nil, func(tx *audit.Tx) error {
		return p.takeLink(ctx, tx, token, a)
	})
	if err != nil {
		return SignedIn{}, err
	}
	return p.begin(ctx, by, a)
}

// takeLink uses a link up and sets the password, in one transaction: of two
// who use it at the same instant one is refused.
func (p *Portal) takeLink(ctx context.Context, tx *audit.Tx, token string, a store.Account) error {
	l, _, err := p.linkIn(ctx, tx, token)
	if err != nil {
		return err
	}
	all, err := memberships(ctx, tx, a.ID)
	if err != nil {
		return err
	}
	if err := mayEnter(all); err != nil {
		return audit.Denied("%s", err.Error())
	}
	if err := store.UseLink(ctx, tx, l.TokenHash, tx.Now()); err != nil {
		return fmt.Errorf("using the link: %w", err)
	}
	return p.setPassword(ctx, tx, a, a.PasswordHash, "")
}

// linkRefused records that a link could not be used: in the logs of the
// person's teams, or for an unknown link in the organization's.
func (p *Portal) linkRefused(ctx context.Context, by Caller, a store.Account, refusal error) error {
	in := audit.Intent{Log: p.Organization(), Actor: audit.Actor{Type: audit.ActorUser}, Context: by.Context, Action: AccountPasswordSet}
	in.Context.Session = ""
	if in.Log == "" {
		return refusal
	}
	logs := []string{in.Log}
	if a.ID != "" {
		in.Object = userRef(a.ID, a.Name, a.Email)
		all, err := memberships(ctx, p.db, a.ID)
		if err != nil {
			return err
		}
		logs = logsOf(all, p.Organization())
	}
	for _, in.Log = range logs {
		if err := p.refuse(ctx, in, refusal); err != refusal {
			return err
		}
	}
	return refusal
}
