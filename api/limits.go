package api

import (
	"fmt"
	"sync"
	"time"

	"onrecord/audit"
	"onrecord/portal"
)

// limits keep one key from taking everybody's share: a bucket of requests for
// each, which fills again at a steady rate, and a number of long answers at
// once. They count within this process and forget when it ends. Its methods
// may be called from several goroutines.
type limits struct {
	now   func() time.Time
	rate  float64 // requests a second
	burst float64

	mu      sync.Mutex
	buckets map[string]*bucket // by key; guarded by mu
}

type bucket struct {
	left float64
	at   time.Time // when left was counted
	open int       // exports and streams
}

const mostBuckets = 10_000

func newLimits(now func() time.Time, rate, burst int) *limits {
	return &limits{now: now, rate: float64(rate), burst: float64(burst), buckets: map[string]*bucket{}}
}

// take asks for one request. Error: TooMany with how long to wait.
func (l *limits) take(key string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.of(key)
	if b.left < 1 {
		wait := time.Duration((1 - b.left) / l.rate * float64(time.Second))
		return slower(wait, "This key made too many requests: %g a second, after a burst of %g. Try again in %s s.", l.rate, l.burst, seconds(wait))
	}
	b.left--
	return nil
}

// open asks for one export or stream; done gives it back. Error: TooMany.
func (l *limits) open(key string) (done func(), err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.of(key)
	if b.open >= mostOpen {
		return nil, slower(10*time.Second, "This key has %d exports and streams open; that is the most. End one, or wait for its end.", mostOpen)
	}
	b.open++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		b.open--
	}, nil
}

// of gives a key's bucket as it stands now. The caller holds mu.
func (l *limits) of(key string) *bucket {
	now := l.now()
	b := l.buckets[key]
	if b == nil {
		l.forget(now)
		b = &bucket{left: l.burst, at: now}
		l.buckets[key] = b
	}
	if passed := now.Sub(b.at).Seconds(); passed > 0 {
		b.left = min(l.burst, b.left+passed*l.rate)
	}
	b.at = now
	return b
}

// forget drops buckets that are full again, so that memory stays bounded. The
// caller holds mu.
func (l *limits) forget(now time.Time) {
	if len(l.buckets) < mostBuckets {
		return
	}
	for key, b := range l.buckets {
		if b.open == 0 && b.left+now.Sub(b.at).Seconds()*l.rate >= l.burst {
			delete(l.buckets, key)
		}
	}
}

func slower(wait time.Duration, format string, args ...any) error {
	return &audit.Error{Code: audit.CodeTooMany, Err: portal.RetryAfter(wait), Message: fmt.Sprintf(format, args...)}
}
