package web

import (
	"net/url"
	"slices"
	"strings"

	"onrecord/portal"
	"onrecord/web/view"
)

// path is an address inside the team of the request.
func (v *visit) path(parts ...string) string { return teamPath(v.team(), parts...) }

func teamPath(team string, parts ...string) string {
	var b strings.Builder
	for _, p := range append([]string{"t", team}, parts...) {
		b.WriteByte('/')
		b.WriteString(url.PathEscape(p))
	}
	return b.String()
}

// membership is the reader's place in the team of the request. It decides
// what a page offers, never what is allowed.
func (v *visit) membership() portal.Membership {
	m, _ := v.me.Membership(v.team())
	if m.Status != portal.Active {
		return portal.Membership{}
	}
	return m
}

func (v *visit) isAdmin() bool { return v.membership().Role == portal.Admin }

// entered are the teams that the reader may enter.
func (v *visit) entered() []portal.Membership {
	return slices.DeleteFunc(slices.Clone(v.me.Memberships), func(m portal.Membership) bool { return m.Status != portal.Active })
}

// person is the reader as pages name them.
func (v *visit) person(role portal.Role) view.Person {
	if v.me.Caller.ID == "" {
		return view.Person{}
	}
	p := view.Person{Name: v.by().Name, Email: v.by().Email, AccountURL: "/account", SignOutURL: "/logout"}
	if p.Name == "" {
		p.Name = p.Email
	}
	if role != "" {
		p.Role = role.Label()
	}
	return p
}

// outside is the frame of a page outside any team.
func (v *visit) outside(title string) view.Page {
	return view.Page{Title: title, Me: v.person(""), Flash: v.flash.shown()}
}

// within is the frame of a page in a team.
func (v *visit) within(m portal.Membership, title string) view.Page {
	p := v.outside(title)
	if m.Team == "" {
		return p
	}
	p.Me = v.person(m.Role)
	p.Team = m.TeamName
	if m.Role != portal.Agent {
		p.TeamURL = teamPath(m.Team)
	}
	if len(v.entered()) > 1 {
		p.TeamsURL = "/"
	}
	return p
}

// page is the frame of a page of a section.
func (v *visit) page(title string, section view.Section, crumbs ...view.Link) view.Page {
	p := v.within(v.membership(), title)
	p.Section, p.Crumbs = section, crumbs
	return p
}

// setting is the frame of a page under Team settings.
func (v *visit) setting(title string, setting view.Setting, crumbs ...view.Link) view.Page {
	p := v.page(title, view.SectionSettings, append([]view.Link{{Label: "Team settings", URL: v.path("settings")}}, crumbs...)...)
	p.Setting = setting
	return p
}

// history is the place of an object's history on its page: reading it is on
// the record, so that it is only opened when asked for.
func (v *visit) history(page string) view.History {
	if v.membership().Plan != portal.PlanCallCenterAI {
		return view.History{Notice: "History is part of the Audit Logs, which the plan " + portal.PlanLabel(v.membership().Plan) + " does not have. Everything is recorded all the same."}
	}
	return view.History{LoadURL: page + "/history"}
}
