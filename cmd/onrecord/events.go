package main

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"onrecord/audit"
)

// auditLogFlag names a log.
type auditLogFlag struct {
	Team string `required:"" placeholder:"TEAM" help:"The team's name or id; organization is the organization's own log."`
}

type eventsSearchCommand struct {
	dbFlag
	auditLogFlag
	Limit  int      `default:"50" placeholder:"N" help:"Show the newest N events; 0 shows all. Unless told, ${default}."`
	Follow bool     `help:"Afterwards show each new event as it comes, until Ctrl-C. Then the order is that of time: the newest comes last."`
	Format string   `default:"auto" enum:"auto,table,json,csv" placeholder:"FORMAT" help:"table, json (one object a line) or csv. Unless told, a table on a terminal and json elsewhere."`
	Query  []string `arg:"" optional:"" help:"What to search for; see below. Nothing means every event."`
}

// Help is shown under the flags.
func (eventsSearchCommand) Help() string {
	return `Shows events newest first. The reading is recorded before anything is shown.

A query has the fields actor, action, object, type (of the object), outcome (ok, denied, failed), ip, via, session, request, after and before; every other word is free text. Values joined by commas mean any of them, several fields mean all of them, a minus excludes. Times are UTC. Put the query in single quotes; after -- it may begin with a minus.

    onrecord events search --team "Support"
    onrecord events search --team "Support" 'actor:dana@example.com action:call.viewed,call.deleted after:2026-11-01'
    onrecord events search --team "Support" --limit 0 --format csv 'outcome:denied "sign in"' > denied.csv
    onrecord events search --team "Support" --follow --limit 10 outcome:denied
    onrecord events search --team organization -- '-action:team.created'`
}

// Run searches.
func (e *eventsSearchCommand) Run(ctx context.Context, c *console) (err error) {
	if e.Limit < 0 {
		return audit.Invalid("limit", "--limit: %d is no number of events: 1 or more, or 0 for all", e.Limit)
	}
	query := strings.Join(e.Query, " ")
	filter, err := audit.ParseQuery(query)
	if err != nil {
		return describe(query, err)
	}
	o, err := e.open(ctx, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, o.close()) }()
	log, err := e.find(ctx, o)
	if err != nil {
		return err
	}
	w := newEventWriter(c, e.Format, o.Log().Catalogue())
	if e.Follow {
		return e.follow(ctx, o, log, filter, w)
	}
	for page, err := range o.ReadLog(ctx, o.by, log, filter, e.Limit) {
		if err != nil {
			return err
		}
		if err := w.write(page.Events); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		e.tell(c, page)
	}
	return w.finish()
}

// find gives the id of the log.
func (f auditLogFlag) find(ctx context.Context, o *opened) (string, error) {
	if strings.EqualFold(f.Team, "organization") && o.Organization() != "" {
		return o.Organization(), nil
	}
	team, err := o.FindTeam(ctx, o.by, f.Team)
	return team.ID, err
}

// tell says what the events themselves do not.
func (e *eventsSearchCommand) tell(c *console, page audit.Result) {
	if len(page.Unknown) > 0 && len(page.Events) == 0 {
		c.say("This log has never seen: %s.", strings.Join(page.Unknown, ", "))
	}
	if !page.Complete && page.Older != "" {
		c.say("Looked at %d entries, back to %s; going on …", page.Walked, page.Reached.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
}

// queryError shows a query with the word that was not understood.
type queryError struct {
	query string
	wrong *audit.QueryError
}

func describe(query string, err error) error {
	if wrong, ok := errors.AsType[*audit.QueryError](err); ok {
		return &queryError{query, wrong}
	}
	return err
}

func (e *queryError) Error() string {
	before := utf8.RuneCountInString(e.query[:e.wrong.Pos])
	width := max(1, utf8.RuneCountInString(e.query[e.wrong.Pos:e.wrong.End]))
	return fmt.Sprintf("the query is not understood: %s\n\n  %s\n  %s%s",
		e.wrong.Message, visible(e.query), strings.Repeat(" ", before), strings.Repeat("^", width))
}
