package web

import (
	"cmp"
	"net/http"
	"slices"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/web/view"
)

// auditFacets is GET …/audit-logs/facets: the most frequent values of a
// filter's events, as a piece of a page.
func (v *visit) auditFacets() error {
	q, _, err := readLogQuery(v.logPath(""), v.r.URL.Query())
	if err != nil {
		return err
	}
	shown, err := v.facets(q)
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, view.FacetsPiece(shown))
}

// wayToFacets is the place of the facets on the page: they are counted when
// asked for, so that the page need not wait.
func (v *visit) wayToFacets(q logQuery) (view.Facets, error) {
	if v.r.URL.Query().Get("facets") != "" {
		return v.facets(q)
	}
	return view.Facets{LoadURL: q.with(v.logPath("facets")), PageURL: q.with(q.path, "facets", "on")}, nil
}

func (v *visit) facets(q logQuery) (view.Facets, error) {
	found, err := v.portal.LogFacets(v.ctx(), v.by(), v.team(), q.asked(), audit.FacetQuery{})
	if err != nil {
		return view.Facets{}, err
	}
	shown := view.Facets{Open: true, Note: "Of all " + plural(int(found.Events), "event") + "."}
	switch {
	case !found.Complete && found.Events == 0:
		shown.Note = "Nothing was found in the time that this may take. Narrow the filter."
	case !found.Complete:
		shown.Note = "Of the newest " + plural(int(found.Events), "event") + ", back to " + utc(found.Reached.Truncate(0)) + "."
	}
	add := func(label string, field func(*audit.Filter) *audit.Values, facets []audit.Facet, name func(audit.Facet) string) {
		if len(facets) == 0 {
			return
		}
		g := view.FacetGroup{Label: label}
		for _, f := range facets {
			g.Values = append(g.Values, view.FacetValue{
				Label: name(f), Count: f.Events, On: slices.Contains(field(&q.filter).Any, f.Value),
				OnlyURL: q.link(only(q.filter, field, f.Value)), ExcludeURL: q.link(exclude(q.filter, field, f.Value)),
			})
		}
		shown.Groups = append(shown.Groups, g)
	}
	named := func(f audit.Facet) string { return cmp.Or(f.Ref.Name, f.Value) }
	add("Actors", byActor, found.Actors, named)
	add("Actions", byAction, found.Actions, func(f audit.Facet) string { return portal.Catalogue.Label(f.Value) })
	add("Objects", byObject, found.Objects, named)
	add("IP addresses", byIP, found.IPs, named)
	add("Outcomes", byOutcome, found.Outcomes, func(f audit.Facet) string { return outcomes[f.Value] })
	return shown, nil
}

var outcomes = map[string]string{string(audit.OutcomeOK): "Done", string(audit.OutcomeDenied): "Denied", string(audit.OutcomeFailed): "Failed"}
