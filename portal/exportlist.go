package portal

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"time"

	"onrecord/audit"
)

// KnownExport is an export of a team's log as the log itself tells of it.
type KnownExport struct {
	*LogExport
	By    audit.Actor
	Ended time.Time // zero while it goes on, and if the server ended before it
	Done  LogExported
}

// Whole tells whether all of it has arrived.
func (k KnownExport) Whole() bool { return !k.Ended.IsZero() && k.Done.Broken == "" }

// LogExport shows one export of the team, whoever made it.
//
// Permission: as SearchLog. Event: audit_log.viewed with the export in its
// data, as SearchLog has it. Errors: as SearchLog; NotFound, Gone.
func (p *Portal) LogExport(ctx context.Context, by Caller, team, export string) (KnownExport, error) {
	if err := p.mayReadLog(ctx, by, team); err != nil {
		return KnownExport{}, err
	}
	x, err := p.findExport(ctx, team, export)
	if err != nil {
		return KnownExport{}, p.refuse(ctx, p.readIntent(by, team, "export", clip(export)), err)
	}
	if err := p.readLog(ctx, by, team, "export", export); err != nil {
		return KnownExport{}, err
	}
	known := []KnownExport{{LogExport: x, By: x.by.Actor}}
	err = p.addEnds(ctx, team, known)
	return known[0], err
}

// LogExports shows the newest exports of the team's log, whoever made them.
//
// Permission and errors: as SearchLog. Event: audit_log.viewed with the query
// action:audit_log.exported in its data, as SearchLog has it.
func (p *Portal) LogExports(ctx context.Context, by Caller, team string) ([]KnownExport, error) {
	f := audit.Filter{Action: audit.Values{Any: []string{AuditLogExported}}, Outcome: audit.Values{Any: []string{string(audit.OutcomeOK)}}}
	const most = 10
	found, err := p.SearchLog(ctx, by, team, f, audit.Page{Limit: 3 * most}) // with those that went on
	if err != nil {
		return nil, err
	}
	var known []KnownExport
	for i := range found.Events {
		e := &found.Events[i]
		if !begins(e) || e.WhatErased || len(known) == most {
			continue
		}
		x, err := p.exportFrom(team, e)
		if err != nil {
			return nil, fmt.Errorf("reading the export %s: %w", e.Object.ID, err)
		}
		known = append(known, KnownExport{LogExport: x, By: *e.Actor})
	}
	return known, p.addEnds(ctx, team, known)
}

// addEnds looks up how exports ended: the newest end counts, but one that was
// whole stays so.
func (p *Portal) addEnds(ctx context.Context, team string, known []KnownExport) error {
	if len(known) == 0 {
		return nil
	}
	f := audit.Filter{Action: audit.Values{Any: []string{AuditLogExportEnded}}}
	byID := map[string]*KnownExport{}
	for i := range known {
		byID[known[i].ID] = &known[i]
		f.Object.Any = append(f.Object.Any, known[i].ID)
	}
	found, err := p.log.Search(ctx, team, f, audit.Page{Limit: 10 * len(known)})
	if err != nil {
		return fmt.Errorf("looking up how exports ended: %w", err)
	}
	for i := range found.Events {
		e := &found.Events[i]
		if k := byID[e.Object.ID]; k.Ended.IsZero() || k.Done.Broken != "" && e.Data["broken_off"] == "" {
			k.Ended, k.Done = e.Time, endOf(e)
		}
	}
	return nil
}

// endOf reads how an export went from the event of its end.
func endOf(e *audit.Event) LogExported {
	done := LogExported{SHA256: e.Data["sha256"], Broken: e.Data["broken_off"]}
	done.Events, _ = strconv.ParseInt(e.Data["events"], 10, 64) // 0 if that is erased
	done.Bytes, _ = strconv.ParseInt(e.Data["bytes"], 10, 64)
	return done
}

// findExport reads what an export was from the event that began it.
func (p *Portal) findExport(ctx context.Context, team, export string) (*LogExport, error) {
	missing := audit.NotFound("This team has no such export.")
	if !audit.ValidID("exp", export) {
		return nil, missing
	}
	e, err := p.log.Event(ctx, team, "evt_"+strings.TrimPrefix(export, "exp_"))
	switch {
	case audit.CodeOf(err) == audit.CodeNotFound:
		return nil, missing
	case err != nil:
		return nil, err
	case !begins(&e) || e.Object.ID != export:
		return nil, missing
	case e.WhatErased:
		return nil, &audit.Error{Code: audit.CodeGone, Message: "What this export held is erased."}
	}
	x, err := p.exportFrom(team, &e)
	if err != nil {
		return nil, fmt.Errorf("reading the export %s: %w", export, err)
	}
	return x, nil
}

// begins tells whether an event began an export.
func begins(e *audit.Event) bool {
	return e.Action == AuditLogExported && e.Outcome == audit.OutcomeOK && e.Object != nil && e.Actor != nil && e.Object.ID == exportOf(e.ID)
}

// exportFrom reads an export from the event that began it.
func (p *Portal) exportFrom(team string, e *audit.Event) (x *LogExport, err error) {
	x = &LogExport{ID: e.Object.ID, Event: e.ID, Begun: e.Time, Name: e.Object.Name, portal: p, team: team, by: Caller{Actor: *e.Actor, Context: e.Context}}
	if x.Format, err = logFormat(e.Data["format"]); err != nil {
		return nil, err
	}
	if s := e.Data["columns"]; s != "" {
		x.Columns = strings.Split(s, ",")
	}
	if x.Size, err = strconv.ParseInt(e.Data["size"], 10, 64); err != nil {
		return nil, err
	}
	if since := e.Data["since"]; since != "" {
		if x.Since, err = strconv.ParseInt(since, 10, 64); err != nil {
			return nil, err
		}
	}
	if x.Query, err = audit.ParseQuery(e.Data["query"]); err != nil {
		return nil, err
	}
	if x.Format != ReportFormat {
		x.File, err = x.Format.file(x.Columns)
	}
	return x, err
}
