package portal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal/store"
	"onrecord/session"
)

// keyPrefix begins every token, so that people and scanners for leaked secrets
// know one when they see it: ork_, the 26 characters of the team's id, and 43
// of secret. The team stands in it so that the look-up stays within the team.
const keyPrefix = "ork_"

const (
	teamIDLength = 26
	secretLength = 43
)

func newKeyToken(team string) string {
	return keyPrefix + strings.TrimPrefix(team, "team_") + session.NewToken()
}

// teamOfToken gives the team that a token names; false for what is no token.
func teamOfToken(token string) (string, bool) {
	rest, ok := strings.CutPrefix(token, keyPrefix)
	if !ok || len(rest) != teamIDLength+secretLength {
		return "", false
	}
	return "team_" + rest[:teamIDLength], true
}

// KeyHolder is a program that came with a key.
type KeyHolder struct {
	Caller Caller // the key as actor, For the person who answers for it
	Team   string // the one team that the key belongs to
	Scope  Scope
}

// errKey refuses whoever brings no key that can be used.
func errKey(format string, args ...any) *audit.Error {
	return &audit.Error{Code: audit.CodeDenied, Field: "key", Message: fmt.Sprintf(format, args...)}
}

// KeyRefused tells whether an error means that the key itself does not open
// anything, whatever is asked for.
func KeyRefused(err error) bool {
	e, ok := errors.AsType[*audit.Error](err)
	return ok && e.Code == audit.CodeDenied && e.Field == "key"
}

// AuthenticateKey gives the program whose key this token is, for one request
// from there. A key that was revoked, has expired, or whose person is blocked,
// deleted or an Agent now, opens nothing; what it is used for is checked again
// when it is done.
//
// Events: none; a key that opens nothing is access.refused in its team's log,
// once for each reason and hour; an unknown token is access.refused in the
// organization's, without the token, and slowed down for each address: then
// nothing is recorded. Errors: one that [KeyRefused] knows; TooMany.
//
// Cost: two look-ups by key; once a minute for each key a write.
func (p *Portal) AuthenticateKey(ctx context.Context, from audit.Context, token string) (KeyHolder, error) {
	from.Via, from.Session = "api", ""
	team, shaped := teamOfToken(token)
	if !shaped || !p.isTeam(team) {
		return KeyHolder{}, p.strangeKey(ctx, from)
	}
	k, err := store.APIKeyByToken(ctx, p.db, team, session.HashToken(token))
	if errors.Is(err, sql.ErrNoRows) {
		return KeyHolder{}, p.strangeKey(ctx, from)
	}
	if err != nil {
		return KeyHolder{}, fmt.Errorf("looking up a key: %w", err)
	}
	h := KeyHolder{Team: team, Scope: Scope(k.Scope), Caller: Caller{
		audit.Actor{Type: audit.ActorAPIKey, ID: k.ID, Name: k.Name, For: k.CreatedBy}, from}}
	if err := p.keyOpens(ctx, p.db, team, k); err != nil {
		return KeyHolder{}, p.keyRefused(ctx, h, err)
	}
	if now := p.now(); now.Sub(k.Used) >= seenEvery {
		err := p.db.Write(ctx, func(tx *database.Tx) error { return store.SeeAPIKey(ctx, tx, team, k.ID, now) })
		if err != nil {
			p.logger.WarnContext(ctx, "it could not be noted when a key was last used", "key", k.ID, "error", err)
		}
	}
	return h, nil
}

// keyOpens refuses a key that can open nothing.
func (p *Portal) keyOpens(ctx context.Context, q database.Querier, team string, k store.APIKey) error {
	switch p.ended(k) {
	case KeyRevoked:
		return errKey("This key was revoked on %s UTC. Ask an Admin of the team for another one.", k.Revoked.Format(minute))
	case KeyExpired:
		return errKey("This key expired on %s UTC. Ask an Admin of the team for another one.", k.Expires.Format(minute))
	}
	o, err := p.ownerOf(ctx, q, team, k)
	if err != nil {
		return err
	}
	if o.unfit != "" {
		return errKey("This key cannot be used: the person who answers for it %s.", o.unfit)
	}
	return nil
}

// keyRefused records that a key was used which opens nothing: of a script that
// nobody stops, one event an hour says as much as all.
func (p *Portal) keyRefused(ctx context.Context, h KeyHolder, refusal error) error {
	if !KeyRefused(refusal) {
		return refusal
	}
	note, hour := readingNote(h.Team, "refused", refusal.Error()), hourOf(p.now())
	told, err := store.HasRead(ctx, p.db, h.Caller.ID, note, hour)
	if err != nil {
		return fmt.Errorf("looking up earlier refusals: %w", err)
	}
	if told {
		return refusal
	}
	in := p.intent(h.Caller, h.Team, AccessRefused)
	in.Object = audit.Ref{Type: "api_key", ID: h.Caller.ID, Name: h.Caller.Name}
	err = p.refuse(ctx, in, refusal)
	// The note comes after the event: rather twice on the record than not at all.
	if e := p.db.Write(ctx, func(tx *database.Tx) error {
		_, e := store.MarkReading(ctx, tx, h.Caller.ID, note, hour)
		return e
	}); e != nil {
		p.logger.WarnContext(ctx, "a key's refusal could not be noted", "key", h.Caller.ID, "error", e)
	}
	return err
}

// strangeKey answers whoever brings a token that no key has.
func (p *Portal) strangeKey(ctx context.Context, from audit.Context) error {
	if wait := p.strangers.Try(from.IP, from.IP); wait > 0 {
		return tooMany("There were too many attempts with unknown keys.", wait)
	}
	in := audit.Intent{Log: p.Organization(), Actor: audit.Actor{Type: audit.ActorAPIKey}, Context: from, Action: AccessRefused}
	refusal := errKey("The key is not known. A key looks like ork_… and is shown once, when it is made.")
	if in.Log == "" {
		return refusal // not set up: there is no log
	}
	return p.refuse(ctx, in, refusal)
}

// authorizeKey is authorize for a key. What Auditors may do as well changes
// nothing, so that scope read is enough for it.
func (p *Portal) authorizeKey(ctx context.Context, q database.Querier, by Caller, team string, roles []Role) error {
	k, err := store.APIKeyByID(ctx, q, team, by.ID)
	if errors.Is(err, sql.ErrNoRows) {
		return noTeam()
	}
	if err != nil {
		return fmt.Errorf("reading the key %s: %w", by.ID, err)
	}
	if err := p.keyOpens(ctx, q, team, k); err != nil {
		return err
	}
	o, err := p.ownerOf(ctx, q, team, k)
	if err != nil {
		return err
	}
	if !slices.Contains(roles, o.role) {
		return audit.Denied("This needs the role %s; the person who answers for this key is %s in this team.", labels(roles), o.role.Label())
	}
	if !slices.Contains(roles, Auditor) && Scope(k.Scope) != ScopeWrite {
		return audit.Denied("This needs a key of the scope write; this key has the scope %s.", k.Scope)
	}
	return nil
}
