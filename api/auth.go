package api

import (
	"context"
	"errors"
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"onrecord/audit"
	"onrecord/portal"
)

type contextKey int

const (
	fromKey contextKey = iota
	holderKey
)

// from says from where a request came, for the record.
func from(ctx context.Context) audit.Context {
	c, _ := ctx.Value(fromKey).(audit.Context)
	return c
}

// holder is the program whose key the request came with. Every operation has
// one: without, authenticate does not let it begin.
func holder(ctx context.Context) portal.KeyHolder {
	return ctx.Value(holderKey).(portal.KeyHolder)
}

// authenticate is before every operation: it finds out whose key it is, and
// keeps each key to its rate.
func (s *server) authenticate(ctx huma.Context, next func(huma.Context)) {
	r, w := humago.Unwrap(ctx)
	came := audit.Context{IP: s.config.Client(r), UserAgent: clipped(r.UserAgent()), Request: w.Header().Get("X-Request-Id"), Via: "api"}
	ctx = huma.WithValue(ctx, fromKey, came)
	token, ok := bearer(r)
	if !ok {
		ctx.SetHeader("WWW-Authenticate", `Bearer realm="OnRecord"`)
		s.answer(ctx, problem(http.StatusUnauthorized, "Send the team's API key: Authorization: Bearer ork_…"))
		return
	}
	h, err := s.portal.AuthenticateKey(ctx.Context(), came, token)
	if err == nil {
		err = s.limits.take(h.Caller.ID)
	}
	if err != nil {
		s.answer(ctx, s.failed(ctx.Context(), err, nil))
		return
	}
	if r.Method == http.MethodHead {
		ctx.SetHeader("Content-Type", "application/json")
		ctx.SetStatus(http.StatusOK) // reading is on the record, so nothing is read
		return
	}
	next(huma.WithValue(ctx, holderKey, h))
}

// bearer reads the key from the header (RFC 6750, section 2.1); false if there
// is none. Keys in addresses are not taken: addresses are logged.
func bearer(r *http.Request) (string, bool) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	return token, strings.EqualFold(scheme, "Bearer") && token != ""
}

// answer writes an error before an operation has begun.
func (s *server) answer(ctx huma.Context, err error) {
	if with, ok := err.(huma.HeadersError); ok {
		for name, values := range with.GetHeaders() {
			for _, value := range values {
				ctx.AppendHeader(name, value)
			}
		}
	}
	p, _ := errors.AsType[*huma.ErrorModel](err)
	var details []error
	for _, d := range p.Errors {
		details = append(details, d)
	}
	huma.WriteErr(s.huma, ctx, p.Status, p.Detail, details...)
}

// clipped makes what a client sent fit for a record.
func clipped(s string) string {
	const most = 512
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
