package portal

import (
	"context"
	"io"
	"time"

	"onrecord/audit"
	"onrecord/audit/seal"
)

const (
	cosignWait = 3 * time.Second        // for witnesses to sign what an export is proved against
	cosignLook = 100 * time.Millisecond // how often
)

// signedSize gives how many leaves a verified export made now can prove: those
// under the newest checkpoint. If witnesses sign this log it waits a moment
// for them.
//
// Error: Conflict if nothing was signed yet.
func (p *Portal) signedSize(ctx context.Context, log string) (int64, error) {
	if err := p.log.Seal(ctx); err != nil {
		return 0, err
	}
	state, err := p.log.SealState(ctx, log)
	if err != nil {
		return 0, err
	}
	if state.Sealed == 0 {
		return 0, audit.Conflict("The log is not signed yet, so that nothing about it can be proved: there is no signing key. An operator makes one with onrecord keys signing --new.")
	}
	for deadline := time.Now().Add(cosignWait); time.Now().Before(deadline); {
		last, err := p.log.LastCosigned(ctx, log, "")
		switch {
		case audit.CodeOf(err) == audit.CodeNotFound:
			return state.Sealed, nil // nobody does
		case err != nil || last.Size >= state.Sealed:
			return last.Size, err
		}
		select {
		case <-time.After(cosignLook):
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	return state.Sealed, nil
}

// sendVerified writes the bytes and proofs of what the query matches.
func (x *LogExport) sendVerified(ctx context.Context, out *exportWriter, told func(LogExported, float64)) error {
	note, err := x.portal.cosignedNote(ctx, x.team, x.Size, x.Begun)
	if err != nil {
		return err
	}
	lines := &lineWriter{to: out}
	w, err := seal.NewExportWriter(lines, seal.Header{Checkpoint: note, Log: x.team, Query: x.Query.String()}, x.portal.log.Hashes(ctx, x.team), x.cuts()...)
	if err != nil {
		return err
	}
	asked := time.Now()
	for e, err := range x.portal.log.Matching(ctx, x.team, x.Query, x.Size) {
		if err != nil {
			return err
		}
		if time.Since(asked) >= mayStillEvery {
			asked = time.Now()
			if err := x.portal.mayStillReadLog(ctx, x.by, x.team); err != nil {
				return err
			}
		}
		if err := w.Add(seal.Entry{Leaf: e.Leaf, Body: e.Body, Who: partOf(e.Who), What: partOf(e.What)}); err != nil {
			return err
		}
		out.done.Events++
		if told != nil && e.Leaf%256 == 0 {
			told(out.done, float64(e.Leaf)/float64(x.Size))
		}
	}
	if _, err := w.Close(); err != nil {
		return err
	}
	if told != nil {
		told(out.done, 1)
	}
	return nil
}

func (x *LogExport) cuts() []int64 {
	if x.Since > 0 {
		return []int64{x.Since}
	}
	return nil
}

func partOf(p *audit.RawPart) *seal.Part {
	if p == nil {
		return nil
	}
	return &seal.Part{Salt: p.Salt, JSON: p.Part}
}

// lineWriter counts no events: they are counted where they are added.
type lineWriter struct{ to *exportWriter }

var _ io.Writer = (*lineWriter)(nil)

func (w *lineWriter) Write(b []byte) (int, error) {
	if err := w.to.write(b, 0); err != nil {
		return 0, err
	}
	return len(b), nil
}

// cosignedNote is a checkpoint with what witnesses had signed of it by a time:
// an export that goes on must begin with the same bytes.
func (p *Portal) cosignedNote(ctx context.Context, log string, size int64, by time.Time) ([]byte, error) {
	note, err := p.log.CheckpointAt(ctx, log, size)
	if err != nil {
		return nil, err
	}
	all, err := p.log.Cosignatures(ctx, log, size)
	if err != nil {
		return nil, err
	}
	for _, c := range all {
		if !c.Kept.After(by) {
			note = append(note, c.Line...)
		}
	}
	return note, nil
}
