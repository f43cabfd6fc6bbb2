// Package database opens the program's database and gives it one shape: a
// pool of readers and one way to write. SQLite is the embedded default,
// PostgreSQL is for production.
//
// On SQLite every write of the process goes through one connection, whose
// writer commits waiting changes together: a savepoint each, one fsync for
// all of them. On PostgreSQL each change is a serializable transaction of its
// own, made again when the server or the connection gave it up ([DB.Write]).
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Querier reads: a *DB, a *Tx, and database/sql's own handles are Queriers.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// DB is an open database. Its methods may be called from several goroutines.
type DB struct {
	dialect Dialect
	path    string // SQLite: the file; "" for every other database
	dsn     string // PostgreSQL: the address; "" for every other database
	readers *sql.DB
	writers *sql.DB     // nil for a handle that was handed in
	cached  *statements // of the readers; nil if their driver keeps its own
	writer  changer
	closed  signal
}

// changer makes changes, as each database does it.
type changer interface {
	write(ctx context.Context, c change) error

	// waiting sets how long a change waits for others before it gives up.
	waiting(time.Duration)

	// close waits for the changes under way and refuses all later ones.
	close()
}

// change is one call of Write and its like.
type change struct {
	fn      func(*Tx) error
	made    func(*Tx) (bool, error) // nil if nobody can tell an earlier run
	derived bool                    // what it reads need not hold when it commits
}

// readerConns bounds the pool of readers. Readers never wait for writers, so a
// few more than there are cores keep both busy.
const readerConns = 8

// Option changes how a database is opened.
type Option func(*DB)

// WithBusyWait sets how long a change waits for others, or for a server that
// cannot be reached; 10 s unless set.
func WithBusyWait(d time.Duration) Option { return func(db *DB) { db.writer.waiting(d) } }

const dsnForms = "write sqlite:PATH, for example sqlite:onrecord.db, or postgres://USER@HOST/NAME"

// Open opens the database that dsn names: "sqlite:PATH", or
// "postgres://USER:PASSWORD@HOST:PORT/NAME?OPTIONS" as libpq reads it. A
// SQLite file is made when it is missing, its folder is not; a PostgreSQL
// database must be there. Open does not migrate.
func Open(ctx context.Context, dsn string, opts ...Option) (*DB, error) {
	var db *DB
	var err error
	scheme, path, _ := strings.Cut(dsn, ":")
	switch {
	case scheme == "sqlite" && path == "":
		return nil, fmt.Errorf("database %q names no file: %s", dsn, dsnForms)
	case scheme == "sqlite":
		db, err = openSQLite(ctx, path)
	case scheme == "postgres" || scheme == "postgresql":
		db, err = openPostgres(ctx, dsn)
	default:
		return nil, fmt.Errorf("database %q is not known: %s", scheme+":…", dsnForms)
	}
	if err != nil {
		return nil, err
	}
	for _, o := range opts {
		o(db)
	}
	return db, nil
}

// Wrap uses a handle that the caller opened and keeps: an application's own
// database, which the audit engine joins. Close leaves the handle open. A
// PostgreSQL handle is one of pgx's database/sql driver.
func Wrap(ctx context.Context, handle *sql.DB, dialect Dialect) (*DB, error) {
	db := &DB{dialect: dialect, readers: handle}
	var err error
	switch dialect.Name {
	case Postgres.Name:
		db.writer, err = newPGWriter(handle), handle.PingContext(ctx)
	default:
		db.cached = &statements{}
		db.writer, err = newWriter(ctx, handle, dialect, false)
	}
	if err != nil {
		return nil, fmt.Errorf("using the given database: %w", err)
	}
	return db, nil
}

// Dialect tells which database this is.
func (db *DB) Dialect() Dialect { return db.dialect }

// Path is the SQLite file, or "" if there is none or the handle was given to
// Wrap.
func (db *DB) Path() string { return db.path }

// DSN is the address by which another program opens the same database, or ""
// if the handle was given to Wrap. It may hold a password.
func (db *DB) DSN() string {
	if db.path != "" {
		return "sqlite:" + db.path
	}
	return db.dsn
}

// QueryContext reads outside any change.
func (db *DB) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := db.cached.get(ctx, db.readers, query)
	if err != nil {
		return nil, err
	}
	if st == nil {
		return db.readers.QueryContext(ctx, query, args...)
	}
	return st.QueryContext(ctx, args...)
}

// QueryRowContext reads at most one row outside any change.
func (db *DB) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	st, err := db.cached.get(ctx, db.readers, query)
	if err != nil || st == nil {
		return db.readers.QueryRowContext(ctx, query, args...)
	}
	return st.QueryRowContext(ctx, args...)
}

// Write runs fn in a transaction and returns after its commit is durable, or
// with fn's error after everything it wrote is rolled back. fn may run several
// times and must touch nothing but its Tx. A ctx that ends before fn's turn
// leaves the change undone; once fn runs, the change is whole or absent and
// Write waits to say which.
//
// fn may not call Write itself, nor wait for a goroutine that does: the first
// answers [ErrNested], the second may never end. On SQLite all other changes
// wait while fn runs; on PostgreSQL changes run side by side as if one after
// another, and one that would break that runs again.
//
// If the server cannot be reached after the commit was sent, nobody knows
// whether the change was made: the error's condition is [Unsure].
//
// Cost on SQLite: one fsync for all changes that wait at the same time. On
// PostgreSQL: one round trip a statement, the first and the last of them
// together with BEGIN and COMMIT.
func (db *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	return db.writer.write(ctx, change{fn: fn})
}

// WriteOnce is Write for a change that can be recognized: made tells, in a
// transaction of its own, whether an earlier run was committed after all. With
// it a change whose commit lost its answer is found, or made again.
func (db *DB) WriteOnce(ctx context.Context, made func(*Tx) (bool, error), fn func(*Tx) error) error {
	return db.writer.write(ctx, change{fn: fn, made: made})
}

// Derive is Write for rows that only follow from others, which are committed
// and do not change any more, by work that a lock of its own keeps single: no
// change has to run again because of it. On PostgreSQL each of its statements
// sees what was committed before it.
func (db *DB) Derive(ctx context.Context, fn func(*Tx) error) error {
	return db.writer.write(ctx, change{fn: fn, derived: true})
}

// Close lets waiting changes finish, then closes what Open opened.
func (db *DB) Close() error {
	db.writer.close()
	db.closed.give()
	db.cached.close()
	if db.writers == nil {
		return nil
	}
	return errors.Join(db.readers.Close(), db.writers.Close())
}
