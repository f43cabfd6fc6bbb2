package web

import (
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/web/view"
)

// statuses is what each kind of refusal is in HTTP.
var statuses = map[audit.Code]int{
	audit.CodeDenied:      http.StatusForbidden,
	audit.CodeNotFound:    http.StatusNotFound,
	audit.CodeGone:        http.StatusGone,
	audit.CodeConflict:    http.StatusConflict,
	audit.CodeInvalid:     http.StatusUnprocessableEntity,
	audit.CodeTooMany:     http.StatusTooManyRequests,
	audit.CodeUnavailable: http.StatusServiceUnavailable,
	audit.CodeInternal:    http.StatusInternalServerError,
}

// badRequest is a request that no page expects: found before the portal is
// asked, and not recorded.
type badRequest struct {
	status  int
	message string // "" is the status's own
}

func (e *badRequest) Error() string { return fmt.Sprintf("HTTP %d %s", e.status, e.message) }

// errNoCookie answers whoever has no session.
var errNoCookie = &audit.Error{Code: audit.CodeDenied, Field: "session", Message: "Sign in to go on."}

// refusal gives what a page may say about an error: a code, the field it is
// about, and a sentence. ok is false for a fault, which no page explains.
func refusal(err error) (e *audit.Error, ok bool) {
	e, ok = errors.AsType[*audit.Error](err)
	return e, ok && e.Code != audit.CodeInternal
}

func statusOf(err error) int {
	if bad, ok := errors.AsType[*badRequest](err); ok {
		return bad.status
	}
	if status, ok := statuses[audit.CodeOf(err)]; ok {
		return status
	}
	return http.StatusInternalServerError
}

// fail answers with the page of an error. What the reader cannot mend goes to
// the program's log, never onto the page.
func (v *visit) fail(err error) {
	if portal.SignedOut(err) {
		v.toSignIn()
		return
	}
	p := view.Problem{Page: v.outside(""), Status: statusOf(err), RequestID: v.from.Request}
	if e, ok := refusal(err); ok {
		p.Message = e.Message
	}
	if bad, ok := errors.AsType[*badRequest](err); ok {
		p.Message = bad.message
	}
	v.explain(&p, err)
	if p.Status >= http.StatusInternalServerError {
		v.logger.ErrorContext(v.ctx(), "a request failed", "request", v.from.Request, "route", v.r.Pattern, "status", p.Status, "error", err)
	}
	if err := v.show(p.Status, view.ProblemPage(p)); err != nil {
		v.logger.ErrorContext(v.ctx(), "the page of an error could not be made", "request", v.from.Request, "error", err)
		http.Error(v.w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
	}
}

// explain adds what the page of an error says beyond its sentence: how long to
// wait, and where to go on.
func (v *visit) explain(p *view.Problem, err error) {
	if wait, ok := errors.AsType[portal.RetryAfter](err); ok {
		v.w.Header().Set("Retry-After", seconds(time.Duration(wait)))
	}
	if v.me.Caller.ID == "" {
		return
	}
	m := v.membership()
	p.Page = v.within(m, "")
	switch {
	case m.Role == portal.Agent && p.Status == http.StatusForbidden:
		p.Title = "No administration for Agents"
		p.Message = "As an Agent you handle calls; this portal is for Admins and Auditors. Ask an Admin of " + m.TeamName + " if you need more. The attempt is on the record."
		p.Next = []view.Link{{Label: "Your account", URL: "/account"}}
	case m.Team != "" && m.Role != portal.Agent:
		p.Next = []view.Link{{Label: "All calls", URL: v.path("calls")}, {Label: "Start page", URL: "/"}}
	}
}

// seconds is a wait in whole seconds, rounded up.
func seconds(wait time.Duration) string {
	return strconv.Itoa(int((wait + time.Second - 1) / time.Second))
}

// nowhere answers every address that is none of the portal's.
func (v *visit) nowhere() error { return &badRequest{status: http.StatusNotFound} }
