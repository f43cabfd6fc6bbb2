package web

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/session"
	"onrecord/web/view"
)

// local gives the address to go to after signing in: one of the portal's own,
// or the start page. Whatever a browser could read as another site is not.
func local(next string) string {
	u, err := url.Parse(next)
	switch {
	case err != nil, u.Scheme != "", u.Host != "", u.Opaque != "", u.User != nil,
		!strings.HasPrefix(next, "/"), strings.HasPrefix(next, "//"), strings.HasPrefix(u.Path, "//"),
		strings.ContainsFunc(next, func(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }):
		return "/"
	}
	return next
}

// notices are what the sign-in page may say of what led there.
var notices = map[string]string{
	"signed-out": "You have been signed out.",
	"ended":      "Your session has ended. Sign in to go on.",
}

// signInPage is GET /login.
func (v *visit) signInPage() error {
	next := local(v.r.URL.Query().Get("next"))
	if err := v.signIn(); err == nil {
		return v.see(next)
	} else if !portal.SignedOut(err) {
		return err
	}
	return v.show(http.StatusOK, view.SignInPage(view.SignIn{URL: "/login", Next: next, Notice: notices[v.r.URL.Query().Get("notice")]}))
}

// signInWithPassword is POST /login.
func (v *visit) signInWithPassword() error {
	page := view.SignIn{URL: "/login", Email: v.r.PostForm.Get("email"), Next: local(v.r.PostForm.Get("next"))}
	in, err := v.portal.SignIn(v.ctx(), portal.Caller{Context: v.from}, page.Email, v.r.PostForm.Get("password"))
	switch audit.CodeOf(err) {
	case "":
		v.enter(in)
		return v.see(page.Next)
	case audit.CodeTooMany:
		page.TooMany = v.retryAfter(err)
	case audit.CodeDenied:
		page.Error = err.Error()
	default:
		return err
	}
	return v.show(statusOf(err), view.SignInPage(page))
}

// enter gives the browser its new session. The token is always a new one, so
// that nobody can sit in a session that they planted.
func (v *visit) enter(in portal.SignedIn) {
	session.SetCookie(v.w, in.Token, v.secure, portal.SessionLife)
}

// retryAfter says in a header and in words how long to wait.
func (v *visit) retryAfter(err error) string {
	wait, ok := errors.AsType[portal.RetryAfter](err)
	if !ok {
		return "Try again later."
	}
	v.w.Header().Set("Retry-After", seconds(time.Duration(wait)))
	return "Try again in " + time.Duration(wait).String() + "."
}

// signOut is POST /logout.
func (v *visit) signOut() error {
	err := v.signIn()
	if err == nil {
		err = v.portal.SignOut(v.ctx(), v.by())
	}
	if err != nil && !portal.SignedOut(err) {
		return err
	}
	session.ClearCookie(v.w, v.secure)
	return v.see("/login?notice=signed-out")
}

// link is GET /link/{token}: opening it changes nothing.
func (v *visit) link() error {
	l, err := v.portal.Link(v.ctx(), portal.Caller{Context: v.from}, v.id("token"))
	if err != nil {
		return err
	}
	return v.show(http.StatusOK, view.ChoosePasswordPage(v.choosePassword(l)))
}

func (v *visit) choosePassword(l portal.LinkPage) view.ChoosePassword {
	return view.ChoosePassword{URL: v.r.URL.EscapedPath(), Email: l.Email, Team: l.Team, Name: l.Name, MinLength: session.MinPassword, Expires: l.Expires}
}

// useLink is POST /link/{token}.
func (v *visit) useLink() error {
	by := portal.Caller{Context: v.from}
	name := v.r.PostForm.Get("name")
	in, err := v.portal.UseLink(v.ctx(), by, v.id("token"), name, v.r.PostForm.Get("password"))
	if audit.CodeOf(err) == audit.CodeInvalid {
		l, gone := v.portal.Link(v.ctx(), by, v.id("token"))
		if gone != nil {
			return gone
		}
		page := v.choosePassword(l)
		page.Name = name
		if e, _ := refusal(err); e.Field == "name" {
			page.NameError = e.Message
		} else {
			page.Error = e.Message
		}
		return v.show(statusOf(err), view.ChoosePasswordPage(page))
	}
	if err != nil {
		return err
	}
	v.enter(in)
	return v.see("/")
}
