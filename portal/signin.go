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
	"onrecord/session"
)

// How long a session lasts.
const (
	SessionIdle = 12 * time.Hour     // without being used
	SessionLife = 7 * 24 * time.Hour // in any case
	// seenEvery is how precisely it is known when somebody was last here: a
	// write for every page would be too much.
	seenEvery = time.Minute
)

// Membership is a person's place in one of their teams.
type Membership struct {
	Team, TeamName, Plan string
	Role                 Role
	Status               string // Active, or Blocked: they cannot enter
}

// SignedIn is a person with a session.
type SignedIn struct {
	Caller      Caller // who acts with it, and from where
	Token       string // the session's, for the cookie; only when it was just made
	Memberships []Membership
}

// Membership gives the person's place in a team; false if they have none.
func (s SignedIn) Membership(team string) (Membership, bool) {
	for _, m := range s.Memberships {
		if m.Team == team {
			return m, true
		}
	}
	return Membership{}, false
}

func memberships(ctx context.Context, q database.Querier, account string) ([]Membership, error) {
	rows, err := store.Memberships(ctx, q, account)
	if err != nil {
		return nil, fmt.Errorf("reading the teams of %s: %w", account, err)
	}
	var all []Membership
	for _, m := range rows {
		all = append(all, Membership{m.Team, m.TeamName, m.Plan, Role(m.Role), m.Status})
	}
	return all, nil
}

// SignIn begins a session for whoever knows a person's mail address and
// password. Of by only the Context counts. Failures are slowed down, for each
// address and for each IP; meanwhile nothing is compared and nothing recorded.
//
// Events: session.signed_in in the log of each of the person's teams. A
// failure is session.sign_in_failed (denied) in each of them, or for an
// unknown address in the organization's, without what was typed. Errors:
// Denied, with one sentence whatever was wrong; TooMany; Denied for somebody
// who is blocked in every team, told only to those who know the password.
func (p *Portal) SignIn(ctx context.Context, by Caller, email, password string) (SignedIn, error) {
	key := emailKey(email)
	if err := p.mayTry(ctx, key, by.IP); err != nil {
		return SignedIn{}, err
	}
	a, err := store.AccountByEmail(ctx, p.db, p.Organization(), key)
	known := !errors.Is(err, sql.ErrNoRows)
	if known && err != nil {
		return SignedIn{}, fmt.Errorf("looking up an address: %w", err)
	}
	right, err := p.passwords.Verify(ctx, password, a.PasswordHash)
	if err != nil {
		return SignedIn{}, err
	}
	wrong := audit.Denied("The mail address or the password is not right.")
	switch {
	case !known:
		return SignedIn{}, p.signInFailed(ctx, by, nil, "unknown mail address", wrong)
	case a.PasswordHash == "":
		return SignedIn{}, p.signInFailed(ctx, by, &a, "no password was chosen yet", wrong)
	case !right:
		return SignedIn{}, p.signInFailed(ctx, by, &a, "wrong password", wrong)
	}
	if err := p.limits.Succeeded(ctx, key, by.IP); err != nil {
		return SignedIn{}, err
	}
	in, err := p.begin(ctx, by, a)
	if e, ok := errors.AsType[*shutOut](err); ok {
		return SignedIn{}, p.signInFailed(ctx, by, &a, e.why, audit.Denied("%s", e.Error()))
	}
	return in, err
}

// mayTry asks for one attempt at a password.
func (p *Portal) mayTry(ctx context.Context, account, ip string) error {
	wait, err := p.limits.Try(ctx, account, ip)
	if err != nil || wait <= 0 {
		return err
	}
	return tooMany("There were too many failed attempts.", wait)
}

// RetryAfter lies under a TooMany error and says how long to wait.
type RetryAfter time.Duration

// tooMany says how long to wait.
func tooMany(what string, wait time.Duration) error {
	wait = wait.Truncate(time.Second) + time.Second
	return &audit.Error{Code: audit.CodeTooMany, Err: RetryAfter(wait), Message: fmt.Sprintf("%s Try again in %s.", what, wait)}
}

func (r RetryAfter) Error() string { return "try again in " + time.Duration(r).String() }

// signInFailed records a failed sign-in wherever it belongs and gives answer
// back. Nobody is signed in, so the event has an actor without a name.
func (p *Portal) signInFailed(ctx context.Context, by Caller, a *store.Account, why string, answer error) error {
	in := audit.Intent{Log: p.Organization(), Actor: audit.Actor{Type: audit.ActorUser}, Context: by.Context, Action: SessionSignInFailed}
	in.Context.Session = ""
	if in.Log == "" {
		return answer // not set up: there is nobody and no log
	}
	logs := []string{in.Log}
	if a != nil {
		in.Object = userRef(a.ID, a.Name, a.Email)
		all, err := memberships(ctx, p.db, a.ID)
		if err != nil {
			return err
		}
		logs = logsOf(all, p.Organization())
	}
	for _, in.Log = range logs {
		if err := p.refuse(ctx, in, audit.Denied("%s", why)); audit.CodeOf(err) != audit.CodeDenied {
			return err
		}
	}
	return answer
}

// logsOf gives the logs of a person's teams; who has none stands in the
// organization's.
func logsOf(all []Membership, organization string) []string {
	var logs []string
	for _, m := range all {
		logs = append(logs, m.Team)
	}
	if logs == nil {
		return []string{organization}
	}
	return logs
}

// shutOut says why somebody with the right password cannot come in.
type shutOut struct{ why, message string }

func (e *shutOut) Error() string { return e.message }

// mayEnter refuses somebody who is an active member of no team.
func mayEnter(all []Membership) error {
	for _, m := range all {
		if m.Status == Active {
			return nil
		}
	}
	if len(all) == 0 {
		return &shutOut{"a member of no team", "You are a member of no team any more. An Admin can add you again."}
	}
	return &shutOut{"blocked in every team", "You are blocked. An Admin of your team can unblock you."}
}

// begin makes a session for a person and records it in each of their teams.
// Error: *shutOut, which is not recorded.
func (p *Portal) begin(ctx context.Context, by Caller, a store.Account) (SignedIn, error) {
	all, err := memberships(ctx, p.db, a.ID)
	if err != nil {
		return SignedIn{}, err
	}
	in := SignedIn{Token: session.NewToken(), Caller: by}
	in.Caller.Actor = audit.Actor{Type: audit.ActorUser, ID: a.ID, Name: a.Name, Email: a.Email}
	in.Caller.Session = audit.NewID("ses", p.now())
	var refused error
	_, err = p.everywhere(ctx, in.Caller, SessionSignedIn, a, logsOf(all, p.Organization()), nil, func(tx *audit.Tx) error {
		// Read again: between the password's check and now somebody may have
		// changed it, or blocked the person.
		refused = nil
		now, err := store.AccountByID(ctx, tx, p.Organization(), a.ID)
		if err != nil {
			return fmt.Errorf("reading the account %s: %w", a.ID, err)
		}
		if now.PasswordHash != a.PasswordHash {
			refused = &shutOut{"the password was just changed", "The password was changed a moment ago. Sign in with the new one."}
			return audit.ErrNothing
		}
		if in.Memberships, err = memberships(ctx, tx, a.ID); err != nil {
			return err
		}
		if refused = mayEnter(in.Memberships); refused != nil {
			return audit.ErrNothing
		}
		return p.storeSession(ctx, tx, in)
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return SignedIn{}, err
	}
	return in, nil
}

func (p *Portal) storeSession(ctx context.Context, tx *audit.Tx, in SignedIn) error {
	now := p.now()
	if err := store.DeleteOldSessions(ctx, tx, now.Add(-SessionIdle), now.Add(-SessionLife)); err != nil {
		return fmt.Errorf("dropping old sessions: %w", err)
	}
	s := store.Session{
		ID: in.Caller.Session, Account: in.Caller.ID, TokenHash: session.HashToken(in.Token),
		Created: now, Seen: now, IP: in.Caller.IP, UserAgent: in.Caller.UserAgent,
	}
	if err := store.InsertSession(ctx, tx, s); err != nil {
		return fmt.Errorf("storing the session: %w", err)
	}
	return store.SeeAccount(ctx, tx, in.Caller.ID, now)
}

// everywhere records what a person does about themselves in several logs at
// once, each event naming the others as its pair. The change belongs to the
// first.
func (p *Portal) everywhere(ctx context.Context, by Caller, action string, a store.Account, logs []string, data map[string]string, change func(*audit.Tx) error) (string, error) {
	in := audit.Intent{Log: logs[0], Actor: by.Actor, Context: by.Context, Action: action, Object: userRef(a.ID, a.Name, a.Email), Data: data}
	return p.log.Record(ctx, in, func(tx *audit.Tx) error {
		if err := change(tx); err != nil {
			return err
		}
		for _, other := range logs[1:] {
			also := in
			also.Log = other
			if _, err := tx.Also(also, "pair", func(*audit.Tx) error { return nil }); err != nil {
				return err
			}
		}
		return nil
	})
}

// errSignedOut answers whoever has no session (any more).
func errSignedOut() error {
	return &audit.Error{Code: audit.CodeDenied, Field: "session", Message: "Sign in to go on."}
}

// SignedOut tells whether an error means that there is no session (any more):
// time to show the sign-in page.
func SignedOut(err error) bool {
	e, ok := errors.AsType[*audit.Error](err)
	return ok && e.Code == audit.CodeDenied && e.Field == "session"
}

// Authenticate gives the person whose session has this token, for one request
// from there. Who is blocked in all teams has no session.
//
// Events: none. Error: one that [SignedOut] knows.
//
// Cost: three look-ups by key; once a minute for each session a write.
func (p *Portal) Authenticate(ctx context.Context, from audit.Context, token string) (SignedIn, error) {
	s, err := store.SessionByToken(ctx, p.db, session.HashToken(token))
	now := p.now()
	if errors.Is(err, sql.ErrNoRows) || err == nil && expired(s, now) {
		return SignedIn{}, errSignedOut()
	}
	if err != nil {
		return SignedIn{}, fmt.Errorf("looking up a session: %w", err)
	}
	a, err := store.AccountByID(ctx, p.db, p.Organization(), s.Account)
	if err != nil {
		return SignedIn{}, fmt.Errorf("reading the account %s: %w", s.Account, err)
	}
	in := SignedIn{Caller: Caller{audit.Actor{Type: audit.ActorUser, ID: a.ID, Name: a.Name, Email: a.Email}, from}}
	in.Caller.Session = s.ID
	if in.Memberships, err = memberships(ctx, p.db, a.ID); err != nil {
		return SignedIn{}, err
	}
	if mayEnter(in.Memberships) != nil {
		return SignedIn{}, errSignedOut()
	}
	if now.Sub(s.Seen) >= seenEvery {
		err := p.db.Write(ctx, func(tx *database.Tx) error { return store.SeeSession(ctx, tx, s.ID, a.ID, now) })
		if err != nil {
			p.logger.WarnContext(ctx, "it could not be noted when somebody was last here", "error", err)
		}
	}
	return in, nil
}

func expired(s store.Session, now time.Time) bool {
	return now.Sub(s.Seen) >= SessionIdle || now.Sub(s.Created) >= SessionLife
}

// SignOut ends the caller's session.
//
// Permission: one's own session. Event: session.signed_out in the log of each
// of the person's teams; none if the session had ended already. Errors: the
// database's.
func (p *Portal) SignOut(ctx context.Context, by Caller) error {
	return p.endOwn(ctx, by, SessionSignedOut, nil, func(tx *audit.Tx) (bool, error) {
		return store.DeleteSession(ctx, tx, by.ID, by.Session)
	})
}

// endOwn ends sessions of the caller's own. end tells whether there was any.
func (p *Portal) endOwn(ctx context.Context, by Caller, action string, data map[string]string, end func(*audit.Tx) (bool, error)) error {
	a, all, err := p.self(ctx, by)
	if err != nil {
		return err
	}
	_, err = p.everywhere(ctx, by, action, a, logsOf(all, p.Organization()), data, func(tx *audit.Tx) error {
		ended, err := end(tx)
		if err != nil {
			return fmt.Errorf("ending a session: %w", err)
		}
		if !ended {
			return audit.ErrNothing
		}
		return nil
	})
	return err
}
