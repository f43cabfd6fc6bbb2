package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"onrecord/database"
	"onrecord/database/dbtest"
)

func insert(db *database.DB, values ...any) error {
	return db.Write(context.Background(), func(tx *database.Tx) error {
		for _, v := range values {
			if _, err := tx.ExecContext(context.Background(), `INSERT INTO t VALUES ($1)`, v); err != nil {
				return err
			}
		}
		return nil
	})
}

// together runs n changes so that they share one commit.
func together(t *testing.T, db *database.DB, n int, change func(i int, tx *database.Tx) error) []error {
	t.Helper()
	held, free := make(chan struct{}), make(chan struct{})
	var first, rest sync.WaitGroup
	first.Go(func() {
		db.Write(t.Context(), func(*database.Tx) error { close(held); <-free; return nil })
	})
	<-held
	errs := make([]error, n)
	for i := range errs {
		rest.Go(func() { errs[i] = db.Write(t.Context(), func(tx *database.Tx) error { return change(i, tx) }) })
	}
	time.Sleep(20 * time.Millisecond) // until they wait
	close(free)
	first.Wait()
	rest.Wait()
	return errs
}

func TestWriteInsideAChangeIsRefused(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, dsn string) {
		db := dbtest.Open(t, dsn)
		write(t, db, `CREATE TABLE t (x INTEGER PRIMARY KEY)`)
		err := db.Write(t.Context(), func(tx *database.Tx) error {
			if err := insert(db, 1); !errors.Is(err, database.ErrNested) {
				t.Errorf("a write inside a change: %v, want ErrNested", err)
			}
			_, err := tx.ExecContext(t.Context(), `INSERT INTO t VALUES (2)`)
			return err
		})
		if err != nil || count(t, db) != 1 {
			t.Errorf("%d rows, %v; want the outer change alone", count(t, db), err)
		}
	})
}

// A change that ends its goroutine, as t.FailNow does, ends only itself.
func TestChangeEndsItsGoroutine(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, dsn string) {
		db := dbtest.Open(t, dsn)
		write(t, db, `CREATE TABLE t (x INTEGER PRIMARY KEY)`)
		errs := together(t, db, 10, func(i int, tx *database.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO t VALUES ($1)`, i)
			if i == 4 {
				runtime.Goexit()
			}
			return err
		})
		for i, err := range errs {
			if (i == 4) != errors.Is(err, database.ErrExited) || i != 4 && err != nil {
				t.Errorf("change %d: %v", i, err)
			}
		}
		if n := count(t, db); n != 9 {
			t.Errorf("%d rows, want 9", n)
		}
	})
}

// A change that ignores the failure of any kind of statement fails all the
// same, and nothing that it writes after the transaction was lost stays.
func TestIgnoredFailure(t *testing.T) {
	lose := `INSERT OR ROLLBACK INTO t VALUES (0), (0) RETURNING x`
	var x int
	for name, ignore := range map[string]func(*database.Tx){
		"exec":  func(tx *database.Tx) { tx.ExecContext(t.Context(), lose) },
		"query": func(tx *database.Tx) { tx.QueryContext(t.Context(), lose) },
		"row":   func(tx *database.Tx) { tx.QueryRowContext(t.Context(), lose).Scan(&x) },
	} {
		change := func(i int, tx *database.Tx) error {
			if i%2 == 1 {
				ignore(tx)
			}
			tx.ExecContext(t.Context(), `INSERT INTO t VALUES ($1)`, 10+i)
			tx.QueryRowContext(t.Context(), `INSERT INTO t VALUES ($1) RETURNING x`, 100+i).Scan(&x)
			if rows, err := tx.QueryContext(t.Context(), `INSERT INTO t VALUES ($1) RETURNING x`, 1000+i); err == nil {
				rows.Close()
			}
			return nil
		}
		t.Run(name, func(t *testing.T) {
			db := open(t)
			write(t, db, `CREATE TABLE t (x INTEGER PRIMARY KEY)`)
			alone := db.Write(t.Context(), func(tx *database.Tx) error { return change(1, tx) })
			if db.Dialect().Condition(alone) != database.Constraint || count(t, db) != 0 {
				t.Errorf("alone: %v with %d rows, want the constraint and none", alone, count(t, db))
			}
			for i, err := range together(t, db, 6, change) {
				if (i%2 == 1) != (db.Dialect().Condition(err) == database.Constraint) || i%2 == 0 && err != nil {
					t.Errorf("change %d: %v", i, err)
				}
			}
			if n := count(t, db); n != 9 {
				t.Errorf("%d rows, want three of each of three changes", n)
			}
		})
	}
}

func TestTxIsOverWithItsChange(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, dsn string) {
		db := dbtest.Open(t, dsn)
		write(t, db, `CREATE TABLE t (x INTEGER PRIMARY KEY)`)
		var kept *database.Tx
		if err := db.Write(t.Context(), func(tx *database.Tx) error { kept = tx; return nil }); err != nil {
			t.Fatal(err)
		}
		var x int
		_, exec := kept.ExecContext(t.Context(), `INSERT INTO t VALUES (1)`)
		_, query := kept.QueryContext(t.Context(), `INSERT INTO t VALUES (2) RETURNING x`)
		row := kept.QueryRowContext(t.Context(), `INSERT INTO t VALUES (3) RETURNING x`).Scan(&x)
		for _, err := range []error{exec, query, row} {
			if err == nil || !strings.Contains(err.Error(), "is over") {
				t.Errorf("a statement after the change: %v", err)
			}
		}
		if n := count(t, db); n != 0 {
			t.Errorf("%d rows, want none", n)
		}
	})
}

func TestPanicAtTheEndOfAGroup(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, dsn string) {
		db := dbtest.Open(t, dsn)
		write(t, db, `CREATE TABLE t (x INTEGER PRIMARY KEY)`)
		flush := func(tx *database.Tx, items []any) error {
			for _, x := range items {
				if x == 3 {
					panic("boom")
				}
				if _, err := tx.ExecContext(t.Context(), `INSERT INTO t VALUES ($1)`, x); err != nil {
					return err
				}
			}
			return nil
		}
		for i, err := range together(t, db, 6, func(i int, tx *database.Tx) error { tx.AtCommit("k", i, flush); return nil }) {
			_, panicked := errors.AsType[*database.PanicError](err)
			if panicked != (i == 3) || i != 3 && err != nil {
				t.Errorf("change %d: %v", i, err)
			}
		}
		if n := count(t, db); n != 5 {
			t.Errorf("%d rows, want 5", n)
		}
	})
}

// hold takes the write lock as another program would.
func hold(t *testing.T, path string) (release func()) {
	t.Helper()
	handle, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := handle.Conn(t.Context())
	if err == nil {
		_, err = conn.ExecContext(t.Context(), "BEGIN IMMEDIATE")
	}
	if err != nil {
		t.Fatal(err)
	}
	return sync.OnceFunc(func() {
		conn.ExecContext(context.Background(), "ROLLBACK")
		conn.Close()
		handle.Close()
	})
}

// However many wait for a lock that nobody gives back, each waits once.
func TestBusyIsToldToAllAtOnce(t *testing.T) {
	const wait = 300 * time.Millisecond
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := database.Open(t.Context(), "sqlite:"+path, database.WithBusyWait(wait))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	write(t, db, `CREATE TABLE t (x)`)
	release := hold(t, path)
	defer release()
	start := time.Now()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			if err := insert(db, i); db.Dialect().Condition(err) != database.Busy {
				t.Errorf("change %d: %v, want busy", i, err)
			}
		})
	}
	wg.Wait()
	// The first may have gone ahead alone; all others come after it together.
	if took := time.Since(start); took < wait || took > 20*wait {
		t.Errorf("50 changes waited %v, want about %v", took, 2*wait)
	}
	release()
	if err := insert(db, 1); err != nil {
		t.Errorf("after the lock was given back: %v", err)
	}
}

func TestFileRemovedOrReplaced(t *testing.T) {
	for name, harm := range map[string]func(path string) error{
		"removed":     os.Remove,
		"log removed": func(path string) error { return os.Remove(path + "-wal") },
		"renamed":     func(path string) error { return os.Rename(path, path+".old") },
		"replaced": func(path string) error {
			b, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			if err := os.WriteFile(path+".new", b, 0o600); err != nil {
				return err
			}
			return os.Rename(path+".new", path)
		},
	} {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "x.db")
			db := openAt(t, path)
			write(t, db, `CREATE TABLE t (x)`)
			if err := harm(path); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond) // until it is looked at again
			for range 2 {
				err := insert(db, 1)
				if !errors.Is(err, database.ErrMoved) || db.Dialect().Condition(err) != database.Moved || !strings.Contains(err.Error(), path) {
					t.Errorf("a write: %v, want ErrMoved with the path", err)
				}
			}
		})
	}
}

// fill leaves room for so many pages more.
func fill(t *testing.T, db *database.DB, room int) {
	t.Helper()
	err := db.Write(t.Context(), func(tx *database.Tx) error {
		var pages int
		if err := tx.QueryRowContext(t.Context(), `PRAGMA page_count`).Scan(&pages); err != nil {
			return err
		}
		var limit int
		return tx.QueryRowContext(t.Context(), fmt.Sprint(`PRAGMA max_page_count = `, pages+room)).Scan(&limit)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// In a group on a nearly full disk those that fit succeed, the others fail by
// themselves.
func TestFullDisk(t *testing.T) {
	db := open(t)
	write(t, db, `CREATE TABLE t (x)`)
	fill(t, db, 10)
	big := strings.Repeat("x", 100_000)
	errs := together(t, db, 12, func(i int, tx *database.Tx) error {
		x := "small"
		if i%4 == 1 {
			x = big
		}
		for range 2 {
			if _, err := tx.ExecContext(t.Context(), `INSERT INTO t VALUES ($1)`, x); err != nil {
				return err
			}
		}
		return nil
	})
	for i, err := range errs {
		if (i%4 == 1) != (db.Dialect().Condition(err) == database.Full) || i%4 != 1 && err != nil {
			t.Errorf("change %d: %v", i, err)
		}
	}
	if n := count(t, db); n != 18 {
		t.Errorf("%d rows, want two of each of nine changes", n)
	}
	fill(t, db, 1000)
	if err := insert(db, big, big); err != nil {
		t.Errorf("after room was made: %v", err)
	}
}

func TestCloseAnswersWhoWaits(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, dsn string) {
		db, err := database.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		write(t, db, `CREATE TABLE t (x INTEGER PRIMARY KEY)`)
		errs := make([]error, 600)
		var wg sync.WaitGroup
		for i := range errs {
			wg.Go(func() { errs[i] = insert(db, i) })
		}
		time.Sleep(time.Millisecond)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
		done := 0
		for i, err := range errs {
			switch {
			case err == nil:
				done++
			case !errors.Is(err, database.ErrClosed):
				t.Errorf("change %d: %v", i, err)
			}
		}
		if n := count(t, dbtest.Open(t, dsn)); n != done {
			t.Errorf("%d rows, %d were answered as done", n, done)
		}
	})
}

// A process that writes without a pause lets the single changes of another in.
func TestBulkLetsOthersIn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	bulk, single := openAt(t, path), openAt(t, path)
	write(t, bulk, `CREATE TABLE t (x)`)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	written := 0
	wg.Go(func() {
		rows := make([]any, 500)
		for i := range rows {
			rows[i] = strings.Repeat("y", 100)
		}
		for {
			select {
			case <-stop:
				return
			default:
			}
			if err := insert(bulk, rows...); err != nil {
				t.Error(err)
				return
			}
			written++
		}
	})
	var waits []time.Duration
	for range 40 {
		start := time.Now()
		if err := insert(single, 1); err != nil {
			t.Error(err)
		}
		waits = append(waits, time.Since(start))
		time.Sleep(5 * time.Millisecond)
	}
	close(stop)
	wg.Wait()
	slices.Sort(waits)
	t.Logf("single changes beside %d groups of 500: median %v, longest %v", written, waits[20], waits[39])
	if waits[39] > 2*time.Second {
		t.Errorf("a single change waited %v", waits[39])
	}
	if written == 0 {
		t.Error("the bulk writer never came to write")
	}
}

// Programs that start at the same time all find the file migrated.
func TestOpenAndMigrateAtOnce(t *testing.T) {
	files := fstest.MapFS{}
	for i := range 3 {
		files[fmt.Sprintf("%04d_x.sql", i+1)] = &fstest.MapFile{Data: fmt.Appendf(nil, "-- +goose Up\nCREATE TABLE t%d (x INTEGER);\n", i)}
	}
	for range 3 {
		dbtest.Each(t, func(t *testing.T, dsn string) {
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					db, err := database.Open(t.Context(), dsn)
					if err != nil {
						t.Error(err)
						return
					}
					defer db.Close()
					if _, err := db.Migrate(t.Context(), database.Migrations{Name: "thing", FS: files}); err != nil {
						t.Error(err)
					}
					if err := db.Write(t.Context(), func(tx *database.Tx) error {
						_, err := tx.ExecContext(t.Context(), `INSERT INTO t2 VALUES (1)`)
						return err
					}); err != nil {
						t.Error(err)
					}
				})
			}
			wg.Wait()
		})
	}
}
