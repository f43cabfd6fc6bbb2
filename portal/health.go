package portal

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"onrecord/database"
)

// Health is what the portal has to tell those who watch it: figures and
// sentences without a name in them.
type Health struct {
	Unsealed int64         // events that are not sealed yet, of all logs
	Lag      time.Duration // how old the oldest of them is; 0 if there is none
	Faults   []string      // what was found wrong with the log
}

// ErrOtherSchema says that the database's schema is not this program's.
var ErrOtherSchema = errors.New("the database's schema is not the one of this program")

// healthFor is how long an answer of Health is given again: whoever may ask is
// not signed in.
const healthFor = time.Second

// healthTime bounds how long a database may take to say that it is there.
const healthTime = 3 * time.Second

// lastHealth is what Health found last.
type lastHealth struct {
	mu    sync.Mutex // held while looking, so that many who ask at once look once
	at    time.Time
	found Health
	err   error
}

// Health looks whether the portal can work. At most once a second it really
// looks.
//
// Cost: one query for each schema, and two small ones for each team.
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
	return Health{}, nil
}
