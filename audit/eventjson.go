package audit

import "encoding/json"

// The JSON of an event, as docs/event-format.md shows it. Fields are only ever
// added.
type eventJSON struct {
	ID       string            `json:"id"`
	Team     string            `json:"team"`
	Time     string            `json:"time,omitempty"`
	Recorded string            `json:"recorded,omitempty"`
	Version  int               `json:"version"`
	Unread   bool              `json:"unread,omitempty"` // a version that this program does not know
	Leaf     *int64            `json:"leaf,omitempty"`
	Actor    *actorJSON        `json:"actor,omitempty"`
	Action   string            `json:"action,omitempty"`
	Outcome  Outcome           `json:"outcome,omitempty"`
	Error    string            `json:"error,omitempty"`
	Object   *refJSON          `json:"object,omitempty"`
	Changes  []changeJSON      `json:"changes"`
	Related  []refJSON         `json:"related"`
	Links    []linkJSON        `json:"links,omitempty"`
	Reason   string            `json:"reason,omitempty"`
	Data     map[string]string `json:"data,omitempty"`
	Source   string            `json:"source,omitempty"`
	Context  contextJSON       `json:"context"`
	Erased   bool              `json:"erased,omitempty"` // names, personal values, reason and data are gone
}

type actorJSON struct {
	Type   ActorType `json:"type"`
	ID     string    `json:"id,omitempty"`
	For    string    `json:"for,omitempty"`
	Name   string    `json:"name,omitempty"`
	Email  string    `json:"email,omitempty"`
	Erased bool      `json:"erased,omitempty"`
}

type refJSON struct {
	Type   string `json:"type"`
	ID     string `json:"id"`
	Name   string `json:"name,omitempty"`
	Erased bool   `json:"erased,omitempty"`
}

type changeJSON struct {
	On     refJSON `json:"on"`
	Prev   string  `json:"prev,omitempty"`
	Field  string  `json:"field,omitempty"`
	Class  Class   `json:"class,omitempty"` // absent for plain
	From   *Value  `json:"from,omitempty"`
	To     *Value  `json:"to,omitempty"`
	Erased bool    `json:"erased,omitempty"`
}

type linkJSON struct {
	Rel string `json:"rel"`
	Log string `json:"log"`
	ID  string `json:"id"`
}

type contextJSON struct {
	IP        string `json:"ip,omitempty"`
	UserAgent string `json:"user_agent,omitempty"`
	Session   string `json:"session,omitempty"`
	Request   string `json:"request,omitempty"`
	Via       string `json:"via,omitempty"`
	Erased    bool   `json:"erased,omitempty"`
}

// MarshalJSON renders the event as API, export and command line show it.
func (e Event) MarshalJSON() ([]byte, error) { return json.Marshal(e.json()) }

// AppendJSON adds the same bytes to b as MarshalJSON gives, for half the cost:
// package json looks once more through what a MarshalJSON gave it.
func (e *Event) AppendJSON(b []byte) ([]byte, error) {
	text, err := json.Marshal(e.json())
	return append(b, text...), err
}

func (e *Event) json() eventJSON {
	j := eventJSON{
		ID: e.ID, Team: e.Log, Time: stampOf(e.Time), Recorded: stampOf(e.Recorded), Version: e.Version, Unread: e.Version != bodyVersion, Leaf: e.Leaf,
		Action: e.Action, Outcome: e.Outcome, Error: e.Error, Reason: e.Reason, Data: e.Data, Source: e.Source,
		Changes: make([]changeJSON, 0, len(e.Changes)), Related: make([]refJSON, 0, len(e.Related)), Erased: e.WhatErased,
		Context: contextJSON{e.Context.IP, e.Context.UserAgent, e.Context.Session, e.Context.Request, e.Context.Via, e.WhoErased},
	}
	if a := e.Actor; a != nil {
		j.Actor = &actorJSON{a.Type, a.ID, a.For, a.Name, a.Email, e.WhoErased}
	}
	if o := e.Object; o != nil {
		j.Object = &refJSON{o.Type, o.ID, o.Name, e.WhatErased}
	}
	for _, r := range e.Related {
		j.Related = append(j.Related, refJSON{r.Type, r.ID, r.Name, e.WhatErased})
	}
	for _, c := range e.Changes {
		j.Changes = append(j.Changes, c.json())
	}
	for _, l := range e.Links {
		j.Links = append(j.Links, linkJSON(l))
	}
	return j
}

func (c Change) json() changeJSON {
	j := changeJSON{On: refJSON{Type: c.On.Type, ID: c.On.ID}, Prev: c.Prev, Field: c.Field, Erased: c.Class == Erased}
	if c.Class != Plain {
		j.Class = c.Class
	}
	if !c.From.IsZero() {
		j.From = &c.From
	}
	if !c.To.IsZero() {
		j.To = &c.To
	}
	return j
}
