package web

import (
	"net/http"

	"onrecord/portal"
	"onrecord/web/view"
)

// start is GET /: the only team, or the choice of one.
func (v *visit) start() error {
	teams := v.entered()
	if len(teams) == 1 && teams[0].Role != portal.Agent {
		return v.see(teamPath(teams[0].Team, "calls"))
	}
	page := v.outside("Choose a team")
	if len(teams) == 1 {
		page = v.within(teams[0], "Welcome")
	}
	return v.show(http.StatusOK, view.TeamChooserPage(view.TeamChooser{Page: page, Teams: choicesOf(teams)}))
}

// choicesOf are the teams of a person as cards.
func choicesOf(teams []portal.Membership) []view.TeamChoice {
	var all []view.TeamChoice
	for _, m := range teams {
		c := view.TeamChoice{Name: m.TeamName, Role: m.Role.Label(), Plan: portal.PlanLabel(m.Plan)}
		if m.Role != portal.Agent {
			c.URL = teamPath(m.Team, "calls")
		}
		all = append(all, c)
	}
	return all
}

// teamStart is GET /t/{team}: its calls. For a team that is not the reader's
// the list itself says so, and has it recorded.
func (v *visit) teamStart() error {
	if v.membership().Team == "" {
		return v.callList()
	}
	return v.see(v.path("calls"))
}
