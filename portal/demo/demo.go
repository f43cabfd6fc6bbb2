// Package demo fills an empty database with a made-up call center: three teams
// with their members, devices and calls, and 90 days of what people did there.
// All of it happens through the methods of package portal, with a set clock,
// so that the log explains every row as it does in a real installation.
//
// What happens is the same for the same seed and time; ids, tokens and hashes
// are random as ever.
package demo

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"onrecord/database"
)

// Days is how far the history goes back.
const Days = 90

// Options say what is made.
type Options struct {
	Seed     uint64
	Now      time.Time // the history ends here
	Password string    // of everybody who can sign in; it must satisfy the policy
}

// Made is what was made.
type Made struct {
	Email string // of an Admin in all teams
	Steps int    // of the history; most are one event
	// Refused are the steps that the portal refused, which is on the record as
	// well. The plan knows better, so there are none unless the portal's rules
	// have changed.
	Refused []error
}

// Fill makes the call center in a database that [onrecord/portal.Migrate] has
// prepared and that holds nothing yet. It returns when everything is durable.
//
// Cost: the passwords of some hundred sign-ins take as long as all the rest.
func Fill(ctx context.Context, db *database.DB, o Options) (Made, error) {
	c := plan(o)
	refused, err := run(ctx, db, c.steps)
	if err != nil {
		return Made{}, fmt.Errorf("making the demonstration: %w", err)
	}
	return Made{Email: c.dana.email, Steps: len(c.steps), Refused: refused}, nil
}

// plan decides everything that happens, before anything is done.
func plan(o Options) *center {
	c := &center{
		random: rand.New(rand.NewPCG(o.Seed, 0x6f6e7265636f7264)),
		start:  o.Now.UTC().AddDate(0, 0, -Days).Truncate(24 * time.Hour).Add(8*time.Hour + 30*time.Minute),
		now:    o.Now.UTC(), password: o.Password, weights: map[float64][]float64{},
	}
	c.found()
	for _, t := range c.teams {
		t.everyday()
	}
	c.milestones()
	c.night()
	slices.SortStableFunc(c.steps, func(a, b *step) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	return c
}

// center is the plan. It is made on one goroutine, from one source of chance.
type center struct {
	random            *rand.Rand
	weights           map[float64][]float64 // of zipf, summed up, by s
	start, now        time.Time
	password          string
	console, recorder operator
	teams             []*team
	dana              *person // an Admin in all teams
	steps             []*step
}

// chance is true once in so many times.
func (c *center) chance(p float64) bool { return c.random.Float64() < p }

// between gives a duration of that range, to the millisecond.
func (c *center) between(low, high time.Duration) time.Duration {
	return low + time.Duration(c.random.Int64N(int64(high-low)/int64(time.Millisecond)))*time.Millisecond
}

// pick gives one of the values.
func pick[T any](r *rand.Rand, values ...T) T { return values[r.IntN(len(values))] }
