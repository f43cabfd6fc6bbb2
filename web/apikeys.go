package web

import (
	"net/http"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/web/view"
)

// apiDocs is where package api explains the API to people.
const apiDocs = "/api/v1/docs"

// keyPath is the address of the team's API keys, or of one's page.
func keyPath(team string, parts ...string) string {
	return teamPath(team, append([]string{"settings", "security", "api-keys"}, parts...)...)
}

func (v *visit) keyPage(title string, crumbs ...view.Link) view.Page {
	return v.setting(title, view.SettingAPIKeys, append([]view.Link{{Label: "Security", URL: v.path("settings", "security")}}, crumbs...)...)
}

var scopeLabels = map[portal.Scope]string{portal.ScopeRead: "Read", portal.ScopeWrite: "Read and write"}

// apiKeys is GET /t/{team}/settings/security/api-keys.
func (v *visit) apiKeys() error {
	all, err := v.portal.APIKeys(v.ctx(), v.by(), v.team())
	if err != nil {
		return err
	}
	page := view.APIKeyList{Page: v.keyPage("API keys"), DocsURL: apiDocs}
	if v.isAdmin() {
		page.AddURL = keyPath(v.team(), "add")
	}
	for _, k := range all {
		row := view.APIKeyRow{
			ID: k.ID, Name: k.Name, Scope: scopeLabels[k.Scope], State: view.APIKeyState(k.State), Owner: view.Ref{Name: k.Owner.Name},
			Created: k.Created, Expires: k.Expires, Used: k.Used,
		}
		if v.membership().Plan == portal.PlanCallCenterAI {
			row.EventsURL = logQuery{path: v.logPath("")}.address(only(audit.Filter{}, byActor, k.ID))
		}
		if k.Owner.Type == string(audit.ActorUser) {
			row.Owner.URL = v.path("users", k.Owner.ID)
		}
		if v.isAdmin() && k.State != portal.KeyRevoked {
			row.RevokeURL = keyPath(v.team(), k.ID, "revoke")
		}
		page.Rows = append(page.Rows, row)
	}
	return v.show(http.StatusOK, view.APIKeyListPage(page))
}

// lives are how long a key may be made for.
var lives = []struct {
	value, label string
	life         time.Duration
}{
	{"30", "30 days", 30 * 24 * time.Hour},
	{"90", "90 days", 90 * 24 * time.Hour},
	{"365", "1 year", 365 * 24 * time.Hour},
	{"never", "Never", 0},
}

// addAPIKeyPage is GET /t/{team}/settings/security/api-keys/add.
func (v *visit) addAPIKeyPage() error { return v.askAPIKey(http.StatusOK, nil) }

func (v *visit) askAPIKey(status int, wrong error) error {
	if err := v.portal.MayChange(v.ctx(), v.by(), v.team(), "api keys"); err != nil {
		return err
	}
	scope, life := v.formValue("scope"), v.formValue("expires")
	if life == "" {
		life = "90"
	}
	name := view.Input{Name: "name", Label: "Name", Value: v.formValue("name"), Required: true, MaxLength: portal.MaxName,
		Hint: "Which program has it: the log names the key so."}
	scopes := view.Input{Kind: view.KindSelect, Name: "scope", Label: "Scope", Required: true,
		Hint: "A key never does more than your own role; it stops when you are blocked and ends when you are deleted."}
	for _, s := range portal.Scopes {
		scopes.Options = append(scopes.Options, view.Option{Value: string(s), Label: scopeLabels[s], Selected: string(s) == scope})
	}
	expires := view.Input{Kind: view.KindSelect, Name: "expires", Label: "Expires", Required: true}
	for _, l := range lives {
		expires.Options = append(expires.Options, view.Option{Value: l.value, Label: l.label, Selected: l.value == life})
	}
	form := view.Form{
		Page: v.keyPage("Create API key", view.Link{Label: "API keys", URL: keyPath(v.team())}),
		URL:  keyPath(v.team(), "add"), Inputs: []view.Input{name, scopes, expires, *view.ReasonInput(v.formValue("reason"))},
		Button: "Create API key", CancelURL: keyPath(v.team()),
	}
	if e, ok := refusal(wrong); ok {
		form.Error = e.Message
		for i := range form.Inputs {
			if form.Inputs[i].Name == e.Field || e.Code == audit.CodeConflict && form.Inputs[i].Name == "name" {
				form.Inputs[i].Error, form.Error = e.Message, ""
			}
		}
	}
	return v.show(status, view.FormPage(form))
}

// addAPIKey is POST /t/{team}/settings/security/api-keys/add. The token is
// shown once and kept nowhere, so that this answer is a page and leads nowhere.
func (v *visit) addAPIKey() error {
	expires, err := v.expiry(v.formValue("expires"))
	var k portal.APIKey
	var token string
	if err == nil {
		k, token, err = v.portal.CreateAPIKey(v.ctx(), v.by(), v.team(), portal.NewAPIKey{
			Name: v.formValue("name"), Scope: portal.Scope(v.formValue("scope")), Expires: expires, Reason: v.formValue("reason")})
	}
	if again(err) {
		return v.askAPIKey(statusOf(err), err)
	}
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, view.APIKeyCreatedPage(view.APIKeyCreated{
		Page: v.keyPage("API key created", view.Link{Label: "API keys", URL: keyPath(v.team())}),
		Name: k.Name, Token: token, Expires: k.Expires, BackURL: keyPath(v.team()),
	}))
}

// expiry reads when a key is to end. Error: Invalid, field expires.
func (v *visit) expiry(value string) (time.Time, error) {
	for _, l := range lives {
		if l.value != value {
			continue
		}
		if l.life == 0 {
			return time.Time{}, nil
		}
		return v.now().Add(l.life), nil
	}
	return time.Time{}, audit.Invalid("expires", "Choose when the key expires.")
}

// confirmRevoke is GET /t/{team}/settings/security/api-keys/{key}/revoke.
func (v *visit) confirmRevoke() error { return v.askRevoke(http.StatusOK, nil) }

func (v *visit) askRevoke(status int, wrong error) error {
	if err := v.portal.MayChange(v.ctx(), v.by(), v.team(), "api keys"); err != nil {
		return err
	}
	k, err := v.portal.APIKey(v.ctx(), v.by(), v.team(), v.id("key"))
	if err != nil {
		return err
	}
	page := view.Confirm{
		Page: v.keyPage("Revoke "+k.Name+"?", view.Link{Label: "API keys", URL: keyPath(v.team())}),
		URL:  v.r.URL.EscapedPath(), Button: "Revoke", Danger: true, CancelURL: keyPath(v.team()),
		Text:     []string{"The key stops working at once, also for what a program is reading just now. This cannot be undone; create another key instead."},
		Subjects: []view.Subject{{Kind: "api_key", Name: k.Name, Detail: scopeLabels[k.Scope] + ", answered for by " + k.Owner.Name}},
		Reason:   view.ReasonInput(v.formValue("reason")),
	}
	if wrong != nil {
		blame(&page, wrong)
	}
	return v.show(status, view.ConfirmPage(page))
}

// revokeAPIKey is POST /t/{team}/settings/security/api-keys/{key}/revoke.
func (v *visit) revokeAPIKey() error {
	_, err := v.portal.RevokeAPIKey(v.ctx(), v.by(), v.team(), v.id("key"), v.formValue("reason"))
	if again(err) {
		return v.askRevoke(statusOf(err), err)
	}
	if err != nil {
		return err
	}
	return v.done(keyPath(v.team()), "The key was revoked.")
}
