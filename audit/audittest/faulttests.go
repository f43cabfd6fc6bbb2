package audittest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/database"
)

// actorOf is somebody whose refusals are counted apart from all others'.
func actorOf(action, order, actor string) audit.Intent {
	in := Intent(action, order)
	in.Actor = audit.Actor{Type: audit.ActorUser, ID: "user_" + actor, Name: actor}
	return in
}

func (s *Shop) status(order string) string {
	s.T.Helper()
	var status string
	if err := s.DB.QueryRowContext(s.T.Context(), `SELECT status FROM orders WHERE id = $1`, order).Scan(&status); err != nil {
		s.T.Fatal(err)
	}
	return status
}

func setStatus(tx *audit.Tx, order, status string) error {
	_, err := tx.ExecContext(context.Background(), `UPDATE orders SET status = $2, event_id = $3 WHERE id = $1`, order, status, tx.EventID())
	return err
}

// Whoever hangs up gets the change whole or not at all, and their refusals are
// on the record.
func hangingUp(t *testing.T, s *Shop) {
	s.Create("o1", "0")
	var wg sync.WaitGroup
	changed, refused := 0, 0
	var mu sync.Mutex
	for client := range 8 {
		wg.Go(func() {
			for n := range 12 {
				ctx, hangUp := context.WithCancel(t.Context())
				time.AfterFunc(rand.N(4*time.Millisecond), hangUp)
				denied := n%3 == 0
				in := actorOf("order.changed", "o1", fmt.Sprintf("%d-%d", client, n))
				id, err := s.Log.Record(ctx, in, func(tx *audit.Tx) error {
					if _, err := tx.ExecContext(ctx, `UPDATE orders SET amount = coalesce(amount, 0) + 1, event_id = $1`, tx.EventID()); err != nil {
						return err
					}
					if denied {
						return audit.Denied("no")
					}
					_, err := tx.ExecContext(ctx, `UPDATE orders SET status = cast(cast(status AS INTEGER) + 1 AS TEXT), event_id = $1`, tx.EventID())
					return err
				})
				mu.Lock()
				switch {
				case err == nil && id != "" && !denied:
					changed++
				case audit.CodeOf(err) == audit.CodeDenied && denied:
					refused++
				default:
					t.Errorf("a caller who hung up: %q, %v", id, err)
				}
				mu.Unlock()
				hangUp()
			}
		})
	}
	wg.Wait()
	var amount, status int
	if err := s.DB.QueryRowContext(t.Context(), `SELECT amount, status FROM orders`).Scan(&amount, &status); err != nil || amount != changed || status != changed {
		t.Errorf("amount %d and status %d, %v; want both halves of %d changes", amount, status, err, changed)
	}
	if n := len(s.All(audit.Filter{Outcome: audit.Values{Any: []string{"denied"}}})); n != refused {
		t.Errorf("%d refusals on the record, want %d", n, refused)
	}
}

// A change that panics is rolled back and recorded as failed; the others that
// commit with it, and all later ones, are not touched.
func panics(t *testing.T, s *Shop) {
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			order := fmt.Sprint("o", i)
			_, err := s.Log.Record(t.Context(), actorOf("order.created", order, order), func(tx *audit.Tx) error {
				_, err := tx.ExecContext(t.Context(), `INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_1', $1, 'open', $2)`, order, tx.EventID())
				if i%4 == 0 {
					panic("boom")
				}
				return err
			})
			_, panicked := errors.AsType[*database.PanicError](err)
			if panicked != (i%4 == 0) || !panicked && err != nil {
				t.Errorf("order %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	failed := s.All(audit.Filter{Outcome: audit.Values{Any: []string{"failed"}}})
	for _, e := range failed {
		if e.Error != "internal" || len(e.Changes) > 0 {
			t.Errorf("a panic is recorded as %+v", e)
		}
	}
	var orders int
	if err := s.DB.QueryRowContext(t.Context(), `SELECT count(*) FROM orders`).Scan(&orders); err != nil || orders != 15 || len(failed) != 5 {
		t.Errorf("%d orders and %d failures, %v; want 15 and 5", orders, len(failed), err)
	}
}

// What a change makes of an error does not matter: once a statement or a
// second event has failed, the whole fails.
func ignoredFailures(t *testing.T, s *Shop) {
	s.Create("o1", "open")
	ctx := t.Context()
	var n int
	for name, ignore := range map[string]func(*audit.Tx){
		"a statement": func(tx *audit.Tx) { tx.ExecContext(ctx, `INSERT INTO nowhere VALUES (1)`) },
		"a guard":     func(tx *audit.Tx) { tx.ExecContext(ctx, `DELETE FROM orders`) },
		"a query":     func(tx *audit.Tx) { tx.QueryContext(ctx, `SELECT * FROM nowhere`) },
		"a row":       func(tx *audit.Tx) { tx.QueryRowContext(ctx, `SELECT * FROM nowhere`).Scan(&n) },
		"a second event that is refused": func(tx *audit.Tx) {
			tx.Also(Intent("order.changed", "o1"), "pair", func(also *audit.Tx) error {
				if err := setStatus(also, "o1", "inner"); err != nil {
					t.Error(err)
				}
				return audit.Conflict("no")
			})
		},
		"a second event's second": func(tx *audit.Tx) {
			tx.Also(Intent("order.changed", "o1"), "pair", func(also *audit.Tx) error {
				also.Also(Intent("order.viewed", "o1"), "pair", func(*audit.Tx) error { return errors.New("boom") })
				return nil
			})
		},
		"a second event of no action": func(tx *audit.Tx) {
			tx.Also(Intent("order.eaten", "o1"), "pair", func(*audit.Tx) error { return nil })
		},
		"an outer event inside": func(tx *audit.Tx) {
			tx.Also(Intent("order.changed", "o1"), "pair", func(*audit.Tx) error {
				tx.Also(Intent("order.viewed", "o1"), "pair", func(*audit.Tx) error { return nil })
				return nil
			})
		},
	} {
		_, err := s.Log.Record(ctx, actorOf("order.changed", "o1", name), func(tx *audit.Tx) error {
			if err := setStatus(tx, "o1", "half"); err != nil {
				return err
			}
			ignore(tx)
			setStatus(tx, "o1", "done")
			return nil
		})
		if err == nil || s.status("o1") != "open" {
			t.Errorf("%s failed and was ignored: %v, status %s", name, err, s.status("o1"))
		}
	}
	if n := len(s.All(audit.Filter{Outcome: audit.Values{Any: []string{"failed"}}})); n != 8 {
		t.Errorf("%d failures on the record, want 8", n)
	}
}

// A record inside a record would wait for itself for ever.
func recordInsideRecord(t *testing.T, s *Shop) {
	s.Create("o1", "open")
	for name, inner := range map[string]func() error{
		"record": func() error {
			_, err := s.Log.Record(t.Context(), actorOf("order.changed", "o1", "inner"), func(tx *audit.Tx) error { return setStatus(tx, "o1", "inner") })
			return err
		},
		"note": func() error {
			_, err := s.Log.Note(t.Context(), actorOf("order.viewed", "o1", "inner"))
			return err
		},
		"write": func() error { return s.try(`UPDATE orders SET status = 'inner'`) },
	} {
		_, err := s.Log.Record(t.Context(), Intent("order.changed", "o1"), func(tx *audit.Tx) error {
			if err := inner(); !errors.Is(err, database.ErrNested) {
				t.Errorf("%s inside a record: %v, want ErrNested", name, err)
			}
			return setStatus(tx, "o1", name)
		})
		if err != nil || s.status("o1") != name {
			t.Errorf("%s inside: status %s, %v", name, s.status("o1"), err)
		}
	}
}

// While one change takes its time the others wait, then all are made.
func slowChange(t *testing.T, s *Shop) {
	s.Create("o1", "open")
	var wg sync.WaitGroup
	started := make(chan struct{})
	wg.Go(func() {
		_, err := s.Log.Record(t.Context(), Intent("order.changed", "o1"), func(tx *audit.Tx) error {
			close(started)
			time.Sleep(300 * time.Millisecond)
			return setStatus(tx, "o1", "slow")
		})
		if err != nil {
			t.Error(err)
		}
	})
	<-started
	for range 10 {
		wg.Go(func() { s.Note(Intent("order.viewed", "o1")) })
	}
	if got := s.status("o1"); got != "open" { // readers do not wait
		t.Errorf("status %s while the change runs, want open", got)
	}
	wg.Wait()
	if n := len(s.All(audit.Filter{})); n != 12 || s.status("o1") != "slow" {
		t.Errorf("%d events and status %s, want 12 and slow", n, s.status("o1"))
	}
}

// Every change that waits when the program closes is answered: made, or
// refused with the sentence.
func closingWhileOthersWait(t *testing.T, s *Shop) {
	db, err := database.Open(t.Context(), s.DB.DSN())
	if err != nil {
		t.Fatal(err)
	}
	var told bytes.Buffer
	l, err := audit.Open(t.Context(), db, Catalogue, []audit.Table{Orders}, audit.WithLogger(slog.New(slog.NewTextHandler(&told, nil))))
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	ids := make([]string, 300)
	errs := make([]error, len(ids))
	for i := range ids {
		wg.Go(func() { ids[i], errs[i] = l.Note(t.Context(), actorOf("order.viewed", "o1", fmt.Sprint(i))) })
	}
	time.Sleep(2 * time.Millisecond)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for i, err := range errs {
		if err != nil {
			refused++
			code(t, "a viewing while closing", err, audit.CodeUnavailable)
		} else {
			s.Event(ids[i])
		}
	}
	if n := len(s.All(audit.Filter{})); n != len(ids)-refused {
		t.Errorf("%d events, %d were answered", n, len(ids)-refused)
	}
	if n := strings.Count(told.String(), "a refusal could not be recorded"); n != refused {
		t.Errorf("%d refusals could not be recorded, the logger was told of %d", refused, n)
	}
}

// A refusal is on the record whatever the refused one sent along.
func refusalOfUnfitText(t *testing.T, s *Shop) {
	for name, spoil := range map[string]func(*audit.Intent){
		"reason":     func(in *audit.Intent) { in.Reason = "a\xffb" },
		"long":       func(in *audit.Intent) { in.Reason = strings.Repeat("r", 2<<20) },
		"user agent": func(in *audit.Intent) { in.Context.UserAgent = "\xc3\x28" },
		"name":       func(in *audit.Intent) { in.Object.Name = "\xff" },
		"data":       func(in *audit.Intent) { in.Data = map[string]string{"typed": "\xff"} },
	} {
		in := actorOf("order.changed", "o1", name)
		spoil(&in)
		_, err := s.Log.Record(t.Context(), in, func(*audit.Tx) error { return audit.Denied("no") })
		code(t, name, err, audit.CodeDenied)
		last := s.All(audit.Filter{Actor: audit.Values{Any: []string{"user_" + name}}})
		if len(last) != 1 || last[0].Outcome != audit.OutcomeDenied || last[0].Object.ID != "o1" || last[0].Context.IP == "" || last[0].Data["omitted"] == "" {
			t.Errorf("%s: recorded as %+v", name, last)
		}
	}
}

// Two programs record in one database while others search it: every page is in
// order, and nothing comes twice.
func twoProgramsAndReaders(t *testing.T, s *Shop) {
	db, err := database.Open(t.Context(), s.DB.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	other, err := audit.Open(t.Context(), db, Catalogue, []audit.Table{Orders})
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	here := s.Open(audit.WithClock(time.Now))
	defer here.Close()
	var writers, readers sync.WaitGroup
	stop := make(chan struct{})
	const each = 60
	for name, l := range map[string]*audit.Log{"here": here, "there": other} {
		for client := range 3 {
			writers.Go(func() {
				for n := range each {
					order := fmt.Sprintf("o-%s-%d-%d", name, client, n)
					_, err := l.Record(t.Context(), Intent("order.created", order), func(tx *audit.Tx) error {
						_, err := tx.ExecContext(t.Context(), `INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_1', $1, 'open', $2)`, order, tx.EventID())
						return err
					})
					if err != nil {
						t.Error(err)
					}
				}
			})
		}
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					readThrough(t, l)
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	if n := len(s.All(audit.Filter{})); n != 6*each {
		t.Errorf("%d events, want %d", n, 6*each)
	}
}

// readThrough walks from the newest event to the oldest and back.
func readThrough(t *testing.T, l *audit.Log) {
	f := audit.Filter{Action: audit.Values{Any: []string{"order.created"}}}
	page := audit.Page{Limit: 20}
	var older, newer []string
	for {
		res, err := l.Search(t.Context(), "shop_1", f, page)
		if err != nil {
			t.Error(err)
			return
		}
		ids := make([]string, len(res.Events))
		for i, e := range res.Events {
			ids[i] = e.ID
		}
		if !slices.IsSortedFunc(ids, func(a, b string) int { return strings.Compare(b, a) }) {
			t.Errorf("a page is not in order: %v", ids)
		}
		next := res.Older
		if page.Newer {
			newer, next = append(ids, newer...), res.Newer
		} else {
			older = append(older, ids...)
		}
		if next == "" && !page.Newer && len(res.Events) > 0 && res.Newer != "" {
			next, page.Newer = res.Newer, true
			newer = slices.Clone(ids)
		}
		if page.Cursor = next; next == "" {
			break
		}
	}
	for _, ids := range [][]string{older, newer} {
		for i := 1; i < len(ids); i++ {
			if ids[i-1] <= ids[i] {
				t.Errorf("event %s stands before %s", ids[i-1], ids[i])
			}
		}
	}
}

// A program that imports without a pause lets the single changes of another
// in.
func importerBeside(t *testing.T, s *Shop) {
	db, err := database.Open(t.Context(), s.DB.DSN())
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	importer, err := audit.Open(t.Context(), db, Catalogue, []audit.Table{Orders})
	if err != nil {
		t.Fatal(err)
	}
	defer importer.Close()
	var wg sync.WaitGroup
	ctx, stop := context.WithCancel(t.Context())
	imported := make([]int, 32)
	for client := range imported {
		wg.Go(func() {
			for ; ctx.Err() == nil; imported[client]++ {
				order := fmt.Sprintf("i%d-%d", client, imported[client])
				_, err := importer.Record(ctx, Intent("order.created", order), func(tx *audit.Tx) error {
					_, err := tx.ExecContext(ctx, `INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_1', $1, 'open', $2)`, order, tx.EventID())
					return err
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	waits := make([]time.Duration, 100)
	for i := range waits {
		start := time.Now()
		s.Note(Intent("order.viewed", "o1"))
		waits[i] = time.Since(start)
		time.Sleep(10 * time.Millisecond)
	}
	stop()
	wg.Wait()
	slices.Sort(waits)
	all := 0
	for _, n := range imported {
		all += n
	}
	t.Logf("single changes beside %d imported ones: median %v, p99 %v", all, waits[50], waits[98])
	if all < 100 || waits[98] > 2*time.Second {
		t.Errorf("%d were imported, 99 of 100 single changes waited up to %v", all, waits[98])
	}
}
