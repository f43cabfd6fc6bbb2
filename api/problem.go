package api

import (
	"context"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"onrecord/audit"
	"onrecord/portal"
)

var zeroTime time.Time

// statuses is what each kind of refusal is in HTTP.
var statuses = map[audit.Code]int{
	audit.CodeDenied:      http.StatusForbidden,
	audit.CodeNotFound:    http.StatusNotFound,
	audit.CodeGone:        http.StatusGone,
	audit.CodeConflict:    http.StatusConflict,
	audit.CodeInvalid:     http.StatusUnprocessableEntity,
	audit.CodeTooMany:     http.StatusTooManyRequests,
	audit.CodeUnavailable: http.StatusServiceUnavailable,
}

// problem is a problem document (RFC 9457).
func problem(status int, detail string, details ...*huma.ErrorDetail) *huma.ErrorModel {
	return &huma.ErrorModel{Status: status, Title: http.StatusText(status), Detail: detail, Errors: details}
}

// internal says that the program has a fault, and nothing about it.
func internal(request string) *huma.ErrorModel {
	return problem(http.StatusInternalServerError, "Something went wrong here. The operator's log has the details, under the request "+request+".")
}

// wrong is a problem with one parameter of the query.
func wrong(name, value, message string) error { return wrongAt("query."+name, value, message) }

// wrongAt is a problem with one value of the request.
func wrongAt(location, value, message string) error {
	return problem(http.StatusUnprocessableEntity, message, &huma.ErrorDetail{Location: location, Value: value, Message: message})
}

// failed turns an error of the portal into an answer. query are the values
// that the caller sent, so that a problem names the value that is wrong. What
// the caller cannot mend goes to the program's log, never into the answer.
func (s *server) failed(ctx context.Context, err error, query map[string]string) error {
	if ready, ok := errors.AsType[*huma.ErrorModel](err); ok {
		return ready
	}
	e, ok := errors.AsType[*audit.Error](err)
	status := statuses[audit.CodeOf(err)]
	if !ok || status == 0 {
		request := from(ctx).Request
		if ctx.Err() == nil { // otherwise the caller hung up
			s.config.Logger.ErrorContext(ctx, "a request of the API failed", "request", request, "error", err)
		}
		return internal(request)
	}
	p := problem(status, e.Message)
	header := http.Header{}
	switch {
	case portal.KeyRefused(err):
		p.Status, p.Title = http.StatusUnauthorized, http.StatusText(http.StatusUnauthorized)
		header.Set("WWW-Authenticate", `Bearer realm="OnRecord", error="invalid_token"`)
	case e.Field == "plan":
		p.Title = "Not on this plan"
	case e.Field != "":
		p.Errors = []*huma.ErrorDetail{detail(e, err, query)}
	}
	if wait, ok := errors.AsType[portal.RetryAfter](err); ok {
		header.Set("Retry-After", seconds(time.Duration(wait)))
	}
	if status == http.StatusServiceUnavailable {
		s.config.Logger.ErrorContext(ctx, "a request of the API could not be answered", "request", from(ctx).Request, "error", err)
		header.Set("Retry-After", "5")
	}
	if len(header) == 0 {
		return p
	}
	return huma.ErrorWithHeaders(p, header)
}

// detail names the field and the value that are wrong; of a query only the
// word.
func detail(e *audit.Error, err error, query map[string]string) *huma.ErrorDetail {
	d := &huma.ErrorDetail{Location: "query." + e.Field, Message: e.Message}
	if value, sent := query[e.Field]; sent {
		d.Value = value
	}
	if word, ok := errors.AsType[*audit.QueryError](err); ok && word.Word != "" {
		d.Value = word.Word
	}
	return d
}

// seconds is a wait in whole seconds, rounded up.
func seconds(wait time.Duration) string {
	return strconv.Itoa(int((wait + time.Second - 1) / time.Second))
}

// explain puts what is wrong with several parameters into the sentence that
// people read first: as the framework leaves it, it says only that something
// is.
func explain(_ huma.Context, _ string, v any) (any, error) {
	p, ok := v.(*huma.ErrorModel)
	if !ok || p.Status != http.StatusUnprocessableEntity || len(p.Errors) == 0 || !strings.HasPrefix(p.Detail, "validation failed") {
		return v, nil
	}
	var all []string
	for _, e := range p.Errors {
		all = append(all, e.Location+": "+e.Message)
	}
	p.Detail = strings.Join(all, "; ")
	return p, nil
}

// quoted writes something that a client sent so that it is no markup and
// not too long.
func quoted(s string) string {
	if len(s) > 32 {
		s = s[:32]
	}
	return strconv.Quote(s)
}
