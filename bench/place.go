package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"onrecord/audit"
	"onrecord/database"
)

// places is where a run makes its databases.
type places interface {
	// open makes a database and opens it. kept leaves it there, and opens it
	// again if it is there already.
	open(ctx context.Context, name string, kept bool) (db *database.DB, dsn string, err error)
	// keyFile is where the keys are that sign the logs of that database.
	keyFile(name string, kept bool) string
	close() error // removes whatever is not kept
}

// newPlaces reads Options.DSN.
func newPlaces(o Options) (places, error) {
	scheme, folder, _ := strings.Cut(o.DSN, ":")
	switch scheme {
	case "postgres", "postgresql":
		return newCluster(o.DSN)
	case "sqlite":
	default:
		return nil, audit.Invalid("db", "database %q is not known: write sqlite:FOLDER, for example sqlite:/tmp, or postgres://…", scheme+":…")
	}
	if folder == "" {
		folder = os.TempDir()
	}
	own, err := os.MkdirTemp(folder, "onrecord-bench-")
	if err != nil {
		return nil, fmt.Errorf("making a folder for the databases: %w", err)
	}
	return &files{folder: folder, own: own}, nil
}

// files are SQLite databases in a folder.
type files struct{ folder, own string }

func (f *files) open(ctx context.Context, name string, kept bool) (*database.DB, string, error) {
	dsn := "sqlite:" + f.path(name, kept) + ".db"
	db, err := database.Open(ctx, dsn)
	return db, dsn, err
}

func (f *files) path(name string, kept bool) string {
	if kept {
		return filepath.Join(f.folder, "onrecord-bench-"+name)
	}
	return filepath.Join(f.own, name)
}

func (f *files) keyFile(name string, kept bool) string { return f.path(name, kept) + ".key" }

func (f *files) close() error { return os.RemoveAll(f.own) }

// write runs statements in one transaction.
func write(ctx context.Context, db *database.DB, queries ...string) error {
	return db.Write(ctx, func(tx *database.Tx) error {
		for _, q := range queries {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return fmt.Errorf("%.60s …: %w", strings.TrimSpace(q), err)
			}
		}
		return nil
	})
}

// number reads one number.
func number(ctx context.Context, q database.Querier, query string, args ...any) (int64, error) {
	var n int64
	err := q.QueryRowContext(ctx, query, args...).Scan(&n)
	return n, err
}

// closing closes what was opened, last first.
type closing []func() error

func (c *closing) add(f func() error) { *c = append(*c, f) }

func (c *closing) close() (err error) {
	for len(*c) > 0 {
		last := len(*c) - 1
		err = errors.Join(err, (*c)[last]())
		*c = (*c)[:last]
	}
	return err
}

// execer writes: a *database.Tx and an *audit.Tx are execers.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}
