package portal

import (
	"context"
	"errors"
	"fmt"
	"time"

	"onrecord/audit"
	"onrecord/audit/seal"
)

// VerifyOptions say how [Portal.VerifyLog] verifies.
type VerifyOptions struct {
	State bool          // also the portal's rows: whether the log explains each
	Keys  []seal.LogKey // that sign checkpoints; none is those that the database knows, which proves less
	// Progress is told how many events of how many have been looked at.
	Progress func(events, of int64)
}

// faultsKept bounds the faults that a check keeps.
const faultsKept = 200

// VerifyLog derives a log again from its raw rows, with its tree and who signed
// that; all logs if log is "". What it finds is shown to Admins until the next
// time.
//
// Permission: Admin, Auditor of the team whose log it is; operators. Event:
// audit_log.verified before it begins, in the log, or for all logs in the
// organization's; audit_log.fault_found for each log in which a fault is found
// that was not known. Errors: Denied, NotFound.
//
// Cost: that of [audit.Log.CheckWith].
func (p *Portal) VerifyLog(ctx context.Context, by Caller, log string, o VerifyOptions) (audit.Checked, error) {
	if err := p.noteVerifying(ctx, by, log); err != nil {
		return audit.Checked{}, err
	}
	return p.verify(ctx, by, log, o)
}

func (p *Portal) noteVerifying(ctx context.Context, by Caller, log string) error {
	at, org := log, p.Organization()
	if log == "" {
		at = org
	}
	in := p.intent(by, at, AuditLogVerified)
	if org == "" {
		return audit.Conflict("Nothing is set up yet: run onrecord setup first.")
	}
	_, err := p.log.Record(ctx, in, func(tx *audit.Tx) error {
		if by.Type == audit.ActorOperator && at == org {
			return nil
		}
		return p.authorize(ctx, tx, by, at, Admin, Auditor)
	})
	return err
}

func (p *Portal) verify(ctx context.Context, by Caller, log string, o VerifyOptions) (audit.Checked, error) {
	keys := o.Keys
	if len(keys) == 0 {
		var err error
		if keys, err = p.LogKeys(ctx); err != nil {
			return audit.Checked{}, err
		}
	}
	total, err := p.eventsIn(ctx, log)
	if err != nil {
		return audit.Checked{}, err
	}
	options := audit.CheckOptions{Log: log, State: o.State, Most: faultsKept}
	options.Checkpoint = func(log string, size int64, note []byte, cosigned []audit.Cosignature) error {
		return p.checkSignatures(keys, log, note, cosigned)
	}
	if o.Progress != nil {
		options.Progress = func(events int64) { o.Progress(events, max(total, events)) }
	}
	began := p.now()
	found, err := p.log.CheckWith(ctx, options)
	if err != nil {
		return found, err
	}
	return found, p.keepChecked(ctx, by, log, o, began, found)
}

// checkSignatures asks who signed a checkpoint, and what witnesses added.
func (p *Portal) checkSignatures(keys []seal.LogKey, log string, note []byte, cosigned []audit.Cosignature) error {
	var witnesses []seal.Witness
	for _, c := range cosigned {
		w, err := seal.ParseWitness(c.Witness)
		if err != nil {
			return fmt.Errorf("a cosignature that is kept with it: %w", err)
		}
		witnesses = append(witnesses, w)
		note = append(note[:len(note):len(note)], c.Line...)
	}
	s, err := seal.Open(note, keys, witnesses)
	switch {
	case errors.Is(err, seal.ErrUntrusted):
		return errors.New("none of the keys of this organization signed it")
	case err != nil:
		return err
	case s.Origin != seal.Origin(p.Organization(), log):
		return fmt.Errorf("it is of %s", s.Origin)
	case len(s.Cosignatures) != len(cosigned):
		return errors.New("a cosignature that is kept with it is not the witness's")
	}
	return nil
}

func (p *Portal) eventsIn(ctx context.Context, log string) (int64, error) {
	if err := p.readTeams(ctx); err != nil {
		return 0, err
	}
	logs := p.logs()
	if log != "" {
		logs = []string{log}
	}
	total := int64(0)
	for _, l := range logs {
		s, err := p.log.SealState(ctx, l)
		if err != nil {
			return 0, err
		}
		total += s.Events
	}
	return total, nil
}

// keepChecked keeps what a check found of each log. A check that has not looked
// at the rows does not take back what one found there.
func (p *Portal) keepChecked(ctx context.Context, by Caller, log string, o VerifyOptions, at time.Time, found audit.Checked) error {
	logs := map[string]*Finding{}
	for _, l := range p.logs() {
		if log == "" || l == log {
			logs[l] = &Finding{Log: l, Source: SourceCheck, At: at}
		}
	}
	for l, figures := range found.Logs {
		f := logs[l]
		if f == nil { // a fault of no log, or of one that the portal does not know
			if f = logs[p.Organization()]; f == nil {
				continue
			}
		}
		f.Leaves = max(f.Leaves, figures.Leaves)
		f.Faults += figures.Faults
	}
	for i := len(found.Faults) - 1; i >= 0; i-- {
		fault := found.Faults[i]
		f := logs[fault.Log]
		if f == nil {
			f = logs[p.Organization()]
		}
		if f != nil {
			f.First = fault.String()
		}
	}
	for _, f := range logs {
		switch {
		case f.Faults > 0 && f.First == "":
			f.First = "it is among more faults than were kept"
		case f.Faults == 0 && !o.State:
			continue
		}
		if err := p.keepFinding(ctx, by.Actor, by.Context, *f); err != nil {
			return err
		}
	}
	return nil
}
