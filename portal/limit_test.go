package portal

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"onrecord/database"
	"onrecord/database/dbtest"
	"onrecord/portal/store"
	"onrecord/session"
)

// ticking is a clock that a test sets.
type ticking struct{ at atomic.Int64 }

func (c *ticking) now() time.Time        { return time.UnixMicro(c.at.Load()) }
func (c *ticking) pass(by time.Duration) { c.at.Add(by.Microseconds()) }

func limitsOf(t *testing.T, db *database.DB, c *ticking) *sharedLimiter {
	t.Helper()
	c.at.Store(time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC).UnixMicro())
	return &sharedLimiter{db: db, clock: c.now}
}

// onEach runs a test on every database, which has the portal's tables.
func onEach(t *testing.T, test func(t *testing.T, db *database.DB)) {
	dbtest.Each(t, func(t *testing.T, dsn string) { test(t, migrated(t, dsn)) })
}

func migrated(t *testing.T, dsn string) *database.DB {
	t.Helper()
	db := dbtest.Open(t, dsn)
	if _, err := db.Migrate(t.Context(), store.Schema(db.Dialect())); err != nil {
		t.Fatal(err)
	}
	return db
}

// Two processes that share a database limit as one that remembers by itself,
// whichever of them is asked.
func TestSharedLimitsAreThoseOfOneProcess(t *testing.T) { onEach(t, limitsAreThoseOfOneProcess) }

func limitsAreThoseOfOneProcess(t *testing.T, db *database.DB) {
	ctx := t.Context()
	c := &ticking{}
	both := []*sharedLimiter{limitsOf(t, db, c), limitsOf(t, db, c)}
	run := 0
	rapid.Check(t, func(t *rapid.T) {
		run++
		alone := session.NewThrottle(c.now)
		account := rapid.SampledFrom([]string{"a", "b", "c"})
		ip := rapid.SampledFrom([]string{"192.0.2.1", "192.0.2.2", "2001:db8:%d::1"})
		for range rapid.IntRange(1, 40).Draw(t, "attempts") {
			c.pass(time.Duration(rapid.Int64Range(0, int64(2*time.Minute)).Draw(t, "passing")))
			account := fmt.Sprintf("%s%d@example.com", account.Draw(t, "account"), run)
			ip := fmt.Sprintf("run %d %s", run, ip.Draw(t, "ip"))
			one := both[rapid.IntRange(0, 1).Draw(t, "process")]
			wait, err := one.Try(ctx, account, ip)
			if want := alone.Try(account, ip); err != nil || wait != want {
				t.Fatalf("the wait is %v (%v), alone %v", wait, err, want)
			}
			if rapid.IntRange(0, 9).Draw(t, "right") == 0 {
				alone.Succeeded(account, ip)
				if err := one.Succeeded(ctx, account, ip); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

func TestSharedLimitsLetNobodySlipThrough(t *testing.T) { onEach(t, limitsLetNobodySlipThrough) }

func limitsLetNobodySlipThrough(t *testing.T, db *database.DB) {
	c := &ticking{}
	both := []*sharedLimiter{limitsOf(t, db, c), limitsOf(t, db, c)}
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for n := range 64 {
		wg.Go(func() {
			wait, err := both[n%2].Try(context.Background(), "dana@example.com", fmt.Sprint("198.51.100.", n))
			if err != nil {
				t.Error(err)
			} else if wait == 0 {
				allowed.Add(1)
			}
		})
	}
	wg.Wait()
	if allowed.Load() != int64(session.AccountPace.Free) {
		t.Errorf("%d attempts slipped through together, want %d", allowed.Load(), session.AccountPace.Free)
	}
}

// The table holds nothing that was typed, and nothing for ever.
func TestSharedLimitsForget(t *testing.T) { onEach(t, limitsForget) }

func limitsForget(t *testing.T, db *database.DB) {
	c := &ticking{}
	l := limitsOf(t, db, c)
	try := func(account string) {
		t.Helper()
		if _, err := l.Try(t.Context(), account, "203.0.113.7"); err != nil {
			t.Fatal(err)
		}
	}
	rows := func() (all []string) {
		t.Helper()
		found, err := db.QueryContext(t.Context(), "SELECT who FROM sign_in_failure ORDER BY who")
		if err != nil {
			t.Fatal(err)
		}
		defer found.Close()
		for found.Next() {
			var who string
			if err := found.Scan(&who); err != nil {
				t.Fatal(err)
			}
			all = append(all, who)
		}
		return all
	}
	try("dana@example.com")
	try("hunter2 typed into the wrong field")
	try("another one")
	if all := rows(); len(all) != 3 || strings.Contains(strings.Join(all, ""), "dana") || strings.Contains(strings.Join(all, ""), "203") {
		t.Errorf("remembered is %q", all)
	}
	c.pass(30 * 24 * time.Hour)
	try("sam@example.com")
	if all := rows(); len(all) != 2 {
		t.Errorf("a month later %q is remembered", all)
	}
	// A clock set back by a month shuts nobody out.
	for range 20 {
		try("sam@example.com")
	}
	c.pass(-30 * 24 * time.Hour)
	if wait, err := l.Try(t.Context(), "sam@example.com", "203.0.113.7"); err != nil || wait != 0 {
		t.Errorf("with the clock set back the wait is %v, %v", wait, err)
	}
}
