package database

import (
	"maps"
	"slices"
)

// Prepared gives the texts of the reading statements that were prepared so far,
// in order: a test asks the planner about each of them.
func (db *DB) Prepared() []string {
	db.cached.mu.RLock()
	defer db.cached.mu.RUnlock()
	return slices.Sorted(maps.Keys(db.cached.byTxt))
}
