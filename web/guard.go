package web

import (
	"errors"
	"net/http"
	"net/url"
	"runtime/debug"
	"strings"

	"onrecord/audit"
)

// policy keeps pages from running or loading anything that is not the
// portal's own file, from being framed, and from sending forms elsewhere.
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; " +
	"form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

// guard is around everything: headers, and pages for what no route answers.
func (s *server) guard(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy", policy)
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("X-Frame-Options", "DENY")
		h.Set("Referrer-Policy", "same-origin")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
		h.Set("Cache-Control", "no-store") // assets set their own
		if s.secure {
			h.Set("Strict-Transport-Security", "max-age=31536000")
		}
		next.ServeHTTP(w, r)
	})
}

// answer makes the handler of a route.
func (s *server) answer(rt route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		request := audit.NewID("req", s.now())
		w.Header().Set("X-Request-Id", request)
		v := &visit{server: s, w: w, r: r, from: s.origin(r, request)}
		defer func() {
			if fault := recover(); fault != nil {
				if fault == http.ErrAbortHandler {
					panic(fault)
				}
				s.logger.ErrorContext(r.Context(), "a page panicked", "request", request, "route", r.Pattern, "fault", fault, "stack", string(debug.Stack()))
				v.fail(errors.New("panic"))
			}
		}()
		if err := v.run(rt); err != nil {
			v.fail(err)
		}
	})
}

// run takes a visit through what comes before every page.
func (v *visit) run(rt route) error {
	if err := v.csrf.Check(v.r); err != nil {
		return &badRequest{http.StatusForbidden, "This form was sent from another site, so nothing was done. Open the page here and try again."}
	}
	if rt.static {
		return rt.handle(v)
	}
	if prefetched(v.r) {
		return &badRequest{http.StatusServiceUnavailable, "Pages here are opened by people, not ahead of them."}
	}
	if !rt.open {
		if err := v.signIn(); err != nil {
			return err
		}
	}
	switch {
	case v.r.Method == http.MethodHead && rt.pattern != anywhere:
		v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
		return nil // opening is on the record, so nothing is opened
	case v.r.Method == http.MethodGet && v.token != "":
		v.takeFlash()
	}
	return v.serve(rt)
}

func (v *visit) serve(rt route) error {
	if v.r.Method == http.MethodPost {
		if err := v.readForm(rt.body); err != nil {
			return err
		}
	}
	return rt.handle(v)
}

// prefetched tells whether a browser asks on its own account, in case its
// user should go there.
func prefetched(r *http.Request) bool {
	for _, name := range []string{"Sec-Purpose", "Purpose", "X-Moz", "X-Purpose"} {
		if strings.Contains(strings.ToLower(r.Header.Get(name)), "prefetch") {
			return true
		}
	}
	return false
}

// readForm reads the body of a form.
func (v *visit) readForm(most int64) error {
	if most == 0 {
		most = maxForm
	}
	v.r.Body = http.MaxBytesReader(v.w, v.r.Body, most)
	kind, _, _ := strings.Cut(v.r.Header.Get("Content-Type"), ";")
	var err error
	switch kind = strings.TrimSpace(strings.ToLower(kind)); {
	case kind == "multipart/form-data":
		err = v.r.ParseMultipartForm(most)
	case kind == "application/x-www-form-urlencoded", kind == "" && v.r.ContentLength == 0:
		err = v.r.ParseForm()
	default:
		return &badRequest{http.StatusUnsupportedMediaType, ""}
	}
	if _, large := errors.AsType[*http.MaxBytesError](err); large {
		return &badRequest{http.StatusRequestEntityTooLarge, ""}
	}
	if err != nil {
		return &badRequest{http.StatusBadRequest, "The form did not arrive whole. Go back and send it again."}
	}
	return nil
}

// toSignIn sends whoever is not signed in to the sign-in page, and afterwards
// back to where they were going.
func (v *visit) toSignIn() {
	target := "/login"
	if v.r.Method == http.MethodGet || v.r.Method == http.MethodHead {
		if next := v.r.URL.RequestURI(); next != "/" {
			target += "?" + url.Values{"next": {next}}.Encode()
		}
	}
	http.Redirect(v.w, v.r, target, http.StatusSeeOther)
}
