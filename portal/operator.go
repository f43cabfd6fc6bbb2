package portal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"

	"onrecord/audit"
	"onrecord/portal/store"
)

// Operator gives whoever works on the command line as a caller. name is
// "alice@host". The id under which that name stands in the logs is found again
// there, so that every command of one person has the same actor; a name that
// no log knows gets a new one. Each call is a request of its own.
func (p *Portal) Operator(ctx context.Context, name string) (Caller, error) {
	by := Caller{
		Actor:   audit.Actor{Type: audit.ActorOperator, Name: name},
		Context: audit.Context{Via: "cli", Request: audit.NewID("req", p.now())},
	}
	var err error
	if by.ID, err = p.operatorID(ctx, name); err != nil {
		return Caller{}, fmt.Errorf("looking up the operator %s: %w", name, err)
	}
	return by, nil
}

func (p *Portal) operatorID(ctx context.Context, name string) (string, error) {
	found := ""
	for _, log := range p.logs() {
		refs, err := p.log.Names(ctx, log, audit.NameQuery{Text: name, Types: []string{string(audit.ActorOperator)}, Limit: maxPage})
		if err != nil {
			return "", err
		}
		for _, r := range refs {
			// Two commands at the same instant may each have made one: the older counts.
			if r.Name == name && (found == "" || r.ID < found) {
				found = r.ID
			}
		}
	}
	if found == "" {
		found = audit.NewID("operator", p.now())
	}
	return found, nil
}

// logs are the organization's log and every team's.
func (p *Portal) logs() []string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if p.organization == "" {
		return nil
	}
	all := []string{p.organization}
	for team := range p.teams {
		all = append(all, team)
	}
	return all
}

// FindMember gives a member of a team by mail address, whatever its case; also
// one who was deleted.
//
// Permission: operators. Events: none. Errors: Denied, NotFound.
func (p *Portal) FindMember(ctx context.Context, by Caller, team, email string) (Member, error) {
	if by.Type != audit.ActorOperator {
		return Member{}, audit.Denied("Only an operator may look somebody up by mail address.")
	}
	unknown := audit.NotFound("The team has no member with the mail address %s.", clip(email))
	a, err := store.AccountByEmail(ctx, p.db, p.Organization(), emailKey(email))
	if errors.Is(err, sql.ErrNoRows) {
		return Member{}, unknown
	}
	if err != nil {
		return Member{}, fmt.Errorf("looking up a mail address: %w", err)
	}
	m, err := memberIn(ctx, p.db, team, a.ID)
	if audit.CodeOf(err) == audit.CodeNotFound {
		return Member{}, unknown
	}
	return m, err
}

// ReadLog reads the log of a team page by page, newest first, until limit
// events were read (0 is all) or the caller stops. It is one reading: one
// event, durable before the first page, however many pages there are. A page
// may be short, even empty, when a search stopped early; the next one goes on.
//
// Permission, event and errors are those of [Portal.SearchLog].
func (p *Portal) ReadLog(ctx context.Context, by Caller, team string, f audit.Filter, limit int) iter.Seq2[audit.Result, error] {
	return func(yield func(audit.Result, error) bool) {
		if err := p.noteReading(ctx, by, team, f); err != nil {
			yield(audit.Result{}, err)
			return
		}
		left := limit
		for page := (audit.Page{}); ; {
			page.Limit = maxPage
			if limit > 0 {
				page.Limit = min(left, maxPage)
			}
			res, err := p.log.Search(ctx, team, f, page)
			if !yield(res, err) || err != nil {
				return
			}
			left -= len(res.Events)
			if page.Cursor = res.Older; page.Cursor == "" || limit > 0 && left <= 0 {
				return
			}
		}
	}
}

func (p *Portal) noteReading(ctx context.Context, by Caller, team string, f audit.Filter) error {
	if org := p.Organization(); team != org || org == "" || by.Type != audit.ActorOperator {
		return p.readLog(ctx, by, team, "query", f.String())
	}
	_, err := p.log.Note(ctx, p.readIntent(by, team, "query", f.String()))
	return err
}

// BackUp records that the operator is about to copy the whole database into a
// file of this name. The event is durable when it returns: copy nothing before.
//
// Permission: operators. Event: database.backed_up in the organization's log,
// with the file's name in its data. Errors: Denied, recorded; Conflict before
// [Portal.Setup], for there is no log yet, and nothing to copy.
func (p *Portal) BackUp(ctx context.Context, by Caller, file string) (event string, err error) {
	org, err := store.Organization(ctx, p.db)
	if errors.Is(err, sql.ErrNoRows) {
		return "", audit.Conflict("There is nothing to back up yet: make the first team with onrecord setup.")
	}
	if err != nil {
		return "", fmt.Errorf("reading the organization: %w", err)
	}
	in := audit.Intent{
		Log: org.ID, Actor: by.Actor, Context: by.Context, Action: DatabaseBackedUp,
		Object: audit.Ref{Type: "organization", ID: org.ID, Name: org.Name},
		Data:   map[string]string{"file": clip(file)},
	}
	if by.Type != audit.ActorOperator {
		return "", p.refuse(ctx, in, audit.Denied("Only an operator may back the database up, with onrecord backup."))
	}
	return p.log.Note(ctx, in)
}
