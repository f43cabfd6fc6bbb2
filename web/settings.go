package web

import (
	"net/http"

	"onrecord/portal"
	"onrecord/web/view"
)

// general is GET /t/{team}/settings.
func (v *visit) general() error { return v.showGeneral(http.StatusOK, nil) }

func (v *visit) showGeneral(status int, wrong error) error {
	t, err := v.portal.Team(v.ctx(), v.by(), v.team())
	if err != nil {
		return err
	}
	page := view.SettingsGeneral{
		Page: v.setting("General", view.SettingGeneral),
		Name: t.Name, Version: t.Version, Plan: portal.PlanLabel(t.Plan), PlanHint: "Changed by an operator with “onrecord setup --plan”.",
		ID: t.ID, Created: t.Created, Members: t.Members, Devices: t.Devices, Calls: t.Calls, History: v.history(v.path("settings")),
	}
	if v.isAdmin() {
		page.URL = v.path("settings")
	}
	if e, ok := refusal(wrong); ok {
		page.Name, page.NameError = v.formValue("name"), e.Message
	}
	return v.show(status, view.SettingsGeneralPage(page))
}

// renameTeam is POST /t/{team}/settings.
func (v *visit) renameTeam() error {
	_, err := v.portal.RenameTeam(v.ctx(), v.by(), v.team(), v.formValue("name"), v.formValue("version"), v.formValue("reason"))
	if again(err) {
		return v.showGeneral(statusOf(err), err)
	}
	if err != nil {
		return err
	}
	return v.done(v.path("settings"), "The team's name is saved.")
}

// security is GET /t/{team}/settings/security.
func (v *visit) security() error {
	t, err := v.portal.Team(v.ctx(), v.by(), v.team())
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, view.SettingsSecurityPage(view.SettingsSecurity{
		Page:         v.setting("Security", view.SettingSecurity),
		AuditLogsURL: v.logPath(""), AuditLogsOn: t.Plan == portal.PlanCallCenterAI, APIKeysURL: keyPath(v.team()),
	}))
}
