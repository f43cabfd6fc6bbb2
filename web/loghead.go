package web

import (
	"onrecord/portal"
	"onrecord/web/view"
)

// logHead makes what stands beside the heading of the log: each part is made
// by a method of its own, in the file of its subject, for the present filter.
func (v *visit) logHead(q logQuery) (view.LogHead, error) {
	s, err := v.portal.LogSeal(v.ctx(), v.by(), v.team())
	if err != nil {
		return view.LogHead{}, err
	}
	return view.LogHead{
		Teams:  v.otherTeams(q),
		Seal:   view.SealStatePiece(view.SealState{Events: s.Events, Sealed: s.Sealed, Faults: s.Faults}),
		Export: view.ExportButtonPiece(v.exportButton(q)),
	}, nil
}

// otherTeams are the logs of the reader's other teams, with the same filter.
func (v *visit) otherTeams(q logQuery) []view.Choice {
	var all []view.Choice
	for _, m := range v.entered() {
		if m.Team != v.team() && m.Role != portal.Agent && m.Plan == portal.PlanCallCenterAI {
			all = append(all, view.Choice{Label: m.TeamName, URL: q.with(logPath(m.Team, ""))})
		}
	}
	return all
}
