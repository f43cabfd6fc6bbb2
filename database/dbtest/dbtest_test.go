package dbtest_test

import (
	"errors"
	"testing"

	"onrecord/database"
	"onrecord/database/dbtest"
)

func TestEachIsFresh(t *testing.T) {
	for range 2 {
		dbtest.Each(t, func(t *testing.T, dsn string) {
			for _, query := range []string{`CREATE TABLE t (x TEXT)`, `INSERT INTO t VALUES ('a')`} {
				db := dbtest.Open(t, dsn) // another program
				if err := db.Write(t.Context(), func(tx *database.Tx) error {
					_, err := tx.ExecContext(t.Context(), query)
					return err
				}); err != nil {
					t.Fatal(err)
				}
			}
			var n int
			if err := dbtest.Open(t, dsn).QueryRowContext(t.Context(), `SELECT count(*) FROM t`).Scan(&n); err != nil || n != 1 {
				t.Errorf("%d rows, %v; want 1", n, err)
			}
		})
	}
}

func TestPostgresLike(t *testing.T) {
	made := 0
	prepare := func(dsn string) error {
		made++
		db, err := database.Open(t.Context(), dsn)
		if err != nil {
			return err
		}
		err = db.Write(t.Context(), func(tx *database.Tx) error {
			_, err := tx.ExecContext(t.Context(), `CREATE TABLE t (x TEXT)`)
			return err
		})
		return errors.Join(err, db.Close())
	}
	for range 3 {
		db := dbtest.Open(t, dbtest.PostgresLike(t, "one", prepare))
		if err := db.Write(t.Context(), func(tx *database.Tx) error {
			_, err := tx.ExecContext(t.Context(), `INSERT INTO t VALUES ('a')`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
	if made != 1 {
		t.Errorf("the database was prepared %d times, want once", made)
	}
}

// A server that was killed comes back with what was committed.
func TestServerAgain(t *testing.T) {
	s := dbtest.StartServer(t)
	dsn := s.Database(t)
	db := dbtest.Open(t, dsn)
	for i, end := range []func() error{s.Kill, s.Stop} {
		if err := db.Write(t.Context(), func(tx *database.Tx) error {
			_, err := tx.ExecContext(t.Context(), `CREATE TABLE t`+string(rune('a'+i))+` (x TEXT)`)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := s.Start(); err != nil {
			t.Fatal(err)
		}
	}
	var n int
	if err := db.QueryRowContext(t.Context(), `SELECT count(*) FROM pg_tables WHERE schemaname = 'public'`).Scan(&n); err != nil || n != 2 {
		t.Errorf("%d tables, %v; want 2", n, err)
	}
}
