package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	minPostgres = 150000 // server_version_num
	changeConns = 16     // changes of one process that run side by side
	queryConns  = 16
	dialWait    = 5 * time.Second
	silentWait  = 30 * time.Second // how long a server may stay silent under TCP before it is given up
)

// openPostgres checks that the server can be used and opens both pools.
func openPostgres(ctx context.Context, dsn string) (*DB, error) {
	config, err := postgresConfig(dsn)
	if err != nil {
		return nil, err
	}
	db := &DB{dialect: Postgres, dsn: dsn}
	db.writers = postgresPool(config, changeConns, changeSettings)
	db.readers = postgresPool(config, queryConns, querySettings)
	if err := usable(ctx, db.readers); err != nil {
		db.readers.Close()
		db.writers.Close()
		return nil, notReached(config, err)
	}
	db.writer = newPGWriter(db.writers)
	return db, nil
}

func postgresConfig(dsn string) (*pgx.ConnConfig, error) {
	config, err := pgx.ParseConfig(dsn)
	if err != nil {
		return nil, fmt.Errorf("the database address cannot be read: %w: write postgres://USER@HOST/NAME", err)
	}
	if config.ConnectTimeout == 0 {
		config.ConnectTimeout = dialWait
	}
	dialer := &net.Dialer{Timeout: config.ConnectTimeout, KeepAliveConfig: net.KeepAliveConfig{
		Enable: true, Idle: silentWait / 2, Interval: silentWait / 6, Count: 3,
	}, Control: giveUpSilent}
	config.DialFunc = dialer.DialContext
	return config, nil
}

// settings are what every connection of a pool says to the server, unless the
// address says otherwise.
type settings map[string]string

func (s settings) with(more settings) settings {
	all := maps.Clone(s)
	maps.Copy(all, more)
	return all
}

var (
	commonSettings = settings{
		"application_name": "onrecord",
		"timezone":         "UTC",
		// A plan made for any actor is a bad plan for the busiest and the rarest.
		"plan_cache_mode": "force_custom_plan",
		"jit":             "off", // no query of ours is long enough to be worth compiling
	}
	changeSettings = commonSettings.with(settings{
		"statement_timeout": "30s",
		"lock_timeout":      "10s",
		// A process that stops in the middle of a change must not hold its locks.
		"idle_in_transaction_session_timeout": "60s",
	})
	querySettings = commonSettings.with(settings{
		"statement_timeout":             "120s",
		"default_transaction_read_only": "on",
	})
)

func postgresPool(config *pgx.ConnConfig, conns int, say settings) *sql.DB {
	reading := say["default_transaction_read_only"] == "on"
	pool := sql.OpenDB(pgConnector{reading: reading, Connector: stdlib.GetConnector(*config, stdlib.OptionAfterConnect(say.apply))})
	pool.SetMaxOpenConns(conns)
	pool.SetMaxIdleConns(conns)
	pool.SetConnMaxIdleTime(5 * time.Minute)
	return pool
}

// apply settles a new connection, in one round trip.
func (s settings) apply(ctx context.Context, conn *pgx.Conn) error {
	// A server may be set to answer before a commit is durable; we are not.
	query := `SELECT set_config('synchronous_commit', CASE current_setting('synchronous_commit') WHEN 'off' THEN 'on' ELSE current_setting('synchronous_commit') END, false)`
	var args []any
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if _, said := conn.Config().RuntimeParams[name]; said {
			continue
		}
		args = append(args, name, s[name])
		query += fmt.Sprintf(", set_config($%d, $%d, false)", len(args)-1, len(args))
	}
	_, err := conn.Exec(ctx, query, append([]any{pgx.QueryExecModeExec}, args...)...)
	return err
}

// patientPostgres opens a handle for migrations: no statement is too slow.
func patientPostgres(dsn string) (*sql.DB, error) {
	config, err := postgresConfig(dsn)
	if err != nil {
		return nil, err
	}
	return postgresPool(config, 1, commonSettings.with(settings{"statement_timeout": "0", "lock_timeout": "60s"})), nil
}

// usable refuses servers whose answers would be wrong later on.
func usable(ctx context.Context, pool *sql.DB) error {
	var version int
	var name, encoding string
	err := pool.QueryRowContext(ctx, `SELECT current_setting('server_version_num')::int, current_setting('server_version'), current_setting('server_encoding')`).Scan(&version, &name, &encoding)
	switch {
	case err != nil:
		return err
	case version < minPostgres:
		return fmt.Errorf("it is PostgreSQL %s; this program needs version %d or later", name, minPostgres/10000)
	case encoding != "UTF8":
		return fmt.Errorf("its encoding is %s; make a database with ENCODING 'UTF8'", encoding)
	}
	return nil
}

// notReached says why and, where it can be said, what to do. It never shows
// the password.
func notReached(config *pgx.ConnConfig, err error) error {
	advice := ""
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch e.Code {
		case "28P01", "28000":
			advice = ": check the user and the password in the address"
		case "3D000":
			advice = ": make it first, for example with createdb " + config.Database
		case "42501":
			advice = ": the role needs the right to connect"
		}
	} else if postgresCondition(err) == Unreachable {
		advice = ": is the server running, and does it listen at this address?"
	}
	return fmt.Errorf("opening the database %s of %s on %s: %w%s", config.Database, config.User, config.Host, err, advice)
}

// postgresCondition reads SQLSTATE codes; what has none is the connection's
// trouble or not the database's at all.
func postgresCondition(err error) Condition {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return sqlState(e.Code)
	}
	if connectionLost(err) {
		return Unreachable
	}
	return Other
}

var sqlStates = map[string]Condition{
	"53100": Full,
	"25006": ReadOnly, // a standby, or a database set to read only
	"42501": ReadOnly, // the role may not
	"55P03": Busy,
	"40001": Contended,
	"40P01": Contended,
	"57014": Slow,
	"25P03": Slow, // idle too long inside a transaction
	"22021": Unfit,
	"22P05": Unfit,
	"58030": Failing,
	"XX001": Failing,
	"XX002": Failing,
	"57P01": Unreachable,
	"57P02": Unreachable,
	"57P03": Unreachable,
	"53300": Unreachable,
	"3D000": Unreachable,
}

var sqlClasses = map[string]Condition{"23": Constraint, "08": Unreachable, "28": Unreachable}

func sqlState(code string) Condition {
	if c, ok := sqlStates[code]; ok {
		return c
	}
	return sqlClasses[code[:min(2, len(code))]]
}

// onStandby tells a server that takes no writes from a role that may not.
func onStandby(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && e.Code == "25006"
}

// connectionLost tells an error of the network, or of a connection that was
// found closed, from all others.
func connectionLost(err error) bool {
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false // the caller's own doing
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	for _, lost := range []error{driver.ErrBadConn, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, syscall.ECONNRESET, syscall.EPIPE, sql.ErrConnDone} {
		if errors.Is(err, lost) {
			return true
		}
	}
	// A connection that died earlier says only this, or is locked by its end.
	return err != nil && (strings.Contains(err.Error(), "conn closed") || pgconn.SafeToRetry(err))
}
