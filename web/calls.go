package web

import (
	"cmp"
	"net/http"
	"time"
	"unicode"
	"unicode/utf8"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/web/view"
)

const day = "2006-01-02"

// page reads cursor and newer, the place in a list that is paged by cursors.
func (l list) page() audit.Page {
	return audit.Page{Limit: rowsPerPage, Cursor: l.get("cursor"), Newer: l.get("newer") != ""}
}

// turn is the foot of a list that is paged by cursors.
func (l list) turn(next, back string) view.Paging {
	var p view.Paging
	if next != "" {
		p.NextURL = l.with("cursor", next)
	}
	if back != "" {
		p.PrevURL = l.with("cursor", back, "newer", "1")
	}
	return p
}

// reached tells how far a search came that had to stop.
func reached(calls portal.CallList) string {
	if calls.Complete {
		return ""
	}
	return "Searched back to " + calls.Reached.UTC().Format("2006-01-02 15:04") + " UTC; there may be more."
}

// callList is GET /t/{team}/calls.
func (v *visit) callList() error {
	l := v.list()
	page := view.CallList{
		Page:   v.page("Calls", view.SectionCalls),
		Search: view.Search{URL: l.path, Query: l.get("q"), Placeholder: "Customer, agent or call id", Hidden: l.keep("q")},
		Dates:  view.DateRange{URL: l.path, From: l.get("from"), To: l.get("to"), Hidden: l.keep("from", "to")},
	}
	f, err := l.callFilter()
	if err == nil {
		err = v.fillCalls(&page, l, f)
	}
	status := http.StatusOK
	if e, ok := refusal(err); ok && (e.Field == "from" || e.Field == "to" || e.Field == "before") {
		page.Dates.Error, page.ClearURL, status = e.Message, l.path, statusOf(err)
	} else if err != nil {
		return err
	}
	return v.show(status, view.CallListPage(page))
}

// callFilter reads the filter. Errors: Invalid, field from or to.
func (l list) callFilter() (portal.CallFilter, error) {
	f := portal.CallFilter{
		Text: l.get("q"), Direction: l.get("direction"), Agent: l.get("agent"), Device: l.get("device"), Oldest: l.get("sort") == "started",
	}
	var err error
	if f.After, err = wholeDay("from", l.get("from")); err != nil {
		return f, err
	}
	if f.Before, err = wholeDay("to", l.get("to")); err != nil || f.Before.IsZero() {
		return f, err
	}
	f.Before = f.Before.AddDate(0, 0, 1)
	return f, nil
}

func wholeDay(field, text string) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	t, err := time.Parse(day, text)
	if err != nil || t.Year() < 1970 || t.Year() > 2200 {
		return t, audit.Invalid(field, "“%s” is not a day; write it as 2026-11-23.", clipped(text, 40))
	}
	return t, nil
}

func (v *visit) fillCalls(page *view.CallList, l list, f portal.CallFilter) error {
	calls, err := v.portal.Calls(v.ctx(), v.by(), v.team(), f, l.page())
	if err != nil {
		return err
	}
	agents, err := v.portal.CallAgents(v.ctx(), v.by(), v.team())
	if err != nil {
		return err
	}
	if page.DeletedCount, err = v.portal.DeletedCalls(v.ctx(), v.by(), v.team()); err != nil {
		return err
	}
	if page.Chips, err = v.callChips(l, f); err != nil {
		return err
	}
	if len(page.Chips) > 0 {
		page.ClearURL = l.path
	}
	page.DeletedURL = v.path("calls", "deleted")
	page.Filters = []view.Filter{
		l.choose("Direction", "direction", f.Direction, [][2]string{{"inbound", "Inbound"}, {"outbound", "Outbound"}}),
		l.choose("Agent", "agent", f.Agent, same(agents)),
	}
	page.Started = view.Sort{URL: l.with("sort", "started"), Direction: "descending"}
	if f.Oldest {
		page.Started = view.Sort{URL: l.with("sort", ""), Direction: "ascending"}
	}
	for _, c := range calls.Calls {
		page.Rows = append(page.Rows, view.CallRow{
			ID: c.ID, URL: v.path("calls", c.ID), Customer: c.Customer, Agent: v.agentOf(c), Started: c.Started,
			Duration: c.Duration, Direction: c.Direction, Device: v.deviceOf(c),
		})
	}
	page.Paging, page.Stopped = l.turn(calls.Next, calls.Back), reached(calls)
	return nil
}

// choose is a menu of one property's values.
func (l list) choose(label, name, now string, values [][2]string) view.Filter {
	f := view.Filter{Label: label, Choices: []view.Choice{{Label: "All", URL: l.with(name, ""), Current: now == ""}}}
	for _, value := range values {
		current := value[0] == now
		if current {
			f.Value = value[1]
		}
		f.Choices = append(f.Choices, view.Choice{Label: value[1], URL: l.with(name, value[0]), Current: current})
	}
	return f
}

func same(names []string) [][2]string {
	var pairs [][2]string
	for _, n := range names {
		pairs = append(pairs, [2]string{n, n})
	}
	return pairs
}

func (v *visit) callChips(l list, f portal.CallFilter) ([]view.Chip, error) {
	var chips []view.Chip
	if f.Text != "" {
		chips = append(chips, l.chip("Search: "+f.Text, "q"))
	}
	if f.Direction != "" {
		chips = append(chips, l.chip("Direction: "+titled(f.Direction), "direction"))
	}
	if f.Agent != "" {
		chips = append(chips, l.chip("Agent: "+f.Agent, "agent"))
	}
	if f.Device != "" {
		d, err := v.portal.Device(v.ctx(), v.by(), v.team(), f.Device)
		if err != nil {
			return nil, err
		}
		chips = append(chips, l.chip("Device: "+d.Hostname, "device"))
	}
	if !f.After.IsZero() {
		chips = append(chips, l.chip("From "+l.get("from"), "from"))
	}
	if !f.Before.IsZero() {
		chips = append(chips, l.chip("To "+l.get("to"), "to"))
	}
	return chips, nil
}

// titled writes a word with a capital.
func titled(word string) string {
	first, size := utf8.DecodeRuneInString(word)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + word[size:]
}

func (v *visit) agentOf(c portal.Call) view.Ref {
	ref := view.Ref{Name: c.Agent}
	if c.UserID != "" {
		ref.URL = v.path("users", c.UserID)
	}
	return ref
}

func (v *visit) deviceOf(c portal.Call) view.Ref {
	ref := view.Ref{Name: c.Device}
	if c.DeviceID != "" {
		ref.URL = v.path("devices", c.DeviceID)
	}
	return ref
}

// deletedCalls is GET /t/{team}/calls/deleted.
func (v *visit) deletedCalls() error {
	l := v.list()
	calls, err := v.portal.Calls(v.ctx(), v.by(), v.team(), portal.CallFilter{Deleted: true, Text: l.get("q")}, l.page())
	if err != nil {
		return err
	}
	page := view.DeletedCallList{
		Page:   v.page("Deleted calls", view.SectionCalls, v.callsCrumb()),
		Search: view.Search{URL: l.path, Query: l.get("q"), Placeholder: "Customer, agent or call id"},
		Paging: l.turn(calls.Next, calls.Back), Stopped: reached(calls),
	}
	for _, c := range calls.Calls {
		row := view.DeletedCallRow{
			URL: v.path("calls", c.ID), Customer: c.Customer, Agent: v.agentOf(c), Started: c.Started, DeletedAt: c.Deleted,
			DeletedBy: v.doneBy(c.Deletion), Version: c.Version,
		}
		if c.Deletion != nil {
			row.Reason = c.Deletion.Reason
		}
		if v.isAdmin() {
			row.RestoreURL = v.path("calls", c.ID, "restore") + "?to=deleted"
		}
		page.Rows = append(page.Rows, row)
	}
	return v.show(http.StatusOK, view.DeletedCallListPage(page))
}

func (v *visit) callsCrumb() view.Link { return view.Link{Label: "Calls", URL: v.path("calls")} }

// doneBy names who deleted something.
func (v *visit) doneBy(d *portal.Deletion) view.Ref {
	if d == nil {
		return view.Ref{}
	}
	ref := view.Ref{Name: cmp.Or(d.By.Name, d.By.Email, string(d.By.Type))}
	if d.By.Type == audit.ActorUser && d.By.ID != "" {
		ref.URL = v.path("users", d.By.ID)
	}
	return ref
}
