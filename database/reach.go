package database

import (
	"context"
	"database/sql"
	"fmt"
	"os"
)

// Reach asks whether the database answers, and on SQLite whether its file is
// still the one that was opened ([ErrMoved]).
func (db *DB) Reach(ctx context.Context) error {
	if w, ok := db.writer.(*writer); ok && w.files != nil {
		f := w.files
		now, err := os.Stat(f.path)
		if err != nil || !os.SameFile(now, f.main) {
			return fmt.Errorf("%s: %w", f.path, ErrMoved)
		}
	}
	var one int
	if err := db.readers.QueryRowContext(ctx, "SELECT 1").Scan(&one); err != nil {
		return fmt.Errorf("asking the database: %w", err)
	}
	return nil
}

// Pool is one of the pools of connections, by name.
type Pool struct {
	Name  string // readers, writers
	Stats sql.DBStats
}

// Pools gives the state of the pools of connections.
func (db *DB) Pools() []Pool {
	all := []Pool{{"readers", db.readers.Stats()}}
	if db.writers != nil && db.writers != db.readers {
		all = append(all, Pool{"writers", db.writers.Stats()})
	}
	return all
}
