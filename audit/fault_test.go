package audit_test

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/audit/audittest"
	"onrecord/database"
)

// told counts what the log tells its logger.
type told struct {
	mu   sync.Mutex
	text bytes.Buffer // guarded by mu
}

func (o *told) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.text.Write(b)
}

func (o *told) count(what string) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return strings.Count(o.text.String(), what)
}

func (o *told) option() audit.Option {
	return audit.WithLogger(slog.New(slog.NewTextHandler(o, nil)))
}

func openAt(t *testing.T, path string, opts ...database.Option) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite:"+path, opts...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

// by is an intent whose refusals are counted apart from all others'.
func by(actor int, action, order string) audit.Intent {
	in := audittest.Intent(action, order)
	in.Actor = audit.Actor{Type: audit.ActorUser, ID: fmt.Sprint("user_", actor)}
	return in
}

func create(l *audit.Log, actor int, order, note string) error {
	_, err := l.Record(context.Background(), by(actor, "order.created", order), func(tx *audit.Tx) error {
		_, err := tx.ExecContext(context.Background(), `INSERT INTO orders (shop, id, status, note, event_id) VALUES ('shop_1', $1, 'open', $2, $3)`, order, note, tx.EventID())
		return err
	})
	return err
}

// unavailable wants the code and a sentence with these words.
func unavailable(t *testing.T, what string, err error, words string) {
	t.Helper()
	e, ok := errors.AsType[*audit.Error](err)
	if !ok || e.Code != audit.CodeUnavailable || !strings.Contains(e.Message, words) || !strings.Contains(e.Message, "Nothing was changed") {
		t.Errorf("%s: %v, want the sentence with %q", what, err, words)
	}
}

func count(t *testing.T, db *database.DB, query string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// limitPages lets the file grow by so many pages more.
func limitPages(t *testing.T, db *database.DB, room int) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *database.Tx) error {
		var pages int
		if err := tx.QueryRowContext(t.Context(), `PRAGMA page_count`).Scan(&pages); err != nil {
			return err
		}
		return tx.QueryRowContext(t.Context(), fmt.Sprint(`PRAGMA max_page_count = `, pages+room)).Scan(&pages)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestFullFile(t *testing.T) {
	s := audittest.NewShop(t, openAt(t, filepath.Join(t.TempDir(), "shop.db")))
	fullDisk(t, s, func(bytes int) { limitPages(t, s.DB, bytes/4096) })
}

// fullDisk records while there is less and less room. leave makes room for so
// many bytes, no more.
func fullDisk(t *testing.T, s *audittest.Shop, leave func(bytes int)) {
	var out told
	l := s.Open(out.option())
	defer l.Close()
	leave(2 << 20)
	big := strings.Repeat("n", 6<<20)
	groupOfSome(t, l, big)
	if n := count(t, s.DB, `SELECT count(*) FROM orders`); n != 12 {
		t.Errorf("%d orders, want the 12 small ones", n)
	}

	leave(0)
	failed := 0
	for i := 0; failed < 5 && i < 5000; i++ {
		if err := create(l, 1000+i, fmt.Sprint("n", i), strings.Repeat("n", 3000)); err != nil {
			unavailable(t, "an order on a full disk", err, "is full")
			failed++
		}
	}
	if failed == 0 {
		t.Error("the disk never was full")
	}

	leave(64 << 20)
	if err := create(l, 1, "later", big); err != nil {
		t.Errorf("after room was made: %v", err)
	}
	if err := l.Close(); err != nil { // waits for refusals under way
		t.Fatal(err)
	}
	recorded := 0
	for _, e := range s.All(audit.Filter{Outcome: audit.Values{Any: []string{"failed"}}}) {
		if e.Error != "unavailable" {
			t.Errorf("a full disk is recorded as %q", e.Error)
		}
		recorded++
	}
	if lost := out.count("a refusal could not be recorded"); recorded+lost != 4+failed {
		t.Errorf("%d changes failed; %d are on the record and the logger was told of %d", 4+failed, recorded, lost)
	}
	audittest.CheckLog(t, l)
}

// groupOfSome makes small and large orders that commit together: the large
// ones do not fit.
func groupOfSome(t *testing.T, l *audit.Log, big string) {
	t.Helper()
	held, free := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		l.Record(t.Context(), by(0, "order.viewed", "o"), func(*audit.Tx) error { close(held); <-free; return audit.ErrNothing })
	})
	<-held
	for i := range 16 {
		wg.Go(func() {
			note := "small"
			if i%4 == 1 {
				note = big
			}
			err := create(l, i, fmt.Sprint("o", i), note)
			if i%4 == 1 {
				unavailable(t, "an order too large", err, "is full")
			} else if err != nil {
				t.Errorf("an order that fits: %v", err)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	close(free)
	wg.Wait()
}

func TestHeldByAnotherProgram(t *testing.T) {
	const wait = 200 * time.Millisecond
	path := filepath.Join(t.TempDir(), "shop.db")
	s := audittest.NewShop(t, openAt(t, path, database.WithBusyWait(wait)))
	s.Create("o1", "open")
	handle, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close()
	conn, err := handle.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := conn.ExecContext(t.Context(), "BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	err = create(s.Log, 1, "o2", "")
	unavailable(t, "an order while another program holds the file", err, "Another program holds the database")
	if took := time.Since(start); took < wait || took > 10*wait {
		t.Errorf("the answer took %v, want about %v", took, wait)
	}
	if n := len(s.All(audit.Filter{})); n != 1 {
		t.Errorf("a search meanwhile finds %d events, want 1", n)
	}
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := create(s.Log, 1, "o2", ""); err != nil {
		t.Errorf("after it let go: %v", err)
	}
	// The refusal had to wait for the other program as well.
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		failed := s.All(audit.Filter{Outcome: audit.Values{Any: []string{"failed"}}})
		if len(failed) == 1 && failed[0].Error == "unavailable" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the change that could not be made is recorded as %+v", failed)
		}
	}
}

func TestFileGone(t *testing.T) {
	path := filepath.Join(t.TempDir(), "shop.db")
	var out told
	s := audittest.NewShop(t, openAt(t, path))
	l := s.Open(out.option())
	s.Create("o1", "open")
	if err := os.Rename(path, path+".away"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(10 * time.Millisecond) // until it is looked at again
	unavailable(t, "an order in a file that is gone", create(l, 1, "o2", ""), "removed or replaced")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if n := out.count("a refusal could not be recorded"); n != 1 {
		t.Errorf("the logger was told of %d refusals, want 1", n)
	}
	if err := os.Rename(path+".away", path); err != nil {
		t.Fatal(err)
	}
	s.Create("o2", "open")
}

// damaged makes a shop with some history and overwrites pages of its file. It
// gives nil if the file cannot be opened any more: where the schema itself is
// damaged, that is the right answer, given in a sentence.
func damaged(t *testing.T, pages func(db *database.DB) []int) *audit.Log {
	t.Helper()
	path := filepath.Join(t.TempDir(), "shop.db")
	var at []int
	t.Run("history", func(t *testing.T) {
		s := audittest.NewShop(t, openAt(t, path))
		for i := range 60 {
			if err := create(s.Log, i, fmt.Sprint("o", i), "note"); err != nil {
				t.Fatal(err)
			}
		}
		at = pages(s.DB)
	})
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, page := range at {
		junk := make([]byte, 4096)
		for i := range junk {
			junk[i] = byte(rand.N(256))
		}
		if _, err := f.WriteAt(junk, int64(page-1)*4096); err != nil {
			t.Fatal(err)
		}
	}
	db, err := database.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		if !strings.Contains(err.Error(), "it is damaged") {
			t.Fatalf("opening a damaged file: %v", err)
		}
		return nil
	}
	t.Cleanup(func() { db.Close() })
	l, err := audit.Open(t.Context(), db, audittest.Catalogue, []audit.Table{audittest.Orders}, new(told).option())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func TestDamagedPage(t *testing.T) {
	for _, table := range []string{"orders", "audit_event", "audit_open", "audit_unsealed", "audit_leaf", "audit_count"} {
		t.Run(table, func(t *testing.T) {
			l := damaged(t, func(db *database.DB) []int {
				return []int{count(t, db, `SELECT rootpage FROM sqlite_schema WHERE type = 'table' AND name = '`+table+`'`)}
			})
			if l == nil {
				t.Fatal("the file cannot be opened, although only one table of it is damaged")
			}
			if table == "audit_leaf" || table == "audit_count" { // of the sealer alone
				if err := create(l, 1, "new", ""); err != nil {
					t.Errorf("an order, while nothing can be sealed: %v", err)
				}
				unavailable(t, "sealing in a damaged file", l.Seal(t.Context()), "damaged")
			} else {
				unavailable(t, "an order in a damaged file", create(l, 1, "new", ""), "damaged")
			}
			if table == "audit_event" {
				_, err := l.Search(t.Context(), "shop_1", audit.Filter{}, audit.Page{})
				unavailable(t, "a search in a damaged file", err, "damaged")
			}
			if faults, err := l.Check(t.Context()); err == nil && len(faults) == 0 {
				t.Error("the check of a damaged file finds nothing")
			}
		})
	}
}

// Whatever page is damaged, nothing panics.
func TestDamagedPages(t *testing.T) {
	l := damaged(t, func(db *database.DB) (pages []int) {
		for page := 2; page <= count(t, db, `PRAGMA page_count`); page++ {
			if rand.N(3) == 0 && count(t, db, fmt.Sprint(`SELECT count(*) FROM sqlite_schema WHERE rootpage = `, page)) == 0 {
				pages = append(pages, page)
			}
		}
		return pages
	})
	if l == nil {
		return
	}
	for i := range 40 {
		err := create(l, i, fmt.Sprint("new", i), "note")
		if _, panicked := errors.AsType[*database.PanicError](err); panicked {
			t.Error(err)
		}
		l.Search(t.Context(), "shop_1", audit.Filter{Actor: audit.Values{Any: []string{fmt.Sprint("user_", i)}}}, audit.Page{})
		l.Names(t.Context(), "shop_1", audit.NameQuery{})
	}
	if faults, err := l.Check(t.Context()); err == nil && len(faults) == 0 {
		t.Error("the check of a damaged file finds nothing")
	}
}
