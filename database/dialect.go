package database

import (
	"errors"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Dialect is what truly differs between databases. Everything else is one
// text of SQL for all of them.
type Dialect struct {
	Name      string                // "sqlite": also the folder of its migrations
	condition func(error) Condition // reads the driver's error codes
}

// SQLite is the embedded default.
var SQLite = Dialect{Name: "sqlite", condition: sqliteCondition}

// Condition is the kind of trouble that a database error reports.
type Condition int

var errReadOnly = errors.New("it cannot be written to")

// The conditions that callers treat differently.
const (
	Other      Condition = iota
	Full                 // no room on the disk
	ReadOnly             // the file or the role may not be written
	Busy                 // another process holds the write lock for too long
	Constraint           // a key, check or guard refused the row
	Failing              // the disk reports errors, or what is on it is damaged
	Moved                // the file was removed or replaced
)

// Condition reads the kind of trouble from a driver's error.
func (d Dialect) Condition(err error) Condition {
	switch {
	case errors.Is(err, ErrMoved):
		return Moved
	case errors.Is(err, errReadOnly):
		return ReadOnly
	}
	return d.condition(err)
}

func sqliteCondition(err error) Condition {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return Other
	}
	switch e.Code() & 0xff {
	case sqlite3.SQLITE_FULL:
		return Full
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN:
		return ReadOnly
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL:
		return Busy
	case sqlite3.SQLITE_CONSTRAINT:
		return Constraint
	case sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB:
		return Failing
	}
	return Other
}
