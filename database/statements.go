package database

import (
	"context"
	"database/sql"
	"maps"
	"slices"
	"sync"
)

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

// get gives the statement for query, or nil once the cache is full or if there
// is none.
func (s *statements) get(ctx context.Context, p preparer, query string) (*sql.Stmt, error) {
	if s == nil {
		return nil, nil
	}
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
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, st := range s.byTxt {
		st.Close()
	}
	s.byTxt = nil
}

// Prepared gives the texts of the reading statements that were prepared so far,
// in order: a test of SQLite's plans asks about each of them.
func (db *DB) Prepared() []string {
	return db.cached.texts()
}

// Statements gives the texts of all statements that were prepared so far,
// those of changes too: a test of what they touch reads each of them.
func (db *DB) Statements() []string {
	all := db.cached.texts()
	if w, ok := db.writer.(*writer); ok {
		all = append(all, w.cached.texts()...)
	}
	return all
}

// texts gives the texts in order.
func (s *statements) texts() []string {
	if s == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.Sorted(maps.Keys(s.byTxt))
}
