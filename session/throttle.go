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
//   - It forgets when the program restarts, and each process counts by itself:
//     several processes that serve one portal keep their [Failures] together,
//     by the same [Pace].
//   - It remembers at most 65,536 accounts and as many addresses, about 13 MB.
//     Beyond that it forgets, of a sample, the one with the fewest failures.
//
// Its methods may be called from several goroutines.
type Throttle struct {
	clock func() time.Time
	seed  maphash.Seed // keys are kept as hashes: people type passwords into the wrong field

	mu        sync.Mutex
	accounts  remembered // guarded by mu
	addresses remembered // guarded by mu
}

// The paces of failures for one account and from one address.
var (
	AccountPace = Pace{Free: 5, First: time.Second, Most: 15 * time.Minute, Fade: time.Hour}
	AddressPace = Pace{Free: 30, First: time.Second, Most: 15 * time.Minute, Fade: time.Minute}
)

const mostRemembered = 1 << 16

// NewThrottle gives a Throttle that goes by this clock.
func NewThrottle(clock func() time.Time) *Throttle {
	return &Throttle{
		clock:     clock,
		seed:      maphash.MakeSeed(),
		accounts:  remembered{pace: AccountPace, of: map[uint64]Failures{}},
		addresses: remembered{pace: AddressPace, of: map[uint64]Failures{}},
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

func (t *Throttle) addressKey(ip string) uint64 { return maphash.String(t.seed, OneAddress(ip)) }

// OneAddress takes an IPv6 network of 64 bits as one address: a household has
// that many to try from.
func OneAddress(ip string) string {
	if address, err := netip.ParseAddr(ip); err == nil {
		address = address.Unmap().WithZone("")
		if address.Is6() {
			network, _ := address.Prefix(64) // 64 is within an IPv6 address
			address = network.Addr()
		}
		ip = address.String()
	}
	return ip
}

// Pace is how failures turn into waiting.
type Pace struct {
	Free  int           // failures without a wait
	First time.Duration // the wait after the last free one; doubles with each further failure
	Most  time.Duration // the longest wait
	Fade  time.Duration // in which one failure is forgotten
}

// Failures are what is remembered of one account or address.
type Failures struct {
	Count int
	Last  time.Time
}

// Delay is how long to wait after so many failures.
func (p Pace) Delay(count int) time.Duration {
	if count < p.Free {
		return 0
	}
	delay := p.First
	for range count - p.Free {
		if delay *= 2; delay >= p.Most {
			return p.Most
		}
	}
	return delay
}

// Wait is how long to wait now. It takes failures of the future, as a clock
// that was set back leaves them, for failures of this moment.
func (p Pace) Wait(f Failures, now time.Time) time.Duration {
	if f.Last.After(now) {
		f.Last = now
	}
	return max(0, f.Last.Add(p.Delay(f.Count)).Sub(now))
}

// Add counts one more failure.
func (p Pace) Add(f Failures, now time.Time) Failures {
	count := p.faded(f, now) + 1
	if p.Delay(count-1) == p.Most {
		count-- // longer waits are not to come, so let it fade from here
	}
	return Failures{Count: count, Last: now}
}

// Over tells from when on nothing of failures counts any more.
func (p Pace) Over(f Failures) time.Time { return f.Last.Add(time.Duration(f.Count) * p.Fade) }

// faded is how many failures still count.
func (p Pace) faded(f Failures, now time.Time) int {
	return max(0, f.Count-int(max(0, now.Sub(f.Last))/p.Fade))
}

// remembered are the failures of all accounts, or of all addresses.
type remembered struct {
	pace Pace
	of   map[uint64]Failures
}

func (r *remembered) wait(key uint64, now time.Time) time.Duration {
	one, known := r.of[key]
	if !known {
		return 0
	}
	if one.Last.After(now) { // the clock has been set back
		one.Last = now
		r.of[key] = one
	}
	return r.pace.Wait(one, now)
}

func (r *remembered) add(key uint64, now time.Time) {
	if _, known := r.of[key]; !known && len(r.of) >= mostRemembered {
		r.forgetOne(now)
	}
	r.of[key] = r.pace.Add(r.of[key], now)
}

func (r *remembered) takeBack(key uint64) {
	one := r.of[key]
	if one.Count--; one.Count <= 0 {
		delete(r.of, key)
		return
	}
	r.of[key] = one
}

// forgetOne drops, of a few taken at random as Go's maps give them, the one
// with the fewest failures.
func (r *remembered) forgetOne(now time.Time) {
	const sample = 32
	var drop uint64
	fewest, seen := -1, 0
	for key, one := range r.of {
		if count := r.pace.faded(one, now); fewest < 0 || count < fewest {
			drop, fewest = key, count
		}
		if seen++; seen == sample || fewest == 0 {
			break
		}
	}
	delete(r.of, drop)
}
