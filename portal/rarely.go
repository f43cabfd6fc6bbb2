package portal

import (
	"sync"
	"time"
)

// rarely lets old rows be dropped now and then instead of with every change:
// on PostgreSQL changes that drop and add rows in one table at the same time
// keep each other waiting, or have to be made again.
type rarely struct {
	mu   sync.Mutex
	last time.Time // guarded by mu
}

// forgetEvery is how often old rows are dropped.
const forgetEvery = 10 * time.Minute

// due tells whether it is time again. It is asked before a change begins, which
// may run twice.
func (r *rarely) due(now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Sub(r.last).Abs() < forgetEvery {
		return false
	}
	r.last = now
	return true
}
