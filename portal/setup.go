package portal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"onrecord/audit"
	"onrecord/portal/store"
	"onrecord/session"
)

// NewTeam is a team to be made, with its first Admin.
type NewTeam struct {
	Organization string // its name, when this is the first team; the team's unless set
	Team         string
	Plan         string // PlanCallCenterAI unless set
	Email        string // of the Admin
	AdminName    string // or ""
	// Password of the Admin. It is set only for an address that is new in the
	// organization; "" leaves the Admin to a one-time link.
	Password string
}

// CreatedTeam is a team that was made.
type CreatedTeam struct {
	Organization string // its id
	Team         string // its id
	Admin        Member
	PasswordSet  bool // false for an address that was there before: it keeps its password
	Event        string
}

// Setup makes a team with its first Admin; the first time it makes the
// organization too. All of it is one transaction.
//
// Permission: operators. Events: the first time organization.created, whose id
// is returned, in the organization's log; team.created there and, as its pair,
// in the team's; user.created in the team's; for a new address account.created
// in the organization's. Errors: Denied; Invalid for names, plan, address or
// password that cannot be (field organization, team, plan, admin, name,
// password); Conflict if a team has the name.
func (p *Portal) Setup(ctx context.Context, by Caller, n NewTeam) (CreatedTeam, error) {
	n, err := n.clean()
	if err != nil {
		return CreatedTeam{}, err
	}
	if err := p.readTeams(ctx); err != nil {
		return CreatedTeam{}, err
	}
	s := setup{portal: p, by: by, team: n, org: p.Organization()}
	if n.Password != "" {
		if s.hash, err = p.passwords.Hash(ctx, n.Password); err != nil {
			return CreatedTeam{}, err
		}
	}
	in := audit.Intent{Log: s.org, Actor: by.Actor, Context: by.Context, Action: TeamCreated}
	change := s.addTeam
	if s.org == "" {
		s.org = audit.NewID("org", p.now())
		in.Log, in.Action = s.org, OrganizationCreated
		in.Object = audit.Ref{Type: "organization", ID: s.org, Name: n.Organization}
		change = s.addOrganization
	}
	if by.Type != audit.ActorOperator {
		err := audit.Denied("Only an operator may add a team, with onrecord setup.")
		if in.Action == OrganizationCreated {
			return CreatedTeam{}, err // there is no log yet
		}
		return CreatedTeam{}, p.refuse(ctx, in, err)
	}
	if s.made.Event, err = p.log.Record(ctx, in, func(tx *audit.Tx) error { return change(ctx, tx) }); err != nil {
		return CreatedTeam{}, err
	}
	return s.made, p.readTeams(ctx)
}

func (n NewTeam) clean() (NewTeam, error) {
	var err error
	if n.Team, err = cleanName("team", "The team's name", n.Team); err != nil {
		return n, err
	}
	if n.Organization == "" {
		n.Organization = n.Team
	}
	if n.Organization, err = cleanName("organization", "The organization's name", n.Organization); err != nil {
		return n, err
	}
	if n.Plan == "" {
		n.Plan = PlanCallCenterAI
	}
	if err := checkPlan(n.Plan); err != nil {
		return n, err
	}
	u, err := NewUser{Email: n.Email, Name: n.AdminName}.clean()
	if err != nil {
		if e, ok := errors.AsType[*audit.Error](err); ok && e.Field == "email" {
			return n, audit.Invalid("admin", "%s", e.Message)
		}
		return n, err
	}
	n.Email, n.AdminName = u.Email, u.Name
	if n.Password != "" {
		return n, session.CheckPassword(n.Password, n.Email, n.AdminName, n.Team, n.Organization)
	}
	return n, nil
}

// setup is one call of Setup. Its methods may run twice.
type setup struct {
	portal    *Portal
	by        Caller
	team      NewTeam
	org, hash string
	made      CreatedTeam
}

func (s *setup) addOrganization(ctx context.Context, tx *audit.Tx) error {
	_, err := store.Organization(ctx, tx)
	if err == nil {
		return audit.Conflict("Somebody else has just set this installation up. Run the command again to add a team.")
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("looking for the organization: %w", err)
	}
	if err := store.InsertOrganization(ctx, tx, s.org, s.team.Organization); err != nil {
		return fmt.Errorf("adding the organization: %w", err)
	}
	_, err = tx.Also(s.intent(s.org, TeamCreated), "caused_by", func(also *audit.Tx) error { return s.addTeam(ctx, also) })
	return err
}

func (s *setup) addTeam(ctx context.Context, tx *audit.Tx) error {
	other, err := store.TeamByName(ctx, tx, s.org, nameKey(s.team.Team))
	if err == nil {
		return audit.Conflict("There is a team named %s already.", other.Name)
	}
	if !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("looking up a team's name: %w", err)
	}
	t := store.Team{ID: audit.NewID("team", tx.Now()), Name: s.team.Team, NameKey: nameKey(s.team.Team), Plan: s.team.Plan}
	tx.SetObject(teamRef(t))
	if err := store.InsertTeam(ctx, tx, s.org, t); err != nil {
		return fmt.Errorf("adding the team: %w", err)
	}
	own := s.intent(t.ID, TeamCreated)
	own.Object = teamRef(t)
	own.Data = map[string]string{"plan": t.Plan}
	if _, err := tx.Also(own, "pair", func(*audit.Tx) error { return nil }); err != nil {
		return err
	}
	s.made = CreatedTeam{Organization: s.org, Team: t.ID}
	_, err = tx.Also(s.intent(t.ID, UserCreated), "caused_by", func(also *audit.Tx) error { return s.addAdmin(ctx, also, t.ID) })
	return err
}

func (s *setup) addAdmin(ctx context.Context, tx *audit.Tx, team string) error {
	_, err := store.AccountByEmail(ctx, tx, s.org, emailKey(s.team.Email))
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return fmt.Errorf("looking up an address: %w", err)
	}
	s.made.PasswordSet = err != nil && s.hash != ""
	s.made.Admin, err = join(ctx, tx, s.by, s.org, team, NewUser{Email: s.team.Email, Name: s.team.AdminName}, Admin, s.hash)
	return err
}

func (s *setup) intent(log, action string) audit.Intent {
	return audit.Intent{Log: log, Actor: s.by.Actor, Context: s.by.Context, Action: action}
}
