package portal

import (
	"context"
	"fmt"

	"golang.org/x/mod/sumdb/tlog"

	"onrecord/audit"
	"onrecord/audit/seal"
)

// LogProof shows that one event is in a log as a checkpoint signs it
// (RFC 6962, section 2.1.1), to whoever has the log's public key.
type LogProof struct {
	Size       int64  // leaves under the checkpoint
	Checkpoint []byte // a signed note, with what witnesses have signed of it
	Hashes     tlog.RecordProof
	Raw        audit.RawEvent // its leaf, sealed bytes and parts
}

// LogProof reads one event of a team's log and proves it against the newest
// checkpoint. The proof is nil if the event is not under one yet, which takes a
// second, and never comes without a signing key.
//
// Permission, event and errors are those of [Portal.LogEvent].
func (p *Portal) LogProof(ctx context.Context, by Caller, team, event string) (audit.Event, *LogProof, error) {
	e, err := p.LogEvent(ctx, by, team, event)
	if err != nil || e.Leaf == nil {
		return e, nil, err
	}
	proof, err := p.prove(ctx, team, *e.Leaf)
	if err != nil {
		return audit.Event{}, nil, fmt.Errorf("proving the event %s: %w", event, err)
	}
	return e, proof, nil
}

func (p *Portal) prove(ctx context.Context, team string, leaf int64) (*LogProof, error) {
	state, err := p.log.SealState(ctx, team)
	if err != nil || leaf >= state.Sealed {
		return nil, err
	}
	proof := &LogProof{Size: state.Sealed}
	if proof.Checkpoint, err = p.cosignedNote(ctx, team, state.Sealed, p.now()); err != nil {
		return nil, err
	}
	if proof.Hashes, err = tlog.ProveRecord(state.Sealed, leaf, p.log.Hashes(ctx, team)); err != nil {
		return nil, err
	}
	for raw, err := range p.log.InLeafOrder(ctx, team, leaf, leaf+1) {
		if err != nil {
			return nil, err
		}
		proof.Raw = raw
	}
	return proof, nil
}

// LogCheckpoint gives a signed checkpoint of a team's log, with what witnesses
// have signed of it: the one over the first size leaves, or with -1 the newest.
// It tells nothing of what happened, so that it is no reading.
//
// Permission: as SearchLog. Events: none; a refusal is audit_log.viewed.
// Errors: as SearchLog; NotFound if there is no checkpoint of that size, or
// none at all.
func (p *Portal) LogCheckpoint(ctx context.Context, by Caller, team string, size int64) ([]byte, error) {
	if err := p.mayReadLog(ctx, by, team); err != nil {
		return nil, err
	}
	if size == -1 {
		state, err := p.log.SealState(ctx, team)
		if err != nil {
			return nil, err
		}
		if state.Sealed == 0 {
			return nil, audit.NotFound("The log has no checkpoint: nothing is signed yet, or there is no signing key.")
		}
		size = state.Sealed
	}
	return p.cosignedNote(ctx, team, size, p.now())
}

// LogConsistency proves that a team's log of to leaves extends that of from
// leaves (RFC 6962, section 2.1.2): nothing that was sealed then has been
// changed or removed.
//
// Permission: as SearchLog. Events: none; a refusal is audit_log.viewed.
// Errors: as SearchLog; Invalid, field from or to, for sizes that the log never
// had or that are upside down.
func (p *Portal) LogConsistency(ctx context.Context, by Caller, team string, from, to int64) (tlog.TreeProof, error) {
	if err := p.mayReadLog(ctx, by, team); err != nil {
		return nil, err
	}
	state, err := p.log.SealState(ctx, team)
	switch {
	case err != nil:
		return nil, err
	case from < 0 || from > to:
		return nil, audit.Invalid("from", "The earlier size, %d, is not between 0 and the later one, %d.", from, to)
	case to > state.Leaves:
		return nil, audit.Invalid("to", "The log has %d leaves, not %d.", state.Leaves, to)
	}
	proof, err := seal.ProveConsistency(from, to, p.log.Hashes(ctx, team))
	if err != nil {
		return nil, fmt.Errorf("proving %d to %d leaves: %w", from, to, err)
	}
	return proof, nil
}
