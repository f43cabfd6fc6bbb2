package portal

import (
	"context"

	"onrecord/audit"
)

// LogSeal tells how far a team's log is sealed, and what is known to be wrong
// with it.
type LogSeal struct {
	audit.SealState
	Faults []string // sentences for an Admin or Auditor
}

// LogSeal tells how far a team's log is sealed. It tells nothing of what
// happened, so that it is no reading.
//
// Permission: as SearchLog. Events: none; a refusal is audit_log.viewed.
// Errors: as SearchLog.
func (p *Portal) LogSeal(ctx context.Context, by Caller, team string) (LogSeal, error) {
	if err := p.mayReadLog(ctx, by, team); err != nil {
		return LogSeal{}, err
	}
	state, err := p.log.SealState(ctx, team)
	if err != nil {
		return LogSeal{}, err
	}
	all, err := p.findings(ctx, team)
	return LogSeal{SealState: state, Faults: p.faultsOf(all)}, err
}
