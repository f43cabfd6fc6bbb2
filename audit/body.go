package audit

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// body is the sealed bytes as Go reads them. Its fields stand in the order of
// their names, which is the order of the bytes.
type body struct {
	Action   string
	Actor    *bodyActor
	Changes  []bodyChange
	Error    string
	ID       string
	Links    []Link
	Log      string
	Object   *bodyRef
	Outcome  string
	Recorded string
	Related  []bodyRef
	Request  string
	Session  string
	Source   string
	Time     string
	V        int
	Via      string
	What     string
	Who      string
}

type bodyActor struct{ For, ID, Type string }

type bodyRef struct{ ID, Type string }

type bodyChange struct {
	Field string
	From  Value
	On    bodyRef
	Prev  string
	To    Value
}

func bodyOf(e *Event) body {
	b := body{
		V: bodyVersion, Log: e.Log, ID: e.ID, Links: e.Links,
		Time: showStamp(e.Time), Recorded: showStamp(e.Recorded),
		Action: e.Action, Outcome: string(e.Outcome), Error: e.Error,
		Session: e.Context.Session, Request: e.Context.Request, Via: e.Context.Via, Source: e.Source,
	}
	if e.Actor != nil {
		b.Actor = &bodyActor{ID: e.Actor.ID, For: e.Actor.For, Type: string(e.Actor.Type)}
	}
	if e.Object != nil {
		b.Object = &bodyRef{ID: e.Object.ID, Type: e.Object.Type}
	}
	for _, r := range e.Related {
		b.Related = append(b.Related, bodyRef{ID: r.ID, Type: r.Type})
	}
	for _, c := range e.Changes {
		bc := bodyChange{On: bodyRef{ID: c.On.ID, Type: c.On.Type}, Prev: c.Prev, Field: c.Field}
		if c.Class == Plain {
			bc.From, bc.To = c.From, c.To
		}
		b.Changes = append(b.Changes, bc)
	}
	return b
}

// event gives what the bytes say. A change without values is of class Secret
// until the part says otherwise.
func (b *body) event() (Event, error) {
	e := Event{
		ID: b.ID, Log: b.Log, Version: b.V, Action: b.Action, Outcome: Outcome(b.Outcome), Error: b.Error, Source: b.Source,
		Links: b.Links, Context: Context{Session: b.Session, Request: b.Request, Via: b.Via},
	}
	var err error
	if e.Recorded, err = readStamp(b.Recorded); err != nil {
		return e, err
	}
	if e.Time, err = readStamp(b.Time); err != nil {
		return e, err
	}
	if b.Actor != nil {
		e.Actor = &Actor{Type: ActorType(b.Actor.Type), ID: b.Actor.ID, For: b.Actor.For}
	}
	if b.Object != nil {
		e.Object = &Ref{Type: b.Object.Type, ID: b.Object.ID}
	}
	for _, r := range b.Related {
		e.Related = append(e.Related, Ref{Type: r.Type, ID: r.ID})
	}
	for _, c := range b.Changes {
		class := Plain
		if c.Field != "" && c.From.IsZero() && c.To.IsZero() {
			class = Secret
		}
		e.Changes = append(e.Changes, Change{Ref{Type: c.On.Type, ID: c.On.ID}, c.Prev, c.Field, class, c.From, c.To})
	}
	return e, nil
}

// check refuses bytes that no event can have. It is asked before bytes are
// sealed and when they are read.
func (b *body) check() error {
	switch {
	case b.Log == "":
		return fmt.Errorf("the event names no log")
	case b.Action == "":
		return fmt.Errorf("the event names no action")
	case !ValidID("evt", b.ID):
		return fmt.Errorf("%q is not the id of an event", b.ID)
	case b.Source == "" && b.Time != b.Recorded:
		return fmt.Errorf("its time %s is not when it was recorded (%s), and no source claims it", b.Time, b.Recorded)
	case !timeFits(b.ID, b.Time):
		return fmt.Errorf("the time in the id %s is not its time %s", b.ID, b.Time)
	case !isCommitment(b.Who) || !isCommitment(b.What):
		return fmt.Errorf("who and what must be commitments: SHA-256 in base64")
	case b.Error != "" && b.Outcome != string(OutcomeFailed):
		return fmt.Errorf("error %q stands beside outcome %q; only what failed has one", b.Error, b.Outcome)
	}
	switch Outcome(b.Outcome) {
	case OutcomeOK, OutcomeDenied, OutcomeFailed:
	default:
		return fmt.Errorf("outcome %q is none of ok, denied, failed", b.Outcome)
	}
	for _, ref := range b.refs() {
		if ref.Type == "" {
			return fmt.Errorf("the object %q has no type", ref.ID)
		}
	}
	if b.Actor == nil {
		return nil
	}
	switch ActorType(b.Actor.Type) {
	case ActorUser, ActorAPIKey, ActorOperator, ActorSystem:
		return nil
	}
	return fmt.Errorf("type of actor %q is none of user, api_key, operator, system", b.Actor.Type)
}

// refs gives every object that the bytes name.
func (b *body) refs() []bodyRef {
	all := make([]bodyRef, 0, 1+len(b.Related)+len(b.Changes))
	if b.Object != nil {
		all = append(all, *b.Object)
	}
	all = append(all, b.Related...)
	for _, c := range b.Changes {
		all = append(all, c.On)
	}
	return all
}

// timeFits tells whether an id holds this time: events are found and ordered by
// their ids. A time that no id can hold stands as the nearest that one can.
func timeFits(id, stamp string) bool {
	t, err := readStamp(stamp)
	if err != nil {
		return false
	}
	_, u, err := ParseID(id)
	return err == nil && microsOf(u) == idMicros(t)
}

// isCommitment tells whether s is how SHA-256 stands in the bytes. Whether it
// is the right one is asked of the part, as long as there is one.
func isCommitment(s string) bool {
	sum, err := base64.StdEncoding.Strict().DecodeString(s)
	return err == nil && len(sum) == sha256.Size && !strings.Contains(s, "\n")
}

func (b *body) encode() ([]byte, error) {
	w := &jcs{b: make([]byte, 0, 1024)}
	w.open('{')
	w.text("action", b.Action)
	if a := b.Actor; a != nil {
		w.name("actor")
		w.open('{')
		w.text("for", a.For)
		w.text("id", a.ID)
		w.text("type", a.Type)
		w.shut('}')
	}
	if len(b.Changes) > 0 {
		w.name("changes")
		w.open('[')
		for _, c := range b.Changes {
			c.encode(w)
		}
		w.shut(']')
	}
	w.text("error", b.Error)
	w.text("id", b.ID)
	if len(b.Links) > 0 {
		w.name("links")
		w.open('[')
		for _, l := range b.Links {
			w.open('{')
			w.text("id", l.ID)
			w.text("log", l.Log)
			w.text("rel", l.Rel)
			w.shut('}')
		}
		w.shut(']')
	}
	w.text("log", b.Log)
	if b.Object != nil {
		w.name("object")
		b.Object.encode(w)
	}
	w.text("outcome", b.Outcome)
	w.text("recorded", b.Recorded)
	if len(b.Related) > 0 {
		w.name("related")
		w.open('[')
		for _, r := range b.Related {
			r.encode(w)
		}
		w.shut(']')
	}
	w.text("request", b.Request)
	w.text("session", b.Session)
	w.text("source", b.Source)
	w.text("time", b.Time)
	w.int("v", int64(b.V))
	w.text("via", b.Via)
	w.text("what", b.What)
	w.text("who", b.Who)
	w.shut('}')
	return w.b, w.err
}

func (r bodyRef) encode(w *jcs) {
	w.open('{')
	w.text("id", r.ID)
	w.text("type", r.Type)
	w.shut('}')
}

func (c bodyChange) encode(w *jcs) {
	w.column = c.Field
	w.open('{')
	w.text("field", c.Field)
	w.value("from", c.From)
	w.name("on")
	c.On.encode(w)
	w.text("prev", c.Prev)
	w.value("to", c.To)
	w.shut('}')
	w.column = ""
}

// readBody reads sealed bytes of version 1, not yet compared.
func readBody(raw string) (b body, ok bool) {
	r := &jcsReader{s: raw}
	r.open('{')
	b.Action = r.text("action")
	if r.has("actor") {
		r.open('{')
		b.Actor = &bodyActor{For: r.text("for"), ID: r.text("id"), Type: r.text("type")}
		r.shut('}')
	}
	if r.has("changes") {
		for r.open('['); r.more(); {
			b.Changes = append(b.Changes, readBodyChange(r))
		}
		r.shut(']')
	}
	b.Error = r.text("error")
	b.ID = r.text("id")
	if r.has("links") {
		for r.open('['); r.more(); {
			r.open('{')
			b.Links = append(b.Links, Link{ID: r.text("id"), Log: r.text("log"), Rel: r.text("rel")})
			r.shut('}')
		}
		r.shut(']')
	}
	b.Log = r.text("log")
	if r.has("object") {
		ref := readBodyRef(r)
		b.Object = &ref
	}
	b.Outcome = r.text("outcome")
	b.Recorded = r.text("recorded")
	if r.has("related") {
		for r.open('['); r.more(); {
			b.Related = append(b.Related, readBodyRef(r))
		}
		r.shut(']')
	}
	b.Request = r.text("request")
	b.Session = r.text("session")
	b.Source = r.text("source")
	b.Time = r.text("time")
	b.V = int(r.int("v"))
	b.Via = r.text("via")
	b.What = r.text("what")
	b.Who = r.text("who")
	r.shut('}')
	return b, !r.fail && r.at == len(raw)
}

func readBodyRef(r *jcsReader) bodyRef {
	r.open('{')
	ref := bodyRef{ID: r.text("id"), Type: r.text("type")}
	r.shut('}')
	return ref
}

func readBodyChange(r *jcsReader) bodyChange {
	r.open('{')
	c := bodyChange{Field: r.text("field"), From: r.value("from")}
	if !r.has("on") {
		r.fail = true
	}
	c.On = readBodyRef(r)
	c.Prev = r.text("prev")
	c.To = r.value("to")
	r.shut('}')
	return c
}
