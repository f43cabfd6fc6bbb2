package api

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"onrecord/audit"
)

// FilterParams say which events are wanted: either q, or the fields. Without
// any, all of the log.
type FilterParams struct {
	Q       string   `query:"q" doc:"The query language of the page's search field, such as actor:dana@example.com -outcome:ok \"free text\". Not together with the fields." example:"action:call.deleted after:2026-11-01"`
	Actor   []string `query:"actor,explode" doc:"Ids, names or mail addresses of actors, as they are or ever were. Repeat it for several: any of them." example:"dana@example.com"`
	Action  []string `query:"action,explode" doc:"Ids of actions, as GET /actions lists them. Repeat it for several." example:"call.deleted"`
	Object  []string `query:"object,explode" doc:"Ids or names of objects, also of those only related to an event. Repeat it for several."`
	Outcome []string `query:"outcome,explode" doc:"ok, denied or failed. Repeat it for several." example:"denied"`
	After   string   `query:"after" doc:"At this time or later: 2026-11-01, or 2026-11-01T12:00Z, in UTC unless it has an offset." example:"2026-11-01"`
	Before  string   `query:"before" doc:"Before this time." example:"2026-11-08T12:00Z"`
}

// filter reads the parameters. Errors: problems that name the parameter.
func (p FilterParams) filter() (audit.Filter, error) {
	fields := []struct {
		name   string
		values []string
		of     func(*audit.Filter) *audit.Values
	}{
		{"actor", p.Actor, func(f *audit.Filter) *audit.Values { return &f.Actor }},
		{"action", p.Action, func(f *audit.Filter) *audit.Values { return &f.Action }},
		{"object", p.Object, func(f *audit.Filter) *audit.Values { return &f.Object }},
		{"outcome", p.Outcome, func(f *audit.Filter) *audit.Values { return &f.Outcome }},
	}
	var f audit.Filter
	for _, field := range fields {
		for _, value := range field.values {
			read, err := readValue(field.of, value)
			if err != nil {
				return f, wrong(field.name, value, reason(err))
			}
			v := field.of(&f)
			v.Any = append(v.Any, read...)
		}
	}
	var err error
	for _, bound := range []struct{ name, text string }{{"after", p.After}, {"before", p.Before}} {
		if bound.text == "" {
			continue
		}
		at, err := audit.ParseTime(bound.text)
		if err != nil {
			return f, wrong(bound.name, bound.text, err.Error())
		}
		if bound.name == "after" {
			f.After = at
		} else {
			f.Before = at
		}
	}
	if p.Q == "" {
		if err = f.CheckRange(); err == nil {
			f, err = audit.ParseQuery(f.String()) // what comes by the fields must be sayable in the language
		}
		return f, err
	}
	if !f.IsZero() {
		return f, wrong("q", p.Q, "Send either q or the fields actor, action, object, outcome, after and before: q can say all that they can.")
	}
	return audit.ParseQuery(p.Q)
}

// readValue reads one value as the query language would.
func readValue(of func(*audit.Filter) *audit.Values, value string) ([]string, error) {
	var one audit.Filter
	of(&one).Any = []string{value}
	one, err := audit.ParseQuery(one.String())
	return of(&one).Any, err
}

// reason is what is wrong with a value, without the query that it was made
// part of.
func reason(err error) string {
	if word, ok := errors.AsType[*audit.QueryError](err); ok {
		return word.Message
	}
	return err.Error()
}

// sent are the values of a query that the portal may find wrong.
func (p FilterParams) sent(more map[string]string) map[string]string {
	all := map[string]string{"q": p.Q, "after": p.After, "before": p.Before}
	for name, value := range more {
		all[name] = value
	}
	return all
}

// legible refuses what the framework would pass over in silence: a query that
// cannot be read, a parameter without a value, one that is sent twice where one
// is taken.
func legible(ctx huma.Context) *huma.ErrorModel {
	r, _ := humago.Unwrap(ctx)
	sent, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return problem(422, "The query of the address cannot be read: "+strings.ToValidUTF8(err.Error(), "\uFFFD")+".")
	}
	var faults []*huma.ErrorDetail
	for _, p := range ctx.Operation().Parameters {
		values := sent[p.Name]
		several := p.Explode != nil && *p.Explode
		switch {
		case p.In != "query" || len(values) == 0:
		case slices.Contains(values, "") && p.Name != "q":
			faults = append(faults, &huma.ErrorDetail{Location: "query." + p.Name, Value: "", Message: "it has no value: leave it out, or give it one"})
		case len(values) > 1 && !several:
			faults = append(faults, &huma.ErrorDetail{Location: "query." + p.Name, Value: strings.Join(values, ", "), Message: "it is sent more than once"})
		}
	}
	if len(faults) == 0 {
		return nil
	}
	return problem(422, "validation failed", faults...)
}
