package web

import (
	"errors"

	"onrecord/audit"
	"onrecord/portal/metric"
	"onrecord/web/view"
)

// editValue is POST /t/{team}/calls/{call}/metrics/{metric}/edit.
func (v *visit) editValue() error {
	form := v.r.PostForm
	_, err := v.portal.EditValue(v.ctx(), v.by(), v.team(), v.id("call"), v.id("metric"), form.Get("value"), form.Get("version"), form.Get("reason"))
	if again(err) {
		return v.editAgain(err)
	}
	if err != nil {
		return err
	}
	return v.edited("The value is saved.")
}

// resetValue is POST /t/{team}/calls/{call}/metrics/{metric}/reset.
func (v *visit) resetValue() error {
	form := v.r.PostForm
	_, err := v.portal.ResetValue(v.ctx(), v.by(), v.team(), v.id("call"), v.id("metric"), form.Get("version"), form.Get("reason"))
	if err != nil {
		return err
	}
	return v.edited("The value is back at its default.")
}

// edited leads back to the call: seeing one's own change is no opening.
func (v *visit) edited(text string) error {
	call := v.id("call")
	if err := v.tell(flash{Kind: view.FlashDone, Text: text, Edited: call}); err != nil {
		return err
	}
	return v.see(v.path("calls", call))
}

// editAgain shows what was wrong with a value on a page of its own: the call's
// page would disclose the transcript once more.
func (v *visit) editAgain(wrong error) error {
	m, ok := metric.Get(v.id("metric"))
	if !ok {
		return wrong
	}
	c, err := v.portal.CallPage(v.ctx(), v.by(), v.team(), v.id("call"))
	if err != nil {
		return err
	}
	form := v.r.PostForm
	value := view.Input{Name: "value", Label: "Value", Value: form.Get("value"), Required: true, MaxLength: 32, Hint: m.Unit.Bounds()}
	if unit := m.Unit.Symbol(); unit != "" {
		value.Hint += ", in " + unit
	}
	reason := view.ReasonInput(form.Get("reason"))
	page := view.Form{
		Page: v.page("Edit "+m.Name, view.SectionCalls, v.callsCrumb(), view.Link{Label: c.Name(), URL: v.path("calls", c.ID)}),
		URL:  v.r.URL.EscapedPath(), Text: []string{m.Doc}, Button: "Save", CancelURL: v.path("calls", c.ID),
	}
	e, _ := errors.AsType[*audit.Error](wrong)
	switch {
	case e.Code == audit.CodeConflict:
		page.Error = e.Message
	case e.Field == "reason":
		reason.Error = e.Message
	default:
		value.Error = e.Message
	}
	page.Inputs, page.Hidden = []view.Input{value, *reason}, []view.Hidden{{Name: "version", Value: form.Get("version")}}
	for _, s := range c.Scores {
		if s.Metric.Key == m.Key && e.Code == audit.CodeConflict { // now told; who saves again means it
			page.Hidden[0].Value = s.Version
			page.Text = append(page.Text, "The value now is "+m.Format(s.Value)+".")
		}
	}
	return v.show(statusOf(wrong), view.FormPage(page))
}
