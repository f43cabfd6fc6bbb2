package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

const aboutText = `The audit log of a team of OnRecord, for programs.

A key belongs to one team: an Admin makes it under Team settings → Security → API keys, or an operator with ` + "`onrecord keys create`" + `. ` +
	`Send it as ` + "`Authorization: Bearer ork_…`" + `. A key never does more than the person who answers for it, and what it reads is on the record before the answer leaves.

Errors are problem documents (RFC 9457, ` + "`application/problem+json`" + `) that name the field and the value. Parameters that are not known are refused, never ignored. ` +
	`Lists take ` + "`limit` and `cursor`" + ` and answer ` + "`items` and `next_cursor`" + `. Times are UTC.`

// description is the OpenAPI document but for its operations.
func description(url string) *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info:    &huma.Info{Title: "OnRecord API", Version: "1", Description: aboutText, License: &huma.License{Name: "Apache 2.0", Identifier: "Apache-2.0"}},
		Servers: []*huma.Server{{URL: url + Prefix}},
		Tags: []*huma.Tag{
			{Name: "Events", Description: "The audit log."},
			{Name: "Catalogue", Description: "What is recorded."},
			{Name: "Proofs", Description: "What it takes to check the log without believing us; docs/verify.md explains it."},
			{Name: "Users", Description: "The team's members."},
		},
		Components: &huma.Components{
			Schemas:         huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
			SecuritySchemes: map[string]*huma.SecurityScheme{"key": {Type: "http", Scheme: "bearer", Description: "An API key of the team, ork_…"}},
		},
		Security: []map[string][]string{{"key": {}}},
	}
}

// streamed describes a GET operation whose answer comes bit by bit.
func (s *server) streamed(id, path, summary, text string, contentTypes ...string) huma.Operation {
	op := s.operation(id, path, summary, "Events", text)
	ok := &huma.Response{Description: "OK", Content: map[string]*huma.MediaType{}}
	for _, kind := range contentTypes {
		ok.Content[kind] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	op.Responses = map[string]*huma.Response{"200": ok}
	return op
}

// operation describes a GET operation.
func (s *server) operation(id, path, summary, tag, text string) huma.Operation {
	return huma.Operation{
		OperationID: id, Method: http.MethodGet, Path: path, Summary: summary, Tags: []string{tag}, Description: text,
		Errors: []int{http.StatusUnauthorized, http.StatusForbidden, http.StatusNotFound, http.StatusUnprocessableEntity, http.StatusTooManyRequests, http.StatusServiceUnavailable},
		Middlewares: huma.Middlewares{func(ctx huma.Context, next func(huma.Context)) {
			if p := legible(ctx); p != nil {
				s.answer(ctx, p)
				return
			}
			next(ctx)
		}},
	}
}
