package portal

import (
	"context"
	"iter"
	"time"

	"onrecord/audit"
)

// LogInOrder reads a team's log in the order in which it was sealed, as
// [audit.Log.SealedAfter] gives it: for programs that read on and on, and must
// not miss an event that committed late.
//
// Permission, event and errors are those of [Portal.SearchLog].
func (p *Portal) LogInOrder(ctx context.Context, by Caller, team string, f audit.Filter, after int64, limit int) (audit.LeafPage, error) {
	if err := p.readLog(ctx, by, team, "query", f.String()); err != nil {
		return audit.LeafPage{}, err
	}
	return p.log.SealedAfter(ctx, team, f, after, limit)
}

// LastLeaf is the number of the newest sealed event of a team's log, or -1:
// where somebody begins who wants to see only what comes.
//
// Permission and errors: as SearchLog. Events: none; a refusal is
// audit_log.viewed.
func (p *Portal) LastLeaf(ctx context.Context, by Caller, team string) (int64, error) {
	if err := p.mayReadLog(ctx, by, team); err != nil {
		return 0, err
	}
	size, err := p.log.Size(ctx, team)
	return size - 1, err
}

// FollowLog reads a team's log in the order in which it is sealed, from leaf
// after on (-1 is all of it), and then each event as it comes, until ctx ends.
// It ends with an error within a second after the caller may no longer read the
// log (blocked, demoted, signed out, revoked).
//
// Permission and errors: as [Portal.SearchLog]. Event: as SearchLog, durable
// before anything is given; another one for each hour in which more is given.
func (p *Portal) FollowLog(ctx context.Context, by Caller, team string, f audit.Filter, after int64) (iter.Seq2[audit.Event, error], error) {
	if err := f.CheckRange(); err != nil {
		return nil, err
	}
	if err := p.readLog(ctx, by, team, "query", f.String()); err != nil {
		return nil, err
	}
	hour := hourOf(p.now())
	return func(yield func(audit.Event, error) bool) {
		following, end := context.WithCancelCause(ctx)
		defer end(nil)
		go p.whileAllowed(following, by, team, end)
		for e, err := range p.log.Follow(following, team, f, after) {
			if now := hourOf(p.now()); err == nil && now != hour {
				hour, err = now, p.readLog(ctx, by, team, "query", f.String())
			}
			if !yield(e, err) || err != nil {
				return
			}
		}
		if ctx.Err() == nil {
			yield(audit.Event{}, context.Cause(following))
		}
	}, nil
}

// whileAllowed asks every second whether the caller may still read the log, and
// ends the reading when not.
func (p *Portal) whileAllowed(ctx context.Context, by Caller, team string, end context.CancelCauseFunc) {
	tick := time.NewTicker(mayStillEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if err := p.mayStillReadLog(ctx, by, team); err != nil && ctx.Err() == nil {
			end(err)
			return
		}
	}
}

// LiveFrom is the leaf after which a live view goes on that begins with what
// [Portal.SearchLog] finds after this call: no event is missing from both, and
// those that wait to be sealed now come twice.
//
// Permission and errors: as SearchLog. Events: none; a refusal is
// audit_log.viewed.
//
// Cost: the newest leaf; nothing is sealed for it.
func (p *Portal) LiveFrom(ctx context.Context, by Caller, team string) (int64, error) {
	if err := p.mayReadLog(ctx, by, team); err != nil {
		return 0, err
	}
	state, err := p.log.SealState(ctx, team)
	return state.Leaves - 1, err
}
