package audit

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// The sealed bytes of an event, version 1: docs/event-format.md. They can
// never change; what is added one day comes as another version.

const (
	bodyVersion = 1
	maxBody     = 16 << 10 // bytes; a C2SP entry bundle ends at 65,535
	maxPart     = 1 << 20  // bytes

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

func (p *part) commitment(domain string) string { return commit(domain, p.Salt, p.JSON) }

// digest is how a value of class Digest is recorded: salted with the salt of
// its event's what, so that it goes when that goes.
func digest(salt []byte, value string) string { return commit(valueDomain, salt, []byte(value)) }

func commit(domain string, salt, data []byte) string {
	h := sha256.New()
	h.Write([]byte(domain))
	h.Write(salt)
	h.Write(data)
	return base64.StdEncoding.EncodeToString(h.Sum(nil))
}

// encode gives an event's sealed bytes and its parts. What was given wrong or
// is too large is an [Error] with CodeInvalid; any other error is a fault of
// the program.
func encode(e *Event, whoSalt, whatSalt [32]byte) (sealed, error) {
	s := sealed{Who: part{Salt: whoSalt[:]}, What: part{Salt: whatSalt[:]}}
	who := whoOf(e)
	what, err := whatOf(e, whatSalt[:])
	if err != nil {
		return s, err
	}
	if s.Who.JSON, err = who.encode(); err != nil {
		return s, err
	}
	if s.What.JSON, err = what.encode(); err != nil {
		return s, err
	}
	if err := fits("who", s.Who.JSON); err != nil {
		return s, err
	}
	if err := fits("what", s.What.JSON); err != nil {
		return s, err
	}
	b := bodyOf(e)
	b.Who, b.What = s.Who.commitment(whoDomain), s.What.commitment(whatDomain)
	if y, z := e.Time.UTC().Year(), e.Recorded.UTC().Year(); y < 0 || y > 9999 || z < 0 || z > 9999 {
		return s, Invalid("time", "time %s: the year has more than four digits", b.Time)
	}
	if err := b.check(); err != nil {
		return s, err
	}
	if s.Body, err = b.encode(); err != nil {
		return s, err
	}
	if len(s.Body) > maxBody {
		return s, Invalid("", "the event has %d bytes, at most %d can be sealed: split the change into several events joined by links", len(s.Body), maxBody)
	}
	return s, nil
}

func fits(name string, json []byte) error {
	if len(json) > maxPart {
		return Invalid("", "the part %s of the event has %d bytes, at most %d can be recorded: record long texts as digests", name, len(json), maxPart)
	}
	return nil
}

// decode reads an event from its sealed bytes and its parts; a part that is
// nil was erased. It is strict: bytes and parts must be the canonical ones for
// what they say, and each part must match its commitment. Of a version that
// this program does not know only ID, Log and Version are set, and its parts
// are not looked at.
func decode(raw []byte, who, what *part) (Event, error) {
	b, ok := readBody(string(raw))
	if !ok || b.V != bodyVersion {
		return unread(raw)
	}
	if len(raw) > maxBody {
		return Event{}, fmt.Errorf("the sealed bytes are %d, at most %d are allowed", len(raw), maxBody)
	}
	if again, err := b.encode(); err != nil || string(again) != string(raw) {
		return Event{}, errNotCanonical("sealed bytes")
	}
	if err := b.check(); err != nil {
		return Event{}, fmt.Errorf("reading the sealed bytes: %w", err)
	}
	e, err := b.event()
	if err != nil {
		return Event{}, fmt.Errorf("reading the sealed bytes: %w", err)
	}
	if err := e.addWho(who, b.Who); err != nil {
		return Event{}, err
	}
	if err := e.addWhat(what, b.What); err != nil {
		return Event{}, err
	}
	return e, nil
}

func errNotCanonical(what string) error {
	return fmt.Errorf("the %s are not the canonical JSON of an event of version %d", what, bodyVersion)
}

// unread reads only what bytes of every version have.
func unread(raw []byte) (Event, error) {
	e := Event{}
	var members map[string]json.RawMessage // by their exact names, which a struct is not asked for
	if !utf8.Valid(raw) || json.Unmarshal(raw, &members) != nil {
		return e, errNotCanonical("sealed bytes")
	}
	for name, into := range map[string]any{"v": &e.Version, "id": &e.ID, "log": &e.Log} {
		if members[name] == nil || json.Unmarshal(members[name], into) != nil {
			return Event{}, errNotCanonical("sealed bytes")
		}
	}
	if e.Version <= bodyVersion || e.ID == "" || e.Log == "" {
		return Event{}, errNotCanonical("sealed bytes")
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
	p, ok := readWho(string(who.JSON))
	if ok {
		again, err := p.encode()
		ok = err == nil && string(again) == string(who.JSON)
	}
	if !ok {
		return errNotCanonical("bytes of the part who")
	}
	return p.fill(e)
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
	p, ok := readWhat(string(what.JSON))
	if ok {
		again, err := p.encode()
		ok = err == nil && string(again) == string(what.JSON)
	}
	if !ok {
		return errNotCanonical("bytes of the part what")
	}
	return p.fill(e)
}
