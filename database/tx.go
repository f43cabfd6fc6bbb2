package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"runtime/debug"
)

// Tx is one change: a savepoint in the writer's transaction (SQLite), a
// transaction (PostgreSQL), or one that the caller holds ([Join]). It is valid
// until its function returns and belongs to one goroutine. On PostgreSQL all
// rows of a query must be read or closed before the next statement.
//
// After a statement has failed every further one fails with the same error:
// the database may have rolled everything back, and the next statement would
// then commit alone. The change as a whole fails too, whatever its function
// makes of the error.
type Tx struct {
	ctx    context.Context
	on     session
	cached *statements                          // nil: nothing is cached here
	hold   func(query string, args []any) error // nil: a statement cannot be held back
	ask    asking                               // nil likewise
	group  *group
	failed error
	cause  error // of the first statement that failed
}

// asking executes a statement and asks a question in one round trip.
type asking func(query string, args []any, question string) (sql.Result, *string, error)

// session is what both a connection and a transaction can do.
type session interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	PrepareContext(ctx context.Context, query string) (*sql.Stmt, error)
}

// Join runs fn in a transaction that the caller began and will commit. What
// fn left for the end of the group is written before Join returns.
func Join(ctx context.Context, tx *sql.Tx, fn func(*Tx) error) error {
	t := &Tx{ctx: ctx, on: tx, group: &group{}}
	if err := t.run(fn); err != nil {
		return err
	}
	return (&Tx{ctx: ctx, on: tx}).run(t.group.flush)
}

// errOver refuses statements that come after their change: they would stand
// in somebody else's.
var errOver = errors.New("this change is over: its Tx is not valid any more")

// run calls fn. A panic becomes its error.
func (t *Tx) run(fn func(*Tx) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
		t.failed = errOver
	}()
	if err := fn(t); err != nil {
		return err
	}
	return t.failed
}

// PanicError is a panic inside a change: the change is rolled back and the
// program goes on.
type PanicError struct {
	Value any
	Stack []byte
}

func (p *PanicError) Error() string { return fmt.Sprintf("panic in a change: %v", p.Value) }

// ExecContext writes. The change's own context holds, not the one given: a
// caller that hangs up cannot cut a change in half.
func (t *Tx) ExecContext(_ context.Context, query string, args ...any) (sql.Result, error) {
	if t.failed != nil {
		return nil, t.failed
	}
	st, err := t.prepared(query)
	var res sql.Result
	switch {
	case err != nil:
	case st != nil:
		res, err = st.ExecContext(t.ctx, args...)
	default:
		res, err = t.on.ExecContext(t.ctx, query, args...)
	}
	return res, t.fail(err)
}

// Ahead writes without waiting for the answer, where the database allows it:
// the statement goes in front of the next one, in the same round trip, and its
// error is that one's.
func (t *Tx) Ahead(query string, args ...any) error {
	if t.hold == nil || t.failed != nil {
		_, err := t.ExecContext(t.ctx, query, args...)
		return err
	}
	return t.fail(t.hold(query, args))
}

// ExecAsking is ExecContext with a question behind the statement, in the same
// round trip, which one text or none answers. Where the database cannot do
// that, asked is false and nothing was done.
func (t *Tx) ExecAsking(query string, args []any, question string) (res sql.Result, answer *string, asked bool, err error) {
	if t.ask == nil || t.failed != nil {
		return nil, nil, false, nil
	}
	res, answer, err = t.ask(query, args, question)
	return res, answer, true, t.fail(err)
}

// QueryContext reads inside the change.
func (t *Tx) QueryContext(_ context.Context, query string, args ...any) (*sql.Rows, error) {
	if t.failed != nil {
		return nil, t.failed
	}
	st, err := t.prepared(query)
	var rows *sql.Rows
	switch {
	case err != nil:
	case st != nil:
		rows, err = st.QueryContext(t.ctx, args...)
	default:
		rows, err = t.on.QueryContext(t.ctx, query, args...)
	}
	return rows, t.fail(err)
}

// QueryRowContext reads at most one row inside the change.
func (t *Tx) QueryRowContext(_ context.Context, query string, args ...any) *sql.Row {
	if t.failed != nil {
		return failedRow(t.failed)
	}
	var row *sql.Row
	if st, err := t.prepared(query); err == nil && st != nil {
		row = st.QueryRowContext(t.ctx, args...)
	} else {
		row = t.on.QueryRowContext(t.ctx, query, args...)
	}
	t.fail(row.Err()) // its first step is done already: INSERT … RETURNING fails here
	return row
}

// failedRow is a row whose Scan gives err. Only database/sql can make a Row,
// so a database that cannot be reached makes this one.
func failedRow(err error) *sql.Row {
	db := sql.OpenDB(unreachable{err})
	defer db.Close()
	return db.QueryRow("")
}

type unreachable struct{ err error }

func (u unreachable) Connect(context.Context) (driver.Conn, error) { return nil, u.err }
func (u unreachable) Driver() driver.Driver                        { return nil }

func (t *Tx) prepared(query string) (*sql.Stmt, error) {
	if t.cached == nil {
		return nil, nil
	}
	return t.cached.get(t.ctx, t.on, query)
}

func (t *Tx) fail(err error) error {
	if err != nil && t.failed == nil {
		t.cause = err
		t.failed = fmt.Errorf("an earlier statement of this change failed: %w", err)
	}
	return err
}

// AtCommit leaves item for the end of the group: flush gets the items of all
// changes that commit together, in order, and writes them in one go. key says
// which items belong to one flush. If flush fails, the changes run again one
// by one.
func (t *Tx) AtCommit(key any, item any, flush func(*Tx, []any) error) {
	t.group.add(key, flush, item)
}

// group gathers what the changes of one commit left for its end.
type group struct {
	left []leftover
}

type leftover struct {
	key   any
	flush func(*Tx, []any) error
	items []any
}

func (g *group) add(key any, flush func(*Tx, []any) error, items ...any) {
	for i := range g.left {
		if g.left[i].key == key {
			g.left[i].items = append(g.left[i].items, items...)
			return
		}
	}
	g.left = append(g.left, leftover{key, flush, items})
}

func (g *group) join(other *group) {
	for _, l := range other.left {
		g.add(l.key, l.flush, l.items...)
	}
}

func (g *group) flush(t *Tx) error {
	for _, l := range g.left {
		if err := l.flush(t, l.items); err != nil {
			return err
		}
	}
	return nil
}
