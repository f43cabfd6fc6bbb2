package database

import (
	"context"
	"database/sql"
	"fmt"
	"sync"
)

// Snapshot reads one state of the database: fn sees all of what was committed
// before its first query and nothing of what is committed later, however long
// it takes.
//
// Cost: one connection of the readers for as long as fn runs. SQLite's log of
// writes grows meanwhile, because it keeps what fn may still read.
func (db *DB) Snapshot(ctx context.Context, fn func(Querier) error) error {
	options := &sql.TxOptions{ReadOnly: true}
	if db.dialect.Name != SQLite.Name { // SQLite knows no other way of reading
		options.Isolation = sql.LevelRepeatableRead
	}
	tx, err := db.readers.BeginTx(ctx, options)
	if err != nil {
		return fmt.Errorf("beginning to read: %w", err)
	}
	defer tx.Rollback()
	t := &Tx{ctx: ctx, on: tx}
	if db.cached != nil {
		t.cached = &statements{}
		defer t.cached.close()
	}
	return t.run(func(t *Tx) error { return fn(t) })
}

// Done is closed when the database is: whoever works in the background ends
// then.
func (db *DB) Done() <-chan struct{} { return db.closed.channel() }

// signal is a channel that is made when it is asked for and closed once.
type signal struct {
	mu    sync.Mutex
	c     chan struct{} // guarded by mu
	given bool          // guarded by mu
}

func (s *signal) channel() chan struct{} {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.c == nil {
		s.c = make(chan struct{})
	}
	return s.c
}

func (s *signal) give() {
	c := s.channel()
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.given {
		s.given = true
		close(c)
	}
}
