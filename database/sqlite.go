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
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

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
	db := &DB{dialect: SQLite, path: path, cached: &statements{}}
	var w *writer
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
		w, err = newWriter(ctx, db.writers, db.dialect, true)
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
		w.files, err = watch(path)
	}
	if err != nil {
		w.close()
		db.writers.Close()
		return nil, notOpened(path, err)
	}
	db.writer = w
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
	}
	mode := "rwc"
	if reader {
		// Of eight readers each has a cache: more than this takes memory and
		// makes no search faster (docs/performance.md).
		pragmas = append(pragmas, "query_only(ON)", "cache_size(-8192)")
		mode = "rw" // a reader never makes a file, even where one was removed
	} else {
		// A larger log between checkpoints writes hot index pages home less often.
		pragmas = append(pragmas, "wal_autocheckpoint(4000)", "cache_size(-32768)")
	}
	u := url.URL{Scheme: "file", Opaque: (&url.URL{Path: path}).EscapedPath()}
	u.RawQuery = url.Values{"_pragma": pragmas, "_dqs": {"0"}, "mode": {mode}}.Encode()
	return u.String()
}

func sqliteCondition(err error) Condition {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return Other
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return Full
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
		return ReadOnly
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return Busy
	case sqlite3.SQLITE_CONSTRAINT:
		return Constraint
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return Failing
	}
	return Other
}
