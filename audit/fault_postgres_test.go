package audit_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/audit/audittest"
	"onrecord/database"
	"onrecord/database/dbtest"
)

// shopAt opens the shop's log once more, through another address.
func shopAt(t *testing.T, dsn string, opts ...audit.Option) *audit.Log {
	t.Helper()
	l, err := audit.Open(t.Context(), dbtest.Open(t, dsn), audittest.Catalogue, []audit.Table{audittest.Orders}, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// A connection that is cut at COMMIT, in whatever round and way, leaves each
// change made once and answered, with one event.
func TestCutAtCommit(t *testing.T) {
	for name, fate := range map[string]dbtest.Fate{"before": dbtest.CutBefore, "while": dbtest.CutWhile, "after": dbtest.CutAfter} {
		t.Run(name, func(t *testing.T) {
			dsn := dbtest.Postgres(t)
			s := audittest.NewShop(t, dbtest.Open(t, dsn))
			var cutting atomic.Bool
			proxy := dbtest.NewProxy(t, nil, func() dbtest.Fate {
				if cutting.Load() && rand.N(3) > 0 {
					return fate
				}
				return dbtest.Pass
			})
			l := shopAt(t, proxy.DSN(dsn), audit.WithoutSealing())
			cutting.Store(true)
			var wg sync.WaitGroup
			for client := range 8 {
				wg.Go(func() {
					for n := range 6 {
						order := fmt.Sprint("o", client, "-", n)
						if err := create(l, client, order, ""); err != nil {
							t.Errorf("order %s: %v", order, err)
						}
						_, err := l.Record(t.Context(), by(client, "order.changed", order), func(tx *audit.Tx) error {
							_, err := tx.ExecContext(t.Context(), `UPDATE orders SET amount = coalesce(amount, 0) + 1, event_id = $2 WHERE id = $1`, order, tx.EventID())
							return err
						})
						if err != nil {
							t.Errorf("change of %s: %v", order, err)
						}
					}
				})
			}
			wg.Wait()
			cutting.Store(false)
			if n := count(t, s.DB, `SELECT count(*) FROM orders WHERE amount = 1`); n != 48 {
				t.Errorf("%d orders were made once and changed once, want 48", n)
			}
			if n := len(s.All(audit.Filter{})); n != 96 {
				t.Errorf("%d events, want 96: one for each change, none for an attempt", n)
			}
			if proxy.Cuts() < 48 {
				t.Errorf("only %d commits were cut", proxy.Cuts())
			}
			t.Logf("%d commits cut", proxy.Cuts())
		})
	}
}

// A change whose own earlier run was committed unseen finds itself: what its
// function makes of the rows as they are then is not the answer.
func TestFindsItsOwnEarlierRun(t *testing.T) {
	dsn := dbtest.Postgres(t)
	s := audittest.NewShop(t, dbtest.Open(t, dsn))
	var cut atomic.Int64
	proxy := dbtest.NewProxy(t, nil, func() dbtest.Fate {
		if cut.Add(-1) == 0 {
			return dbtest.CutAfter
		}
		return dbtest.Pass
	})
	l := shopAt(t, proxy.DSN(dsn), audit.WithoutSealing())
	s.Create("o1", "open")
	cut.Store(1)
	runs := 0
	id, err := l.Record(t.Context(), audittest.Intent("order.changed", "o1"), func(tx *audit.Tx) error {
		runs++
		var status string
		if err := tx.QueryRowContext(t.Context(), `SELECT status FROM orders WHERE id = 'o1'`).Scan(&status); err != nil {
			return err
		}
		if status != "open" {
			return audit.Conflict("It is paid already.")
		}
		_, err := tx.ExecContext(t.Context(), `UPDATE orders SET status = 'paid', event_id = $1`, tx.EventID())
		return err
	})
	if err != nil || runs != 1 || proxy.Cuts() != 1 {
		t.Errorf("%d runs, %d cuts, %v; want one of each and no error", runs, proxy.Cuts(), err)
	}
	if e := s.Event(id); e.Outcome != audit.OutcomeOK || len(s.All(audit.Filter{})) != 2 {
		t.Errorf("recorded as %+v beside %d events", e, len(s.All(audit.Filter{})))
	}
}

// The server is killed and restarted while programs record: what was answered
// is there, once.
func TestServerRestarts(t *testing.T) {
	server := dbtest.StartServer(t)
	dsn := server.Database(t)
	s := audittest.NewShop(t, dbtest.Open(t, dsn))
	logs := []*audit.Log{shopAt(t, dsn), shopAt(t, dsn)}
	ctx, stop := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	var made, events atomic.Int64
	for client := range 8 {
		wg.Go(func() {
			for n := 0; ctx.Err() == nil; n++ {
				if err := create(logs[client%2], client, fmt.Sprint("o", client, "-", n), ""); err != nil {
					t.Error(err)
					return
				}
				made.Add(1)
				if _, err := logs[client%2].Note(context.Background(), by(client, "order.viewed", "o")); err != nil {
					t.Error(err)
					return
				}
				events.Add(2)
			}
		})
	}
	for _, end := range []func() error{server.Kill, server.Stop, server.Kill} {
		time.Sleep(300 * time.Millisecond)
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := server.Start(); err != nil {
			t.Fatal(err)
		}
	}
	time.Sleep(300 * time.Millisecond)
	stop()
	wg.Wait()
	if n := count(t, s.DB, `SELECT count(*) FROM orders`); int64(n) != made.Load() || n == 0 {
		t.Errorf("%d orders, %d were answered", n, made.Load())
	}
	if n := count(t, s.DB, `SELECT count(*) FROM audit_event`); int64(n) != events.Load() {
		t.Errorf("%d events, %d changes were answered", n, events.Load())
	}
	s.Seal()
	t.Logf("%d events", events.Load())
}

// Trouble of the server is a sentence, and once it is over the failure is on
// the record.
func TestServerTrouble(t *testing.T) {
	dsn := dbtest.Postgres(t)
	s := audittest.NewShop(t, dbtest.Open(t, dsn))
	s.Create("o1", "open")
	db := dbtest.Open(t, dsn+"&statement_timeout=300ms&lock_timeout=100ms", database.WithBusyWait(300*time.Millisecond))
	l, err := audit.Open(t.Context(), db, audittest.Catalogue, []audit.Table{audittest.Orders}, audit.WithoutSealing())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	code := func(state string) string {
		return `DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '` + state + `'; END $$`
	}
	troubles := map[string]string{
		`SELECT pg_sleep(2)`: "took too long",
		code("40001"):        "Others keep changing",
		code("40P01"):        "Others keep changing",
		code("53100"):        "is full",
		code("25006"):        "takes no writes",
		code("42501"):        "takes no writes",
		code("XX001"):        "reports errors",
	}
	for query, words := range troubles {
		_, err := l.Record(t.Context(), by(len(query), "order.changed", "o1"), func(tx *audit.Tx) error {
			_, err := tx.ExecContext(t.Context(), query)
			return err
		})
		unavailable(t, query, err, words)
	}
	_, err = l.Record(t.Context(), by(1, "order.changed", "o1"), func(tx *audit.Tx) error {
		_, err := tx.ExecContext(t.Context(), `UPDATE orders SET status = $1, event_id = $2`, "a\x00b", tx.EventID())
		return err
	})
	if audit.CodeOf(err) != audit.CodeInvalid || !strings.Contains(err.Error(), "zero byte") {
		t.Errorf("a text with a zero byte: %v", err)
	}
	if err := l.Close(); err != nil { // waits for refusals under way
		t.Fatal(err)
	}
	failed := s.All(audit.Filter{Outcome: audit.Values{Any: []string{"failed"}}})
	if len(failed) != len(troubles) {
		t.Errorf("%d failures are on the record, want %d", len(failed), len(troubles))
	}
}

// Many writes in one record come whole and in order, although the guards leave
// them in a text.
func TestManyWritesInOneRecord(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, dsn string) {
		s := audittest.NewShop(t, dbtest.Open(t, dsn))
		const rows = 100
		note := strings.Repeat("n", 900) + "\n\"x\"\\"
		id, err := s.Log.Record(t.Context(), opening(), func(tx *audit.Tx) error {
			for i := range rows {
				if _, err := tx.ExecContext(t.Context(), `INSERT INTO orders (shop, id, status, customer, event_id) VALUES ('shop_1', $1, 'new', $2, $3)`, fmt.Sprint("o", i), fmt.Sprint(note, i), tx.EventID()); err != nil {
					return err
				}
			}
			_, err := tx.ExecContext(t.Context(), `UPDATE orders SET status = 'open', event_id = $1`, tx.EventID())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		got := audittest.Changes(s.Event(id))
		if len(got) != 2*rows || !strings.Contains(got[len(got)-1], `"" → "open"`) || !strings.HasPrefix(got[0], "order o0 ") {
			t.Errorf("%d changes, from %q to %q", len(got), got[0], got[len(got)-1])
		}
	})
}

// opening is an intent without an object.
func opening() audit.Intent {
	in := audittest.Intent("shop.opened", "")
	in.Object = audit.Ref{}
	return in
}

// TestRoundTrips: a change that reads and writes costs one more than its own
// two statements, whatever it takes to begin, open, collect, write and commit.
func TestRoundTrips(t *testing.T) {
	dsn := dbtest.Postgres(t)
	s := audittest.NewShop(t, dbtest.Open(t, dsn))
	s.Create("o1", "0")
	proxy := dbtest.NewProxy(t, nil, func() dbtest.Fate { return dbtest.Pass })
	l := shopAt(t, proxy.DSN(dsn), audit.WithoutSealing())
	change := func(n int) {
		_, err := l.Record(t.Context(), audittest.Intent("order.changed", "o1"), func(tx *audit.Tx) error {
			var status string
			if err := tx.QueryRowContext(t.Context(), `SELECT status FROM orders WHERE shop = 'shop_1' AND id = $1`, "o1").Scan(&status); err != nil {
				return err
			}
			_, err := tx.ExecContext(t.Context(), `UPDATE orders SET status = $2, event_id = $3 WHERE shop = 'shop_1' AND id = $1`, "o1", fmt.Sprint(n), tx.EventID())
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for n := range 3 { // until every statement is prepared
		change(n)
	}
	before := proxy.Trips()
	change(4)
	if trips := proxy.Trips() - before; trips != 3 {
		t.Errorf("a change with two statements took %d round trips, want 3", trips)
	}
}
