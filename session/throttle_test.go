package session

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// clock is one that a test sets.
type clock struct{ now time.Time }

func newClock() *clock { return &clock{time.Date(2026, 11, 1, 9, 0, 0, 0, time.UTC)} }

func (c *clock) read() time.Time       { return c.now }
func (c *clock) pass(by time.Duration) { c.now = c.now.Add(by) }

const dana, desk = "dana@example.com", "203.0.113.7"

func TestFailuresDoubleTheWait(t *testing.T) {
	c := newClock()
	throttle := NewThrottle(c.read)
	for n := range AccountPace.Free {
		if wait := throttle.Try(dana, desk); wait != 0 {
			t.Fatalf("attempt %d has to wait %v", n+1, wait)
		}
	}
	for n := range 14 {
		want := min(time.Second<<n, AccountPace.Most)
		if wait := throttle.Try(dana, desk); wait != want {
			t.Fatalf("after %d failures the wait is %v, want %v", AccountPace.Free+n, wait, want)
		}
		c.pass(want - 1)
		if wait := throttle.Try(dana, desk); wait != 1 {
			t.Fatalf("a nanosecond early: the wait is %v", wait)
		}
		c.pass(1)
		if wait := throttle.Try(dana, desk); wait != 0 {
			t.Fatalf("after waiting %v as told, the wait is %v", want, wait)
		}
	}
}

func TestSuccessForgivesTheAccount(t *testing.T) {
	c := newClock()
	throttle := NewThrottle(c.read)
	for round := range 50 {
		ip := fmt.Sprint("198.51.100.", round)
		for range AccountPace.Free {
			if wait := throttle.Try(dana, ip); wait != 0 {
				t.Fatalf("has to wait %v", wait)
			}
		}
		throttle.Succeeded(dana, ip)
	}
}

// Two hundred people behind one address sign in on Monday morning.
func TestSuccessCostsTheAddressNothing(t *testing.T) {
	c := newClock()
	throttle := NewThrottle(c.read)
	for n := range 200 {
		account := fmt.Sprintf("agent%d@example.com", n)
		if wait := throttle.Try(account, desk); wait != 0 {
			t.Fatalf("person %d has to wait %v", n+1, wait)
		}
		throttle.Succeeded(account, desk)
	}
}

func TestOneAddressAgainstManyAccounts(t *testing.T) {
	c := newClock()
	throttle := NewThrottle(c.read)
	allowed := 0
	for n := range 1000 {
		if throttle.Try(fmt.Sprintf("person%d@example.com", n), desk) == 0 {
			allowed++
		}
	}
	if allowed != AddressPace.Free {
		t.Errorf("%d attempts at once from one address, want %d", allowed, AddressPace.Free)
	}
	if wait := throttle.Try("somebody@example.com", "203.0.113.8"); wait != 0 {
		t.Errorf("another address has to wait %v", wait)
	}
}

func TestAddressesThatAreOne(t *testing.T) {
	for _, same := range [][]string{
		{"203.0.113.7", "::ffff:203.0.113.7"},
		{"2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:0DB8:0001:0002::1"},
		{"fe80::1%eth0", "fe80::2%eth1"},
	} {
		throttle := NewThrottle(newClock().read)
		for _, ip := range same {
			if throttle.addressKey(ip) != throttle.addressKey(same[0]) {
				t.Errorf("%s and %s count apart", ip, same[0])
			}
		}
		for _, ip := range []string{"", "203.0.113.8", "2001:db8:1:3::1"} {
			if throttle.addressKey(ip) == throttle.addressKey(same[0]) {
				t.Errorf("%q and %s count as one", ip, same[0])
			}
		}
	}
}

func TestManyAtTheSameMoment(t *testing.T) {
	c := newClock()
	throttle := NewThrottle(c.read)
	var allowed atomic.Int64
	var wg sync.WaitGroup
	for n := range 64 {
		wg.Go(func() {
			if throttle.Try(dana, fmt.Sprint("198.51.100.", n)) == 0 {
				allowed.Add(1)
			}
		})
	}
	wg.Wait()
	if allowed.Load() != int64(AccountPace.Free) {
		t.Errorf("%d attempts slipped through together, want %d", allowed.Load(), AccountPace.Free)
	}
}

// What the doc comment promises of an attacker who never waits longer than he
// must and has any number of addresses.
func TestGuessesInADay(t *testing.T) {
	c := newClock()
	throttle := NewThrottle(c.read)
	guesses, end := 0, c.now.Add(10*24*time.Hour)
	for c.now.Before(end) {
		wait := throttle.Try(dana, fmt.Sprint("2001:db8:", guesses&0xfff, "::1"))
		if wait == 0 {
			guesses++
		}
		c.pass(wait)
	}
	if perDay := guesses / 10; perDay < 50 || perDay > 110 {
		t.Errorf("%d guesses a day, documented as about a hundred", perDay)
	}
}

func TestFailuresFade(t *testing.T) {
	c := newClock()
	throttle := NewThrottle(c.read)
	for range 40 {
		c.pass(throttle.Try(dana, desk))
	}
	c.pass(24 * time.Hour)
	for n := range AccountPace.Free {
		if wait := throttle.Try(dana, desk); wait != 0 {
			t.Fatalf("a day later, attempt %d has to wait %v", n+1, wait)
		}
	}
}

func TestMemoryIsBounded(t *testing.T) {
	c := newClock()
	throttle := NewThrottle(c.read)
	for range AccountPace.Free + 3 {
		c.pass(throttle.Try(dana, desk))
	}
	throttle.Try(dana, desk)
	before := throttle.Try(dana, desk)
	for n := range 2 * mostRemembered {
		throttle.Try(fmt.Sprint("made up ", n), fmt.Sprintf("2001:db8:%x:%x::1", n>>16, n&0xffff))
	}
	if a, i := len(throttle.accounts.of), len(throttle.addresses.of); a > mostRemembered || i > mostRemembered {
		t.Errorf("remembers %d accounts and %d addresses", a, i)
	}
	if after := throttle.Try(dana, desk); before == 0 || after != before {
		t.Errorf("a flood of made-up names changed the wait of a guessed account from %v to %v", before, after)
	}
}

// For any course of attempts: a wait is never longer than the longest, asking
// early changes nothing, and whoever waits as told may try.
func TestThrottleKeepsItsWord(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := newClock()
		throttle := NewThrottle(c.read)
		account := rapid.SampledFrom([]string{"a", "b", "c"})
		ip := rapid.SampledFrom([]string{"192.0.2.1", "192.0.2.2", "2001:db8::1", "not an address"})
		for range rapid.IntRange(1, 120).Draw(t, "attempts") {
			c.pass(time.Duration(rapid.Int64Range(-int64(time.Minute), int64(20*time.Minute)).Draw(t, "passing")))
			account, ip := account.Draw(t, "account"), ip.Draw(t, "ip")
			wait := throttle.Try(account, ip)
			if wait < 0 || wait > AccountPace.Most {
				t.Fatalf("wait %v", wait)
			}
			if wait > 0 {
				if again := throttle.Try(account, ip); again != wait {
					t.Fatalf("asking again changed the wait from %v to %v", wait, again)
				}
				c.pass(wait)
				if again := throttle.Try(account, ip); again != 0 {
					t.Fatalf("after waiting %v as told, the wait is %v", wait, again)
				}
			}
			if rapid.Bool().Draw(t, "right") {
				throttle.Succeeded(account, ip)
				if count := throttle.accounts.of[throttle.accountKey(account)].Count; count != 0 {
					t.Fatalf("%d failures count after a success", count)
				}
			}
		}
	})
}
