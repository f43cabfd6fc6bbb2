package web

import (
	"net/http"
	"net/url"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/session"
	"onrecord/web/view"
)

// account is GET /account.
func (v *visit) account() error {
	return v.showAccount(http.StatusOK, func(*view.Account) {})
}

// showAccount shows the account; wrong puts in what a form got wrong.
func (v *visit) showAccount(status int, wrong func(*view.Account)) error {
	me, err := v.portal.Account(v.ctx(), v.by())
	if err != nil {
		return err
	}
	page := v.outside("Your account")
	if teams := v.entered(); len(teams) == 1 {
		page = v.within(teams[0], "Your account")
	}
	a := view.Account{
		Page: page, Name: me.Name, Email: me.Email, NameURL: "/account/name", PasswordURL: "/account/password",
		MinLength: session.MinPassword, PasswordChanged: me.PasswordSet, Teams: choicesOf(v.entered()),
	}
	for _, s := range me.Sessions {
		row := view.Session{ID: s.ID, Browser: browser(s.UserAgent), IP: s.IP, Started: s.Created, LastSeen: s.Seen, Current: s.Current}
		if !s.Current {
			row.EndURL = "/account/sessions/" + url.PathEscape(s.ID) + "/end"
			a.EndOthersURL = "/account/sessions/end"
		}
		a.Sessions = append(a.Sessions, row)
	}
	wrong(&a)
	return v.show(status, view.AccountPage(a))
}

// rename is POST /account/name.
func (v *visit) rename() error {
	name := v.r.PostForm.Get("name")
	err := v.portal.Rename(v.ctx(), v.by(), name)
	if e, ok := refusal(err); ok && e.Code == audit.CodeInvalid {
		return v.showAccount(statusOf(err), func(a *view.Account) { a.Name, a.NameError = name, e.Message })
	}
	if err != nil {
		return err
	}
	return v.done("/account", "Your name is saved.")
}

// changePassword is POST /account/password.
func (v *visit) changePassword() error {
	err := v.portal.ChangePassword(v.ctx(), v.by(), v.r.PostForm.Get("current"), v.r.PostForm.Get("password"))
	if err == nil {
		return v.done("/account", "Your password is changed. All your other sessions have ended.")
	}
	e, ok := refusal(err)
	if !ok || portal.SignedOut(err) {
		return err
	}
	wrong := view.PasswordErrors{Current: e.Message}
	switch e.Code {
	case audit.CodeInvalid:
		wrong = view.PasswordErrors{Password: e.Message}
	case audit.CodeTooMany:
		v.retryAfter(err)
	case audit.CodeDenied:
	default:
		return err
	}
	return v.showAccount(statusOf(err), func(a *view.Account) { a.PasswordErrors = wrong })
}

// endSession is POST /account/sessions/{session}/end.
func (v *visit) endSession() error {
	if err := v.portal.EndSession(v.ctx(), v.by(), v.id("session")); err != nil {
		return err
	}
	return v.done("/account", "The session has ended.")
}

// endSessions is POST /account/sessions/end.
func (v *visit) endSessions() error {
	if err := v.portal.EndOtherSessions(v.ctx(), v.by()); err != nil {
		return err
	}
	return v.done("/account", "All your other sessions have ended.")
}
