// Package database opens the program's database and gives it one shape: a
// pool of readers and one way to write. SQLite is the embedded default.
//
// On SQLite every write of the process goes through one connection, whose
// writer commits waiting changes together: a savepoint each, one fsync for
// all of them ([DB.Write]).
package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
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
	path    string // SQLite: the file; "" for a handle that was handed in
	readers *sql.DB
	writers *sql.DB
	cached  statements // of the readers
	writer  *writer
}

// readerConns bounds the pool of readers. Readers never wait for the writer
// (write-ahead log), so a few more than there are cores keep both busy.
const readerConns = 8

// Option changes how a database is opened.
type Option func(*DB)

// WithBusyWait sets how long a change waits for another process that holds the
// database; 10 s unless set.
func WithBusyWait(d time.Duration) Option { return func(db *DB) { db.writer.wait = d } }

// Open opens the database that dsn names: "sqlite:PATH". The file is made
// when it is missing; its folder is not. It does not migrate.
func Open(ctx context.Context, dsn string, opts ...Option) (*DB, error) {
	path, ok := strings.CutPrefix(dsn, "sqlite:")
	if !ok {
		scheme, _, _ := strings.Cut(dsn, ":")
		return nil, fmt.Errorf("database %q is not known: write sqlite:PATH, for example sqlite:onrecord.db", scheme+":…")
	}
	if path == "" {
		return nil, fmt.Errorf("database %q names no file: write sqlite:PATH, for example sqlite:onrecord.db", dsn)
	}
	db, err := openSQLite(ctx, path)
	if err != nil {
		return nil, err
	}
	for _, o := range opts {
		o(db)
	}
	return db, nil
}

func openSQLite(ctx context.Context, path string) (*DB, error) {
	if st, err := os.Stat(filepath.Dir(path)); err != nil || !st.IsDir() {
		return nil, fmt.Errorf("database file %s: the folder %s does not exist: make it first", path, filepath.Dir(path))
	}
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		return nil, fmt.Errorf("database file %s is a folder: name a file in it", path)
	}
	if err := writableWithFolder(path); err != nil {
		return nil, notOpened(path, err)
	}
	db := &DB{dialect: SQLite, path: path}
	var err error
	if db.writers, err = sql.Open("sqlite", sqliteDSN(path, false)); err != nil {
		return nil, fmt.Errorf("opening the database file %s: %w", path, err)
	}
	db.writers.SetMaxOpenConns(1)
	// The writer's connection comes first: it makes the file and switches it
	// to the write-ahead log, which a read-only connection cannot. While
	// another process does just that, or repairs the log of one that died,
	// SQLite answers busy without waiting.
	for deadline := time.Now().Add(busyWait); ; time.Sleep(5 * time.Millisecond) {
		db.writer, err = newWriter(ctx, db.writers, db.dialect, true)
		if db.dialect.Condition(err) != Busy || time.Now().After(deadline) {
			break
		}
	}
	if err != nil {
		db.writers.Close()
		return nil, notOpened(path, err)
	}
	if db.readers, err = sql.Open("sqlite", sqliteDSN(path, true)); err == nil {
		db.readers.SetMaxOpenConns(readerConns)
		db.readers.SetMaxIdleConns(readerConns)
		err = db.readers.PingContext(ctx)
	}
	if err == nil {
		db.writer.files, err = watch(path)
	}
	if err != nil {
		db.writer.close()
		db.writers.Close()
		return nil, notOpened(path, err)
	}
	return db, nil
}

// writableWithFolder looks before SQLite does, which would open a read-only
// file all the same, and leave a log beside it that stays read-only for ever.
func writableWithFolder(path string) error {
	for _, name := range []string{filepath.Dir(path), path, path + "-wal", path + "-shm"} {
		if err := writable(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%w: %s: %w", errReadOnly, name, err)
		}
	}
	return nil
}

// notOpened says why and, where it can be said, what to do.
func notOpened(path string, err error) error {
	advice := ""
	switch SQLite.Condition(err) {
	case ReadOnly:
		advice = ": the user who runs the program must be allowed to write the file and its folder"
	case Full:
		advice = ": make room on its disk"
	case Busy:
		advice = ": another program holds it, try again"
	case Failing:
		advice = ": it is damaged or no database of this program"
	}
	return fmt.Errorf("opening the database file %s: %w%s", path, err, advice)
}

// sqliteDSN puts every pragma into the address, because a pragma belongs to a
// connection and the pool makes connections when it likes. busy_timeout comes
// first: switching to the write-ahead log may itself have to wait.
func sqliteDSN(path string, reader bool) string {
	pragmas := []string{
		"busy_timeout(10000)",
		"journal_mode(WAL)",
		"synchronous(FULL)",
		"foreign_keys(ON)",
		"recursive_triggers(ON)",
		"trusted_schema(OFF)",
		"cache_size(-32768)",
	}
	mode := "rwc"
	if reader {
		pragmas = append(pragmas, "query_only(ON)")
		mode = "rw" // a reader never makes a file, even where one was removed
	} else {
		// A larger log between checkpoints writes hot index pages home less often.
		pragmas = append(pragmas, "wal_autocheckpoint(4000)")
	}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	u.RawQuery = url.Values{"_pragma": pragmas, "_dqs": {"0"}, "mode": {mode}}.Encode()
	return u.String()
}

// Wrap uses a handle that the caller opened and keeps: an application's own
// database, which the audit engine joins. Close leaves the handle open.
func Wrap(ctx context.Context, handle *sql.DB, dialect Dialect) (*DB, error) {
	w, err := newWriter(ctx, handle, dialect, false)
	if err != nil {
		return nil, fmt.Errorf("using the given database: %w", err)
	}
	return &DB{dialect: dialect, readers: handle, writer: w}, nil
}

// Dialect tells which database this is.
func (db *DB) Dialect() Dialect { return db.dialect }

// Path is the SQLite file, or "" if the handle was given to Wrap.
func (db *DB) Path() string { return db.path }

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

// Close lets waiting changes finish, then closes what Open opened.
func (db *DB) Close() error {
	db.writer.close()
	db.cached.close()
	if db.writers == nil {
		return nil
	}
	err := db.readers.Close()
	if e := db.writers.Close(); err == nil {
		err = e
	}
	return err
}

// maxStatements bounds each cache of prepared statements. Searches build
// their text from the filter, so the number of texts has no natural bound.
const maxStatements = 512

// statements caches prepared statements: parsing SQL costs more than running
// most of ours.
type statements struct {
	mu    sync.RWMutex
	byTxt map[string]*sql.Stmt // guarded by mu
}

type preparer interface {
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// get gives the statement for query, or nil once the cache is full.
func (s *statements) get(ctx context.Context, p preparer, query string) (*sql.Stmt, error) {
	s.mu.RLock()
	st, full := s.byTxt[query], len(s.byTxt) >= maxStatements
	s.mu.RUnlock()
	if st != nil || full {
		return st, nil
	}
	st, err := p.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if other := s.byTxt[query]; other != nil {
		st.Close()
		return other, nil
	}
	if s.byTxt == nil {
		s.byTxt = map[string]*sql.Stmt{}
	}
	s.byTxt[query] = st
	return st, nil
}

func (s *statements) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.byTxt {
		st.Close()
	}
	s.byTxt = nil
}
