package session

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// Throttle slows down those who guess passwords: for each account and for each
// address a few failures are free, after that every further one doubles the
// wait. What it costs:
//   - Whoever knows a mail address can keep its owner waiting for as long as he
//     keeps failing, 15 minutes at most from his last try. A lock for good would
//     let anybody lock every Admin out; a one-time link passes by the throttle.
//   - At 15 minutes a try, one account can be guessed at about a hundred times a
//     day, from however many addresses.
//   - People behind one address share its failures; therefore it has more free.
//   - It forgets when the program restarts, and each process counts by itself.
//   - It remembers at most 65,536 accounts and as many addresses, about 13 MB.
//     Beyond that it forgets, of a sample, the one with the fewest failures.
//
// Its methods may be called from several goroutines.
type Throttle struct {
	clock func() time.Time
	seed  maphash.Seed // keys are kept as hashes: people type passwords into the wrong field

	mu        sync.Mutex
	accounts  failures // guarded by mu
	addresses failures // guarded by mu
}

var (
	accountPace = pace{free: 5, first: time.Second, most: 15 * time.Minute, fade: time.Hour}
	addressPace = pace{free: 30, first: time.Second, most: 15 * time.Minute, fade: time.Minute}
)

const mostRemembered = 1 << 16

// NewThrottle gives a Throttle that goes by this clock.
func NewThrottle(clock func() time.Time) *Throttle {
	return &Throttle{
		clock:     clock,
		seed:      maphash.MakeSeed(),
		accounts:  failures{pace: accountPace, of: map[uint64]failure{}},
		addresses: failures{pace: addressPace, of: map[uint64]failure{}},
	}
}

// Try asks for one attempt at an account (its address in the one casing that
// counts, known or not) from an IP address. It gives how long to wait before
// asking again (for Retry-After), or 0: then the attempt is counted as failed
// at once, so that many at the same moment cannot slip through together, and
// [Throttle.Succeeded] takes it back.
func (t *Throttle) Try(account, ip string) (wait time.Duration) {
	a, i := t.accountKey(account), t.addressKey(ip)
	now := t.clock()
	t.mu.Lock()
	defer t.mu.Unlock()
	wait = max(t.accounts.wait(a, now), t.addresses.wait(i, now))
	if wait == 0 {
		t.accounts.add(a, now)
		t.addresses.add(i, now)
	}
	return wait
}

// Succeeded says that the attempt which Try allowed was a right one: the
// account's failures are forgotten, the address loses only this one.
func (t *Throttle) Succeeded(account, ip string) {
	a, i := t.accountKey(account), t.addressKey(ip)
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.accounts.of, a)
	t.addresses.takeBack(i)
}

func (t *Throttle) accountKey(account string) uint64 { return maphash.String(t.seed, account) }

// addressKey takes an IPv6 network of 64 bits as one address: a household has
// that many to try from.
func (t *Throttle) addressKey(ip string) uint64 {
	if address, err := netip.ParseAddr(ip); err == nil {
		address = address.Unmap().WithZone("")
		if address.Is6() {
			network, _ := address.Prefix(64) // 64 is within an IPv6 address
			address = network.Addr()
		}
		ip = address.String()
	}
	return maphash.String(t.seed, ip)
}

// pace is how failures turn into waiting.
type pace struct {
	free  int           // failures without a wait
	first time.Duration // the wait after the last free one; doubles with each further failure
	most  time.Duration // the longest wait
	fade  time.Duration // in which one failure is forgotten
}

// delay is how long to wait after so many failures.
func (p pace) delay(count int) time.Duration {
	if count < p.free {
		return 0
	}
	delay := p.first
	for range count - p.free {
		if delay *= 2; delay >= p.most {
			return p.most
		}
	}
	return delay
}

// failure is what is remembered of one account or address.
type failure struct {
	count int
	last  time.Time
}

// failures are those of all accounts, or of all addresses.
type failures struct {
	pace pace
	of   map[uint64]failure
}

func (f *failures) wait(key uint64, now time.Time) time.Duration {
	one, known := f.of[key]
	if !known {
		return 0
	}
	if one.last.After(now) { // the clock has been set back
		one.last = now
		f.of[key] = one
	}
	return max(0, one.last.Add(f.pace.delay(one.count)).Sub(now))
}

func (f *failures) add(key uint64, now time.Time) {
	count := f.faded(f.of[key], now) + 1
	if f.pace.delay(count-1) == f.pace.most {
		count-- // longer waits are not to come, so let it fade from here
	}
	if _, known := f.of[key]; !known && len(f.of) >= mostRemembered {
		f.forgetOne(now)
	}
	f.of[key] = failure{count: count, last: now}
}

func (f *failures) takeBack(key uint64) {
	one := f.of[key]
	if one.count--; one.count <= 0 {
		delete(f.of, key)
		return
	}
	f.of[key] = one
}

// faded is how many failures still count.
func (f *failures) faded(one failure, now time.Time) int {
	return max(0, one.count-int(max(0, now.Sub(one.last))/f.pace.fade))
}

// forgetOne drops, of a few taken at random as Go's maps give them, the one
// with the fewest failures.
func (f *failures) forgetOne(now time.Time) {
	const sample = 32
	var drop uint64
	fewest, seen := -1, 0
	for key, one := range f.of {
		if count := f.faded(one, now); fewest < 0 || count < fewest {
			drop, fewest = key, count
		}
		if seen++; seen == sample || fewest == 0 {
			break
		}
	}
	delete(f.of, drop)
}
