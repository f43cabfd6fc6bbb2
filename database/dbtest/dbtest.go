// Package dbtest gives tests fresh databases: SQLite files, and databases on a
// PostgreSQL server that it starts from the system's own binaries and stops
// with the test program, however that ends.
package dbtest

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"onrecord/database"
)

// Each runs a test on every database: dsn names a fresh, empty one, which may
// be opened several times, as several programs would.
func Each(t *testing.T, test func(t *testing.T, dsn string)) {
	t.Helper()
	EachKind(t, func(t *testing.T, fresh func(testing.TB) string) { test(t, fresh(t)) })
}

// EachKind runs a test on every kind of database; fresh names an empty one each
// time.
func EachKind(t *testing.T, test func(t *testing.T, fresh func(testing.TB) (dsn string))) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLite) })
	t.Run("postgres", func(t *testing.T) { test(t, Postgres) })
}

// Open opens a database and closes it when the test ends.
func Open(t testing.TB, dsn string, opts ...database.Option) *database.DB {
	t.Helper()
	db, err := database.Open(context.Background(), dsn, opts...)
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

// SQLite names a file that is not there yet.
func SQLite(t testing.TB) string {
	t.Helper()
	return "sqlite:" + filepath.Join(t.TempDir(), "test.db")
}

// Postgres gives an empty database on the server that the tests of this
// program share. It is dropped when the test ends.
func Postgres(t testing.TB) string {
	t.Helper()
	return shared(t).Database(t)
}

// PostgresLike gives a copy of a database that prepare made ready the first
// time that its name was asked for. prepare closes what it opens.
func PostgresLike(t testing.TB, name string, prepare func(dsn string) error) string {
	t.Helper()
	return shared(t).like(t, name, prepare)
}

var (
	sharedOnce   sync.Once
	sharedServer *Server
	errShared    error
)

// shared is the server of this test program, started when it is first asked
// for. Nothing in its tests depends on fsync: they kill programs, not machines.
func shared(t testing.TB) *Server {
	t.Helper()
	sharedOnce.Do(func() { sharedServer, errShared = start(`fsync=off`, `full_page_writes=off`) })
	if errShared != nil {
		t.Fatal(errShared)
	}
	return sharedServer
}

// lastDatabase makes the names of databases different.
var lastDatabase atomic.Int64

// Database makes an empty database and drops it when the test ends.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	return s.create(t, "template0")
}

func (s *Server) create(t testing.TB, template string) string {
	t.Helper()
	name := fmt.Sprint("test", lastDatabase.Add(1))
	if err := s.exec(`CREATE DATABASE ` + name + ` TEMPLATE ` + template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.exec(`DROP DATABASE ` + name + ` WITH (FORCE)`); err != nil {
			t.Error(err)
		}
	})
	return s.DSN(name)
}

// template is a database that others are copied from.
type template struct {
	once sync.Once
	name string
	err  error
}

func (s *Server) like(t testing.TB, name string, prepare func(dsn string) error) string {
	t.Helper()
	one, _ := s.templates.LoadOrStore(name, &template{})
	tpl := one.(*template)
	tpl.once.Do(func() {
		tpl.name = fmt.Sprint("template_", lastDatabase.Add(1))
		if tpl.err = s.exec(`CREATE DATABASE ` + tpl.name + ` TEMPLATE template0`); tpl.err == nil {
			tpl.err = prepare(s.DSN(tpl.name))
		}
	})
	if tpl.err != nil {
		t.Fatalf("preparing the database %s: %v", name, tpl.err)
	}
	return s.create(t, tpl.name)
}

// exec runs a statement as the server's superuser.
func (s *Server) exec(query string) error {
	if _, err := s.admin.ExecContext(context.Background(), query); err != nil {
		return fmt.Errorf("%s: %w", query, err)
	}
	return nil
}

// Admin is a handle of the server's superuser, who may do everything.
func (s *Server) Admin() *sql.DB { return s.admin }
