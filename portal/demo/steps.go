package demo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal"
)

// step is one thing that somebody does at a moment of the history.
type step struct {
	at     time.Time
	what   string
	reads  []string // keys of what must be there before: "user sam@…"
	writes []string // keys of what it makes or changes
	do     func(context.Context, *desk) error
	done   chan struct{}
}

// add plans a step.
func (c *center) add(at time.Time, what string, reads, writes []string, do func(context.Context, *desk) error) {
	c.steps = append(c.steps, &step{at: at, what: what, reads: reads, writes: writes, do: do, done: make(chan struct{})})
}

// desk is a portal whose clock shows the time of the step at hand. There are
// several on one database, so that steps share commits as the requests of many
// people do.
type desk struct {
	*portal.Portal
	clock *clock
}

// clock is a clock that only moves when it is told to, and a microsecond at
// each look.
type clock struct {
	mu  sync.Mutex
	now time.Time // guarded by mu
}

func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = t
}

func (c *clock) look() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Microsecond)
	return c.now
}

const (
	desks = 16
	ahead = 512 // steps that may wait for their turn
)

// run does the steps, which come in the order of their times: those that touch
// the same thing one after another, all others at once.
func run(ctx context.Context, db *database.DB, steps []*step) (refused []error, err error) {
	r := &runner{free: make(chan *desk, desks)}
	for range desks {
		d := &desk{clock: &clock{now: steps[0].at}}
		if d.Portal, err = portal.Open(ctx, db, portal.WithClock(d.clock.look)); err != nil {
			return nil, err
		}
		r.free <- d
	}
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(ahead)
	order := newOrder()
	for _, s := range steps {
		before := order.before(s)
		g.Go(func() error { return r.take(ctx, s, before) })
		if ctx.Err() != nil {
			break
		}
	}
	err = g.Wait()
	for range desks {
		err = errors.Join(err, (<-r.free).Close())
	}
	return r.refused, err
}

type runner struct {
	free    chan *desk
	mu      sync.Mutex
	refused []error // guarded by mu
}

// take does a step once those before it are done and a desk is free.
func (r *runner) take(ctx context.Context, s *step, before []*step) error {
	for _, b := range before {
		select {
		case <-b.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	d := <-r.free
	defer func() { r.free <- d }()
	d.clock.set(s.at)
	err := s.do(ctx, d)
	if err != nil {
		err = fmt.Errorf("%s at %s: %w", s.what, s.at.Format(time.RFC3339), err)
	}
	switch audit.CodeOf(err) {
	case "":
	case audit.CodeConflict, audit.CodeGone:
		r.mu.Lock()
		r.refused = append(r.refused, err)
		r.mu.Unlock()
	default:
		return err
	}
	close(s.done)
	return nil
}

// order knows which steps touched a key last.
type order struct {
	wrote map[string]*step
	read  map[string][]*step // since then
}

func newOrder() *order { return &order{map[string]*step{}, map[string][]*step{}} }

// before gives the steps that s has to wait for, and notes what s touches.
func (o *order) before(s *step) []*step {
	var all []*step
	for _, key := range slices.Concat(s.reads, s.writes) {
		if w := o.wrote[key]; w != nil {
			all = append(all, w)
		}
	}
	for _, key := range s.writes {
		all = append(all, o.read[key]...)
		o.wrote[key] = s
		delete(o.read, key)
	}
	for _, key := range s.reads {
		if !slices.Contains(s.writes, key) {
			o.read[key] = append(o.read[key], s)
		}
	}
	return all
}
