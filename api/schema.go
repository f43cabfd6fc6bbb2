package api

import (
	"github.com/danielgtaylor/huma/v2"

	"onrecord/audit"
)

// Event is an event of the log. Its JSON is the engine's own, the same as in
// exports and on the command line, so its schema is written here by hand; a
// test holds the two together.
type Event struct{ audit.Event }

// Schema describes the JSON of an event.
func (Event) Schema(r huma.Registry) *huma.Schema {
	if r.Map()["Event"] == nil {
		r.Map()["Event"] = eventSchema()
	}
	return &huma.Schema{Ref: "#/components/schemas/Event"}
}

// field is one member of a schema; optional ones may be absent.
type field struct {
	name     string
	schema   *huma.Schema
	optional bool
}

func object(doc string, fields ...field) *huma.Schema {
	s := &huma.Schema{Type: huma.TypeObject, Description: doc, Properties: map[string]*huma.Schema{}, AdditionalProperties: false}
	for _, f := range fields {
		s.Properties[f.name] = f.schema
		if !f.optional {
			s.Required = append(s.Required, f.name)
		}
	}
	s.PrecomputeMessages()
	return s
}

func text(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeString, Description: doc} }

func oneOf(doc string, values ...any) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Description: doc, Enum: values}
}

func moment(doc string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Format: "date-time", Description: doc}
}

func number(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeInteger, Description: doc} }

func truth(doc string) *huma.Schema { return &huma.Schema{Type: huma.TypeBoolean, Description: doc} }

func list(of *huma.Schema, doc string) *huma.Schema {
	return &huma.Schema{Type: huma.TypeArray, Items: of, Description: doc}
}

const erasedText = "true if this was erased by law; every proof still holds."

func refSchema(doc string) *huma.Schema {
	return object(doc,
		field{"type", text("user, device, call, metric, team, …"), false}, field{"id", text(""), false},
		field{"name", text("As it was named then."), true}, field{"erased", truth(erasedText), true})
}

func eventSchema() *huma.Schema {
	value := &huma.Schema{Description: "A text, a number or a truth value; absent for nothing."}
	return object("One entry of the audit log. Members are only ever added.",
		field{"id", text("evt_…: sorts by time."), false},
		field{"team", text("Whose log it is in."), false},
		field{"time", moment("When it happened."), true},
		field{"recorded", moment("When it was recorded; time equals it unless source is there."), true},
		field{"version", number("Of the sealed bytes."), false},
		field{"unread", truth("true for a version that this program does not know; then only id, team, version and leaf are there."), true},
		field{"leaf", number("Its number in the sealed tree; absent until sealed."), true},
		field{"actor", object("Who acted.",
			field{"type", oneOf("", "user", "api_key", "operator", "system"), false}, field{"id", text(""), true},
			field{"for", text("The accountable person behind a key."), true}, field{"name", text(""), true}, field{"email", text(""), true},
			field{"erased", truth(erasedText), true}), true},
		field{"action", text("Of GET /actions."), true},
		field{"outcome", oneOf("", "ok", "denied", "failed"), true},
		field{"error", text("Why it failed: conflict, …"), true},
		field{"object", refSchema("What it was done to."), true},
		field{"changes", list(object("One field of one row, before and after.",
			field{"on", refSchema("The row."), false}, field{"prev", text("The event that changed the row last; absent for its creation."), true},
			field{"field", text(""), true}, field{"class", oneOf("How its values are recorded; absent for plain.", "personal", "secret", "digest", "erased"), true},
			field{"from", value, true}, field{"to", value, true}, field{"erased", truth(erasedText), true}), ""), false},
		field{"related", list(refSchema(""), "Further objects."), false},
		field{"links", list(object("",
			field{"rel", oneOf("", "caused_by", "pair", "ends"), false}, field{"log", text(""), false}, field{"id", text(""), false}),
			"Events that belong together."), true},
		field{"reason", text("Why, in the actor's words."), true},
		field{"data", &huma.Schema{Type: huma.TypeObject, Description: "Further facts.", AdditionalProperties: text("")}, true},
		field{"source", text("Another system that claims time."), true},
		field{"context", object("From where.",
			field{"ip", text(""), true}, field{"user_agent", text(""), true}, field{"session", text(""), true}, field{"request", text(""), true},
			field{"via", text("web, api, cli or system."), true}, field{"erased", truth(erasedText), true}), false},
		field{"erased", truth("true if names, personal values, reason and data were erased by law; every proof still holds."), true},
	)
}
