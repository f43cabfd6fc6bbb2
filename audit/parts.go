package audit

import (
	"fmt"
	"maps"
	"slices"
)

// whoPart and whatPart are the erasable parts as Go reads them.
type whoPart struct {
	Email, IP, Name, UserAgent string
}

type whatPart struct {
	Changes []hiddenChange
	Data    map[string]string
	Object  string // its name
	Reason  string
	Related []relatedName
}

// hiddenChange holds the values of the event's Nth change: themselves, or
// their digests.
type hiddenChange struct {
	N                    int
	From, To             Value
	FromDigest, ToDigest string
	column               string // for errors; not in the bytes
}

// relatedName is the name of the event's Nth related object.
type relatedName struct {
	N    int
	Name string
}

func whoOf(e *Event) whoPart {
	p := whoPart{IP: e.Context.IP, UserAgent: e.Context.UserAgent}
	if e.Actor != nil {
		p.Name, p.Email = e.Actor.Name, e.Actor.Email
	}
	return p
}

func (p *whoPart) encode() ([]byte, error) {
	w := &jcs{b: make([]byte, 0, 256)}
	w.open('{')
	w.text("email", p.Email)
	w.text("ip", p.IP)
	w.text("name", p.Name)
	w.text("user_agent", p.UserAgent)
	w.shut('}')
	return w.b, w.err
}

func readWho(raw string) (p whoPart, ok bool) {
	r := &jcsReader{s: raw}
	r.open('{')
	p = whoPart{Email: r.text("email"), IP: r.text("ip"), Name: r.text("name"), UserAgent: r.text("user_agent")}
	r.shut('}')
	return p, !r.fail && r.at == len(raw)
}

// fill adds what the part says to an event read from its bytes.
func (p *whoPart) fill(e *Event) error {
	e.Context.IP, e.Context.UserAgent = p.IP, p.UserAgent
	if e.Actor != nil {
		e.Actor.Name, e.Actor.Email = p.Name, p.Email
	} else if p.Name != "" || p.Email != "" {
		return fmt.Errorf("the part who names an actor, the event has none")
	}
	return nil
}

// whatOf gives the part of an event. salt is its own: digests go when it goes.
func whatOf(e *Event, salt []byte) (whatPart, error) {
	p := whatPart{Data: e.Data, Reason: e.Reason}
	if e.Object != nil {
		p.Object = e.Object.Name
	}
	for i, r := range e.Related {
		if r.Name != "" {
			p.Related = append(p.Related, relatedName{i, r.Name})
		}
	}
	for i, c := range e.Changes {
		if err := c.check(); err != nil {
			return p, err
		}
		switch c.Class {
		case Personal:
			p.Changes = append(p.Changes, hiddenChange{N: i, From: c.From, To: c.To, column: c.Field})
		case Digest:
			h := hiddenChange{N: i}
			if !c.From.IsZero() {
				h.FromDigest = digest(salt, c.From.String())
			}
			if !c.To.IsZero() {
				h.ToDigest = digest(salt, c.To.String())
			}
			p.Changes = append(p.Changes, h)
		}
	}
	return p, nil
}

// check refuses changes whose class could not be told from what is sealed.
func (c *Change) check() error {
	empty := c.From.IsZero() && c.To.IsZero()
	switch c.Class {
	case Plain:
		if (c.Field == "") != empty {
			return fmt.Errorf("the change of %s %s, field %q, must have both a field and a value, or neither", c.On.Type, c.On.ID, c.Field)
		}
		return nil
	case Personal, Digest:
		if empty {
			return fmt.Errorf("the change of field %q says nothing: it has neither from nor to", c.Field)
		}
	case Secret:
	default:
		return fmt.Errorf("the change of field %q has class %q; it is one of plain, personal, secret, digest", c.Field, c.Class)
	}
	if c.Field == "" {
		return fmt.Errorf("the %s change of %s %s names no field", c.Class, c.On.Type, c.On.ID)
	}
	return nil
}

func (p *whatPart) encode() ([]byte, error) {
	w := &jcs{b: make([]byte, 0, 256)}
	w.open('{')
	if len(p.Changes) > 0 {
		w.name("changes")
		w.open('[')
		for _, c := range p.Changes {
			c.encode(w)
		}
		w.shut(']')
	}
	if len(p.Data) > 0 {
		w.name("data")
		w.open('{')
		for _, key := range slices.Sorted(maps.Keys(p.Data)) {
			if !memberName(key) {
				return nil, Invalid("data", "data: key %q is not a word of a to z, 0 to 9 and _", key)
			}
			w.name(key)
			w.str(p.Data[key])
		}
		w.shut('}')
	}
	if p.Object != "" {
		w.name("object")
		w.open('{')
		w.text("name", p.Object)
		w.shut('}')
	}
	w.text("reason", p.Reason)
	if len(p.Related) > 0 {
		w.name("related")
		w.open('[')
		for _, r := range p.Related {
			w.open('{')
			w.int("n", int64(r.N))
			w.text("name", r.Name)
			w.shut('}')
		}
		w.shut(']')
	}
	w.shut('}')
	return w.b, w.err
}

func (c hiddenChange) encode(w *jcs) {
	w.column = c.column
	w.open('{')
	w.value("from", c.From)
	w.text("from_digest", c.FromDigest)
	w.int("n", int64(c.N))
	w.value("to", c.To)
	w.text("to_digest", c.ToDigest)
	w.shut('}')
	w.column = ""
}

func memberName(s string) bool {
	for i := 0; i < len(s); i++ {
		if c := s[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return s != ""
}

func readWhat(raw string) (p whatPart, ok bool) {
	r := &jcsReader{s: raw}
	r.open('{')
	if r.has("changes") {
		for r.open('['); r.more(); {
			p.Changes = append(p.Changes, readHidden(r))
		}
		r.shut(']')
	}
	if r.has("data") {
		p.Data = map[string]string{}
		for r.open('{'); r.more(); {
			key := r.str()
			r.expect(':')
			p.Data[key] = r.str()
		}
		r.shut('}')
	}
	if r.has("object") {
		r.open('{')
		p.Object = r.text("name")
		r.shut('}')
	}
	p.Reason = r.text("reason")
	if r.has("related") {
		for r.open('['); r.more(); {
			r.open('{')
			p.Related = append(p.Related, relatedName{int(r.int("n")), r.text("name")})
			r.shut('}')
		}
		r.shut(']')
	}
	r.shut('}')
	return p, !r.fail && r.at == len(raw)
}

func readHidden(r *jcsReader) hiddenChange {
	r.open('{')
	c := hiddenChange{From: r.value("from"), FromDigest: r.text("from_digest")}
	c.N = int(r.int("n"))
	c.To, c.ToDigest = r.value("to"), r.text("to_digest")
	r.shut('}')
	return c
}

// fill adds what the part says to an event read from its bytes.
func (p *whatPart) fill(e *Event) error {
	e.Reason, e.Data = p.Reason, p.Data
	if e.Object != nil {
		e.Object.Name = p.Object
	} else if p.Object != "" {
		return fmt.Errorf("the part what names an object, the event has none")
	}
	last := -1
	for _, r := range p.Related {
		if r.N <= last || r.N >= len(e.Related) || r.Name == "" {
			return fmt.Errorf("the part what names related object %d after %d, the event has %d", r.N, last, len(e.Related))
		}
		last = r.N
		e.Related[r.N].Name = r.Name
	}
	last = -1
	for _, h := range p.Changes {
		if h.N <= last || h.N >= len(e.Changes) || e.Changes[h.N].Class != Secret {
			return fmt.Errorf("the part what holds values for change %d after %d, which has none to hold", h.N, last)
		}
		last = h.N
		if err := e.Changes[h.N].reveal(h); err != nil {
			return err
		}
	}
	return nil
}

// reveal fills in the values that the part held; from them follows the class.
func (c *Change) reveal(h hiddenChange) error {
	values := !h.From.IsZero() || !h.To.IsZero()
	digests := h.FromDigest != "" || h.ToDigest != ""
	if values == digests {
		return fmt.Errorf("the part what must hold either values or digests for change %d", h.N)
	}
	if values {
		c.Class, c.From, c.To = Personal, h.From, h.To
		return nil
	}
	c.Class = Digest
	if h.FromDigest != "" {
		c.From = stringValue(h.FromDigest)
	}
	if h.ToDigest != "" {
		c.To = stringValue(h.ToDigest)
	}
	return nil
}
