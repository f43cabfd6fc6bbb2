package portal

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal/store"
)

// Finding is what the last check of a log found, or a witness of it.
type Finding struct {
	Log    string
	Source string // SourceCheck, or a witness's name
	At     time.Time
	Leaves int64  // how far
	Faults int64  // 0: all is well
	First  string // the first fault, as a sentence
}

// SourceCheck is the source of what [Portal.CheckLog] finds.
const SourceCheck = "check"

// maxFault is how much of a fault's sentence is kept.
const maxFault = 1000

// keepFinding keeps what was found. A fault that was not known yet is an event
// of the log, and durable with it.
func (p *Portal) keepFinding(ctx context.Context, by audit.Actor, from audit.Context, f Finding) error {
	f.First = strings.ToValidUTF8(f.First[:min(len(f.First), maxFault)], "\uFFFD")
	row := store.Finding(f)
	if f.Faults == 0 {
		row.First = ""
		if err := p.db.Write(ctx, func(tx *database.Tx) error { return store.SetFinding(ctx, tx, row) }); err != nil {
			return fmt.Errorf("keeping what was found: %w", err)
		}
		return nil
	}
	in := audit.Intent{Log: f.Log, Actor: by, Context: from, Action: AuditLogFaultFound, Data: map[string]string{
		"source": f.Source, "faults": strconv.FormatInt(f.Faults, 10), "leaves": strconv.FormatInt(f.Leaves, 10), "first": f.First,
	}}
	_, err := p.log.Record(ctx, in, func(tx *audit.Tx) error {
		known, err := store.LastFault(ctx, tx, f.Log, f.Source)
		if err != nil {
			return fmt.Errorf("looking up what was found before: %w", err)
		}
		if known == row.First {
			return audit.ErrNothing
		}
		return store.SetFinding(ctx, tx, row)
	})
	return err
}

// clearFault takes a fault back that its source finds no more.
func (p *Portal) clearFault(ctx context.Context, f Finding) error {
	known, err := store.LastFault(ctx, p.db, f.Log, f.Source)
	if err != nil || known == "" {
		return err
	}
	return p.keepFinding(ctx, audit.Actor{}, audit.Context{}, f)
}

// Findings tells what is known to be wrong, or was last found well, with a
// team's log and the organization's.
//
// Permission: Admin, Auditor; operators. Events: none; a refusal is
// access.refused. Errors: Denied, NotFound.
func (p *Portal) Findings(ctx context.Context, by Caller, team string) ([]Finding, error) {
	if err := p.mayRead(ctx, by, team, "integrity"); err != nil {
		return nil, err
	}
	return p.findings(ctx, team)
}

func (p *Portal) findings(ctx context.Context, team string) ([]Finding, error) {
	var all []Finding
	for _, log := range []string{team, p.Organization()} {
		rows, err := store.Findings(ctx, p.db, log)
		if err != nil {
			return nil, fmt.Errorf("reading what was found: %w", err)
		}
		for _, r := range rows {
			all = append(all, Finding(r))
		}
	}
	return all, nil
}

// KnownFaults gives the faults that stand in a team's findings, as sentences:
// what every page of the team has to show.
//
// Permission: Admin, Auditor; anybody else is told nothing. Events: none.
func (p *Portal) KnownFaults(ctx context.Context, by Caller, team string) ([]string, error) {
	if err := p.authorize(ctx, p.db, by, team, Admin, Auditor); err != nil {
		return nil, nil // pages are shown to others as well
	}
	all, err := p.findings(ctx, team)
	if err != nil {
		return nil, err
	}
	return p.faultsOf(all), nil
}

func (p *Portal) faultsOf(all []Finding) []string {
	var faults []string
	for _, f := range all {
		if f.Faults == 0 {
			continue
		}
		what := "the check of the log found"
		if f.Source != SourceCheck {
			what = "the witness " + f.Source + " found"
		}
		if f.Log == p.Organization() {
			what += ", in the organization's log"
		}
		faults = append(faults, what+": "+f.First)
	}
	return faults
}
