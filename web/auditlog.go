package web

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/web/view"
)

// auditLog is GET /t/{team}/settings/security/audit-logs.
func (v *visit) auditLog() error {
	values := v.r.URL.Query()
	q, merged, err := readLogQuery(v.logPath(""), values)
	if err != nil {
		return v.queryError(q, err)
	}
	if merged {
		return v.see(q.address(q.filter))
	}
	saved, err := v.portal.SavedViews(v.ctx(), v.by(), v.team())
	if offPlan(err) {
		return v.notOnPlan(err)
	}
	if err != nil {
		return err
	}
	if s, ok := preferred(saved); ok {
		q.home = q.path + "?q="
		if v.r.URL.RawQuery == "" {
			return v.see(q.path + "?" + url.Values{"q": {s.Query}}.Encode())
		}
	}
	err = v.portal.BeginReading(v.ctx(), v.by(), v.team(), q.asked())
	if offPlan(err) {
		return v.notOnPlan(err)
	}
	if err != nil {
		return err
	}
	count := v.beginHistogram(q)
	page := audit.Page{Limit: rowsPerPage, Cursor: values.Get("cursor"), Newer: values.Get("newer") != ""}
	// Asked before the search: what is sealed between the two comes twice, not never.
	from, err := v.portal.LiveFrom(v.ctx(), v.by(), v.team())
	if err != nil {
		return err
	}
	found, err := v.portal.SearchLog(v.ctx(), v.by(), v.team(), q.asked(), page)
	if err != nil {
		return err
	}
	shown, err := v.logControls(q)
	if err != nil {
		return err
	}
	shown.Views = v.viewMenu(q, saved)
	if err := v.fillLog(&shown, q, found); err != nil {
		return err
	}
	if shown.Histogram, err = v.histogram(q, count); err != nil {
		return err
	}
	if shown.Facets, err = v.wayToFacets(q); err != nil {
		return err
	}
	if shown.Head, err = v.logHead(q); err != nil {
		return err
	}
	if page.Cursor == "" && q.filter.Before.IsZero() {
		shown.Head.Live = v.liveButton(q, from)
	}
	return v.show(http.StatusOK, view.AuditLogPage(shown))
}

// offPlan tells whether only the team's plan is in the way.
func offPlan(err error) bool {
	e, ok := refusal(err)
	return ok && e.Code == audit.CodeDenied && e.Field == "plan"
}

func (v *visit) logPage() view.Page {
	return v.setting("Audit Logs", view.SettingAuditLogs, view.Link{Label: "Security", URL: v.path("settings", "security")})
}

func (v *visit) notOnPlan(err error) error {
	return v.show(statusOf(err), view.AuditLogPage(view.AuditLog{Page: v.logPage(), NotOnPlan: err.Error()}))
}

// queryError shows which word was not understood. Nothing is searched, but
// whoever may not read the log must not learn more here either.
func (v *visit) queryError(q logQuery, err error) error {
	e, ok := refusal(err)
	if !ok || e.Code != audit.CodeInvalid {
		return err
	}
	q.filter = audit.Filter{}
	page, failed := v.logControls(q)
	if offPlan(failed) {
		return v.notOnPlan(failed)
	}
	if failed != nil {
		return failed
	}
	page.Search.Query, page.ClearURL = q.text, q.path
	page.QueryErr = &view.QueryError{Message: e.Message, Start: len(q.text), End: len(q.text)}
	if word, ok := errors.AsType[*audit.QueryError](err); ok {
		page.QueryErr.Start, page.QueryErr.End = word.Pos, word.End
	} else {
		values := v.r.URL.Query()
		page.Timestamp.From, page.Timestamp.To, page.Timestamp.Error = values.Get("from"), values.Get("to"), e.Message
	}
	return v.show(statusOf(err), view.AuditLogPage(page))
}

// logControls makes everything of the page but the events.
func (v *visit) logControls(q logQuery) (view.AuditLog, error) {
	people, err := v.actors()
	if err != nil {
		return view.AuditLog{}, err
	}
	f := q.filter
	page := view.AuditLog{
		Page:      v.logPage(),
		TypingURL: v.logPath("suggest"),
		Search:    view.Search{URL: q.path, Query: f.String(), Placeholder: `actor:dana@example.com action:call.deleted "free text"`},
		Timestamp: v.timestamps(q),
		Actor: view.CheckFilter{On: len(f.Actor.Any) > 0, URL: q.path, Hidden: q.rest("actor"), Name: "actor",
			Groups: []view.CheckGroup{{Options: chosen(people, f.Actor.Any)}}},
		Action: view.CheckFilter{On: len(f.Action.Any) > 0, URL: q.path, Hidden: q.rest("action"), Name: "action", Groups: actionGroups(f.Action.Any)},
		Object: view.ObjectFilter{On: len(f.Type.Any)+len(f.Object.Any) > 0, URL: q.path, Hidden: q.rest("object"), Kinds: kinds(f.Type.Any),
			Value: writeValues(f.Object.Any), SuggestURL: v.logPath("objects")},
	}
	if !f.IsZero() {
		page.ClearURL = q.address(audit.Filter{})
	}
	names := map[string]string{}
	for _, p := range people {
		names[p.Value] = p.Label
	}
	page.Chips = q.chips(func(value string) string {
		if name := names[value]; name != "" {
			return name
		}
		return portal.Catalogue.Label(value)
	})
	return page, nil
}

// actors are those whom the log can be filtered by: everybody it ever named.
func (v *visit) actors() ([]view.Option, error) {
	const most = 500
	found, err := v.portal.LogNames(v.ctx(), v.by(), v.team(), audit.NameQuery{
		Types: []string{string(audit.ActorUser), string(audit.ActorOperator), string(audit.ActorAPIKey), string(audit.ActorSystem)}, Limit: most,
	})
	if err != nil {
		return nil, err
	}
	members, err := v.portal.Users(v.ctx(), v.by(), v.team(), portal.UserFilter{Limit: most})
	if err != nil {
		return nil, err
	}
	var options []view.Option
	known := map[string]bool{}
	for _, m := range members.Users {
		known[m.ID] = true
		options = append(options, view.Option{Value: m.ID, Label: m.Label(), Detail: m.Email})
	}
	for _, r := range found {
		if !known[r.ID] {
			known[r.ID] = true
			o := view.Option{Value: r.ID, Label: r.Name}
			if r.Type != string(audit.ActorUser) {
				o.Detail = strings.ReplaceAll(r.Type, "_", " ")
			}
			options = append(options, o)
		}
	}
	return options, nil
}

// chosen marks the options that are asked for, and adds those that none of
// them is: names and addresses that were typed.
func chosen(options []view.Option, values []string) []view.Option {
	for _, value := range values {
		i := slices.IndexFunc(options, func(o view.Option) bool { return o.Value == value })
		if i < 0 {
			options = append([]view.Option{{Value: value, Label: value}}, options...)
			i = 0
		}
		options[i].Selected = true
	}
	return options
}

// actionGroups are all actions of the catalogue under their headings.
func actionGroups(values []string) []view.CheckGroup {
	var groups []view.CheckGroup
	rest := slices.Clone(values)
	for _, name := range portal.Catalogue.Groups() {
		g := view.CheckGroup{Label: name}
		for _, a := range portal.Catalogue.All() {
			if a.Group == name {
				g.Options = append(g.Options, view.Option{Value: a.ID, Label: a.Label, Selected: slices.Contains(values, a.ID)})
				rest = without(rest, a.ID)
			}
		}
		groups = append(groups, g)
	}
	if len(rest) > 0 {
		groups = append(groups, view.CheckGroup{Label: "Others", Options: chosen(nil, rest)})
	}
	return groups
}

// kinds are the kinds of object that a team's log may name, of the catalogue.
func kinds(values []string) []view.Option {
	labels := map[string]string{"call": "Call session", "api_key": "API key"}
	var options []view.Option
	for _, a := range portal.Catalogue.All() {
		for _, kind := range a.Objects {
			if kind == "organization" { // it has a log of its own
				continue
			}
			if !slices.ContainsFunc(options, func(o view.Option) bool { return o.Value == kind }) {
				label := labels[kind]
				if label == "" {
					label = titled(strings.ReplaceAll(kind, "_", " "))
				}
				options = append(options, view.Option{Value: kind, Label: label})
			}
		}
	}
	return chosen(options, values)
}

var presets = []struct {
	label string
	span  time.Duration
}{
	{"Last hour", time.Hour}, {"Last 24 hours", 24 * time.Hour}, {"Last 7 days", 7 * 24 * time.Hour},
	{"Last 30 days", 30 * 24 * time.Hour}, {"Last 90 days", 90 * 24 * time.Hour},
}

func (v *visit) timestamps(q logQuery) view.TimestampFilter {
	f := q.filter
	t := view.TimestampFilter{On: !f.After.IsZero() || !f.Before.IsZero(), URL: q.path, Hidden: q.rest("time")}
	f.After, f.Before = time.Time{}, time.Time{}
	t.Presets = []view.Choice{{Label: "All time", URL: q.address(f), Current: !t.On}}
	now := v.now().UTC().Truncate(time.Minute)
	for _, p := range presets {
		f.After = now.Add(-p.span)
		t.Presets = append(t.Presets, view.Choice{Label: p.label, URL: q.address(f), Current: q.filter.Before.IsZero() && q.filter.After.Equal(f.After)})
	}
	const control = "2006-01-02T15:04:05"
	if !q.filter.After.IsZero() {
		t.From = q.filter.After.UTC().Format(control)
	}
	if !q.filter.Before.IsZero() {
		t.To = q.filter.Before.UTC().Format(control)
	}
	return t
}

// fillLog puts the events onto the page.
func (v *visit) fillLog(page *view.AuditLog, q logQuery, found audit.Result) error {
	totals, err := v.portal.LogTotals(v.ctx(), v.by(), v.team())
	if err != nil {
		return err
	}
	refs, err := v.places(found.Events...)
	if err != nil {
		return err
	}
	page.PickURL = q.path
	for i := range found.Events {
		page.Rows = append(page.Rows, refs.row(q, &found.Events[i]))
	}
	if found.Older != "" && found.Complete {
		page.OlderURL = q.page(found.Older, false)
	}
	if found.Newer != "" {
		page.NewerURL = q.page(found.Newer, true)
	}
	if !found.Complete {
		page.Stopped = "Searched back to " + utc(found.Reached) + ", " + count(found.Walked) + " entries."
		if found.Older != "" {
			page.ContinueURL = q.page(found.Older, false)
		}
	}
	page.Unknown = unknownActions(q.filter)
	if len(found.Unknown) > 0 {
		page.Unknown = strings.TrimSpace(page.Unknown + " Nothing of that name was ever recorded here: " + strings.Join(found.Unknown, ", ") + ".")
	}
	quiet(page, q, totals, len(found.Events))
	return nil
}

// quiet says how many events there are, and what the page leaves out while
// nothing is asked for.
func quiet(page *view.AuditLog, q logQuery, totals map[string]int64, shown int) {
	var all, tracked int64
	for action, n := range totals {
		all += n
		if a, ok := portal.Catalogue.Get(action); ok && !a.Quiet {
			tracked += n
		}
	}
	switch {
	case !q.filter.IsZero():
		page.Count = plural(shown, "event")
		if page.OlderURL != "" || page.NewerURL != "" || page.ContinueURL != "" {
			page.Count += " on this page"
		}
		if page.Stopped == "" {
			page.Count += " · all " + count(int(all)) + " events searched"
		}
		return
	case q.all:
		page.TrackedURL = q.address(audit.Filter{})
		page.Count = count(shown) + " of " + count(int(all))
	default:
		if all > tracked {
			page.Quiet, page.EverythingURL = "+ "+count(int(all-tracked))+" sign-ins, imports, readings", q.everything()
		}
		page.Count = count(shown) + " of " + count(int(tracked))
	}
}

// count writes a number with separators: 14,203.
func count(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return count(n) + " " + noun + "s"
}

// suggestObjects is GET …/audit-logs/objects: names for the field of the
// menu Object, as a piece of a page.
func (v *visit) suggestObjects() error {
	values := v.r.URL.Query()
	types := form{values}.texts("kind")
	if len(types) == 0 {
		for _, k := range kinds(nil) {
			types = append(types, k.Value)
		}
	}
	found, err := v.portal.LogNames(v.ctx(), v.by(), v.team(), audit.NameQuery{Text: clipped(values.Get("object"), 200), Types: types})
	if err != nil {
		return err
	}
	var options []view.Option
	for _, r := range found {
		options = append(options, view.Option{Value: r.ID, Label: r.Name + " (" + strings.ReplaceAll(r.Type, "_", " ") + ")"})
	}
	return v.show(http.StatusOK, view.ObjectSuggestions(options))
}
