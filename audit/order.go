package audit

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"time"

	"onrecord/database"
)

// An event's place n orders all events by time and fits one integer: the
// microseconds of its id, then 11 bits. The 11 bits are the first random bits
// of the id, so that n and id agree on the order; only when another event has
// taken that very place (one chance in 2,048 for two events of one
// microsecond, which one process never makes) the next free one is used.
const placeBits = 11

// place gives the wanted n of an event.
func place(uuid [16]byte) int64 {
	random := int64(binary.BigEndian.Uint16(uuid[8:10])&0x3fff) >> 3
	return microsOf(uuid)<<placeBits | random
}

// placeAt is the lowest n of a microsecond.
func placeAt(t time.Time) int64 { return t.UnixMicro() << placeBits }

// timeAt is the microsecond of an n.
func timeAt(n int64) time.Time { return time.UnixMicro(n >> placeBits).UTC() }

// placesOf gives the range of n in which the event with this id stands.
func placesOf(id string) (first, last int64, err error) {
	_, uuid, err := ParseID(id)
	if err != nil {
		return 0, 0, err
	}
	first = place(uuid) >> placeBits << placeBits
	return first, first | (1<<placeBits - 1), nil
}

// takePlaces gives each id its n, stepping past places already taken.
func takePlaces(ctx context.Context, tx *database.Tx, ids []string) ([]int64, error) {
	want := make([]int64, len(ids))
	for i, id := range ids {
		_, uuid, err := ParseID(id)
		if err != nil {
			return nil, fmt.Errorf("event id %q: %w", id, err)
		}
		want[i] = place(uuid)
	}
	taken := map[int64]bool{}
	for {
		list, err := json.Marshal(want)
		if err != nil {
			return nil, fmt.Errorf("placing events: %w", err)
		}
		if err := addTaken(ctx, tx, string(list), taken); err != nil {
			return nil, err
		}
		moved := false
		mine := make(map[int64]bool, len(want))
		for i := range want {
			for taken[want[i]] || mine[want[i]] {
				want[i]++
				moved = true
			}
			mine[want[i]] = true
		}
		if !moved {
			return want, nil
		}
	}
}

func addTaken(ctx context.Context, tx *database.Tx, list string, taken map[int64]bool) error {
	rows, err := tx.QueryContext(ctx, `SELECT n FROM audit_event WHERE n IN (SELECT value FROM json_each($1))`, list)
	if err != nil {
		return fmt.Errorf("placing events: %w", err)
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return fmt.Errorf("placing events: %w", err)
		}
		taken[n] = true
	}
	return rows.Err()
}

// The kinds of term. A term is the hash of a log, a kind and values; a hash
// that two conditions share costs time, never truth: what the index finds is
// compared with the event itself.
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
)

func term(log, kind string, values ...string) int64 {
	b := make([]byte, 0, 160)
	b = append(append(b, log...), 0)
	b = append(b, kind...)
	for _, v := range values {
		b = append(append(b, 0), v...)
	}
	sum := sha256.Sum256(b)
	return int64(binary.BigEndian.Uint64(sum[:8]))
}

// terms gives everything by which an event can be found.
func terms(e *Event) []int64 {
	all := []int64{term(e.Log, termLog), term(e.Log, termAction, e.Action)}
	actors := e.actors()
	for _, a := range actors {
		all = append(all, term(e.Log, termActor, a), term(e.Log, termActorAction, a, e.Action))
	}
	for _, o := range e.objects() {
		all = append(all, term(e.Log, termObject, o), term(e.Log, termObjectAction, o, e.Action))
		for _, a := range actors {
			all = append(all, term(e.Log, termObjectActor, o, a))
		}
	}
	if e.Object != nil {
		all = append(all, term(e.Log, termType, e.Object.Type))
	}
	if e.Outcome != OutcomeOK {
		all = append(all, term(e.Log, termOutcome, string(e.Outcome)))
	}
	return all
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
