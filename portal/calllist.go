package portal

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/cases"

	"onrecord/audit"
	"onrecord/portal/store"
)

// CallFilter narrows a list of calls. The zero value asks for every call that
// is not deleted, newest first.
type CallFilter struct {
	Text      string    // words that must stand in customer, agent or id, whatever their case
	Direction string    // inbound or outbound
	Agent     string    // exactly
	Device    string    // its id
	After     time.Time // started at or after
	Before    time.Time // started before
	Deleted   bool      // the deleted calls instead, the last deleted first
	Oldest    bool      // oldest first
}

// CallList is one page of calls.
type CallList struct {
	Calls []Call
	Next  string // cursor of the page after this one; "" if this is the last
	Back  string // cursor of the page before this one, to be used with Page.Newer; "" if this is the first

	// Complete is false when a search by text looked at as many calls as a
	// page may, and stopped at one that started (or was deleted) at Reached.
	// Next goes on from there.
	Complete bool
	Reached  time.Time
}

const (
	defaultPage = 50
	maxPage     = 1000
	// maxWalk bounds the calls that one page of a text search looks at: some
	// 100 ms.
	maxWalk = 20_000
)

// Calls lists the calls of a team. A search never looks into transcripts.
// page.Newer means toward the first page.
//
// Permission: Admin, Auditor. Events: none; a refusal is access.refused.
// Errors: Denied, NotFound, Invalid for a filter or cursor that cannot be.
func (p *Portal) Calls(ctx context.Context, by Caller, team string, f CallFilter, page audit.Page) (CallList, error) {
	if err := p.mayRead(ctx, by, team, "calls"); err != nil {
		return CallList{}, err
	}
	key, err := f.check(&page)
	if err != nil {
		return CallList{}, err
	}
	list, err := p.listCalls(ctx, team, f, page, key)
	if err != nil {
		return CallList{}, fmt.Errorf("listing calls: %w", err)
	}
	if !f.Deleted {
		return list, nil
	}
	for i := range list.Calls {
		if list.Calls[i].Deletion, err = p.deletion(ctx, team, list.Calls[i].Version); err != nil {
			return CallList{}, err
		}
	}
	return list, nil
}

// check reads the cursor and refuses what no list can answer.
func (f CallFilter) check(page *audit.Page) (store.CallKey, error) {
	if page.Limit == 0 {
		page.Limit = defaultPage
	}
	if page.Limit < 1 || page.Limit > maxPage {
		return store.CallKey{}, audit.Invalid("limit", "A page holds 1 to %d calls, not %d.", maxPage, page.Limit)
	}
	if d := f.Direction; d != "" && d != "inbound" && d != "outbound" {
		return store.CallKey{}, audit.Invalid("direction", "The direction %q is not known: inbound or outbound.", d)
	}
	if !f.After.IsZero() && !f.Before.IsZero() && !f.After.Before(f.Before) {
		return store.CallKey{}, audit.Invalid("before", "The end %s is not after the beginning %s.", f.Before.Format(minute), f.After.Format(minute))
	}
	if page.Cursor == "" {
		return store.CallKey{}, nil
	}
	id, deleted := page.Cursor, int64(0)
	if f.Deleted {
		var err error
		at, rest, _ := strings.Cut(page.Cursor, ".")
		if deleted, err = strconv.ParseInt(at, 10, 64); err != nil {
			rest = ""
		}
		id = rest
	}
	if !audit.ValidID("call", id) {
		return store.CallKey{}, audit.Invalid("cursor", "The cursor %q is none of this list: begin again without it.", page.Cursor)
	}
	return store.CallKey{Deleted: deleted, ID: id}, nil
}

func (f CallFilter) cursor(c Call) string {
	if f.Deleted {
		return strconv.FormatInt(c.Deleted.UnixMicro(), 10) + "." + c.ID
	}
	return c.ID
}

// listCalls walks the team's calls from the key on and takes those that match.
func (p *Portal) listCalls(ctx context.Context, team string, f CallFilter, page audit.Page, key store.CallKey) (CallList, error) {
	rows := store.CallFilter{Deleted: f.Deleted, Direction: f.Direction, Agent: f.Agent, DeviceID: f.Device, After: f.After, Before: f.Before}
	words := strings.Fields(folded(f.Text))
	walk := page.Limit + 1
	if len(words) > 0 {
		walk = maxWalk
	}
	var found []Call
	var first, last Call
	walked := 0
	err := store.WalkCalls(ctx, p.db, team, rows, key, page.Newer != f.Oldest, walk, func(row store.Call) bool {
		walked++
		last = callOf(row)
		if walked == 1 {
			first = last
		}
		if last.matches(words) {
			found = append(found, last)
		}
		return len(found) <= page.Limit
	})
	if err != nil {
		return CallList{}, err
	}
	more := len(found) > page.Limit
	list := CallList{Calls: found[:min(len(found), page.Limit)], Complete: more || walked < walk}
	onward, back := "", ""
	switch {
	case more:
		onward = f.cursor(list.Calls[page.Limit-1])
	case !list.Complete:
		onward, list.Reached = f.cursor(last), last.Started
		if f.Deleted {
			list.Reached = last.Deleted
		}
	}
	switch {
	case page.Cursor == "":
	case len(list.Calls) > 0:
		back = f.cursor(list.Calls[0])
	case walked > 0:
		back = f.cursor(first)
	default:
		back = page.Cursor
	}
	list.Next, list.Back = onward, back
	if page.Newer {
		slices.Reverse(list.Calls)
		list.Next, list.Back = back, onward
	}
	return list, nil
}

// matches tells whether every word stands in what names the call.
func (c Call) matches(words []string) bool {
	if len(words) == 0 {
		return true
	}
	names := folded(c.Customer + "\n" + c.Agent + "\n" + c.SourceID + "\n" + c.ID)
	for _, w := range words {
		if !strings.Contains(names, w) {
			return false
		}
	}
	return true
}

// folded makes texts that differ in case alone equal (Unicode case folding).
func folded(s string) string { return cases.Fold().String(s) }

// CallAgents names everybody who is the agent of a call, for a menu; at most
// 500.
//
// Permission: Admin, Auditor. Events: none; a refusal is access.refused.
// Errors: Denied, NotFound.
func (p *Portal) CallAgents(ctx context.Context, by Caller, team string) ([]string, error) {
	if err := p.mayRead(ctx, by, team, "calls"); err != nil {
		return nil, err
	}
	names, err := store.Agents(ctx, p.db, team, 500)
	if err != nil {
		return nil, fmt.Errorf("listing agents: %w", err)
	}
	return names, nil
}

// DeletedCalls counts the deleted calls of a team.
//
// Permission: Admin, Auditor. Events: none; a refusal is access.refused.
// Errors: Denied, NotFound.
func (p *Portal) DeletedCalls(ctx context.Context, by Caller, team string) (int, error) {
	if err := p.mayRead(ctx, by, team, "calls"); err != nil {
		return 0, err
	}
	n, err := store.CountDeletedCalls(ctx, p.db, team)
	if err != nil {
		return 0, fmt.Errorf("counting deleted calls: %w", err)
	}
	return n, nil
}
