package audit

import (
	"crypto/sha256"
	"encoding/binary"
)

// The kinds of term.
const (
	termLog          = "log"
	termActor        = "actor"
	termAction       = "action"
	termActorAction  = "actor action"
	termObject       = "object"
	termObjectActor  = "object actor"
	termObjectAction = "object action"
	termType         = "type"
	termOutcome      = "outcome" // of refusals only: nearly every event is ok
	termSession      = "session"
	termIP           = "ip"
	termWord         = "word"
)

// term is one thing that an event can be found by: a kind and the hash of a
// log, that kind and values. That two may share a hash costs time, never
// truth: what the index finds is compared with the event itself.
type term struct {
	kind string
	hash uint64
}

func makeTerm(log, kind string, values ...string) term {
	b := make([]byte, 0, 160)
	b = append(append(b, log...), 0)
	b = append(b, kind...)
	for _, v := range values {
		b = append(append(b, 0), v...)
	}
	sum := sha256.Sum256(b)
	return term{kind, binary.BigEndian.Uint64(sum[:])}
}

// terms gives everything by which an event can be found.
func terms(e *Event) []term {
	all := []term{makeTerm(e.Log, termLog), makeTerm(e.Log, termAction, e.Action)}
	add := func(kind string, values ...string) { all = append(all, makeTerm(e.Log, kind, values...)) }
	actors := e.actors()
	for _, a := range actors {
		add(termActor, a)
		add(termActorAction, a, e.Action)
	}
	for _, o := range e.objects() {
		add(termObject, o)
		add(termObjectAction, o, e.Action)
		for _, a := range actors {
			add(termObjectActor, o, a)
		}
	}
	if e.Object != nil {
		add(termType, e.Object.Type)
	}
	if e.Outcome != OutcomeOK {
		add(termOutcome, string(e.Outcome))
	}
	if e.Context.Session != "" {
		add(termSession, e.Context.Session)
	}
	if e.Context.IP != "" {
		add(termIP, e.Context.IP)
	}
	for _, w := range e.words() {
		add(termWord, w)
	}
	return distinct(all...)
}

// actors are the ids that the filter actor: finds an event by: who acted, and
// who answers for it.
func (e *Event) actors() []string {
	if e.Actor == nil {
		return nil
	}
	return distinct(e.Actor.ID, e.Actor.For)
}

// objects are the ids that the filter object: finds an event by.
func (e *Event) objects() []string {
	var ids []string
	if e.Object != nil {
		ids = append(ids, e.Object.ID)
	}
	for _, r := range e.Related {
		ids = append(ids, r.ID)
	}
	return distinct(ids...)
}

// distinct drops empty and repeated values and keeps the order.
func distinct[T comparable](values ...T) []T {
	var out []T
	var empty T
	seen := make(map[T]bool, len(values))
	for _, v := range values {
		if v != empty && !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

// product gives the terms of a kind for every combination of values.
func product(log, kind string, values ...[]string) []term {
	combos := [][]string{nil}
	for _, list := range values {
		var next [][]string
		for _, c := range combos {
			for _, v := range list {
				next = append(next, append(append([]string{}, c...), v))
			}
		}
		combos = next
	}
	var all []term
	for _, c := range combos {
		all = append(all, makeTerm(log, kind, c...))
	}
	return all
}
