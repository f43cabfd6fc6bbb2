package database

import (
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

// Migrations is one schema with its own version: the portal's, the engine's,
// an application's. Name is what people read and the prefix of the table that
// holds the version; FS has the numbered files of one dialect.
type Migrations struct {
	Name string
	FS   fs.FS
}

// NewerError refuses a database that a later program has migrated.
type NewerError struct {
	Schema       string
	Has, Program int64
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("the database's %s schema has version %d, this program knows versions up to %d: use a newer onrecord, or restore a backup made before the upgrade", e.Schema, e.Has, e.Program)
}

// Latest is the newest version that the program knows.
func (m Migrations) Latest() (int64, error) {
	provider, err := goose.NewProvider(goose.DialectSQLite3, new(sql.DB), m.FS)
	if err != nil {
		return 0, fmt.Errorf("reading the %s migrations: %w", m.Name, err)
	}
	var last int64
	for _, s := range provider.ListSources() {
		last = max(last, s.Version)
	}
	return last, nil
}

// Migrate brings one schema up to date. A SQLite file that already holds an
// older version of it is copied first; the copy's path is returned.
func (db *DB) Migrate(ctx context.Context, m Migrations) (backup string, err error) {
	handle, done, err := db.migrating()
	if err != nil {
		return "", fmt.Errorf("opening for migration: %w", err)
	}
	defer done()
	provider, err := db.provider(handle, m)
	if err != nil {
		return "", fmt.Errorf("reading the %s migrations: %w", m.Name, err)
	}
	has, known, err := provider.GetVersions(ctx)
	if err != nil {
		return "", fmt.Errorf("reading the %s schema's version: %w", m.Name, err)
	}
	if has > known {
		return "", &NewerError{Schema: m.Name, Has: has, Program: known}
	}
	if has == known {
		return "", nil
	}
	if has > 0 && db.path != "" {
		if backup, err = db.copyBefore(ctx, handle, m.Name, has); err != nil {
			return "", err
		}
	}
	for has < known {
		_, err := provider.Up(ctx)
		if err == nil {
			break
		}
		// Another process may have been faster: then the same step fails here.
		now, _, e := provider.GetVersions(ctx)
		if e != nil || now == has {
			return backup, fmt.Errorf("migrating the %s schema from version %d to %d: %w", m.Name, has, known, err)
		}
		has = now
	}
	return backup, nil
}

// migrating gives a handle for migrations. The writer of SQLite keeps the only
// connection of its pool, and a step on PostgreSQL may take longer than any
// other statement may: migrations run on a connection of their own.
func (db *DB) migrating() (handle *sql.DB, done func() error, err error) {
	switch {
	case db.writers == nil:
		return db.readers, func() error { return nil }, nil
	case db.dsn != "":
		handle, err = patientPostgres(db.dsn)
	default:
		handle, err = sql.Open("sqlite", sqliteDSN(db.path, false)+"&_txlock=immediate")
	}
	if err != nil {
		return nil, nil, err
	}
	handle.SetMaxOpenConns(1)
	return handle, handle.Close, nil
}

// provider is goose for one schema. Programs that start at the same time take
// turns: SQLite's transactions do, PostgreSQL has a lock for it.
func (db *DB) provider(handle *sql.DB, m Migrations) (*goose.Provider, error) {
	options := []goose.ProviderOption{goose.WithTableName(m.Name + "_version"), goose.WithDisableGlobalRegistry(true)}
	if db.dialect.Name == SQLite.Name {
		return goose.NewProvider(goose.DialectSQLite3, handle, m.FS, options...)
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60))
	if err != nil {
		return nil, err
	}
	return goose.NewProvider(goose.DialectPostgres, handle, m.FS, append(options, goose.WithSessionLocker(locker))...)
}

// copyBefore writes a compact copy of the file beside it.
func (db *DB) copyBefore(ctx context.Context, handle *sql.DB, name string, version int64) (string, error) {
	path := fmt.Sprintf("%s.before-%s-%d-%s", db.path, name, version+1, time.Now().UTC().Format("20060102T150405.000000Z"))
	if err := copyInto(ctx, handle, path); err != nil {
		return "", fmt.Errorf("copying the database before a migration: %w", err)
	}
	return path, nil
}

// CopyTo writes a compact copy of the SQLite file to path, which must not
// exist yet. It sees one consistent state while others go on writing.
func (db *DB) CopyTo(ctx context.Context, path string) error {
	handle, err := sql.Open("sqlite", sqliteDSN(db.path, false))
	if err != nil {
		return fmt.Errorf("opening %s to copy it: %w", db.path, err)
	}
	defer handle.Close()
	return copyInto(ctx, handle, path)
}

func copyInto(ctx context.Context, handle *sql.DB, path string) error {
	// Made first, so that nobody else can read the copy for a moment.
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("making the copy: %w", err)
	}
	if err := f.Close(); err != nil {
		return fmt.Errorf("making the copy %s: %w", path, err)
	}
	if _, err := handle.ExecContext(ctx, "VACUUM INTO ?", path); err != nil {
		return fmt.Errorf("writing the copy %s: %w", path, err)
	}
	return nil
}
