package web

import (
	"net/http"
	"strconv"
	"strings"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/metric"
	"onrecord/portal/transcript"
	"onrecord/web/view"
)

// call is GET /t/{team}/calls/{call}. An Admin's opening is on the record
// before the transcript leaves; an Auditor sees the page without it.
func (v *visit) call() error {
	c, err := v.portal.CallPage(v.ctx(), v.by(), v.team(), v.id("call"))
	if err != nil {
		return err
	}
	if !c.Deleted.IsZero() {
		return v.deletedCall(c)
	}
	if !v.isAdmin() {
		page := v.callPage(c)
		page.Withheld = "An Auditor sees everything about a call but what was said. Ask an Admin for the transcript."
		return v.show(http.StatusOK, view.CallPage(page))
	}
	open := v.portal.ViewCall
	if v.flash != nil && v.flash.Edited == c.ID {
		open = v.portal.ViewAfterEdit
	}
	opened, err := open(v.ctx(), v.by(), v.team(), c.ID)
	if err != nil {
		return err
	}
	page := v.callPage(opened.CallPage)
	page.ExportURL, page.DeleteURL = v.path("calls", c.ID, "export"), v.path("calls", c.ID, "delete")
	for _, t := range opened.Transcript {
		page.Turns = append(page.Turns, turnOf(t))
	}
	return v.show(http.StatusOK, view.CallPage(page))
}

func (v *visit) callPage(c portal.CallPage) view.Call {
	return view.Call{
		Page: v.page(c.Name(), view.SectionCalls, v.callsCrumb()),
		ID:   c.ID, Customer: c.Customer, Agent: v.agentOf(c.Call), Started: c.Started, Duration: c.Duration, Direction: c.Direction,
		Device: v.deviceOf(c.Call), Groups: v.scoresOf(c), MetricsURL: v.path("metrics"), History: v.history(v.path("calls", c.ID)),
	}
}

func turnOf(t transcript.Turn) view.Turn {
	turn := view.Turn{Speaker: t.Speaker, Agent: t.Speaker == transcript.Agent, Text: t.Text}
	switch t.Speaker {
	case transcript.Agent, transcript.Customer, transcript.Action:
		turn.Speaker = titled(t.Speaker)
	}
	if t.Start != nil {
		turn.Start, turn.HasTime = *t.Start, true
	}
	return turn
}

func (v *visit) scoresOf(c portal.CallPage) []view.ScoreGroup {
	var groups []view.ScoreGroup
	for _, s := range c.Scores {
		if name := string(s.Metric.Group); len(groups) == 0 || groups[len(groups)-1].Name != name {
			groups = append(groups, view.ScoreGroup{Name: name})
		}
		g := &groups[len(groups)-1]
		g.Scores = append(g.Scores, v.scoreOf(c.ID, s))
	}
	return groups
}

func (v *visit) scoreOf(call string, s portal.Score) view.Score {
	m := s.Metric
	shown := view.Score{
		Key: keyOf(m), Metric: m.Name, Formula: m.Doc, Value: formatted(m, s.Value), Default: formatted(m, s.Default), Edited: s.Edited,
		Input: s.Value.String(), Unit: m.Unit.Symbol(), Bounds: m.Unit.Bounds(), Version: s.Version,
	}
	if v.isAdmin() {
		shown.EditURL = v.path("calls", call, "metrics", m.Key, "edit")
		shown.ResetURL = v.path("calls", call, "metrics", m.Key, "reset")
	}
	return shown
}

// keyOf makes a metric's id one of an element.
func keyOf(m metric.Metric) string { return strings.ReplaceAll(m.Key, "_", "-") }

// formatted is a value with its unit, "" if it is not available.
func formatted(m metric.Metric, value metric.Value) string {
	if !value.Available() {
		return ""
	}
	return m.Format(value)
}

// deletedCall shows what is left of a call in the lists.
func (v *visit) deletedCall(c portal.CallPage) error {
	t := view.Tombstone{
		Page: v.page(c.Name(), view.SectionCalls, v.callsCrumb()),
		Noun: "call", At: c.Deleted, By: v.doneBy(c.Deletion), BackURL: v.path("calls"), BackLabel: "All calls",
		Facts: []view.Fact{
			{Label: "Customer", Value: c.Customer}, {Label: "Agent", Value: c.Agent},
			{Label: "Started (UTC)", Value: c.Started.UTC().Format("2006-01-02 15:04:05")}, {Label: "Call id", Value: c.ID, Mono: true},
		},
		History: v.history(v.path("calls", c.ID)),
	}
	v.deletion(&t, c.Deletion)
	if v.isAdmin() {
		t.RestoreLabel, t.RestoreURL = "Restore call", v.path("calls", c.ID, "restore")
		t.Hidden = []view.Hidden{{Name: "version", Value: c.Version}}
	}
	return v.show(http.StatusOK, view.TombstonePage(t))
}

// deletion adds why and by which event something was deleted.
func (v *visit) deletion(t *view.Tombstone, d *portal.Deletion) {
	if d == nil {
		return
	}
	t.Reason = d.Reason
	if v.membership().Plan == portal.PlanCallCenterAI {
		t.EventURL = v.logPath(d.Event)
	}
}

// exportTranscript is POST /t/{team}/calls/{call}/export.
func (v *visit) exportTranscript() error {
	f, err := v.portal.ExportTranscript(v.ctx(), v.by(), v.team(), v.id("call"), v.r.PostForm.Get("format"))
	if err != nil {
		return err
	}
	h := v.w.Header()
	h.Set("Content-Type", f.ContentType)
	h.Set("Content-Disposition", `attachment; filename="`+f.Name+`"`)
	h.Set("Content-Length", strconv.Itoa(len(f.Body)))
	if _, err := v.w.Write(f.Body); err != nil {
		v.logger.DebugContext(v.ctx(), "an export could not be sent to its end", "request", v.from.Request, "error", err)
	}
	return nil
}

// confirmDeleteCall is GET /t/{team}/calls/{call}/delete.
func (v *visit) confirmDeleteCall() error {
	return v.askDeleteCall(http.StatusOK, "")
}

func (v *visit) askDeleteCall(status int, wrong string) error {
	c, err := v.portal.CallPage(v.ctx(), v.by(), v.team(), v.id("call"))
	if err == nil {
		err = v.portal.MayChange(v.ctx(), v.by(), v.team(), "delete call")
	}
	if err != nil {
		return err
	}
	if !c.Deleted.IsZero() {
		return v.see(v.path("calls", c.ID))
	}
	detail := c.Started.UTC().Format("2006-01-02 15:04") + " UTC, " + c.Agent
	return v.show(status, view.ConfirmPage(view.Confirm{
		Page: v.page("Delete this call?", view.SectionCalls, v.callsCrumb(), view.Link{Label: c.Name(), URL: v.path("calls", c.ID)}),
		URL:  v.path("calls", c.ID, "delete"), Text: []string{"The call leaves all lists. It can be restored under Deleted calls."},
		Subjects: []view.Subject{{Kind: "call", Name: c.Customer, Detail: detail}}, Reason: view.ReasonInput(v.r.PostForm.Get("reason")), Button: "Delete call", Danger: true,
		Error: wrong, Hidden: []view.Hidden{{Name: "version", Value: c.Version}}, CancelURL: v.path("calls", c.ID),
	}))
}

// deleteCall is POST /t/{team}/calls/{call}/delete.
func (v *visit) deleteCall() error {
	id, form := v.id("call"), v.r.PostForm
	event, err := v.portal.DeleteCall(v.ctx(), v.by(), v.team(), id, form.Get("version"), form.Get("reason"))
	if again(err) {
		return v.askDeleteCall(statusOf(err), err.Error())
	}
	if err != nil {
		return err
	}
	err = v.tell(flash{Kind: view.FlashDone, Text: "The call was deleted.",
		Undo: &view.Undo{URL: v.path("calls", id, "restore"), Hidden: []view.Hidden{{Name: "version", Value: event}}}})
	if err != nil {
		return err
	}
	return v.see(v.path("calls"))
}

// again tells whether a form should be shown again with what was wrong.
func again(err error) bool {
	code := audit.CodeOf(err)
	return code == audit.CodeInvalid || code == audit.CodeConflict
}

// restoreCall is POST /t/{team}/calls/{call}/restore. It leads to a list: the
// call's page would be an opening that nobody asked for.
func (v *visit) restoreCall() error {
	id, form := v.id("call"), v.r.PostForm
	if _, err := v.portal.RestoreCall(v.ctx(), v.by(), v.team(), id, form.Get("version"), form.Get("reason")); err != nil {
		return err
	}
	f := flash{Kind: view.FlashDone, Text: "The call was restored.", Link: &view.Link{Label: "Open it", URL: v.path("calls", id)}, Edited: id}
	if err := v.tell(f); err != nil {
		return err
	}
	if v.r.URL.Query().Get("to") == "deleted" {
		return v.see(v.path("calls", "deleted"))
	}
	return v.see(v.path("calls"))
}
