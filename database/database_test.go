package database_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"onrecord/database"
	"onrecord/database/dbtest"
)

func open(t *testing.T) *database.DB {
	t.Helper()
	return openAt(t, filepath.Join(t.TempDir(), "test.db"))
}

func openAt(t *testing.T, path string) *database.DB {
	t.Helper()
	db, err := database.Open(t.Context(), "sqlite:"+path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func write(t *testing.T, db *database.DB, query string, args ...any) {
	t.Helper()
	if err := db.Write(t.Context(), func(tx *database.Tx) error {
		_, err := tx.ExecContext(t.Context(), query, args...)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, db *database.DB) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM t`).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestOpenNamesWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	for dsn, want := range map[string]string{
		"mysql://x":                   "postgres://USER@HOST/NAME",
		"sqlite:":                     "names no file",
		"sqlite:" + dir:               "is a folder",
		"sqlite:" + dir + "/no/x.db":  "does not exist",
		"onrecord.db":                 "sqlite:PATH",
		"sqlite:" + notADatabase(dir): "not a database",
	} {
		db, err := database.Open(t.Context(), dsn)
		if err == nil {
			db.Close()
			t.Errorf("Open(%q) succeeded", dsn)
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("Open(%q) = %v, want it to say %q", dsn, err, want)
		}
	}
}

func notADatabase(dir string) string {
	path := filepath.Join(dir, "text.db")
	if err := os.WriteFile(path, []byte(strings.Repeat("this is no database\n", 500)), 0o600); err != nil {
		panic(err)
	}
	return path
}

// A name that looks like a part of an address must open that very file.
func TestOpenTakesAnyFileName(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a b?c=%20#ü.db")
	write(t, openAt(t, path), `CREATE TABLE t (x)`)
	if _, err := os.Stat(path); err != nil {
		t.Fatal(err)
	}
}

func TestPragmasHoldOnEveryConnection(t *testing.T) {
	db := open(t)
	write(t, db, `CREATE TABLE t (x)`)
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "recursive_triggers": "1", "busy_timeout": "10000"}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for pragma, value := range want {
				var got string
				if err := db.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != value {
					t.Errorf("a reader's %s is %q (%v), want %s", pragma, got, err, value)
				}
			}
		})
	}
	wg.Wait()
	want["busy_timeout"] = "0" // the writer waits by itself
	err := db.Write(t.Context(), func(tx *database.Tx) error {
		for pragma, value := range want {
			var got string
			if err := tx.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); err != nil || got != value {
				t.Errorf("the writer's %s is %q (%v), want %s", pragma, got, err, value)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.QueryContext(t.Context(), `INSERT INTO t VALUES (1) RETURNING x`); err == nil {
		t.Error("a reader could write")
	}
}

func TestWriteRollsBackOnlyTheOneThatFails(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, dsn string) {
		db := dbtest.Open(t, dsn)
		write(t, db, `CREATE TABLE t (x INTEGER PRIMARY KEY)`)
		boom := errors.New("boom")
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				err := db.Write(t.Context(), func(tx *database.Tx) error {
					if _, err := tx.ExecContext(t.Context(), `INSERT INTO t VALUES ($1)`, i); err != nil {
						return err
					}
					switch i % 4 {
					case 1:
						return boom
					case 2:
						panic("boom")
					case 3: // a constraint that the change ignores still fails it
						tx.ExecContext(t.Context(), `INSERT INTO t VALUES ($1)`, i)
					}
					return nil
				})
				switch i % 4 {
				case 0:
					if err != nil {
						t.Errorf("change %d: %v", i, err)
					}
				case 1:
					if !errors.Is(err, boom) {
						t.Errorf("change %d: %v, want its own error", i, err)
					}
				case 2:
					if _, ok := errors.AsType[*database.PanicError](err); !ok {
						t.Errorf("change %d: %v, want the panic", i, err)
					}
				case 3:
					if db.Dialect().Condition(err) != database.Constraint {
						t.Errorf("change %d: %v, want the constraint", i, err)
					}
				}
			})
		}
		wg.Wait()
		if n := count(t, db); n != 50 {
			t.Errorf("%d rows, want the 50 that succeeded", n)
		}
	})
}

// A transaction that vanishes under a group must not let later statements of
// the group commit alone, nor fail the changes that were not at fault.
func TestWriteSurvivesALostTransaction(t *testing.T) {
	db := open(t)
	write(t, db, `CREATE TABLE t (x INTEGER PRIMARY KEY)`)
	block := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		db.Write(t.Context(), func(*database.Tx) error { <-block; return nil })
	})
	errs := make([]error, 20)
	for i := range errs {
		wg.Go(func() {
			errs[i] = db.Write(t.Context(), func(tx *database.Tx) error {
				if i == 7 { // like a full disk: the statement fails and takes the whole transaction along
					tx.ExecContext(t.Context(), `INSERT OR ROLLBACK INTO t VALUES (1), (1)`)
				}
				_, err := tx.ExecContext(t.Context(), `INSERT INTO t VALUES ($1)`, i)
				return err
			})
		})
	}
	close(block)
	wg.Wait()
	for i, err := range errs {
		if (err != nil) != (i == 7) {
			t.Errorf("change %d: %v", i, err)
		}
	}
	var seventh int
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM t WHERE x = 7`).Scan(&seventh); err != nil {
		t.Fatal(err)
	}
	if n := count(t, db); n != 19 || seventh != 0 {
		t.Errorf("%d rows, of them %d of the change that failed; want 19 and 0", n, seventh)
	}
}

func TestAtCommitSeesOnlyWhatSucceeded(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, dsn string) {
		db := dbtest.Open(t, dsn)
		write(t, db, `CREATE TABLE t (x INTEGER PRIMARY KEY)`)
		flush := func(tx *database.Tx, items []any) error {
			for _, x := range items {
				if _, err := tx.ExecContext(t.Context(), `INSERT INTO t VALUES ($1)`, x); err != nil {
					return err
				}
			}
			return nil
		}
		var wg sync.WaitGroup
		errs := make([]error, 40)
		for i := range errs {
			wg.Go(func() {
				errs[i] = db.Write(t.Context(), func(tx *database.Tx) error {
					tx.AtCommit("k", i/2*2, flush) // each pair collides
					if i%4 == 0 {
						return errors.New("no")
					}
					return nil
				})
			})
		}
		wg.Wait()
		failed := 0
		for _, err := range errs {
			if err != nil {
				failed++
			}
		}
		// Of each pair {4k, 4k+1} one refuses itself; of {4k+2, 4k+3} one collides.
		if n := count(t, db); n != 20 || failed != 20 {
			t.Errorf("%d rows and %d failures, want 20 and 20", n, failed)
		}
	})
}

func TestWriteAfterClose(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, dsn string) {
		db, err := database.Open(t.Context(), dsn)
		if err != nil {
			t.Fatal(err)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		if err := db.Write(t.Context(), func(*database.Tx) error { return nil }); !errors.Is(err, database.ErrClosed) {
			t.Errorf("Write after Close = %v", err)
		}
	})
}

func TestTwoProcessesTakeTurns(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, dsn string) {
		a, b := dbtest.Open(t, dsn), dbtest.Open(t, dsn)
		write(t, a, `CREATE TABLE t (x INTEGER)`)
		var wg sync.WaitGroup
		for _, db := range []*database.DB{a, b} {
			for range 4 {
				wg.Go(func() {
					for range 50 {
						write(t, db, `INSERT INTO t VALUES (1)`)
					}
				})
			}
		}
		wg.Wait()
		if n := count(t, b); n != 400 {
			t.Errorf("%d rows, want 400", n)
		}
	})
}

func TestMigrate(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, dsn string) {
		db := dbtest.Open(t, dsn)
		files := func(n int) fstest.MapFS {
			m := fstest.MapFS{}
			for i := 1; i <= n; i++ {
				m[fmt.Sprintf("%04d_x.sql", i)] = &fstest.MapFile{Data: fmt.Appendf(nil, "-- +goose Up\nCREATE TABLE t%d (x INTEGER);\n", i)}
			}
			return m
		}
		ctx := context.Background()
		if backup, err := db.Migrate(ctx, database.Migrations{Name: "thing", FS: files(1)}); err != nil || backup != "" {
			t.Fatalf("first migration: copy %q, %v; want no copy of an empty database", backup, err)
		}
		if backup, err := db.Migrate(ctx, database.Migrations{Name: "thing", FS: files(1)}); err != nil || backup != "" {
			t.Fatalf("again: copy %q, %v", backup, err)
		}
		write(t, db, `INSERT INTO t1 VALUES (42)`)
		backup, err := db.Migrate(ctx, database.Migrations{Name: "thing", FS: files(3)})
		if err != nil {
			t.Fatal(err)
		}
		var x int
		if db.Dialect().Name == "sqlite" {
			db = openAt(t, backup)
		} else if backup != "" {
			t.Errorf("a copy %s was made of a database on a server", backup)
		}
		if err := db.QueryRowContext(ctx, `SELECT x FROM t1`).Scan(&x); err != nil || x != 42 {
			t.Errorf("the copy %s holds %d, %v", backup, x, err)
		}
		db = dbtest.Open(t, dsn)
		_, err = db.Migrate(ctx, database.Migrations{Name: "thing", FS: files(2)})
		newer, ok := errors.AsType[*database.NewerError](err)
		if !ok || newer.Has != 3 || newer.Program != 2 {
			t.Fatalf("an older program got %v, want both versions", err)
		}
	})
}
