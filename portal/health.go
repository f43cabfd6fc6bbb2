package portal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal/store"
)

// Health is what the portal has to tell those who watch it: figures and
// sentences without a name in them.
type Health struct {
	Events   int64         // of all logs
	Unsealed int64         // of them not sealed yet
	Lag      time.Duration // how old the oldest of those is; 0 if there is none
	Checked  time.Time     // when [Portal.CheckLog] last looked; zero if it never did
	Faults   []string      // where it found the log wrong, the first places
	Faulty   int           // how many there are
}

// ErrOtherSchema says that the database's schema is not this program's.
var ErrOtherSchema = errors.New("the database's schema is not the one of this program")

// healthFor is how long an answer of Health is given again: whoever may ask is
// not signed in.
const healthFor = time.Second

// healthTime bounds how long a database may take to say that it is there.
const healthTime = 3 * time.Second

// faultsTold bounds how many faults are told one by one.
const faultsTold = 20

// lastHealth is what Health found last.
type lastHealth struct {
	mu    sync.Mutex // held while looking, so that many who ask at once look once
	at    time.Time
	found Health
	err   error

	checking sync.Mutex
	checked  time.Time // guarded by checking
	faults   []string  // guarded by checking
}

// CheckLog derives all logs again, as [Portal.VerifyLog] does, and lets Health
// tell until the next time where they are wrong. It says nothing of what stands
// there, which may be personal: pages and onrecord verify do.
//
// Permission: none is asked, since only the program itself calls it. Events:
// audit_log.fault_found, as VerifyLog. Errors: the database's.
func (p *Portal) CheckLog(ctx context.Context) (places []string, err error) {
	found, err := p.verify(ctx, systemCaller(), "", VerifyOptions{State: true})
	if err != nil {
		return nil, err
	}
	for _, f := range found.Faults {
		places = append(places, placeOf(f))
	}
	p.health.checking.Lock()
	defer p.health.checking.Unlock()
	p.health.checked, p.health.faults = time.Now(), places
	return places, nil
}

// placeOf is where a fault is, without what it is.
func placeOf(f audit.Fault) string {
	switch {
	case f.Event != "":
		return "The event " + f.Event + " is not as it was sealed."
	case f.Row != "":
		return "The row of " + f.Row + " is not what the log says."
	}
	return "What the log derives from its events does not agree with them."
}

// Health looks whether the portal can work. At most once a second it really
// looks.
//
// Cost: two queries for each schema, and a small one for each team.
//
// Permission: none is asked, since it tells nothing of anybody. Events: none.
// Errors: ErrOtherSchema; whatever says that the database cannot be reached.
func (p *Portal) Health(ctx context.Context) (Health, error) {
	l := &p.health
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.at.IsZero() && time.Since(l.at) < healthFor {
		return l.found, l.err
	}
	// Whoever hangs up must not make the portal look broken to the next.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), healthTime)
	defer cancel()
	l.found, l.err = p.look(ctx)
	l.at = time.Now()
	l.checking.Lock()
	defer l.checking.Unlock()
	all := append(l.found.Faults, l.faults...) // of witnesses first
	l.found.Checked, l.found.Faulty = l.checked, len(all)
	l.found.Faults = all[:min(len(all), faultsTold)]
	return l.found, l.err
}

func (p *Portal) look(ctx context.Context) (Health, error) {
	if err := p.db.Reach(ctx); err != nil {
		return Health{}, err
	}
	schemas, err := Schemas(ctx, p.db)
	if _, newer := errors.AsType[*database.NewerError](err); newer {
		return Health{}, fmt.Errorf("%w: %w", ErrOtherSchema, err)
	}
	if err != nil {
		return Health{}, err
	}
	for _, s := range schemas {
		if s.Has != s.Program {
			return Health{}, fmt.Errorf("%w: %s has version %d, not %d", ErrOtherSchema, s.Name, s.Has, s.Program)
		}
	}
	return p.sealing(ctx)
}

// sealing sums up how far the logs are sealed.
func (p *Portal) sealing(ctx context.Context) (h Health, err error) {
	if err := p.readTeams(ctx); err != nil {
		return Health{}, err
	}
	oldest := time.Time{}
	for _, log := range p.logs() {
		s, err := p.log.SealState(ctx, log)
		if err != nil {
			return Health{}, err
		}
		found, err := store.Findings(ctx, p.db, log)
		if err != nil {
			return Health{}, err
		}
		for _, f := range found {
			if f.Faults > 0 && f.Source != SourceCheck {
				h.Faults = append(h.Faults, "The witness "+f.Source+" has seen another history of the log "+log+".")
			}
		}
		h.Events += s.Events
		h.Unsealed += s.Events - s.Leaves
		if !s.Oldest.IsZero() && (oldest.IsZero() || s.Oldest.Before(oldest)) {
			oldest = s.Oldest
		}
	}
	if !oldest.IsZero() {
		h.Lag = max(0, p.now().Sub(oldest))
	}
	return h, nil
}
