package web

import (
	"bytes"
	"context"
	"net/http"
	"strings"

	"github.com/a-h/templ"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/session"
)

// visit is one request on its way to an answer.
type visit struct {
	*server
	w     http.ResponseWriter
	r     *http.Request
	from  audit.Context   // from where, also before anybody is signed in
	me    portal.SignedIn // who is signed in; zero on open pages
	token string          // of the session
	flash *flash          // what the last form did; read once
}

func (v *visit) ctx() context.Context { return v.r.Context() }

// by is who does what the request asks for.
func (v *visit) by() portal.Caller { return v.me.Caller }

// id gives a part of the path: the id that stands for a name of the pattern.
func (v *visit) id(name string) string { return v.r.PathValue(name) }

func (v *visit) team() string { return v.id("team") }

// origin says from where a request came, for the record.
func (s *server) origin(r *http.Request, request string) audit.Context {
	return audit.Context{IP: s.proxies.client(r), UserAgent: clipped(r.UserAgent(), 512), Request: request, Via: "web"}
}

// clipped makes what a client sent fit for a record.
func clipped(s string, most int) string {
	if len(s) > most {
		s = s[:most]
	}
	return strings.ToValidUTF8(strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return -1
		}
		return r
	}, s), "")
}

// signIn finds out who asks. Error: one that portal.SignedOut knows.
func (v *visit) signIn() error {
	token, ok := session.ReadCookie(v.r, v.secure)
	if !ok {
		return errNoCookie
	}
	me, err := v.portal.Authenticate(v.ctx(), v.from, token)
	if err != nil {
		return err
	}
	v.me, v.token = me, token
	return nil
}

// show answers with a page. It is written only when all of it is there.
func (v *visit) show(status int, page templ.Component) error {
	var body bytes.Buffer
	if err := page.Render(v.ctx(), &body); err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.WriteHeader(status)
	_, err := v.w.Write(body.Bytes())
	if err != nil {
		v.logger.DebugContext(v.ctx(), "the answer could not be sent to its end", "request", v.from.Request, "error", err)
	}
	return nil
}

// see sends the browser on to look at another page of the portal.
func (v *visit) see(path string) error {
	http.Redirect(v.w, v.r, path, http.StatusSeeOther)
	return nil
}

// plain makes a handler of the standard library one of a route.
func plain(h http.Handler) func(*visit) error {
	return func(v *visit) error {
		h.ServeHTTP(v.w, v.r)
		return nil
	}
}
