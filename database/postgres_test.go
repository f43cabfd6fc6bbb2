package database_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"onrecord/database"
	"onrecord/database/dbtest"
)

func TestPostgresNamesWhatIsWrong(t *testing.T) {
	dsn := dbtest.Postgres(t)
	at, _, _ := strings.Cut(strings.TrimPrefix(dsn, "postgres://postgres@/"), "?")
	for bad, want := range map[string]string{
		strings.Replace(dsn, at, "nowhere", 1):                      "createdb nowhere",
		strings.Replace(dsn, "postgres@", "stranger@", 1):           `role "stranger" does not exist`,
		"postgres://a:secret@127.0.0.1:1/x":                         "is the server running",
		"postgres://a:secret@127.0.0.1:port/x":                      "postgres://USER@HOST/NAME",
		"postgresql://a:secret@127.0.0.1:1/x?sslmode=disable":       "is the server running",
		"postgres://a:secret@127.0.0.1:1/x?sslmode=no&password=abc": "sslmode",
	} {
		db, err := database.Open(t.Context(), bad)
		if err == nil {
			db.Close()
			t.Errorf("Open(%q) succeeded", bad)
		} else if !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "secret") {
			t.Errorf("Open(%q) = %v, want it to say %q and no password", bad, err, want)
		}
	}
}

func TestSettingsHoldOnEveryConnection(t *testing.T) {
	db := dbtest.Open(t, dbtest.Postgres(t)+"&application_name=mine")
	show := func(q database.Querier, name string) (value string) {
		if err := q.QueryRowContext(t.Context(), `SELECT current_setting($1)`, name).Scan(&value); err != nil {
			t.Error(err)
		}
		return value
	}
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			for name, want := range map[string]string{"default_transaction_read_only": "on", "plan_cache_mode": "force_custom_plan", "application_name": "mine"} {
				if got := show(db, name); got != want {
					t.Errorf("a reader's %s is %q, want %s", name, got, want)
				}
			}
		})
		wg.Go(func() {
			err := db.Write(t.Context(), func(tx *database.Tx) error {
				for name, want := range map[string]string{
					"transaction_isolation": "serializable", "lock_timeout": "10s", "statement_timeout": "30s",
					"idle_in_transaction_session_timeout": "1min", "synchronous_commit": "on", "plan_cache_mode": "force_custom_plan",
				} {
					if got := show(tx, name); got != want {
						t.Errorf("a change's %s is %q, want %s", name, got, want)
					}
				}
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	rows, err := db.QueryContext(t.Context(), `CREATE TABLE t (x INTEGER)`)
	if err == nil {
		rows.Close()
		t.Error("a reader could write")
	}
}

// Two changes that each read what the other writes: one of them must see the
// other. Of two people who take each other's right away, one keeps it.
func TestWriteSkew(t *testing.T) {
	db := dbtest.Open(t, dbtest.Postgres(t))
	write(t, db, `CREATE TABLE t (x INTEGER PRIMARY KEY, may INTEGER NOT NULL)`)
	write(t, db, `INSERT INTO t VALUES (1, 1), (2, 1)`)
	errNo := errors.New("no")
	for range 100 {
		write(t, db, `UPDATE t SET may = 1`)
		start := make(chan struct{})
		var wg sync.WaitGroup
		var refused atomic.Int64
		for me := 1; me <= 2; me++ {
			wg.Go(func() {
				<-start
				err := db.Write(t.Context(), func(tx *database.Tx) error {
					var may int
					if err := tx.QueryRowContext(t.Context(), `SELECT may FROM t WHERE x = $1`, me).Scan(&may); err != nil {
						return err
					}
					if may == 0 {
						return errNo
					}
					_, err := tx.ExecContext(t.Context(), `UPDATE t SET may = 0 WHERE x = $1`, 3-me)
					return err
				})
				if errors.Is(err, errNo) {
					refused.Add(1)
				} else if err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		wg.Wait()
		if refused.Load() != 1 {
			t.Fatalf("%d of the two were refused, want one", refused.Load())
		}
	}
}

// Everybody changes the same row: all get their turn, none is lost.
func TestContended(t *testing.T) {
	db := dbtest.Open(t, dbtest.Postgres(t))
	write(t, db, `CREATE TABLE t (x INTEGER)`)
	write(t, db, `INSERT INTO t VALUES (0)`)
	var wg sync.WaitGroup
	var runs atomic.Int64
	start := time.Now()
	for range 16 {
		wg.Go(func() {
			for range 20 {
				err := db.Write(t.Context(), func(tx *database.Tx) error {
					runs.Add(1)
					var x int
					if err := tx.QueryRowContext(t.Context(), `SELECT x FROM t`).Scan(&x); err != nil {
						return err
					}
					_, err := tx.ExecContext(t.Context(), `UPDATE t SET x = $1`, x+1)
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("320 changes of one row ran %d times in %v", runs.Load(), time.Since(start))
	var x int
	if err := db.QueryRowContext(t.Context(), `SELECT x FROM t`).Scan(&x); err != nil || x != 320 {
		t.Errorf("x is %d, %v; want 320", x, err)
	}
}

// Two changes that lock the same rows in another order: both are made.
func TestDeadlock(t *testing.T) {
	db := dbtest.Open(t, dbtest.Postgres(t)+"&deadlock_timeout=50ms")
	write(t, db, `CREATE TABLE t (x INTEGER PRIMARY KEY, n INTEGER NOT NULL)`)
	write(t, db, `INSERT INTO t VALUES (1, 0), (2, 0)`)
	for range 5 {
		var wg sync.WaitGroup
		for me := 1; me <= 2; me++ {
			wg.Go(func() {
				err := db.Write(t.Context(), func(tx *database.Tx) error {
					for _, x := range []int{me, 3 - me} {
						if _, err := tx.ExecContext(t.Context(), `UPDATE t SET n = n + 1 WHERE x = $1`, x); err != nil {
							return err
						}
						time.Sleep(20 * time.Millisecond)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	var n int
	if err := db.QueryRowContext(t.Context(), `SELECT sum(n) FROM t`).Scan(&n); err != nil || n != 20 {
		t.Errorf("%d updates stand, %v; want 20", n, err)
	}
}

// What cannot be retried says what it is, and leaves the connection usable.
func TestPostgresConditions(t *testing.T) {
	dsn := dbtest.Postgres(t)
	db := dbtest.Open(t, dsn+"&statement_timeout=200ms&lock_timeout=100ms", database.WithBusyWait(300*time.Millisecond))
	write(t, db, `CREATE TABLE t (x TEXT PRIMARY KEY)`)
	write(t, db, `INSERT INTO t VALUES ('a'), ('k')`)
	holder := dbtest.Open(t, dsn)
	held, free := make(chan struct{}), make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		holder.Write(t.Context(), func(tx *database.Tx) error {
			_, err := tx.ExecContext(t.Context(), `UPDATE t SET x = 'a' WHERE x = 'a'`)
			close(held)
			<-free
			return err
		})
	})
	<-held
	for query, want := range map[string]database.Condition{
		`INSERT INTO t VALUES ('k')`:                                                                    database.Constraint,
		`SELECT pg_sleep(2)`:                                                                            database.Slow,
		`UPDATE t SET x = 'b'`:                                                                          database.Busy,
		`INSERT INTO t VALUES (convert_from('\xff', 'UTF8'))`:                                           database.Unfit,
		`DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '53100'; END $$`:                               database.Full,
		`DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '25006'; END $$`:                               database.ReadOnly,
		`DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '42501'; END $$`:                               database.ReadOnly,
		`DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$`:                               database.Contended,
		`DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = 'XX001'; END $$`:                               database.Failing,
		`SELECT pg_terminate_backend(pg_backend_pid())`:                                                 database.Unreachable,
		`SELECT * FROM nowhere`:                                                                         database.Other,
		`DO $$ BEGIN INSERT INTO t VALUES ('z'); RAISE EXCEPTION 'x' USING ERRCODE = 'P0001'; END $$`:   database.Other,
		`INSERT INTO t SELECT 'y' FROM (SELECT pg_terminate_backend(pg_backend_pid())) x, pg_sleep(.1)`: database.Unreachable,
	} {
		start := time.Now()
		err := db.Write(t.Context(), func(tx *database.Tx) error {
			_, err := tx.ExecContext(t.Context(), query)
			return err
		})
		if got := db.Dialect().Condition(err); got != want || err == nil {
			t.Errorf("%s: condition %d (%v), want %d", query, got, err, want)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: the answer took %v", query, took)
		}
		if n := count(t, db); n != 2 {
			t.Errorf("%s: %d rows after it, want 2", query, n)
		}
	}
	close(free)
	wg.Wait()
	write(t, db, `INSERT INTO t VALUES ('c')`)
}

// A change whose function makes nothing of a lost connection or a conflict is
// run again all the same: what it returned came from a failed attempt.
func TestRetryWhateverTheChangeSays(t *testing.T) {
	db := dbtest.Open(t, dbtest.Postgres(t))
	write(t, db, `CREATE TABLE t (x INTEGER)`)
	runs := 0
	err := db.Write(t.Context(), func(tx *database.Tx) error {
		runs++
		if runs < 3 {
			tx.ExecContext(t.Context(), `DO $$ BEGIN RAISE EXCEPTION 'x' USING ERRCODE = '40001'; END $$`)
			return errors.New("made of it")
		}
		_, err := tx.ExecContext(t.Context(), `INSERT INTO t VALUES (1)`)
		return err
	})
	if err != nil || runs != 3 || count(t, db) != 1 {
		t.Errorf("%d runs, %d rows, %v; want 3, 1 and no error", runs, count(t, db), err)
	}
}

// once inserts x, recognizing an earlier run by it.
func once(db *database.DB, x int) error {
	ctx := context.Background()
	return db.WriteOnce(ctx, func(tx *database.Tx) (bool, error) {
		var n int
		err := tx.QueryRowContext(ctx, `SELECT count(*) FROM t WHERE x = $1`, x).Scan(&n)
		return n > 0, err
	}, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO t VALUES ($1)`, x)
		return err
	})
}

// Every commit is cut, once or several times: a change that can be recognized
// is made exactly once; of one that cannot, nobody claims to know.
func TestCutAtCommit(t *testing.T) {
	for name, fate := range map[string]dbtest.Fate{"before": dbtest.CutBefore, "while": dbtest.CutWhile, "after": dbtest.CutAfter} {
		t.Run(name, func(t *testing.T) {
			dsn := dbtest.Postgres(t)
			direct := dbtest.Open(t, dsn)
			write(t, direct, `CREATE TABLE t (x INTEGER PRIMARY KEY)`)
			proxy := dbtest.NewProxy(t, nil, func() dbtest.Fate {
				if rand.N(3) > 0 {
					return fate
				}
				return dbtest.Pass
			})
			db := dbtest.Open(t, proxy.DSN(dsn))
			const changes = 60
			var wg sync.WaitGroup
			for i := range changes {
				wg.Go(func() {
					if err := once(db, i); err != nil {
						t.Errorf("change %d: %v", i, err)
					}
				})
			}
			wg.Wait()
			if n := count(t, direct); n != changes {
				t.Errorf("%d rows, want %d", n, changes)
			}
			if proxy.Cuts() < changes/2 {
				t.Errorf("only %d commits were cut", proxy.Cuts())
			}
			unsure := 0
			for i := range 20 {
				err := insert(db, 1000+i)
				var n int
				if err := direct.QueryRowContext(t.Context(), `SELECT count(*) FROM t WHERE x = $1`, 1000+i).Scan(&n); err != nil {
					t.Fatal(err)
				}
				switch {
				case err == nil && n == 1:
				case db.Dialect().Condition(err) == database.Unsure:
					unsure++
				default:
					t.Errorf("a change that cannot be recognized: %v, %d rows", err, n)
				}
			}
			if unsure == 0 {
				t.Error("no commit was in doubt")
			}
			t.Logf("%d commits cut, %d of 20 in doubt", proxy.Cuts(), unsure)
		})
	}
}

// The server is killed and restarted while changes and queries run.
func TestServerRestarts(t *testing.T) {
	server := dbtest.StartServer(t)
	db := dbtest.Open(t, server.Database(t))
	write(t, db, `CREATE TABLE t (x INTEGER PRIMARY KEY)`)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	var made, next, readings atomic.Int64
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				if err := once(db, int(next.Add(1))); err != nil {
					t.Error(err)
					return
				}
				made.Add(1)
				var n int
				if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM t`).Scan(&n); err == nil {
					readings.Add(1)
				} else if db.Dialect().Condition(err) != database.Unreachable {
					t.Errorf("a query meanwhile: %v", err)
				}
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
	close(stop)
	wg.Wait()
	if n := count(t, db); int64(n) != made.Load() || n == 0 || readings.Load() == 0 {
		t.Errorf("%d rows, %d changes were answered", n, made.Load())
	}
	t.Logf("%d changes, %d queries", made.Load(), readings.Load())
}

func TestServerGone(t *testing.T) {
	server := dbtest.StartServer(t)
	db := dbtest.Open(t, server.Database(t), database.WithBusyWait(500*time.Millisecond))
	write(t, db, `CREATE TABLE t (x INTEGER PRIMARY KEY)`)
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	if err := once(db, 1); db.Dialect().Condition(err) != database.Unreachable {
		t.Errorf("a change: %v, want unreachable", err)
	}
	if took := time.Since(start); took < 200*time.Millisecond || took > 5*time.Second {
		t.Errorf("it waited %v, want about 500ms", took)
	}
	if err := db.Reach(t.Context()); db.Dialect().Condition(err) != database.Unreachable {
		t.Errorf("a query: %v, want unreachable", err)
	}
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	if err := once(db, 1); err != nil {
		t.Errorf("after it came back: %v", err)
	}
}

// An application's own handle of pgx's driver keeps the same rules.
func TestWrapPostgres(t *testing.T) {
	handle, err := sql.Open("pgx", dbtest.Postgres(t))
	if err != nil {
		t.Fatal(err)
	}
	defer handle.Close()
	handle.SetMaxOpenConns(3)
	db, err := database.Wrap(t.Context(), handle, database.Postgres)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	write(t, db, `CREATE TABLE t (x INTEGER PRIMARY KEY)`)
	var wg sync.WaitGroup
	for i := range 20 {
		wg.Go(func() {
			err := db.Write(t.Context(), func(tx *database.Tx) error {
				if err := tx.Ahead(`INSERT INTO t VALUES ($1)`, i); err != nil {
					return err
				}
				if i%2 == 0 {
					return errors.New("no")
				}
				return nil
			})
			if (err == nil) != (i%2 == 1) {
				t.Errorf("change %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if n := count(t, db); n != 10 {
		t.Errorf("%d rows, want 10", n)
	}
}

// What is sent ahead fails with the statement behind it, or at the commit.
func TestAhead(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, dsn string) {
		db := dbtest.Open(t, dsn)
		write(t, db, `CREATE TABLE t (x INTEGER PRIMARY KEY)`)
		write(t, db, `INSERT INTO t VALUES (1)`)
		for name, rest := range map[string]func(tx *database.Tx) error{
			"commit": func(*database.Tx) error { return nil },
			"exec": func(tx *database.Tx) error {
				_, err := tx.ExecContext(t.Context(), `INSERT INTO t VALUES (3)`)
				return err
			},
			"query": func(tx *database.Tx) error {
				var x string
				return tx.QueryRowContext(t.Context(), `SELECT 'text'`).Scan(&x)
			},
			"ignored": func(tx *database.Tx) error {
				tx.ExecContext(t.Context(), `INSERT INTO t VALUES (3)`)
				return nil
			},
		} {
			for x, want := range map[int]database.Condition{1: database.Constraint, 2: database.Other} {
				err := db.Write(t.Context(), func(tx *database.Tx) error {
					if err := tx.Ahead(`INSERT INTO t VALUES ($1)`, x); err != nil {
						return err
					}
					return rest(tx)
				})
				if db.Dialect().Condition(err) != want || (err == nil) != (x == 2) {
					t.Errorf("%s, %d: %v", name, x, err)
				}
			}
			write(t, db, `DELETE FROM t WHERE x > 1`)
		}
		if n := count(t, db); n != 1 {
			t.Errorf("%d rows, want 1", n)
		}
	})
}

// The first statement's values come out the same, whether it went with others
// or alone.
func TestValuesOfTheFirstStatement(t *testing.T) {
	db := dbtest.Open(t, dbtest.Postgres(t))
	query := `SELECT 1::int8, 2::int4, 3::int2, 'a'::text, 'b'::varchar, '\x00ff'::bytea, true, 1.5::float8, 12.340::numeric, NULL::text, '2026-11-25'::date`
	read := func(q database.Querier) string {
		all := make([]any, 11)
		into := make([]any, len(all))
		for i := range all {
			into[i] = &all[i]
		}
		if err := q.QueryRowContext(t.Context(), query).Scan(into...); err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf("%#v", all)
	}
	var first, second string
	if err := db.Write(t.Context(), func(tx *database.Tx) error {
		first, second = read(tx), read(tx)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if first != second {
		t.Errorf("the first statement reads\n%s\nthe second\n%s", first, second)
	}
	err := db.Write(t.Context(), func(tx *database.Tx) error {
		_, err := tx.QueryContext(t.Context(), `SELECT 1/0`)
		return err
	})
	if e, ok := errors.AsType[*pgconn.PgError](err); !ok || e.Code != "22012" {
		t.Errorf("a first query that fails: %v", err)
	}
}
