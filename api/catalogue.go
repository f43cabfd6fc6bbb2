package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"onrecord/portal"
)

// catalogue registers the list of actions.
func (s *server) catalogue() {
	huma.Register(s.huma, s.operation("list-actions", "/actions", "List every kind of event", "Catalogue",
		"What an event's `action` can be, in the order of menus. Actions are only ever added."), s.listActions)
}

type action struct {
	ID      string   `json:"id" example:"call.deleted"`
	Label   string   `json:"label" example:"Deleted call"`
	Group   string   `json:"group" example:"Call session"`
	Objects []string `json:"objects" nullable:"false" doc:"Types of object that it happens to."`
	Doc     string   `json:"doc" doc:"What it means."`
	Quiet   bool     `json:"quiet" doc:"The page leaves it out where nobody asked for it; the API never does."`
}

type listActionsOutput struct {
	Body struct {
		Items      []action `json:"items" nullable:"false"`
		NextCursor *string  `json:"next_cursor" doc:"Always null: this is all."`
	}
}

func (s *server) listActions(context.Context, *struct{}) (*listActionsOutput, error) {
	out := &listActionsOutput{}
	for _, a := range portal.Catalogue.All() {
		objects := a.Objects
		if objects == nil {
			objects = []string{}
		}
		out.Body.Items = append(out.Body.Items, action{a.ID, a.Label, a.Group, objects, a.Doc, a.Quiet})
	}
	return out, nil
}
