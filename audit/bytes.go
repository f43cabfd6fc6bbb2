package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"
)

// The sealed bytes of an event, version 1: docs/event-format.md. They can
// never change; what is added one day comes as another version.

const (
	bodyVersion = 1
	maxBody     = 16 << 10 // bytes; a C2SP entry bundle ends at 65,535
	maxPart     = 1 << 20  // bytes
	timeFormat  = "2006-01-02T15:04:05.000000Z"

	whoDomain   = "onrecord/v1/who\x00"
	whatDomain  = "onrecord/v1/what\x00"
	valueDomain = "onrecord/v1/value\x00"
)

// part is an erasable half of an event. Its commitment in the sealed bytes is
// SHA-256(domain ‖ 0 ‖ Salt ‖ JSON).
type part struct {
	Salt []byte // 32 random bytes
	JSON []byte // canonical
}

// sealed is an event ready to be kept.
type sealed struct {
	Body      []byte // exactly what is hashed
	Who, What part
}

func (p *part) commitment(domain string) string {
	h := sha256.New()
	h.Write([]byte(domain))
	h.Write(p.Salt)
	h.Write(p.JSON)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// digest is how a value of class Digest is recorded: salted with the salt of
// its event's what, so that it goes when that goes.
func digest(salt []byte, value string) string {
	h := sha256.New()
	h.Write([]byte(valueDomain))
	h.Write(salt)
	h.Write([]byte(value))
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// encode gives an event's sealed bytes and its parts.
func encode(e *Event, whoSalt, whatSalt [32]byte) (sealed, error) {
	s := sealed{Who: part{Salt: whoSalt[:]}, What: part{Salt: whatSalt[:]}}
	var err error
	if s.Who.JSON, err = encodeWho(e); err != nil {
		return s, err
	}
	if s.What.JSON, err = encodeWhat(e, whatSalt[:]); err != nil {
		return s, err
	}
	for _, p := range []struct {
		name string
		json []byte
	}{{"who", s.Who.JSON}, {"what", s.What.JSON}} {
		if len(p.json) > maxPart {
			return s, Invalid("", "the %s part of the event has %d bytes, at most %d can be recorded: record long texts as digests", p.name, len(p.json), maxPart)
		}
	}
	b := bodyOf(e)
	b.Who, b.What = s.Who.commitment(whoDomain), s.What.commitment(whatDomain)
	if s.Body, err = b.encode(); err != nil {
		return s, err
	}
	if len(s.Body) > maxBody {
		return s, Invalid("", "the event has %d bytes, at most %d can be sealed: split the change into several events joined by links", len(s.Body), maxBody)
	}
	return s, nil
}

// body is the sealed bytes as Go reads them.
type body struct {
	V        int          `json:"v"`
	Log      string       `json:"log"`
	ID       string       `json:"id"`
	Time     string       `json:"time"`
	Recorded string       `json:"recorded"`
	Actor    *bodyActor   `json:"actor"`
	Action   string       `json:"action"`
	Outcome  string       `json:"outcome"`
	Error    string       `json:"error"`
	Object   *bodyRef     `json:"object"`
	Related  []bodyRef    `json:"related"`
	Changes  []bodyChange `json:"changes"`
	Links    []bodyLink   `json:"links"`
	Session  string       `json:"session"`
	Request  string       `json:"request"`
	Via      string       `json:"via"`
	Source   string       `json:"source"`
	Who      string       `json:"who"`
	What     string       `json:"what"`
}

type bodyActor struct {
	Type string `json:"type"`
	ID   string `json:"id"`
	For  string `json:"for"`
}

type bodyRef struct {
	Type string `json:"type"`
	ID   string `json:"id"`
}

type bodyChange struct {
	On    bodyRef `json:"on"`
	Prev  string  `json:"prev"`
	Field string  `json:"field"`
	From  Value   `json:"from"`
	To    Value   `json:"to"`
}

type bodyLink struct {
	Rel string `json:"rel"`
	Log string `json:"log"`
	ID  string `json:"id"`
}

func bodyOf(e *Event) body {
	b := body{
		V: bodyVersion, Log: e.Log, ID: e.ID,
		Time: e.Time.UTC().Format(timeFormat), Recorded: e.Recorded.UTC().Format(timeFormat),
		Action: e.Action, Outcome: string(e.Outcome), Error: e.Error,
		Session: e.Context.Session, Request: e.Context.Request, Via: e.Context.Via, Source: e.Source,
	}
	if e.Actor != nil {
		b.Actor = &bodyActor{string(e.Actor.Type), e.Actor.ID, e.Actor.For}
	}
	if e.Object != nil {
		b.Object = &bodyRef{e.Object.Type, e.Object.ID}
	}
	for _, r := range e.Related {
		b.Related = append(b.Related, bodyRef{r.Type, r.ID})
	}
	for _, c := range e.Changes {
		bc := bodyChange{On: bodyRef{c.On.Type, c.On.ID}, Prev: c.Prev, Field: c.Field}
		if c.Class == Plain {
			bc.From, bc.To = c.From, c.To
		}
		b.Changes = append(b.Changes, bc)
	}
	for _, l := range e.Links {
		b.Links = append(b.Links, bodyLink(l))
	}
	return b
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
	w.open('{')
	w.text("field", c.Field)
	w.value("from", c.From)
	w.name("on")
	c.On.encode(w)
	w.text("prev", c.Prev)
	w.value("to", c.To)
	w.shut('}')
}

func encodeWho(e *Event) ([]byte, error) {
	w := &jcs{}
	w.open('{')
	if e.Actor != nil {
		w.text("email", e.Actor.Email)
	}
	w.text("ip", e.Context.IP)
	if e.Actor != nil {
		w.text("name", e.Actor.Name)
	}
	w.text("user_agent", e.Context.UserAgent)
	w.shut('}')
	return w.b, w.err
}

func encodeWhat(e *Event, salt []byte) ([]byte, error) {
	w := &jcs{}
	w.open('{')
	if slices.ContainsFunc(e.Changes, func(c Change) bool { return c.Class == Personal || c.Class == Digest }) {
		w.name("changes")
		w.open('[')
		for i, c := range e.Changes {
			c.encodeHidden(w, int64(i), salt)
		}
		w.shut(']')
	}
	if len(e.Data) > 0 {
		w.name("data")
		w.open('{')
		for _, key := range slices.Sorted(maps.Keys(e.Data)) {
			if !memberName(key) {
				return nil, fmt.Errorf("data has the key %q: keys are lower-case ASCII words", key)
			}
			w.name(key)
			w.str(e.Data[key])
		}
		w.shut('}')
	}
	if e.Object != nil && e.Object.Name != "" {
		w.name("object")
		w.open('{')
		w.text("name", e.Object.Name)
		w.shut('}')
	}
	w.text("reason", e.Reason)
	if slices.ContainsFunc(e.Related, func(r Ref) bool { return r.Name != "" }) {
		w.name("related")
		w.open('[')
		for i, r := range e.Related {
			if r.Name != "" {
				w.open('{')
				w.int("n", int64(i))
				w.text("name", r.Name)
				w.shut('}')
			}
		}
		w.shut(']')
	}
	w.shut('}')
	return w.b, w.err
}

// encodeHidden writes the values of a change that do not stand in clear.
func (c Change) encodeHidden(w *jcs, n int64, salt []byte) {
	switch c.Class {
	case Personal:
		w.open('{')
		w.value("from", c.From)
		w.int("n", n)
		w.value("to", c.To)
		w.shut('}')
	case Digest:
		w.open('{')
		if !c.From.IsZero() {
			w.text("from_digest", digest(salt, c.From.String()))
		}
		w.int("n", n)
		if !c.To.IsZero() {
			w.text("to_digest", digest(salt, c.To.String()))
		}
		w.shut('}')
	}
}

func memberName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != ""
}

type whoPart struct {
	Email     string `json:"email"`
	IP        string `json:"ip"`
	Name      string `json:"name"`
	UserAgent string `json:"user_agent"`
}

type whatPart struct {
	Changes []hiddenChange    `json:"changes"`
	Data    map[string]string `json:"data"`
	Object  struct {
		Name string `json:"name"`
	} `json:"object"`
	Reason  string `json:"reason"`
	Related []struct {
		N    int    `json:"n"`
		Name string `json:"name"`
	} `json:"related"`
}

type hiddenChange struct {
	From       Value  `json:"from"`
	FromDigest string `json:"from_digest"`
	N          int    `json:"n"`
	To         Value  `json:"to"`
	ToDigest   string `json:"to_digest"`
}

// decode reads an event from its sealed bytes and its parts; a part that is
// nil was erased. It is strict: the bytes must be the canonical ones for what
// they say, and each part must match its commitment. Of a version that this
// program does not know only ID, Log and Version are set.
func decode(raw []byte, who, what *part) (Event, error) {
	var b body
	if err := json.Unmarshal(raw, &b); err != nil {
		return Event{}, fmt.Errorf("the sealed bytes are not an event: %w", err)
	}
	if b.V != bodyVersion {
		return Event{ID: b.ID, Log: b.Log, Version: b.V}, nil
	}
	again, err := b.encode()
	if err != nil || !bytes.Equal(again, raw) {
		return Event{}, fmt.Errorf("the sealed bytes are not canonical (version %d)", b.V)
	}
	e, err := b.event()
	if err != nil {
		return Event{}, err
	}
	if err := e.addWho(who, b.Who); err != nil {
		return Event{}, err
	}
	if err := e.addWhat(what, b.What); err != nil {
		return Event{}, err
	}
	return e, nil
}

func (b *body) event() (Event, error) {
	e := Event{
		ID: b.ID, Log: b.Log, Version: b.V, Action: b.Action, Outcome: Outcome(b.Outcome), Error: b.Error, Source: b.Source,
		Context: Context{Session: b.Session, Request: b.Request, Via: b.Via},
	}
	for _, t := range []struct {
		text string
		into *time.Time
	}{{b.Time, &e.Time}, {b.Recorded, &e.Recorded}} {
		at, err := time.Parse(timeFormat, t.text)
		if err != nil || at.Format(timeFormat) != t.text {
			return e, fmt.Errorf("the sealed bytes hold %q, which is no time to the microsecond", t.text)
		}
		*t.into = at
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
			class = Secret // until the part says otherwise
		}
		e.Changes = append(e.Changes, Change{Ref{Type: c.On.Type, ID: c.On.ID}, c.Prev, c.Field, class, c.From, c.To})
	}
	for _, l := range b.Links {
		e.Links = append(e.Links, Link(l))
	}
	return e, nil
}

func (e *Event) addWho(who *part, commitment string) error {
	if who == nil {
		e.WhoErased = true
		return nil
	}
	if who.commitment(whoDomain) != commitment {
		return fmt.Errorf("the part who does not match its commitment in the sealed bytes")
	}
	var p whoPart
	if err := json.Unmarshal(who.JSON, &p); err != nil {
		return fmt.Errorf("the part who cannot be read: %w", err)
	}
	e.Context.IP, e.Context.UserAgent = p.IP, p.UserAgent
	if e.Actor != nil {
		e.Actor.Name, e.Actor.Email = p.Name, p.Email
	}
	return nil
}

func (e *Event) addWhat(what *part, commitment string) error {
	if what == nil {
		e.WhatErased = true
		for i := range e.Changes {
			if e.Changes[i].Class == Secret {
				e.Changes[i].Class = Erased
			}
		}
		return nil
	}
	if what.commitment(whatDomain) != commitment {
		return fmt.Errorf("the part what does not match its commitment in the sealed bytes")
	}
	var p whatPart
	if err := json.Unmarshal(what.JSON, &p); err != nil {
		return fmt.Errorf("the part what cannot be read: %w", err)
	}
	e.Reason, e.Data = p.Reason, p.Data
	if e.Object != nil {
		e.Object.Name = p.Object.Name
	}
	for _, r := range p.Related {
		if r.N < 0 || r.N >= len(e.Related) {
			return fmt.Errorf("the part what names related object %d, the event has %d", r.N, len(e.Related))
		}
		e.Related[r.N].Name = r.Name
	}
	for _, c := range p.Changes {
		if c.N < 0 || c.N >= len(e.Changes) || e.Changes[c.N].Class != Secret {
			return fmt.Errorf("the part what holds values for change %d, which has none to hold", c.N)
		}
		e.Changes[c.N].reveal(c)
	}
	return nil
}

// reveal fills in the values that the part held.
func (c *Change) reveal(h hiddenChange) {
	if h.FromDigest == "" && h.ToDigest == "" {
		c.Class, c.From, c.To = Personal, h.From, h.To
		return
	}
	c.Class = Digest
	if h.FromDigest != "" {
		c.From = stringValue(h.FromDigest)
	}
	if h.ToDigest != "" {
		c.To = stringValue(h.ToDigest)
	}
}
