// Package portal is the call center: teams, members, devices, calls and their
// scores, and what a person may do with them. Every action is one exported
// method of [Portal]: it checks the permission and makes the change inside
// one audit record, so that neither exists without the other.
package portal

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"onrecord/audit"
	"onrecord/audit/seal"
	"onrecord/database"
	"onrecord/portal/store"
	"onrecord/session"
)

// Portal is all that can be done. Its methods may be called from several
// goroutines.
type Portal struct {
	db        *database.DB
	log       *audit.Log
	clock     func() time.Time
	logger    *slog.Logger
	observer  audit.Observer
	passwords *session.Passwords
	limits    limiter           // of attempts at passwords
	strangers *session.Throttle // of those who come with an unknown API key

	signing   signing
	witnesses []*seal.WitnessClient
	engine    []audit.Option // further ones

	health lastHealth

	forgetOpened, forgetReadings rarely

	mu           sync.RWMutex
	organization string          // guarded by mu; "" until set up
	teams        map[string]bool // guarded by mu; every team known so far: teams are never deleted
}

// Option changes how a Portal works.
type Option func(*Portal)

// WithClock sets the clock that everything goes by; time.Now unless set.
func WithClock(now func() time.Time) Option { return func(p *Portal) { p.clock = now } }

// WithLogger sets where trouble is told that no caller can be told of.
func WithLogger(logger *slog.Logger) Option { return func(p *Portal) { p.logger = logger } }

// WithObserver sets who is told the figures of the log.
func WithObserver(o audit.Observer) Option { return func(p *Portal) { p.observer = o } }

// Caller is who does something, and from where: whatever speaks for people
// (pages, the API, the command line) fills it in. Within a session the Actor
// comes from [Portal.Authenticate], with a key from [Portal.AuthenticateKey].
type Caller struct {
	audit.Actor
	audit.Context
}

// Migrate brings the schema of the portal and of its log up to date. backups
// are the paths of copies that were made of a SQLite file before an older
// schema was changed. Error: [ErrCopying].
func Migrate(ctx context.Context, db *database.DB) (backups []string, err error) {
	if begun, err := copying(ctx, db); err != nil || begun {
		return nil, cmp.Or(err, ErrCopying)
	}
	return migrateBoth(ctx, db)
}

func migrateBoth(ctx context.Context, db *database.DB) (backups []string, err error) {
	backup, err := db.Migrate(ctx, store.Schema(db.Dialect()))
	if backup != "" {
		backups = append(backups, backup)
	}
	if err != nil {
		return backups, err
	}
	backup, err = audit.Migrate(ctx, db, store.Tables)
	if backup != "" {
		backups = append(backups, backup)
	}
	return backups, err
}

// Open gives the Portal of a database that [Migrate] has prepared. The
// database stays the caller's to close, after the Portal.
func Open(ctx context.Context, db *database.DB, opts ...Option) (*Portal, error) {
	p := &Portal{db: db, clock: time.Now, logger: slog.Default(), teams: map[string]bool{}}
	for _, o := range opts {
		o(p)
	}
	p.passwords = session.NewPasswords()
	p.limits, p.strangers = newLimiter(db, p.clock), session.NewThrottle(p.clock)
	var err error
	options := append(p.signer(), audit.WithClock(p.clock), audit.WithLogger(p.logger), audit.WithObserver(p.observer))
	p.log, err = audit.Open(ctx, db, Catalogue, store.Tables, append(options, p.engine...)...)
	if err != nil {
		return nil, err
	}
	if err := p.readTeams(ctx); err != nil {
		return nil, err
	}
	return p, nil
}

// Close finishes what the log still has to write.
func (p *Portal) Close() error { return p.log.Close() }

// Log is the log that everything is recorded in. Reading it through here
// leaves no record; people read it through [Portal.SearchLog].
func (p *Portal) Log() *audit.Log { return p.log }

// Organization is the id of the organization, and of its log; "" before
// [Portal.Setup], which another process may call.
func (p *Portal) Organization() string {
	if id := p.known(); id != "" {
		return id
	}
	if err := p.readTeams(context.Background()); err != nil {
		p.logger.Error("looking the organization up", "error", err)
	}
	return p.known()
}

func (p *Portal) known() string {
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.organization
}

func (p *Portal) now() time.Time { return p.clock().UTC().Truncate(time.Microsecond) }

// readTeams reads the organization and its teams: another process may have
// added some.
func (p *Portal) readTeams(ctx context.Context) error {
	o, err := store.Organization(ctx, p.db)
	if errors.Is(err, sql.ErrNoRows) {
		return nil // not set up yet
	}
	if err != nil {
		return fmt.Errorf("reading the organization: %w", err)
	}
	teams, err := store.Teams(ctx, p.db, o.ID)
	if err != nil {
		return fmt.Errorf("reading the teams: %w", err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.organization = o.ID
	for _, t := range teams {
		p.teams[t.ID] = true
	}
	return nil
}

// isTeam tells whether there is such a team.
func (p *Portal) isTeam(id string) bool {
	if !audit.ValidID("team", id) {
		return false
	}
	p.mu.RLock()
	known := p.teams[id]
	p.mu.RUnlock()
	if known {
		return true
	}
	if err := p.readTeams(context.Background()); err != nil {
		p.logger.Error("looking a team up", "error", err)
		return false
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.teams[id]
}
