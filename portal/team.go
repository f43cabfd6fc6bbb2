package portal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"onrecord/audit"
	"onrecord/portal/store"
)

// The plans of a team. On every plan everything is recorded; the log can be
// read on Call Center AI.
const (
	PlanCallCenterAI = "call-center-ai"
	PlanCore         = "core"
)

// PlanLabel is a plan as people read it.
func PlanLabel(plan string) string {
	switch plan {
	case PlanCallCenterAI:
		return "Call Center AI"
	case PlanCore:
		return "Core"
	}
	return plan
}

func checkPlan(plan string) error {
	if plan != PlanCallCenterAI && plan != PlanCore {
		return audit.Invalid("plan", "The plan %q is not known: %s or %s.", clip(plan), PlanCallCenterAI, PlanCore)
	}
	return nil
}

// Team is a team of the organization.
type Team struct {
	ID      string
	Name    string
	Plan    string
	Created time.Time
	Version string // the event that last changed it
}

// Ref names the team as an object of the log.
func (t Team) Ref() audit.Ref { return audit.Ref{Type: "team", ID: t.ID, Name: t.Name} }

func teamRef(t store.Team) audit.Ref { return audit.Ref{Type: "team", ID: t.ID, Name: t.Name} }

func teamOf(t store.Team) (Team, error) {
	created, err := audit.IDTime(t.ID)
	if err != nil {
		return Team{}, fmt.Errorf("reading the team %s: %w", t.Name, err)
	}
	return Team{ID: t.ID, Name: t.Name, Plan: t.Plan, Created: created, Version: t.EventID}, nil
}

// TeamPage is a team and how much it has.
type TeamPage struct {
	Team
	Members, Devices, Calls int // that are not deleted
}

// Team shows a team's settings.
//
// Permission: Admin, Auditor. Events: none; a refusal is access.refused.
// Errors: Denied, NotFound.
func (p *Portal) Team(ctx context.Context, by Caller, team string) (TeamPage, error) {
	if err := p.mayRead(ctx, by, team, "settings"); err != nil {
		return TeamPage{}, err
	}
	row, err := store.TeamByID(ctx, p.db, p.Organization(), team)
	if errors.Is(err, sql.ErrNoRows) { // an operator asked for the organization itself
		return TeamPage{}, noTeam()
	}
	if err != nil {
		return TeamPage{}, fmt.Errorf("reading team %s: %w", team, err)
	}
	t, err := teamOf(row)
	if err != nil {
		return TeamPage{}, err
	}
	page := TeamPage{Team: t}
	page.Members, page.Devices, page.Calls, err = store.Size(ctx, p.db, team)
	if err != nil {
		return TeamPage{}, fmt.Errorf("counting what team %s has: %w", team, err)
	}
	return page, nil
}

// FindTeam gives a team by its id, or by its name whatever the case.
//
// Permission: operators. Events: none. Errors: Denied; NotFound, naming the
// teams that there are.
func (p *Portal) FindTeam(ctx context.Context, by Caller, text string) (Team, error) {
	teams, err := p.Teams(ctx, by)
	if err != nil {
		return Team{}, err
	}
	var names []string
	for _, t := range teams {
		if t.ID == text || nameKey(t.Name) == nameKey(text) {
			return t, nil
		}
		names = append(names, t.Name)
	}
	if len(names) == 0 {
		return Team{}, audit.NotFound("There is no team yet: run onrecord setup first.")
	}
	return Team{}, audit.NotFound("There is no team %q. The teams are: %s.", clip(text), strings.Join(names, ", "))
}

// Teams lists all teams by name.
//
// Permission: operators. Events: none. Errors: Denied.
func (p *Portal) Teams(ctx context.Context, by Caller) ([]Team, error) {
	if by.Type != audit.ActorOperator {
		return nil, audit.Denied("Only an operator may see every team.")
	}
	rows, err := store.Teams(ctx, p.db, p.Organization())
	if err != nil {
		return nil, fmt.Errorf("listing teams: %w", err)
	}
	var all []Team
	for _, row := range rows {
		t, err := teamOf(row)
		if err != nil {
			return nil, err
		}
		all = append(all, t)
	}
	return all, nil
}

// nameKey makes names that differ in case or spaces alone equal.
func nameKey(name string) string { return folded(strings.Join(strings.Fields(name), " ")) }

// RenameTeam gives a team another name. version is the Version that the person
// saw, or "" for whatever stands.
//
// Permission: Admin. Events: team.renamed in the team's log, whose id is
// returned, and as its pair in the organization's, which explains the row.
// Errors: Invalid for a name that cannot be or is its name already, or a
// reason too long; Denied, NotFound, Conflict if another team has the name or
// the team has changed since version.
func (p *Portal) RenameTeam(ctx context.Context, by Caller, team, name, version, reason string) (string, error) {
	name, err := cleanName("name", "The team's name", name)
	if err != nil {
		return "", err
	}
	return p.changeTeam(ctx, by, TeamRenamed, team, version, reason, func(tx *audit.Tx, t *store.Team) error {
		if t.Name == name {
			return audit.Invalid("name", "The team is named %s already.", name)
		}
		other, err := store.TeamByName(ctx, tx, p.Organization(), nameKey(name))
		if err == nil && other.ID != team {
			return audit.Conflict("Another team is named %s already.", other.Name)
		}
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return fmt.Errorf("looking up a team's name: %w", err)
		}
		tx.SetData("from", t.Name)
		tx.SetData("to", name)
		t.Name, t.NameKey = name, nameKey(name)
		return nil
	})
}

// ChangePlan puts a team on another plan.
//
// Permission: operators. Events: team.plan_changed in the team's log, whose
// id is returned, and as its pair in the organization's, which explains the
// row. Errors: Invalid for an unknown plan, the plan that it has already, or a
// reason too long; Denied, NotFound.
func (p *Portal) ChangePlan(ctx context.Context, by Caller, team, plan, reason string) (string, error) {
	if err := checkPlan(plan); err != nil {
		return "", err
	}
	return p.changeTeam(ctx, by, TeamPlanChanged, team, "", reason, func(tx *audit.Tx, t *store.Team) error {
		if by.Type != audit.ActorOperator {
			return audit.Denied("The plan is changed by an operator, with onrecord setup --plan.")
		}
		if t.Plan == plan {
			return audit.Invalid("plan", "%s is on the plan %s already.", t.Name, PlanLabel(plan))
		}
		tx.SetData("from", t.Plan)
		tx.SetData("to", plan)
		t.Plan = plan
		return nil
	})
}

// changeTeam is the way of both. The team's own log comes first, so that a
// refusal stands there; the row belongs to the organization's.
func (p *Portal) changeTeam(ctx context.Context, by Caller, action, team, version, reason string, change func(*audit.Tx, *store.Team) error) (string, error) {
	if err := checkReason(reason); err != nil {
		return "", err
	}
	in := p.intentOn(by, team, action, "team", team, reason)
	return p.log.Record(ctx, in, func(tx *audit.Tx) error {
		if err := p.authorize(ctx, tx, by, team, Admin); err != nil {
			return err
		}
		t, err := store.TeamByID(ctx, tx, p.Organization(), team)
		if errors.Is(err, sql.ErrNoRows) {
			return noTeam()
		}
		if err != nil {
			return fmt.Errorf("reading team %s: %w", team, err)
		}
		if err := checkVersion(version, t.EventID, t.Name); err != nil {
			return err
		}
		if err := change(tx, &t); err != nil {
			return err
		}
		tx.SetObject(teamRef(t))
		pair := p.intent(by, p.Organization(), action)
		pair.Object, pair.Reason = teamRef(t), reason
		_, err = tx.Also(pair, "pair", func(also *audit.Tx) error {
			return store.UpdateTeam(ctx, also, p.Organization(), t)
		})
		if err != nil {
			return fmt.Errorf("changing team %s: %w", team, err)
		}
		return nil
	})
}
