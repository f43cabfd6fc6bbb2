package portal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"onrecord/audit"
	"onrecord/audit/seal"
)

// WithWitnesses names the witnesses that cosign this portal's checkpoints while
// [Portal.GatherCosignatures] runs.
func WithWitnesses(all ...*seal.WitnessClient) Option {
	return func(p *Portal) { p.witnesses = all }
}

const (
	gatherEvery = time.Second      // how often a witness is asked for what is new
	gatherRetry = time.Minute      // the longest wait for one that does not answer
	gatherTime  = 15 * time.Second // for one checkpoint
)

// GatherCosignatures has witnesses cosign the newest checkpoint of every log,
// until ctx ends. Recording and sealing never wait for it; a witness that
// cannot be reached is asked again later, each by itself. A witness that has
// seen another history, or more, than there is now is a fault of the log: it is
// kept, shown to Admins and recorded as audit_log.fault_found.
func (p *Portal) GatherCosignatures(ctx context.Context) {
	var all sync.WaitGroup
	for _, w := range p.witnesses {
		all.Go(func() { p.gatherFrom(ctx, w) })
	}
	all.Wait()
}

func (p *Portal) gatherFrom(ctx context.Context, w *seal.WitnessClient) {
	wait := gatherEvery
	for {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		failed := false
		if err := p.readTeams(ctx); err != nil { // another process may have added some
			p.logger.Error("looking for logs to be cosigned", "error", err)
		}
		for _, log := range p.logs() {
			if err := p.gather(ctx, w, log); err != nil && ctx.Err() == nil {
				failed = true
				p.logger.Warn("a witness has not cosigned", "witness", w.Witness.Name, "log", log, "error", err)
			}
		}
		wait = gatherEvery
		if failed {
			wait = gatherRetry
		}
	}
}

// gather has one witness cosign the newest checkpoint of one log.
func (p *Portal) gather(ctx context.Context, w *seal.WitnessClient, log string) error {
	ctx, stop := context.WithTimeout(ctx, gatherTime)
	defer stop()
	state, err := p.log.SealState(ctx, log)
	if err != nil || state.Sealed == 0 {
		return err
	}
	last, err := p.log.LastCosigned(ctx, log, w.Witness.String())
	if err != nil && audit.CodeOf(err) != audit.CodeNotFound || last.Size == state.Sealed {
		return ignoreNotFound(err)
	}
	_, line, err := w.Gather(ctx, last.Size, p.log.Hashes(ctx, log), state.Checkpoint)
	ahead, isAhead := errors.AsType[*seal.AheadError](err)
	switch {
	case err == nil:
		if err := p.log.KeepCosignature(ctx, log, audit.Cosignature{Size: state.Sealed, Witness: w.Witness.String(), Line: []byte(line), Kept: p.now()}); err != nil {
			return err
		}
		return p.witnessed(ctx, w, log, state.Sealed, "")
	case errors.Is(err, seal.ErrNotConsistent):
		return p.witnessed(ctx, w, log, state.Sealed, fmt.Sprintf("it has seen another history of the log: events that were sealed have been changed, removed or inserted since (now %d leaves)", state.Sealed))
	case isAhead:
		// Another process of this portal may have had it cosign a newer one.
		now, err := p.log.SealState(ctx, log)
		if err != nil || now.Sealed >= ahead.Size {
			return err
		}
		return p.witnessed(ctx, w, log, now.Sealed, fmt.Sprintf("it has cosigned %d leaves of the log, now there are %d: the log was cut off, or set back to an older state", ahead.Size, now.Sealed))
	}
	return err
}

func ignoreNotFound(err error) error {
	if audit.CodeOf(err) == audit.CodeNotFound {
		return nil
	}
	return err
}

// witnessed keeps what a witness found; fault is "" if all is well. That all
// is well is kept only where something else was known: it happens every second.
func (p *Portal) witnessed(ctx context.Context, w *seal.WitnessClient, log string, leaves int64, fault string) error {
	f := Finding{Log: log, Source: w.Witness.Name, At: p.now(), Leaves: leaves, First: fault}
	if fault == "" {
		return p.clearFault(ctx, f)
	}
	f.Faults = 1
	by := systemCaller()
	return p.keepFinding(ctx, by.Actor, by.Context, f)
}

// systemCaller is the program itself.
func systemCaller() Caller {
	return Caller{Actor: audit.Actor{Type: audit.ActorSystem, Name: "OnRecord"}, Context: audit.Context{Via: "system"}}
}
