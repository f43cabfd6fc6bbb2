package web

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/web/view"
)

// auditEvent is GET /t/{team}/settings/security/audit-logs/{event}.
func (v *visit) auditEvent() error {
	e, err := v.portal.LogEvent(v.ctx(), v.by(), v.team(), v.id("event"))
	if offPlan(err) {
		return v.notOnPlan(err)
	}
	if err != nil {
		return err
	}
	refs, err := v.places(e)
	if err != nil {
		return err
	}
	exact, err := indented(e)
	if err != nil {
		return err
	}
	action, _ := portal.Catalogue.Get(e.Action)
	page := view.AuditEvent{
		Page: v.logPage(), ID: e.ID, Time: e.Time, Recorded: e.Recorded, Actor: refs.actor(&e), Object: refs.object(&e),
		Action: view.AuditAction{Label: portal.Catalogue.Label(e.Action), ID: e.Action}, Sentence: action.Doc,
		Outcome: string(e.Outcome), Error: cmp.Or(e.Data["refusal"], e.Error), Changes: changesOf(&e), Reason: e.Reason,
		Details: dataOf(&e), Context: contextOf(&e), JSON: exact, Pivots: v.pivots(&e), BackURL: v.backToLog(),
	}
	if e.Leaf != nil {
		page.Details = append(page.Details, view.Fact{Label: "Sealed as leaf", Value: strconv.FormatInt(*e.Leaf, 10), Mono: true})
	}
	if err := v.neighbours(&page); err != nil {
		return err
	}
	page.Crumbs = append(page.Crumbs, view.Link{Label: "Audit Logs", URL: page.BackURL})
	page.Title = page.Action.Label
	if e.Actor != nil {
		page.Email = e.Actor.Email
	}
	if e.Object != nil {
		page.ObjectID = e.Object.ID
	}
	for _, r := range e.Related {
		page.Related = append(page.Related, refs.ref(r))
	}
	return v.show(http.StatusOK, view.AuditEventPage(page))
}

// neighbours sets the ways to the events before and after this one in the list
// that the address tells of.
func (v *visit) neighbours(page *view.AuditEvent) error {
	q, _, err := readLogQuery(v.logPath(""), v.r.URL.Query())
	if err != nil {
		return nil // a list that cannot be has no next event; the event is still shown
	}
	newer, older, err := v.portal.LogNeighbours(v.ctx(), v.by(), v.team(), q.asked(), page.ID)
	if err != nil {
		return err
	}
	if newer != "" {
		page.NewerURL = q.event(newer)
	}
	if older != "" {
		page.OlderURL = q.event(older)
	}
	return nil
}

// indented is the exact event, laid out for reading.
func indented(e audit.Event) (string, error) {
	line, err := json.Marshal(e)
	if err != nil {
		return "", fmt.Errorf("writing event %s: %w", e.ID, err)
	}
	var b bytes.Buffer
	if err := json.Indent(&b, line, "", "  "); err != nil {
		return "", fmt.Errorf("writing event %s: %w", e.ID, err)
	}
	return b.String(), nil
}

func contextOf(e *audit.Event) []view.Fact {
	c := e.Context
	if e.WhoErased {
		c.IP, c.UserAgent = "erased", "erased"
	}
	facts := []view.Fact{{Label: "IP address", Value: c.IP, Mono: true}}
	if c.UserAgent != "" {
		facts = append(facts, view.Fact{Label: "Browser", Value: browser(c.UserAgent)}, view.Fact{Label: "User agent", Value: c.UserAgent})
	}
	return append(facts,
		view.Fact{Label: "Session", Value: c.Session, Mono: true}, view.Fact{Label: "Request", Value: c.Request, Mono: true},
		view.Fact{Label: "Via", Value: c.Via})
}

// backToLog is the list as it was filtered, if the address says how.
func (v *visit) backToLog() string {
	q, _, err := readLogQuery(v.logPath(""), v.r.URL.Query())
	switch {
	case err != nil:
		return q.path
	case q.filter.IsZero() && q.all:
		return q.everything()
	}
	return q.address(q.filter)
}

// pivots lead on from an event: to those that belong to it, and to those
// around it.
func (v *visit) pivots(e *audit.Event) []view.Link {
	q := logQuery{path: v.logPath("")}
	links := v.linked(e)
	add := func(label string, f audit.Filter) { links = append(links, view.Link{Label: label, URL: q.address(f)}) }
	if e.Actor != nil && e.Actor.ID != "" {
		add("Same actor", audit.Filter{Actor: audit.Values{Any: []string{e.Actor.ID}}})
	}
	if e.Object != nil && e.Object.ID != "" {
		add("Same object", audit.Filter{Object: audit.Values{Any: []string{e.Object.ID}}})
	}
	if e.Context.Session != "" {
		add("Same session", audit.Filter{Session: audit.Values{Any: []string{e.Context.Session}}})
	}
	if e.Context.Request != "" {
		add("Same request", audit.Filter{Request: audit.Values{Any: []string{e.Context.Request}}})
	}
	if e.Actor != nil && e.Actor.ID != "" {
		day := e.Time.UTC().Truncate(24 * time.Hour)
		add("Everything this actor did that day", audit.Filter{Actor: audit.Values{Any: []string{e.Actor.ID}}, After: day, Before: day.AddDate(0, 0, 1)})
	}
	if e.Object != nil {
		switch e.Object.Type {
		case "call", "user", "device": // also those that were deleted
			links = append(links, view.Link{Label: "Everything that happened to this " + e.Object.Type, URL: v.path(e.Object.Type+"s", e.Object.ID, "history")})
		}
	}
	const around = 5 * time.Minute
	add("± 5 minutes", audit.Filter{After: e.Time.Add(-around), Before: e.Time.Add(around)})
	return links
}

// rels are the ways in which events belong together.
var rels = map[string]string{"pair": "The same in", "caused_by": "Caused by an event in", "ends": "Ends an event in"}

// linked are the events that this one names, where the reader may read them.
func (v *visit) linked(e *audit.Event) []view.Link {
	var links []view.Link
	for _, l := range e.Links {
		m, ok := v.me.Membership(l.Log)
		if !ok || m.Status != portal.Active || m.Role == portal.Agent {
			continue
		}
		label := cmp.Or(rels[l.Rel], "See the event in") + " " + m.TeamName
		if l.Log == v.team() && l.Rel == "caused_by" {
			label = "Caused by"
		}
		links = append(links, view.Link{Label: label, URL: logPath(l.Log, l.ID)})
	}
	return links
}

// historyOf is GET …/{object}/history: the events of one object.
func historyOf(typ, key, section string) func(*visit) error {
	return func(v *visit) error {
		id := v.team()
		if key != "" {
			id = v.id(key)
		}
		back := v.path(section)
		if key != "" {
			back = v.path(section, id)
		}
		page := view.HistoryList{Page: v.page("History", view.Section(section)), BackURL: back, Back: "Back"}
		if key == "" {
			page.Page = v.setting("History", view.SettingGeneral)
		}
		found, err := v.portal.History(v.ctx(), v.by(), v.team(), audit.Ref{Type: typ, ID: id}, audit.Page{Limit: rowsPerPage})
		if offPlan(err) {
			page.History.Notice = err.Error()
			return v.show(statusOf(err), view.HistoryListPage(page))
		}
		if err != nil {
			return err
		}
		name, err := v.nameOf(typ, id)
		if err != nil {
			return err
		}
		page.Title, page.Back = "History of "+name, name
		refs, err := v.places(found.Events...)
		if err != nil {
			return err
		}
		q := logQuery{path: v.logPath(""), filter: audit.Filter{Object: audit.Values{Any: []string{id}}}}
		page.History.AllURL = q.address(q.filter)
		for i := range found.Events {
			e := &found.Events[i]
			page.History.Events = append(page.History.Events, refs.entry(q, e, id))
		}
		return v.show(http.StatusOK, view.HistoryListPage(page))
	}
}

// nameOf is what something of the team is called now.
func (v *visit) nameOf(typ, id string) (string, error) {
	switch typ {
	case "call":
		c, err := v.portal.CallPage(v.ctx(), v.by(), v.team(), id)
		return c.Name(), err
	case "user":
		s, err := users.find(v, id)
		return s.name, err
	case "device":
		s, err := devices.find(v, id)
		return s.name, err
	}
	return v.membership().TeamName, nil
}

// entry is an event in the history of an object, which it may be about or
// only name.
func (l logRefs) entry(q logQuery, e *audit.Event, id string) view.HistoryEvent {
	a := l.actor(e)
	actor := view.Ref{Name: a.Name, URL: a.URL, Deleted: a.Deleted}
	if a.Erased {
		actor = view.Ref{Name: "erased"}
	}
	var object view.Ref
	if e.Object != nil && e.Object.ID != id {
		o := l.object(e)
		object = view.Ref{Name: o.Name, URL: o.URL, Deleted: o.Deleted}
		if o.Erased {
			object = view.Ref{Name: "erased"}
		}
	}
	return view.HistoryEvent{
		Object: object, Time: e.Time, EventURL: q.event(e.ID), Actor: actor, Action: portal.Catalogue.Label(e.Action), Outcome: outcome(e),
		Changes: summary(e), Reason: e.Reason,
	}
}
