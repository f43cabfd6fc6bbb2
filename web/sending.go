package web

import (
	"sync"
	"time"

	"onrecord/portal"
)

// sentFor is how long it is known how an export went, for the page that made
// it. Later the log tells.
const sentFor = 10 * time.Minute

// sending knows how far the exports of this process are.
type sending struct {
	mu   sync.Mutex
	byID map[string]sent // guarded by mu
}

// sent is one export.
type sent struct {
	to    string // the id of whoever it is sent to
	state portal.LogExported
	share float64   // of the log that has been read, 0 to 1
	ended time.Time // zero while it runs
}

// set says how far an export is.
func (s *sending) set(id string, at sent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = map[string]sent{}
	}
	for other, o := range s.byID {
		if !o.ended.IsZero() && time.Since(o.ended) > sentFor {
			delete(s.byID, other)
		}
	}
	s.byID[id] = at
}

// of tells how far an export is, to the person that it is sent to.
func (s *sending) of(id, to string) (sent, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.byID[id]
	return at, ok && at.to == to
}
