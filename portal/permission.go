package portal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal/store"
)

// Role says what a member may do in a team.
type Role string

// The roles. An Admin may do everything; an Auditor reads everything but
// transcripts, and the log, and changes nothing; an Agent has no part in the
// administration.
const (
	Admin   Role = "admin"
	Auditor Role = "auditor"
	Agent   Role = "agent"
)

// Roles are all roles, the mightiest first.
var Roles = []Role{Admin, Auditor, Agent}

// Label is the role as people read it.
func (r Role) Label() string {
	switch r {
	case Admin:
		return "Admin"
	case Auditor:
		return "Auditor"
	case Agent:
		return "Agent"
	}
	return string(r)
}

// ParseRole reads a role whatever its case. Error: Invalid, field role.
func ParseRole(s string) (Role, error) {
	r := Role(strings.ToLower(strings.TrimSpace(s)))
	if !slices.Contains(Roles, r) {
		return "", audit.Invalid("role", "The role %q is not known: it is Admin, Auditor or Agent.", clip(s))
	}
	return r, nil
}

// authorize checks that the caller may act in the team: an operator, an active
// member with one of the roles, or a key of the team whose person is one.
// Inside a record it reads what stands at that moment, so that an Admin demoted
// an instant ago is refused, and a key that was revoked. The organization itself
// is no team.
//
// Errors: NotFound for a team that is not the caller's, Denied.
func (p *Portal) authorize(ctx context.Context, q database.Querier, by Caller, team string, roles ...Role) error {
	if !p.isTeam(team) {
		return noTeam()
	}
	switch by.Type {
	case audit.ActorOperator:
		return nil
	case audit.ActorUser:
	case audit.ActorAPIKey:
		return p.authorizeKey(ctx, q, by, team, roles)
	default:
		return noTeam()
	}
	m, err := store.MemberByID(ctx, q, team, by.ID)
	if errors.Is(err, sql.ErrNoRows) || err == nil && !m.Deleted.IsZero() {
		return noTeam()
	}
	if err != nil {
		return fmt.Errorf("reading the permission of %s: %w", by.ID, err)
	}
	if m.Status != Active {
		return audit.Denied("You are blocked in this team. Its Admins can unblock you.")
	}
	if !slices.Contains(roles, Role(m.Role)) {
		return audit.Denied("This needs the role %s; yours in this team is %s.", labels(roles), Role(m.Role).Label())
	}
	return nil
}

func noTeam() error { return audit.NotFound("You have no such team.") }

func labels(roles []Role) string {
	var all []string
	for _, r := range roles {
		all = append(all, r.Label())
	}
	return strings.Join(all, " or ")
}

// mayRead checks the permission for a page that only shows things to Admins
// and Auditors, and records a refusal as access.refused with the page's name.
func (p *Portal) mayRead(ctx context.Context, by Caller, team, page string) error {
	err := p.authorize(ctx, p.db, by, team, Admin, Auditor)
	if err == nil {
		return nil
	}
	in := p.intent(by, team, AccessRefused)
	in.Data = joined(in.Data, "page", page)
	return p.refuse(ctx, in, err)
}

// refuse records a refusal that was found outside a record and returns err.
func (p *Portal) refuse(ctx context.Context, in audit.Intent, err error) error {
	return p.log.Refuse(ctx, in, err)
}

// intent begins what the caller is about to do in a team. An id that is no
// team's has no log: what is tried there goes to the organization's, with the
// id as a fact.
func (p *Portal) intent(by Caller, team, action string) audit.Intent {
	in := audit.Intent{Log: team, Actor: by.Actor, Context: by.Context, Action: action}
	if org := p.Organization(); team != org && !p.isTeam(team) {
		in.Log = p.Organization()
		in.Data = map[string]string{"tried": "team " + clip(team)}
	}
	return in
}

// prefixes of the ids of each kind of object.
var prefixes = map[string]string{"user": "user", "device": "dev", "call": "call", "team": "team", "api_key": "key", "saved_view": "view"}

// intentOn is intent for one object of the team, of a kind. It bears the name
// that it has now, so that a refusal reads well too; an id that is none of that
// kind is no object, only what was tried.
func (p *Portal) intentOn(by Caller, team, action, kind, id, reason string) audit.Intent {
	in := p.intent(by, team, action)
	in.Reason = reason
	if audit.ValidID(prefixes[kind], id) {
		in.Object = audit.Ref{Type: kind, ID: id, Name: p.nameOf(context.Background(), team, kind, id)}
	} else {
		in.Data = joined(in.Data, "tried", kind+" "+clip(id))
	}
	return in
}

// nameOf is the name of something that the team has, or "".
func (p *Portal) nameOf(ctx context.Context, team, kind, id string) string {
	var ref audit.Ref
	switch kind {
	case "user":
		m, err := memberIn(ctx, p.db, team, id)
		if err == nil {
			ref = m.Ref()
		}
	case "device":
		d, err := deviceIn(ctx, p.db, team, id)
		if err == nil {
			ref = d.Ref()
		}
	case "call":
		c, err := callIn(ctx, p.db, team, id)
		if err == nil {
			ref = c.Ref()
		}
	case "team":
		t, err := store.TeamByID(ctx, p.db, p.Organization(), id)
		if err == nil {
			ref = teamRef(t)
		}
	case "api_key":
		k, err := store.APIKeyByID(ctx, p.db, team, id)
		if err == nil {
			ref = keyRef(k)
		}
	}
	return ref.Name
}

// joined sets a fact; if there is one of that name already both stay.
func joined(data map[string]string, key, value string) map[string]string {
	if data == nil {
		data = map[string]string{}
	}
	if was := data[key]; was != "" {
		value = was + ", " + value
	}
	data[key] = value
	return data
}

// clip shortens what somebody sent to what a sentence or a log can bear.
func clip(s string) string {
	const most = 64
	s = strings.ToValidUTF8(s, "\uFFFD")
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	return string([]rune(s)[:most]) + "…"
}
