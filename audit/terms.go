package audit

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"
)

// The kinds of term. A term is a short hash of a log, a kind and values. That
// two conditions may share one costs time, never truth: what the index finds
// is compared with the event itself.
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

var termText = base32.NewEncoding("abcdefghijklmnopqrstuvwxyz234567").WithPadding(base32.NoPadding)

// term gives 8 characters for 40 bits of hash.
func term(log, kind string, values ...string) string {
	b := make([]byte, 0, 160)
	b = append(append(b, log...), 0)
	b = append(b, kind...)
	for _, v := range values {
		b = append(append(b, 0), v...)
	}
	sum := sha256.Sum256(b)
	return termText.EncodeToString(sum[:5])
}

// terms gives everything by which an event can be found.
func terms(e *Event) []string {
	all := []string{term(e.Log, termLog), term(e.Log, termAction, e.Action)}
	add := func(kind string, values ...string) { all = append(all, term(e.Log, kind, values...)) }
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

// distinct drops empty and repeated words and keeps the order.
func distinct(words ...string) []string {
	var out []string
	seen := make(map[string]bool, len(words))
	for _, w := range words {
		if w != "" && !seen[w] {
			seen[w] = true
			out = append(out, w)
		}
	}
	return out
}

// anyOf and allOf write queries of the index. Terms are letters and digits of
// lower case, so nothing in them can be an operator.
func anyOf(exprs ...string) string { return join(exprs, " OR ") }

func allOf(exprs ...string) string { return join(exprs, " AND ") }

func join(exprs []string, op string) string {
	if len(exprs) == 1 {
		return exprs[0]
	}
	return "(" + strings.Join(exprs, op) + ")"
}

// product gives the terms of a kind for every combination of values.
func product(log, kind string, values ...[]string) []string {
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
	var all []string
	for _, c := range combos {
		all = append(all, term(log, kind, c...))
	}
	return all
}
