package portal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal/store"
	"onrecord/session"
)

// Scope says what a key of the API may do; its person's role bounds it as well.
type Scope string

// The scopes.
const (
	ScopeRead  Scope = "read"
	ScopeWrite Scope = "write" // and read
)

// Scopes are all scopes, the least first.
var Scopes = []Scope{ScopeRead, ScopeWrite}

// ParseScope reads a scope. Error: Invalid, field scope.
func ParseScope(s string) (Scope, error) {
	if !slices.Contains(Scopes, Scope(s)) {
		return "", audit.Invalid("scope", "The scope %q is not known: it is read or write.", clip(s))
	}
	return Scope(s), nil
}

// KeyState says whether a key can be used.
type KeyState string

// The states of a key.
const (
	KeyActive  KeyState = "active"
	KeyPaused  KeyState = "paused" // the person who answers for it is blocked or an Agent now
	KeyExpired KeyState = "expired"
	KeyRevoked KeyState = "revoked"
)

// APIKey is a key of the API. It may never do more than the person who answers
// for it: blocking them, or making them an Agent, pauses it; deleting them
// revokes it.
type APIKey struct {
	ID      string // key_…
	Name    string
	Scope   Scope
	Owner   audit.Ref // who answers for it: a user, or the operator who made it
	State   KeyState
	Created time.Time
	Expires time.Time // zero if it never does
	Revoked time.Time // zero while it is not
	Used    time.Time // to the minute; zero if never
	Version string    // the event that last changed it
}

// Ref names the key as an object of the log.
func (k APIKey) Ref() audit.Ref { return audit.Ref{Type: "api_key", ID: k.ID, Name: k.Name} }

func keyRef(k store.APIKey) audit.Ref { return audit.Ref{Type: "api_key", ID: k.ID, Name: k.Name} }

func keyOf(k store.APIKey, owner audit.Ref, state KeyState) APIKey {
	return APIKey{
		ID: k.ID, Name: k.Name, Scope: Scope(k.Scope), Owner: owner, State: state,
		Created: k.Created, Expires: k.Expires, Revoked: k.Revoked, Used: k.Used, Version: k.EventID,
	}
}

// NewAPIKey is a key to be made.
type NewAPIKey struct {
	Name    string
	Scope   Scope
	Expires time.Time // zero: never
	Reason  string
	// For is the id of the member who answers for it; only an operator names
	// one. Otherwise whoever makes the key does.
	For string
}

// CreateAPIKey makes a key. Its token is returned this once and kept nowhere.
//
// Permission: Admin, in person. Event: api_key.created, durable before the
// token is returned. Errors: Invalid for a name, scope, end or reason that
// cannot be; Denied, NotFound; Conflict if another key of that name can still
// be used.
func (p *Portal) CreateAPIKey(ctx context.Context, by Caller, team string, n NewAPIKey) (k APIKey, token string, err error) {
	if n.Name, err = cleanName("name", "The key's name", n.Name); err != nil {
		return k, "", err
	}
	if n.Scope, err = ParseScope(string(n.Scope)); err != nil {
		return k, "", err
	}
	if err := checkReason(n.Reason); err != nil {
		return k, "", err
	}
	if !n.Expires.IsZero() && !n.Expires.After(p.now()) {
		return k, "", audit.Invalid("expires", "The key would have ended already, on %s. Choose a later time.", n.Expires.UTC().Format(minute))
	}
	in := p.intent(by, team, APIKeyCreated)
	in.Reason = n.Reason
	_, err = p.log.Record(ctx, in, func(tx *audit.Tx) error {
		k, token, err = p.createKey(ctx, tx, by, team, n)
		return err
	})
	if err != nil {
		return APIKey{}, "", err
	}
	return k, token, nil
}

func (p *Portal) createKey(ctx context.Context, tx *audit.Tx, by Caller, team string, n NewAPIKey) (APIKey, string, error) {
	if err := p.authorizeInPerson(ctx, tx, by, team); err != nil {
		return APIKey{}, "", err
	}
	owner, err := p.keyOwner(ctx, tx, by, team, n.For)
	if err != nil {
		return APIKey{}, "", err
	}
	if err := p.freeKeyName(ctx, tx, team, n.Name); err != nil {
		return APIKey{}, "", err
	}
	token := newKeyToken(team)
	row := store.APIKey{
		ID: audit.NewID("key", tx.Now()), Name: n.Name, TokenHash: session.HashToken(token), Scope: string(n.Scope), CreatedBy: owner.ID,
		Created: tx.Now(), Expires: n.Expires.UTC().Truncate(time.Microsecond), EventID: tx.EventID(),
	}
	if n.Expires.IsZero() {
		row.Expires = time.Time{}
	}
	tx.SetObject(keyRef(row))
	if err := store.InsertAPIKey(ctx, tx, team, row); err != nil {
		return APIKey{}, "", fmt.Errorf("adding the key: %w", err)
	}
	return keyOf(row, owner, KeyActive), token, nil
}

// authorizeInPerson is what managing keys takes: a key cannot make or revoke
// keys.
func (p *Portal) authorizeInPerson(ctx context.Context, q database.Querier, by Caller, team string) error {
	if err := p.authorize(ctx, q, by, team, Admin); err != nil {
		return err
	}
	if by.Type == audit.ActorAPIKey {
		return audit.Denied("API keys are made and revoked by an Admin in person, not with a key.")
	}
	return nil
}

// keyOwner is who answers for a key that the caller makes. Errors: Denied,
// NotFound, Gone, Conflict for somebody who is blocked or an Agent.
func (p *Portal) keyOwner(ctx context.Context, q database.Querier, by Caller, team, member string) (audit.Ref, error) {
	if member == "" || member == by.ID {
		return audit.Ref{Type: string(by.Type), ID: by.ID, Name: label(by.Name, by.Email)}, nil
	}
	if by.Type != audit.ActorOperator {
		return audit.Ref{}, audit.Denied("A key is answered for by the Admin who makes it. Only an operator can name somebody else.")
	}
	m, err := present(ctx, q, team, member)
	switch {
	case err != nil:
		return audit.Ref{}, err
	case m.Status == Blocked:
		return audit.Ref{}, audit.Conflict("%s is blocked and cannot answer for a key.", m.Label())
	case m.Role == Agent:
		return audit.Ref{}, audit.Conflict("%s is an Agent and cannot answer for a key: that takes an Admin or Auditor.", m.Label())
	}
	return m.Ref(), nil
}

// freeKeyName refuses a name that a key has which can still be used: in the
// log nobody could tell the two apart.
func (p *Portal) freeKeyName(ctx context.Context, q database.Querier, team, name string) error {
	all, err := store.APIKeys(ctx, q, team)
	if err != nil {
		return fmt.Errorf("listing keys: %w", err)
	}
	for _, k := range all {
		if s := p.ended(k); s == "" && nameKey(k.Name) == nameKey(name) {
			return audit.Conflict("There is a key named %s already. Choose another name, or revoke that one first.", k.Name)
		}
	}
	return nil
}

// ended tells that a key can never be used again: KeyRevoked, KeyExpired or "".
func (p *Portal) ended(k store.APIKey) KeyState {
	switch {
	case !k.Revoked.IsZero():
		return KeyRevoked
	case !k.Expires.IsZero() && !p.now().Before(k.Expires):
		return KeyExpired
	}
	return ""
}

// APIKeys lists every key that the team ever had, the newest first.
//
// Permission: Admin, Auditor. Events: none; a refusal is access.refused.
// Errors: Denied, NotFound.
func (p *Portal) APIKeys(ctx context.Context, by Caller, team string) ([]APIKey, error) {
	if err := p.mayRead(ctx, by, team, "api keys"); err != nil {
		return nil, err
	}
	rows, err := store.APIKeys(ctx, p.db, team)
	if err != nil {
		return nil, fmt.Errorf("listing keys: %w", err)
	}
	var all []APIKey
	for _, row := range rows {
		k, err := p.seenKey(ctx, team, row)
		if err != nil {
			return nil, err
		}
		all = append(all, k)
	}
	return all, nil
}

// APIKey shows one key.
//
// Permission: Admin, Auditor. Events: none; a refusal is access.refused.
// Errors: Denied, NotFound.
func (p *Portal) APIKey(ctx context.Context, by Caller, team, key string) (APIKey, error) {
	err := p.authorize(ctx, p.db, by, team, Admin, Auditor)
	var row store.APIKey
	if err == nil {
		row, err = keyIn(ctx, p.db, team, key)
	}
	if err != nil {
		in := p.intentOn(by, team, AccessRefused, "api_key", key, "")
		in.Data = joined(in.Data, "page", "api keys")
		return APIKey{}, p.refuse(ctx, in, err)
	}
	return p.seenKey(ctx, team, row)
}

// keyIn gives a key of the team. Error: NotFound.
func keyIn(ctx context.Context, q database.Querier, team, id string) (store.APIKey, error) {
	k, err := store.APIKeyByID(ctx, q, team, id)
	if errors.Is(err, sql.ErrNoRows) {
		return k, audit.NotFound("This team has no such API key.")
	}
	if err != nil {
		return k, fmt.Errorf("reading the key %s: %w", id, err)
	}
	return k, nil
}

// seenKey is a key as people see it.
func (p *Portal) seenKey(ctx context.Context, team string, row store.APIKey) (APIKey, error) {
	o, err := p.ownerOf(ctx, p.db, team, row)
	if err != nil {
		return APIKey{}, err
	}
	if o.ref.Name == "" {
		if o.ref.Name, err = p.operatorName(ctx, team, o.ref.ID); err != nil {
			return APIKey{}, err
		}
	}
	state := p.ended(row)
	switch {
	case state != "":
	case o.unfit != "":
		state = KeyPaused
	default:
		state = KeyActive
	}
	return keyOf(row, o.ref, state), nil
}

// owner is who answers for a key.
type owner struct {
	ref   audit.Ref // an operator's without the name
	role  Role      // bounds what the key may do
	unfit string    // why the key cannot be used because of them: "is blocked"; or ""
}

func (p *Portal) ownerOf(ctx context.Context, q database.Querier, team string, k store.APIKey) (owner, error) {
	if !audit.ValidID(prefixes["user"], k.CreatedBy) {
		return owner{ref: audit.Ref{Type: string(audit.ActorOperator), ID: k.CreatedBy}, role: Admin}, nil
	}
	m, err := memberIn(ctx, q, team, k.CreatedBy)
	if err != nil {
		return owner{}, err
	}
	o := owner{ref: m.Ref(), role: m.Role}
	switch {
	case !m.Deleted.IsZero():
		o.unfit = "was deleted"
	case m.Status == Blocked:
		o.unfit = "is blocked"
	case m.Role == Agent:
		o.unfit = "is an Agent now"
	}
	return o, nil
}

// operatorName finds the name of an operator in a team's log.
func (p *Portal) operatorName(ctx context.Context, team, id string) (string, error) {
	known, err := p.log.Names(ctx, team, audit.NameQuery{Types: []string{string(audit.ActorOperator)}, Limit: maxPage})
	if err != nil {
		return "", fmt.Errorf("looking up an operator: %w", err)
	}
	for _, r := range known {
		if r.ID == id {
			return r.Name, nil
		}
	}
	return id, nil
}

// RevokeAPIKey ends a key at once.
//
// Permission: Admin, in person. Event: api_key.revoked, whose id is returned.
// Errors: Denied, NotFound, Gone for a key that was revoked already, Invalid
// for a reason too long.
func (p *Portal) RevokeAPIKey(ctx context.Context, by Caller, team, key, reason string) (string, error) {
	if err := checkReason(reason); err != nil {
		return "", err
	}
	return p.log.Record(ctx, p.intentOn(by, team, APIKeyRevoked, "api_key", key, reason), func(tx *audit.Tx) error {
		if err := p.authorizeInPerson(ctx, tx, by, team); err != nil {
			return err
		}
		k, err := keyIn(ctx, tx, team, key)
		if err != nil {
			return err
		}
		tx.SetObject(keyRef(k))
		if !k.Revoked.IsZero() {
			return &audit.Error{Code: audit.CodeGone, Message: "The key " + k.Name + " was revoked on " + k.Revoked.Format(minute) + " already."}
		}
		if err := store.SetAPIKeyRevoked(ctx, tx, team, key, tx.Now()); err != nil {
			return fmt.Errorf("revoking the key %s: %w", key, err)
		}
		return nil
	})
}

// revokeKeysOf ends the keys of somebody who leaves the team.
func (p *Portal) revokeKeysOf(ctx context.Context, tx *audit.Tx, by Caller, team string, m Member) error {
	all, err := store.APIKeys(ctx, tx, team)
	if err != nil {
		return fmt.Errorf("listing the keys of %s: %w", m.ID, err)
	}
	for _, k := range all {
		if k.CreatedBy != m.ID || p.ended(k) != "" {
			continue
		}
		in := p.intent(by, team, APIKeyRevoked)
		in.Object, in.Related = keyRef(k), []audit.Ref{m.Ref()}
		_, err := tx.Also(in, "caused_by", func(also *audit.Tx) error { return store.SetAPIKeyRevoked(ctx, also, team, k.ID, tx.Now()) })
		if err != nil {
			return fmt.Errorf("revoking the key %s: %w", k.ID, err)
		}
	}
	return nil
}
