package web

import (
	"net/http"

	"onrecord/portal/metric"
	"onrecord/web/view"
)

// metrics is GET /t/{team}/metrics.
func (v *visit) metrics() error {
	all, err := v.portal.Metrics(v.ctx(), v.by(), v.team())
	if err != nil {
		return err
	}
	page := view.MetricList{Page: v.page("Metrics", view.SectionMetrics)}
	for _, m := range all {
		if name := string(m.Group); len(page.Groups) == 0 || page.Groups[len(page.Groups)-1].Name != name {
			page.Groups = append(page.Groups, view.MetricGroup{Name: name})
		}
		shown := view.Metric{
			Key: keyOf(m.Metric), Name: m.Name, Unit: m.Unit.Symbol(), Bounds: m.Unit.Bounds(), Formula: m.Doc, Source: m.Source,
			On: m.Enabled, Version: m.Version,
		}
		if shown.Unit == "" {
			shown.Unit = string(m.Unit)
		}
		if v.isAdmin() {
			shown.SwitchURL = v.path("metrics", m.Key)
		}
		g := &page.Groups[len(page.Groups)-1]
		g.Metrics = append(g.Metrics, shown)
	}
	return v.show(http.StatusOK, view.MetricListPage(page))
}

// switchMetric is POST /t/{team}/metrics/{metric}.
func (v *visit) switchMetric() error {
	id, on, word := v.id("metric"), v.formValue("on") == "1", "off"
	if on {
		word = "on"
	}
	if _, err := v.portal.SetMetric(v.ctx(), v.by(), v.team(), id, on, v.formValue("version"), v.formValue("reason")); err != nil {
		return err
	}
	name := id
	if m, ok := metric.Get(id); ok {
		name = m.Name
	}
	return v.done(v.path("metrics"), name+" is switched "+word+".")
}
