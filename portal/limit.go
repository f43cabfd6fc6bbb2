package portal

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"onrecord/database"
	"onrecord/portal/store"
	"onrecord/session"
)

// limiter slows down those who guess passwords. Try asks for one attempt and
// counts it as failed at once; Succeeded takes that back.
type limiter interface {
	Try(ctx context.Context, account, ip string) (wait time.Duration, err error)
	Succeeded(ctx context.Context, account, ip string) error
}

// newLimiter gives what fits the database: one process serves from a SQLite
// file and remembers by itself, while those that share a PostgreSQL database
// remember there, so that it does not matter which of them is asked.
func newLimiter(db *database.DB, clock func() time.Time) limiter {
	if db.Dialect().Name == database.SQLite.Name {
		return ownLimiter{session.NewThrottle(clock)}
	}
	return &sharedLimiter{db: db, clock: clock}
}

// ownLimiter remembers in the process.
type ownLimiter struct{ throttle *session.Throttle }

func (o ownLimiter) Try(_ context.Context, account, ip string) (time.Duration, error) {
	return o.throttle.Try(account, ip), nil
}

func (o ownLimiter) Succeeded(_ context.Context, account, ip string) error {
	o.throttle.Succeeded(account, ip)
	return nil
}

// sharedLimiter remembers in the database, by the same pace. An attempt that
// has to wait writes nothing.
type sharedLimiter struct {
	db    *database.DB
	clock func() time.Time

	forget rarely
}

// watched is one key whose failures are counted.
type watched struct {
	who  string
	pace session.Pace
}

// keys gives what an attempt counts for. They are digests: people type
// passwords into the wrong field, and what is no mail address is one account.
func (s *sharedLimiter) keys(account, ip string) [2]watched {
	if !strings.Contains(account, "@") {
		account = ""
	}
	digest := func(kind, key string) string {
		sum := sha256.Sum256([]byte(kind + "\x00" + key))
		return kind + ":" + hex.EncodeToString(sum[:12])
	}
	return [2]watched{
		{digest("account", account), session.AccountPace},
		{digest("address", session.OneAddress(ip)), session.AddressPace},
	}
}

func (s *sharedLimiter) Try(ctx context.Context, account, ip string) (wait time.Duration, err error) {
	keys := s.keys(account, ip)
	now := s.clock().UTC().Truncate(time.Microsecond)
	// Most who have to wait are told without a transaction.
	if wait, _, err = waiting(ctx, s.db, keys, now); err != nil || wait > 0 {
		return wait, err
	}
	forget := s.forget.due(now)
	err = s.db.Write(ctx, func(tx *database.Tx) error {
		var have [2]session.Failures
		var err error
		if wait, have, err = waiting(ctx, tx, keys, now); err != nil || wait > 0 {
			return err
		}
		for i, k := range keys {
			f := k.pace.Add(have[i], now)
			if err := store.SetSignInFailures(ctx, tx, k.who, f.Count, f.Last, k.pace.Over(f)); err != nil {
				return err
			}
		}
		if forget {
			return store.ForgetSignInFailures(ctx, tx, now)
		}
		return nil
	})
	return wait, err
}

// waiting reads the failures of both keys and how long they make one wait. A
// clock that was set back by hours must not shut anybody out until it has
// caught up: what lies that far ahead is forgotten.
func waiting(ctx context.Context, q database.Querier, keys [2]watched, now time.Time) (wait time.Duration, have [2]session.Failures, err error) {
	for i, k := range keys {
		f := &have[i]
		if f.Count, f.Last, err = store.SignInFailures(ctx, q, k.who); err != nil {
			return 0, have, fmt.Errorf("reading failed attempts: %w", err)
		}
		if f.Last.Sub(now) > k.pace.Most {
			*f = session.Failures{}
		}
		wait = max(wait, k.pace.Wait(*f, now))
	}
	return wait, have, nil
}

func (s *sharedLimiter) Succeeded(ctx context.Context, account, ip string) error {
	keys := s.keys(account, ip)
	return s.db.Write(ctx, func(tx *database.Tx) error {
		if err := store.DropSignInFailures(ctx, tx, keys[0].who); err != nil {
			return err
		}
		address := keys[1]
		count, last, err := store.SignInFailures(ctx, tx, address.who)
		if err != nil || count == 0 {
			return err
		}
		if count--; count == 0 {
			return store.DropSignInFailures(ctx, tx, address.who)
		}
		f := session.Failures{Count: count, Last: last}
		return store.SetSignInFailures(ctx, tx, address.who, count, last, address.pace.Over(f))
	})
}
