package bench

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/database"
)

// What real audit logs look like (measured on two cloud logs and a Windows
// log): actors follow a Zipf law with s about 1.6, objects one of about 1, four
// fifths are reads, one action is rarer than one in a thousand, and the same
// actor repeats the same action on the same object a fifth of the time.
const (
	actorCount  = 500
	actorSkew   = 1.6
	objectSkew  = 1.01
	repeatShare = 0.2
)

var loadActions = []struct {
	id    string
	share float64
}{
	{"call.viewed", 0.25}, {"call.exported", 0.2}, {"session.signed_in", 0.15}, {"audit_log.viewed", 0.1},
	{"user.viewed", 0.1}, {"device.viewed", 0.08}, {"metric.edited", 0.06}, {"user.changed", 0.0395},
	{"device.changed", 0.02}, {"user.deleted", 0.0005},
}

func loadCatalogue() *audit.Catalogue {
	var all []audit.Action
	for _, a := range loadActions {
		all = append(all, audit.Action{ID: a.id, Label: a.id, Group: "Load", Objects: []string{"call"}, Doc: "Load."})
	}
	return audit.MustCatalogue(all...)
}

// load is a source of intents with these distributions.
type load struct {
	r       *rand.Rand
	actors  *rand.Zipf
	objects *rand.Zipf
	last    audit.Intent
}

func newLoad(seed uint64, events int) *load {
	r := rand.New(rand.NewPCG(seed, 1))
	return &load{r: r, actors: rand.NewZipf(r, actorSkew, 1, actorCount-1), objects: rand.NewZipf(r, objectSkew, 8, uint64(events/2))}
}

func actorID(i uint64) string { return fmt.Sprintf("user_01kb%022d", i) }
func callID(i uint64) string  { return fmt.Sprintf("call_01kb%022d", i) }

func (l *load) next() audit.Intent {
	if l.last.Log != "" && l.r.Float64() < repeatShare {
		return l.last
	}
	a, o, x := l.actors.Uint64(), l.objects.Uint64(), l.r.Float64()
	action := loadActions[0].id
	for _, each := range loadActions {
		if action = each.id; x < each.share {
			break
		}
		x -= each.share
	}
	l.last = audit.Intent{
		Log: team, Action: action,
		Actor:   audit.Actor{Type: audit.ActorUser, ID: actorID(a), Name: "Person " + strconv.FormatUint(a, 10), Email: fmt.Sprintf("person%d@example.com", a)},
		Object:  audit.Ref{Type: "call", ID: callID(o), Name: fmt.Sprintf("Call +1 555 %07d", o)},
		Context: audit.Context{IP: fmt.Sprintf("203.0.113.%d", a%250), UserAgent: "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36", Session: fmt.Sprintf("ses_01kb%022d", a), Request: "req_01kb0000000000000000000000", Via: "web"},
	}
	return l.last
}

// fill records events as fast as they go, by a clock that runs a year through.
func fill(b *testing.B, log *audit.Log, events int) {
	b.Helper()
	const clients = 256
	var wg sync.WaitGroup
	start := time.Now()
	for c := range clients {
		wg.Go(func() {
			l := newLoad(uint64(c), events)
			for range events / clients {
				if _, err := log.Note(context.Background(), l.next()); err != nil {
					b.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	b.Logf("%d events in %s: %.0f a second", events, time.Since(start).Round(time.Second), float64(events)/time.Since(start).Seconds())
}

// fillBare copies the events into the table that a searchable log would have
// without this engine: one row an event, a B-tree for each condition.
func fillBare(b *testing.B, db *database.DB) {
	b.Helper()
	exec(b, db, `CREATE TABLE bare_event (log TEXT NOT NULL, id TEXT NOT NULL, actor TEXT, action TEXT, object TEXT, body BLOB, who BLOB, what BLOB, PRIMARY KEY (log, id)) STRICT`)
	exec(b, db, `INSERT INTO bare_event SELECT log, id, body ->> 'actor' ->> 'id', body ->> 'action', body ->> 'object' ->> 'id', body,
		(SELECT part FROM audit_part p WHERE p.n = e.n AND kind = 'who'), (SELECT part FROM audit_part p WHERE p.n = e.n AND kind = 'what') FROM audit_event e`)
	for name, columns := range map[string]string{"actor": "log, actor, id", "action": "log, action, id", "object": "log, object, id", "actor_action": "log, actor, action, id"} {
		exec(b, db, `CREATE INDEX bare_`+name+` ON bare_event (`+columns+`)`)
	}
}
