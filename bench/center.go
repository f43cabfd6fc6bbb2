package bench

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"onrecord/audit"
	"onrecord/audit/seal"
	"onrecord/database"
	"onrecord/portal"
)

// center is a portal of one team, whose log may hold many events.
type center struct {
	closing
	db     *database.DB
	dsn    string
	keys   string // the file with the keys that sign
	portal *portal.Portal
	team   string
	past   atomic.Int64 // while its history is made: the time of day there, in microseconds
}

// close closes what was opened; a nil center was not.
func (c *center) close() error {
	if c == nil {
		return nil
	}
	return c.closing.close()
}

// now is the clock of the portal.
func (c *center) now() time.Time {
	if past := c.past.Load(); past != 0 {
		return time.UnixMicro(past)
	}
	return time.Now()
}

const year = 365 * 24 * time.Hour

// center makes the portal, as of a year ago, or opens the one that was kept.
func (r *run) center(ctx context.Context, name string, kept bool) (_ *center, err error) {
	c := &center{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.close())
		}
	}()
	if c.db, c.dsn, err = r.places.open(ctx, name, kept); err != nil {
		return nil, err
	}
	c.add(c.db.Close)
	c.keys = r.places.keyFile(name, kept)
	if _, err := portal.Migrate(ctx, c.db); err != nil {
		return nil, err
	}
	c.past.Store(time.Now().Add(-year).UnixMicro())
	defer c.past.Store(0)
	if c.portal, err = portal.Open(ctx, c.db, portal.WithLogger(slog.New(slog.DiscardHandler)), portal.WithClock(c.now), portal.WithSigningKeys(c.keys)); err != nil {
		return nil, err
	}
	c.add(c.portal.Close)
	return c, c.found(ctx)
}

var operator = portal.Caller{Actor: audit.Actor{Type: audit.ActorOperator, Name: "bench"}, Context: audit.Context{Via: "cli"}}

// The Admin of every portal that a run makes. Nobody serves from it.
const (
	adminEmail    = "bench@example.com"
	adminPassword = "velvet harbour 7 otters waltz"
)

// found makes the team, unless it is there, and has its log signed.
func (c *center) found(ctx context.Context) error {
	team, err := c.portal.FindTeam(ctx, operator, "Bench")
	c.team = team.ID
	if audit.CodeOf(err) == audit.CodeNotFound {
		var made portal.CreatedTeam
		made, err = c.portal.Setup(ctx, operator, portal.NewTeam{Organization: "Bench", Team: "Bench", Email: adminEmail, AdminName: "Bench", Password: adminPassword})
		c.team = made.Team
	}
	if err != nil {
		return err
	}
	keys, _, err := seal.MakeKeyFile(c.keys, seal.FileName)
	for _, k := range keys {
		err = errors.Join(err, c.portal.AddSigningKey(ctx, operator, k.Public()))
	}
	return err
}

func (c *center) signIn(ctx context.Context) (portal.SignedIn, error) {
	return c.portal.SignIn(ctx, portal.Caller{Context: audit.Context{IP: "127.0.0.1", Via: "web"}}, adminEmail, adminPassword)
}

// filled gives the portal whose log holds as many events as were asked for.
func (r *run) filled(ctx context.Context) (*center, error) {
	if r.kept != nil {
		return r.kept, nil
	}
	c, err := r.center(ctx, "log", r.Keep)
	if err != nil {
		return nil, err
	}
	r.kept = c // closed at the end of the run
	return c, r.fill(ctx, c)
}

// How a log is filled: by so many at the same time, each so many events a
// transaction. The events of one transaction have nearly the same time. On
// PostgreSQL transactions that meet new names at the same time have to be made
// again: more than two keep each other from getting on.
const (
	fillersSQLite   = 8
	fillersPostgres = 2
	fillBatch       = 64
)

// fill records what the log lacks: in a new one a year's events, in the order
// of their times.
func (r *run) fill(ctx context.Context, c *center) error {
	log := c.portal.Log()
	have, newest, err := c.state(ctx)
	if err != nil {
		return err
	}
	lacks := r.Events - have
	if lacks <= 0 {
		return nil
	}
	steps := newHistory(uint64(have), newest, time.Now().Add(-time.Hour), lacks, &c.past)
	defer c.past.Store(0)
	fillers := fillersPostgres
	if c.db.Dialect().Name == database.SQLite.Name {
		fillers = fillersSQLite
	}
	batches := make(chan []audit.Intent)
	recorded := make(chan error, fillers)
	for range fillers {
		go func() {
			var err error
			for batch := range batches {
				if err == nil {
					_, err = log.NoteAll(ctx, batch...)
				}
			}
			recorded <- err
		}()
	}
	for i := 0; i < lacks && ctx.Err() == nil; i += fillBatch {
		batch := make([]audit.Intent, min(fillBatch, lacks-i))
		for j := range batch {
			batch[j] = steps.next().Intent(c.team)
		}
		batches <- batch
		r.progress("recording events", i, lacks)
	}
	close(batches)
	errs := []error{ctx.Err()}
	for range fillers {
		errs = append(errs, <-recorded)
	}
	if err := errors.Join(errs...); err != nil {
		return err
	}
	err = log.Seal(ctx)
	return err
}

// state gives how many events the log holds and the time of the newest.
func (c *center) state(ctx context.Context) (events int, newest time.Time, err error) {
	totals, err := c.portal.Log().Count(ctx, c.team)
	if err != nil {
		return 0, newest, err
	}
	for _, n := range totals {
		events += int(n)
	}
	res, err := c.portal.Log().Search(ctx, c.team, audit.Filter{}, audit.Page{Limit: 1})
	if err == nil {
		newest = res.Events[0].Time // the making of the team at least
	}
	return events, newest, err
}

// history is a load whose steps a clock follows.
type history struct {
	load  *Load
	end   time.Time
	clock *atomic.Int64
}

// newHistory spreads steps over nine tenths of the time between from and end,
// so that hardly any have to be held at its end; at least two microseconds for
// each, of which a log needs one.
func newHistory(seed uint64, from, end time.Time, steps int, clock *atomic.Int64) *history {
	if least := from.Add(time.Duration(steps) * 2 * time.Microsecond); end.Before(least) {
		end = least
	}
	return &history{load: NewLoad(seed, from, end.Sub(from)*9/10, steps), end: end, clock: clock}
}

func (h *history) next() Step {
	s := h.load.Next()
	if s.Time.After(h.end) {
		s.Time = h.end
	}
	h.clock.Store(s.Time.UnixMicro())
	return s
}
