package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/url"
	"os"
	"os/user"
	"strings"
	"time"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal"
)

// dbFlag names the database.
type dbFlag struct {
	DB string `default:"sqlite:onrecord.db" placeholder:"DSN" help:"The database: sqlite:PATH or postgres://USER@HOST/NAME. Unless told, ${default}."`
}

// opened is a portal at work for a command.
type opened struct {
	*portal.Portal
	db *database.DB
	by portal.Caller // whoever works on the command line
}

func (o *opened) close() error {
	return errors.Join(o.Portal.Close(), o.db.Close())
}

// path is the SQLite file, or "".
func (f dbFlag) path() string {
	path, file := strings.CutPrefix(f.DB, "sqlite:")
	if !file {
		return ""
	}
	return path
}

// String is the database as people may see it, without a password.
func (f dbFlag) String() string {
	at, err := url.Parse(f.DB)
	if f.path() != "" || err != nil {
		return f.DB
	}
	if q := at.Query(); q.Has("password") {
		q.Set("password", "xxxxx")
		at.RawQuery = q.Encode()
	}
	return at.Redacted()
}

// open opens a database that is there already, for a command that may run
// beside a server. A schema that is older than the program is brought up to
// date only while nobody serves from it.
func (f dbFlag) open(ctx context.Context, c *console) (*opened, error) {
	if path := f.path(); path != "" {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, fmt.Errorf("there is no database file %s: make it with onrecord setup, or name another one with --db", path)
		}
		return f.openOrMake(ctx, c)
	}
	o, err := f.openOrMake(ctx, c)
	if err == nil && o.Organization() == "" {
		err = errors.Join(audit.Conflict("the database %s was not set up yet: do that with onrecord setup, or name another one with --db", f), o.close())
		return nil, err
	}
	return o, err
}

// openOrMake makes the database file if it is missing.
func (f dbFlag) openOrMake(ctx context.Context, c *console) (*opened, error) {
	db, err := database.Open(ctx, f.DB)
	if err != nil {
		return nil, err
	}
	o, err := openPortal(ctx, c, db, f.keyFile(c))
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return o, nil
}

// openPortal opens the portal. What the command seals it signs with the keys
// of the file, if it may read that.
func openPortal(ctx context.Context, c *console, db *database.DB, keys string) (*opened, error) {
	if err := bringUpToDate(ctx, c, db); err != nil {
		return nil, err
	}
	p, err := portal.Open(ctx, db, portal.WithLogger(slog.New(slog.NewTextHandler(c.err, nil))), portal.WithSigningKeys(keys))
	if err != nil {
		return nil, err
	}
	by, err := p.Operator(ctx, operatorName())
	if err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return &opened{Portal: p, db: db, by: by}, nil
}

// lockWait is how long a command waits for another one that is migrating.
const lockWait = 5 * time.Second

func bringUpToDate(ctx context.Context, c *console, db *database.DB) error {
	current, err := upToDate(ctx, db)
	if current || err != nil {
		return err
	}
	if db.Path() == "" { // those who migrate at once wait for each other there
		return migrate(ctx, c, db)
	}
	lock, err := waitForLock(ctx, db.Path(), lockWait)
	if held, ok := errors.AsType[*heldError](err); ok {
		if current, err := upToDate(ctx, db); current || err != nil {
			return err // whoever held it has migrated
		}
		return fmt.Errorf("the database %s has an older schema than this program, and %s serves from it: stop that, then start it with this version of onrecord", held.path, held.holder())
	}
	if err != nil {
		return err
	}
	defer lock.release()
	return migrate(ctx, c, db)
}

// upToDate tells whether the schemas are as the program knows them. It refuses
// a newer database before anything is changed.
func upToDate(ctx context.Context, db *database.DB) (bool, error) {
	schemas, err := portal.Schemas(ctx, db)
	if err != nil {
		return false, err
	}
	for _, s := range schemas {
		if s.Has < s.Program {
			return false, nil
		}
	}
	return true, nil
}

// migrate brings the schema up to date and says where the copies are.
func migrate(ctx context.Context, c *console, db *database.DB) error {
	copies, err := portal.Migrate(ctx, db)
	for _, path := range copies {
		c.say("The database was copied to %s before its schema was changed.", path)
	}
	if err != nil && db.Path() == "" && db.Dialect().Condition(err) == database.ReadOnly {
		return fmt.Errorf("the database's schema is not that of this program, and this role may not change it: run onrecord migrate with the role that owns the tables: %w", err)
	}
	return err
}

// operatorName is how the log names whoever works on the command line:
// "alice@host".
func operatorName() string {
	name := "unknown"
	if u, err := user.Current(); err == nil {
		name = u.Username
	}
	host, err := os.Hostname()
	if err != nil {
		host = "localhost"
	}
	return name + "@" + host
}

// teamFlag names a team.
type teamFlag struct {
	Team string `required:"" placeholder:"TEAM" help:"The team's name or id."`
}

func (f teamFlag) find(ctx context.Context, o *opened) (portal.Team, error) {
	return o.FindTeam(ctx, o.by, f.Team)
}
