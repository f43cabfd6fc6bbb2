package web

import (
	"net/http"
	"net/url"
	"strings"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/web/view"
)

func (v *visit) viewsPath(parts ...string) string {
	return v.path(append([]string{"settings", "security", "audit-logs", "views"}, parts...)...)
}

// viewMenu is the menu of saved views over the log, for the present filter.
func (v *visit) viewMenu(q logQuery, saved []portal.SavedView) view.ViewMenu {
	menu := view.ViewMenu{ManageURL: v.viewsPath()}
	now := q.filter.String()
	add := func(label string, views []view.Choice) {
		if len(views) > 0 {
			menu.Groups = append(menu.Groups, view.ViewGroup{Label: label, Views: views})
		}
	}
	choice := func(name, query string) view.Choice {
		c := view.Choice{Label: name, URL: v.logPath("") + "?" + url.Values{"q": {query}}.Encode(), Current: query == now && now != ""}
		if c.Current && menu.Current == "" {
			menu.Current = name
		}
		return c
	}
	var mine, shared, starters []view.Choice
	for _, s := range saved {
		if s.Mine {
			mine = append(mine, choice(s.Name, s.Query))
		} else {
			shared = append(shared, choice(s.Name, s.Query))
		}
	}
	for _, s := range portal.StarterViews() {
		starters = append(starters, choice(s.Name, s.Query))
	}
	add("Yours", mine)
	add("Shared by others", shared)
	add("To start with", starters)
	if now != "" && menu.Current == "" {
		menu.SaveURL = v.viewsPath("add") + "?" + url.Values{"q": {now}}.Encode()
	}
	return menu
}

// preferred is the view that the log opens with for the reader.
func preferred(saved []portal.SavedView) (portal.SavedView, bool) {
	for _, s := range saved {
		if s.Mine && s.Preferred {
			return s, true
		}
	}
	return portal.SavedView{}, false
}

func (v *visit) viewsPage(title string, crumbs ...view.Link) view.Page {
	return v.setting(title, view.SettingAuditLogs, append([]view.Link{
		{Label: "Security", URL: v.path("settings", "security")}, {Label: "Audit Logs", URL: v.logPath("")}}, crumbs...)...)
}

// savedViews is GET …/audit-logs/views.
func (v *visit) savedViews() error {
	saved, err := v.portal.SavedViews(v.ctx(), v.by(), v.team())
	if offPlan(err) {
		return v.notOnPlan(err)
	}
	if err != nil {
		return err
	}
	page := view.SavedViewList{Page: v.viewsPage("Saved views"), LogURL: v.logPath("")}
	for _, s := range saved {
		row := view.SavedViewRow{Name: s.Name, Query: s.Query, URL: v.logPath("") + "?" + url.Values{"q": {s.Query}}.Encode(), Shared: s.Shared, Preferred: s.Mine && s.Preferred}
		row.Note = queryNote(s.Query)
		if s.Mine {
			row.EditURL, row.DeleteURL, row.Key = v.viewsPath(s.ID), v.viewsPath(s.ID, "delete"), s.ID
		}
		page.Views = append(page.Views, row)
	}
	return v.show(http.StatusOK, view.SavedViewListPage(page))
}

// queryNote says what this program does not know of a kept filter; "" is all
// right.
func queryNote(query string) string {
	f, err := audit.ParseQuery(query)
	if err != nil {
		return "This filter is not understood any more: " + err.Error()
	}
	return unknownActions(f)
}

// unknownActions names the actions of a filter that the catalogue does not
// have; "" if it has all.
func unknownActions(f audit.Filter) string {
	var all []string
	for _, id := range append(append([]string{}, f.Action.Any...), f.Action.None...) {
		if _, ok := portal.Catalogue.Get(id); !ok {
			all = append(all, id)
		}
	}
	switch len(all) {
	case 0:
		return ""
	case 1:
		return "This program has no action " + all[0] + ": only events of another version can be found by it."
	}
	return "This program has no actions " + strings.Join(all, ", ") + ": only events of another version can be found by them."
}

// addViewPage is GET …/audit-logs/views/add.
func (v *visit) addViewPage() error {
	_, err := v.portal.SavedViews(v.ctx(), v.by(), v.team())
	if offPlan(err) {
		return v.notOnPlan(err)
	}
	if err != nil {
		return err
	}
	return v.askView(http.StatusOK, portal.SavedView{Query: strings.TrimSpace(v.r.URL.Query().Get("q"))}, nil)
}

// askView shows the form of a view, new or not.
func (v *visit) askView(status int, s portal.SavedView, wrong error) error {
	choice := func(name, label, hint string, on bool, no, yes string) view.Input {
		return view.Input{Kind: view.KindSelect, Name: name, Label: label, Hint: hint,
			Options: []view.Option{{Value: "0", Label: no, Selected: !on}, {Value: "1", Label: yes, Selected: on}}}
	}
	form := view.Form{
		Page: v.viewsPage("Save view", view.Link{Label: "Saved views", URL: v.viewsPath()}), URL: v.viewsPath("add"), Button: "Save view", CancelURL: v.viewsPath(),
		Inputs: []view.Input{
			{Name: "name", Label: "Name", Value: s.Name, Required: true, MaxLength: portal.MaxName},
			{Name: "query", Label: "Filter", Value: s.Query, Required: true, Hint: "In the query language, as the search field shows it."},
		},
	}
	if v.isAdmin() {
		form.Inputs = append(form.Inputs, choice("shared", "Who can use it", "", s.Shared, "Only you", "Everybody in the team who may read the log"))
	}
	form.Inputs = append(form.Inputs, choice("preferred", "Open the log with it", "For you alone. Clear all shows everything tracked again.", s.Preferred, "No", "Yes"))
	if s.ID != "" {
		form.Title, form.URL, form.Button = "Change saved view", v.viewsPath(s.ID), "Save"
		form.Hidden = []view.Hidden{{Name: "version", Value: s.Version}}
	}
	if e, ok := refusal(wrong); ok {
		form.Error = e.Message
		for i := range form.Inputs {
			if form.Inputs[i].Name == e.Field {
				form.Inputs[i].Error, form.Error = e.Message, ""
			}
		}
	}
	return v.show(status, view.FormPage(form))
}

func (v *visit) viewForm() portal.SavedView {
	return portal.SavedView{ID: v.id("view"), Name: v.formValue("name"), Query: v.formValue("query"), Shared: v.formValue("shared") == "1",
		Preferred: v.formValue("preferred") == "1", Version: v.formValue("version")}
}

// addView is POST …/audit-logs/views/add.
func (v *visit) addView() error {
	sent := v.viewForm()
	s, err := v.portal.SaveView(v.ctx(), v.by(), v.team(), sent)
	if again(err) {
		return v.askView(statusOf(err), sent, err)
	}
	if err != nil {
		return err
	}
	return v.done(v.logPath("")+"?"+url.Values{"q": {s.Query}}.Encode(), "The view "+s.Name+" is saved.")
}

// viewPage is GET …/audit-logs/views/{view}.
func (v *visit) viewPage() error {
	s, err := v.portal.SavedView(v.ctx(), v.by(), v.team(), v.id("view"))
	if offPlan(err) {
		return v.notOnPlan(err)
	}
	if err != nil {
		return err
	}
	return v.askView(http.StatusOK, s, nil)
}

// changeView is POST …/audit-logs/views/{view}.
func (v *visit) changeView() error {
	sent := v.viewForm()
	_, err := v.portal.ChangeView(v.ctx(), v.by(), v.team(), sent)
	if again(err) {
		return v.askView(statusOf(err), sent, err)
	}
	if err != nil {
		return err
	}
	return v.done(v.viewsPath(), "The view "+sent.Name+" is saved.")
}

// deleteView is POST …/audit-logs/views/{view}/delete.
func (v *visit) deleteView() error {
	if _, err := v.portal.DeleteView(v.ctx(), v.by(), v.team(), v.id("view")); err != nil {
		return err
	}
	return v.done(v.viewsPath(), "The view was deleted.")
}
