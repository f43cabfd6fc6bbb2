package database

import "errors"

// Dialect is what truly differs between databases. Everything else is one
// text of SQL for all of them.
type Dialect struct {
	Name      string                // "sqlite", "postgres": also the folder of its migrations
	condition func(error) Condition // reads the driver's error codes
}

// SQLite is the embedded default, Postgres (version 15 and later) is for
// production.
var (
	SQLite   = Dialect{Name: "sqlite", condition: sqliteCondition}
	Postgres = Dialect{Name: "postgres", condition: postgresCondition}
)

// Condition is the kind of trouble that a database error reports.
type Condition int

var errReadOnly = errors.New("it cannot be written to")

// The conditions that callers treat differently.
const (
	Other       Condition = iota
	Full                  // no room on the disk
	ReadOnly              // the file, the role or the server does not take writes
	Busy                  // another process holds what the change needs for too long
	Contended             // others changed the same rows at the same time, again and again
	Slow                  // a statement took longer than the server allows
	Constraint            // a key, check or guard refused the row
	Unfit                 // a text that the database cannot hold
	Failing               // the disk reports errors, or what is on it is damaged
	Moved                 // the file was removed or replaced
	Unreachable           // no connection to the server; nothing was changed
	Unsure                // the connection was lost while it committed: made or not, nobody knows
)

// Condition reads the kind of trouble from a driver's error.
func (d Dialect) Condition(err error) Condition {
	switch {
	case errors.Is(err, ErrMoved):
		return Moved
	case errors.Is(err, errReadOnly):
		return ReadOnly
	case errors.Is(err, ErrUnsure):
		return Unsure
	}
	return d.condition(err)
}
