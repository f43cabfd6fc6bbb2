package audit

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"
	"unicode/utf8"
)

// Event is one entry of a log. Its JSON is what API, export and command line
// show; it is rendered from the sealed bytes and the parts, and is never kept
// as a second truth. Of an event whose Version this program does not know,
// only ID, Log, Version and Leaf are set.
type Event struct {
	ID       string
	Log      string    // a team's id or the organization's; "team" in JSON
	Time     time.Time // when it happened; Recorded unless Source is set
	Recorded time.Time // by our clock, to the microsecond
	Version  int       // of the sealed bytes
	Leaf     *int64    // its number in the sealed tree; nil until sealed
	Actor    *Actor
	Action   string
	Outcome  Outcome
	Error    string // of a failed one: conflict, …
	Object   *Ref
	Related  []Ref
	Changes  []Change
	Links    []Link
	Reason   string
	Data     map[string]string
	Source   string // another system that claims Time; "" for our own events
	Context  Context

	WhoErased, WhatErased bool // the part is gone for ever; every proof still holds
}

// ActorType is the kind of an actor.
type ActorType string

// The kinds of actors.
const (
	ActorUser     ActorType = "user"
	ActorAPIKey   ActorType = "api_key"
	ActorOperator ActorType = "operator" // on the command line
	ActorSystem   ActorType = "system"
)

// Actor is who acted. Name and Email are erasable.
type Actor struct {
	Type  ActorType
	ID    string // "" if there is none: nobody is signed in yet
	For   string // the accountable person behind a key or an impersonation
	Name  string
	Email string
}

// Ref names an object. Its name is erasable.
type Ref struct{ Type, ID, Name string }

// Outcome tells how an action ended.
type Outcome string

// The outcomes.
const (
	OutcomeOK     Outcome = "ok"
	OutcomeDenied Outcome = "denied" // the actor was not allowed to
	OutcomeFailed Outcome = "failed" // see Event.Error
)

// Class says how the values of a column are recorded.
type Class string

// The classes. A change whose values can no longer be told, because the part
// that held them is erased, has class Erased.
const (
	Plain    Class = "plain"    // in clear, for ever
	Personal Class = "personal" // in the erasable part
	Secret   Class = "secret"   // not at all, only that it changed
	Digest   Class = "digest"   // as a salted digest in the erasable part
	Erased   Class = "erased"
)

// Change is one field of one row, before and after. A zero Value means that
// there was or is nothing. A change without a field says that the row was
// written and nothing differs.
type Change struct {
	On    Ref    // the row; no name
	Prev  string // the event that changed the row last; "" for its creation
	Field string
	Class Class
	From  Value
	To    Value
}

// Link joins events that belong together. Rel: caused_by, pair (the other half
// of a move), ends (an export's end).
type Link struct{ Rel, Log, ID string }

// Context is from where an action came. IP and UserAgent are erasable.
type Context struct {
	IP        string
	UserAgent string
	Session   string
	Request   string
	Via       string // web, api, cli, system
}

// Value is a recorded value: nothing, a text or a whole number. Fractions are
// decimal texts. Values can be compared with ==.
type Value struct {
	kind byte // 0 nothing, 's' text, 'n' number, 'b' truth
	s    string
	n    int64
}

func stringValue(s string) Value { return Value{kind: 's', s: s} }

// maxInteger is where JSON readers begin to round: 2^53.
const maxInteger = 1 << 53

// valueOf takes what the database or a JSON decoder gives.
func valueOf(v any) (Value, error) {
	switch v := v.(type) {
	case nil:
		return Value{}, nil
	case string:
		return stringValue(v), nil
	case []byte:
		return stringValue(string(v)), nil
	case bool:
		if v {
			return Value{kind: 'b', n: 1}, nil
		}
		return Value{kind: 'b'}, nil
	case int64:
		if v <= -maxInteger || v >= maxInteger {
			return Value{}, fmt.Errorf("the number %d is not below 2^53: keep it as text", v)
		}
		return Value{kind: 'n', n: v}, nil
	case json.Number:
		n, err := v.Int64()
		if err != nil {
			return Value{}, fmt.Errorf("the number %s is not whole: keep fractions as decimal text", v)
		}
		return valueOf(n)
	}
	return Value{}, fmt.Errorf("a value of type %T cannot be recorded", v)
}

// IsZero tells that there is nothing.
func (v Value) IsZero() bool { return v.kind == 0 }

// isTrue tells whether SQL would take the value for true.
func (v Value) isTrue() bool { return v.n != 0 }

// String is the value as text, "" for nothing.
func (v Value) String() string {
	switch v.kind {
	case 's':
		return v.s
	case 'n':
		return strconv.FormatInt(v.n, 10)
	case 'b':
		return strconv.FormatBool(v.n != 0)
	}
	return ""
}

// MarshalJSON writes null, a text, a number or a truth value.
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case 0:
		return []byte("null"), nil
	case 's':
		if !utf8.ValidString(v.s) {
			return nil, errors.New("a recorded text is not valid UTF-8")
		}
		return appendString(nil, v.s), nil
	}
	return []byte(v.String()), nil
}

// UnmarshalJSON reads what MarshalJSON writes.
func (v *Value) UnmarshalJSON(b []byte) error {
	switch b[0] {
	case '"':
		*v = Value{kind: 's'}
		return json.Unmarshal(b, &v.s)
	case 't', 'f':
		*v = Value{kind: 'b'}
		if b[0] == 't' {
			v.n = 1
		}
		return nil
	case 'n':
		*v = Value{}
		return nil
	case '{', '[':
		return fmt.Errorf("%s is not a value that an event holds", b)
	}
	n, err := valueOf(json.Number(b))
	*v = n
	return err
}
