package bench

import (
	"encoding/json"
	"flag"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/database"
)

var eventCount = flag.Int("events", 50_000, "events in the log that BenchmarkSearch searches")

// BenchmarkSearch compares the newest 50 events of a filter, verified and
// decoded, with the look-up of the same 50 rows by a B-tree made for that very
// condition, their JSON read by encoding/json. What that look-up takes alone,
// with nothing read, stands beside it.
func BenchmarkSearch(b *testing.B) {
	ctx := b.Context()
	db, err := database.Open(ctx, "sqlite:"+filepath.Join(b.TempDir(), "search.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	if _, err := audit.Migrate(ctx, db, nil); err != nil {
		b.Fatal(err)
	}
	log, err := audit.Open(ctx, db, loadCatalogue(), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { log.Close() })
	fill(b, log, *eventCount)
	fillBare(b, db)

	actor := func(i uint64) audit.Values { return audit.Values{Any: []string{actorID(i)}} }
	object := func(i uint64) audit.Values { return audit.Values{Any: []string{callID(i)}} }
	action := func(id string) audit.Values { return audit.Values{Any: []string{id}} }
	for _, c := range []struct {
		name   string
		filter audit.Filter
		bare   string
		args   []any
	}{
		{"everything", audit.Filter{}, `INDEXED BY sqlite_autoindex_bare_event_1 WHERE log = $1`, nil},
		{"actor common", audit.Filter{Actor: actor(0)}, `INDEXED BY bare_actor WHERE log = $1 AND actor = $2`, []any{actorID(0)}},
		{"actor rare", audit.Filter{Actor: actor(300)}, `INDEXED BY bare_actor WHERE log = $1 AND actor = $2`, []any{actorID(300)}},
		{"action common", audit.Filter{Action: action("call.viewed")}, `INDEXED BY bare_action WHERE log = $1 AND action = $2`, []any{"call.viewed"}},
		{"action rare", audit.Filter{Action: action("user.deleted")}, `INDEXED BY bare_action WHERE log = $1 AND action = $2`, []any{"user.deleted"}},
		{"object common", audit.Filter{Object: object(0)}, `INDEXED BY bare_object WHERE log = $1 AND object = $2`, []any{callID(0)}},
		{"object rare", audit.Filter{Object: object(5000)}, `INDEXED BY bare_object WHERE log = $1 AND object = $2`, []any{callID(5000)}},
		{"actor+action common", audit.Filter{Actor: actor(0), Action: action("call.viewed")}, `INDEXED BY bare_actor_action WHERE log = $1 AND actor = $2 AND action = $3`, []any{actorID(0), "call.viewed"}},
		{"actor+action rare", audit.Filter{Actor: actor(20), Action: action("user.deleted")}, `INDEXED BY bare_actor_action WHERE log = $1 AND actor = $2 AND action = $3`, []any{actorID(20), "user.deleted"}},
		{"object+actor", audit.Filter{Object: object(0), Actor: actor(3)}, `INDEXED BY bare_object WHERE log = $1 AND object = $2 AND actor = $3`, []any{callID(0), actorID(3)}},
		{"object+action", audit.Filter{Object: object(1), Action: action("device.changed")}, `INDEXED BY bare_object WHERE log = $1 AND object = $2 AND action = $3`, []any{callID(1), "device.changed"}},
	} {
		b.Run(c.name, func(b *testing.B) {
			args := append([]any{team}, c.args...)
			search := func() {
				if _, err := log.Search(ctx, team, c.filter, audit.Page{}); err != nil {
					b.Fatal(err)
				}
			}
			compare(b, func() { repeat(20, search) }, func() { repeat(20, func() { bareSearch(b, db, c.bare, args, true) }) }, 20)
			start := time.Now()
			repeat(100, func() { bareSearch(b, db, c.bare, args, false) })
			b.ReportMetric(float64(time.Since(start).Microseconds())/100, "µs/look-up")
		})
	}
	for _, c := range []struct {
		name   string
		filter audit.Filter
	}{
		{"word common", audit.Filter{Text: audit.Values{Any: []string{"person0"}}}},
		{"word rare", audit.Filter{Text: audit.Values{Any: []string{"0005000"}}}},
		{"actor+after", audit.Filter{Actor: actor(2), After: time.Now().Add(-time.Hour)}},
		{"ip network (walks)", audit.Filter{IP: audit.Values{Any: []string{"203.0.113.99/32"}}}},
		{"actor+word", audit.Filter{Actor: actor(0), Text: audit.Values{Any: []string{"0000001"}}}},
	} {
		b.Run(c.name, func(b *testing.B) {
			var took []float64
			var res audit.Result
			for b.Loop() {
				for range 40 {
					start := time.Now()
					var err error
					if res, err = log.Search(ctx, team, c.filter, audit.Page{}); err != nil {
						b.Fatal(err)
					}
					took = append(took, float64(time.Since(start))/1000)
				}
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(median(took), "µs/ours")
			b.ReportMetric(float64(len(res.Events)), "events")
			b.ReportMetric(float64(res.Walked), "walked")
		})
	}
}

func repeat(n int, op func()) {
	for range n {
		op()
	}
}

// bareEvent is what a page needs of an event.
type bareEvent struct {
	ID, Time, Action, Outcome string
	Actor, Object             struct{ Type, ID string }
	Changes                   []struct{ Field, From, To string }
	Session, Request, Via     string
}

func bareSearch(b *testing.B, db *database.DB, where string, args []any, decode bool) {
	rows, err := db.QueryContext(b.Context(), fmt.Sprintf(`SELECT id, body, who, what FROM bare_event %s ORDER BY id DESC LIMIT 50`, where), args...)
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var id string
		var body, who, what []byte
		if err := rows.Scan(&id, &body, &who, &what); err != nil {
			b.Fatal(err)
		}
		if !decode {
			continue
		}
		var e bareEvent
		var actor struct{ Name, Email, IP string }
		var rest struct {
			Object struct{ Name string }
			Reason string
		}
		for _, part := range []struct {
			raw  []byte
			into any
		}{{body, &e}, {who, &actor}, {what, &rest}} {
			if err := json.Unmarshal(part.raw, part.into); err != nil {
				b.Fatal(err)
			}
		}
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
}
