package audittest

import (
	"sync"
	"time"
)

// Clock is a clock that stands until it is moved.
type Clock struct {
	mu  sync.Mutex
	now time.Time // guarded by mu
}

// NewClock stands at a quarter to seven in the evening of 23 November 2026.
func NewClock() *Clock {
	return &Clock{now: time.Date(2026, 11, 23, 18, 44, 14, 123456000, time.UTC)}
}

// Now reads the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Move sets the clock forward, or back if d is negative.
func (c *Clock) Move(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}
