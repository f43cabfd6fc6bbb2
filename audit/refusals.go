package audit

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"onrecord/database"
)

const (
	refusalWindow = time.Minute // of one actor or address and one action
	refusalEvents = 10          // of a window are events of their own
	maxWindows    = 10_000      // kept in memory
)

// refusals keeps a flood of refusals from filling a log that nothing can be
// deleted from: per actor (or address, if nobody is signed in) and action, ten
// a minute are events; the rest of that minute becomes one event with their
// count. A crash within the minute loses that one event.
type refusals struct {
	log *Log

	mu      sync.Mutex
	windows map[refusalKey]*window // guarded by mu
	closed  bool                   // guarded by mu
	pending sync.WaitGroup         // what is still to be written
}

type refusalKey struct{ log, who, action string }

type window struct {
	opened time.Time
	seen   int
	merged int
	intent Intent
	err    error
	timer  *time.Timer
}

func newRefusals(l *Log) *refusals {
	return &refusals{log: l, windows: map[refusalKey]*window{}}
}

// refuse records a refusal, or counts it. Trouble is told to the logger: the
// caller gets the refusal itself as its answer. made tells that an event with
// the id stands already: what seemed to fail was done.
func (l *Log) refuse(ctx context.Context, in Intent, id string, at time.Time, err error) (made bool) {
	switch CodeOf(err) {
	case CodeInvalid, CodeTooMany:
		return false
	}
	if !l.refusals.admit(in, at, err) {
		return false
	}
	write := func() {
		if e := l.writeRefusal(ctx, in, id, at, err); errors.Is(e, errMade) {
			made = true
		} else if e != nil {
			l.logger.ErrorContext(ctx, "a refusal could not be recorded", "log", in.Log, "actor", in.Actor.ID, "action", in.Action, "event", id, "refusal", CodeOf(err), "error", e)
		}
	}
	// A database that could not take the change may make its refusal wait as
	// long again: the caller is told at once.
	if CodeOf(err) == CodeUnavailable && l.refusals.later(write) {
		return false
	}
	write()
	return made
}

// later runs write beside the caller, and lets close wait for it. It tells
// whether it does.
func (r *refusals) later(write func()) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.pending.Go(write)
	return true
}

func (l *Log) writeRefusal(ctx context.Context, in Intent, id string, at time.Time, refusal error) error {
	var rec *recording
	err := l.once(ctx, in.Log, id, func(tx *database.Tx, step int) error {
		rec = &recording{log: l, tx: tx, step: step}
		e := refusalEvent(in, id, at, refusal)
		s, err := rec.seal(&e)
		if unfit := err; unfit != nil {
			// What cannot be recorded must not keep the refusal off the record.
			e = refusalEvent(in.bare(), id, at, refusal)
			e.setData("omitted", "names, reason and data: "+strings.ToValidUTF8(unfit.Error(), "\uFFFD"))
			s, err = rec.seal(&e)
		}
		if err != nil {
			return err
		}
		rec.staged = []staged{s}
		tx.AtCommit(l, &rec.staged[0], l.flush)
		return nil
	})
	if err == nil {
		l.recorded(rec.staged)
	}
	return err
}

func refusalEvent(in Intent, id string, at time.Time, refusal error) Event {
	e := newEvent(in, id, at)
	e.Outcome, e.Error = outcomeOf(refusal)
	if known, ok := errors.AsType[*Error](refusal); ok {
		e.setData("refusal", strings.ToValidUTF8(known.Message, "\uFFFD"))
	}
	return e
}

// bare is the intent without the free text that people send.
func (in Intent) bare() Intent {
	return Intent{
		Log: in.Log, Action: in.Action,
		Actor:   Actor{Type: in.Actor.Type, ID: in.Actor.ID, For: in.Actor.For},
		Object:  Ref{Type: in.Object.Type, ID: strings.ToValidUTF8(in.Object.ID, "\uFFFD")},
		Context: Context{IP: in.Context.IP, Session: in.Context.Session, Request: in.Context.Request, Via: in.Context.Via},
	}
}

// outcomeOf tells how a refusal reads in the log.
func outcomeOf(err error) (Outcome, string) {
	switch code := CodeOf(err); code {
	case CodeDenied, CodeNotFound:
		return OutcomeDenied, ""
	case CodeGone:
		return OutcomeFailed, string(CodeConflict)
	default:
		return OutcomeFailed, string(code)
	}
}

// admit tells whether this refusal is an event of its own.
func (r *refusals) admit(in Intent, at time.Time, err error) bool {
	who := in.Actor.ID
	if who == "" {
		who = "address " + in.Context.IP
	}
	key := refusalKey{in.Log, who, in.Action}
	r.mu.Lock()
	defer r.mu.Unlock()
	w := r.windows[key]
	if w == nil || at.Sub(w.opened).Abs() >= refusalWindow {
		r.forgetOld(at)
		if w != nil && w.merged > 0 {
			r.finish(w)
		}
		w = &window{opened: at}
		r.windows[key] = w
	}
	w.seen++
	if w.seen <= refusalEvents || r.closed {
		return true
	}
	w.merged++
	w.intent, w.err = in, err
	if w.merged == 1 {
		r.pending.Add(1)
		w.timer = time.AfterFunc(refusalWindow, func() {
			r.mu.Lock()
			defer r.mu.Unlock()
			r.finish(w)
		})
	}
	return false
}

// finish writes the count of a window once. The caller holds mu.
func (r *refusals) finish(w *window) {
	if w.merged == 0 {
		return
	}
	w.timer.Stop()
	in, err, n := w.intent, w.err, w.merged
	w.merged = 0
	in.Object, in.Related = Ref{}, nil // the merged refusals may have had different ones
	in.Data = map[string]string{"count": strconv.Itoa(n)}
	in.Reason = ""
	go func() {
		defer r.pending.Done()
		at := r.log.clock.tick()
		if e := r.log.writeRefusal(context.Background(), in, NewID("evt", at), at, err); e != nil {
			r.log.logger.Error("merged refusals could not be recorded", "action", in.Action, "count", n, "error", e)
		}
	}()
}

// forgetOld drops windows that are over, so that memory stays bounded. The
// caller holds mu.
func (r *refusals) forgetOld(at time.Time) {
	if len(r.windows) < maxWindows {
		return
	}
	for key, w := range r.windows {
		if w.merged == 0 && at.Sub(w.opened) >= refusalWindow {
			delete(r.windows, key)
		}
	}
}

func (r *refusals) close() error {
	r.mu.Lock()
	r.closed = true
	for _, w := range r.windows {
		r.finish(w)
	}
	r.mu.Unlock()
	done := make(chan struct{})
	go func() { r.pending.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-time.After(busyClose):
		return errors.New("closing the log: refusals could not be written in time")
	}
}

const busyClose = 15 * time.Second
