package database

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"
)

const (
	// A change that others keep overtaking runs alone in this process after so
	// many attempts: waiting its turn costs less than another one.
	attemptsBeside = 4

	maxMoves = 3 // connections that are tried when a server takes no writes

	minPause = time.Millisecond
	maxPause = 250 * time.Millisecond
)

// pgWriter makes changes on PostgreSQL: each in a serializable transaction of
// its own on a connection of the pool, so that what a change read still holds
// when it commits. The server gives up changes that could not have run one
// after another; they are made again.
type pgWriter struct {
	handle  *sql.DB
	wait    atomic.Int64 // a time.Duration
	running sync.Map     // the goroutines of the changes under way
	alone   sync.RWMutex // held for writing by a change that must not be overtaken

	mu     sync.RWMutex // held for reading by every change
	closed bool         // guarded by mu
}

func newPGWriter(handle *sql.DB) *pgWriter {
	w := &pgWriter{handle: handle}
	w.waiting(busyWait)
	return w
}

func (w *pgWriter) waiting(d time.Duration) { w.wait.Store(int64(d)) }

func (w *pgWriter) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.closed = true
}

// write runs the change on a goroutine of its own: one that ends its goroutine
// must not end the caller's.
func (w *pgWriter) write(ctx context.Context, c change) error {
	if _, nested := w.running.Load(goroutineID()); nested {
		return ErrNested
	}
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	answer := make(chan error, 1)
	go func() {
		id, err := goroutineID(), ErrExited
		w.running.Store(id, true)
		defer func() {
			w.running.Delete(id)
			answer <- err
		}()
		err = w.attempts(ctx, &pgChange{change: c})
	}()
	return <-answer
}

// pgChange is one call of Write.
type pgChange struct {
	change
	unsure bool // a commit was sent and never answered
	moves  int  // how often the server turned out to take no writes
}

// attempts runs the change until it is made, fails for good, or the time to
// wait is over.
func (w *pgWriter) attempts(ctx context.Context, c *pgChange) error {
	deadline := time.Now().Add(time.Duration(w.wait.Load()))
	pause := minPause
	for n := 1; ; n++ {
		err := w.attempt(ctx, c, n > attemptsBeside)
		if err == nil || !c.again(err) || ctx.Err() != nil && !c.unsure {
			return c.verdict(err)
		}
		if time.Now().Add(pause).After(deadline) {
			return c.verdict(err)
		}
		if n > 1 { // the first time there is usually nothing left to wait for
			time.Sleep(rand.N(pause))
			pause = min(2*pause, maxPause)
		}
	}
}

// again tells whether another attempt may do better.
func (c *pgChange) again(err error) bool {
	if errors.Is(err, ErrUnsure) {
		return c.made != nil
	}
	switch postgresCondition(err) {
	case Contended, Unreachable:
		return true
	case ReadOnly: // perhaps another connection finds the server that took over
		c.moves++
		return onStandby(err) && c.moves <= maxMoves
	case Constraint: // perhaps the key of the attempt that nobody answered
		return c.unsure
	}
	return false
}

// verdict keeps the doubt of an earlier attempt: whatever went wrong since, the
// change may have been made.
func (c *pgChange) verdict(err error) error {
	if err != nil && c.unsure && !errors.Is(err, ErrUnsure) && postgresCondition(err) == Unreachable {
		return fmt.Errorf("%w: %w", ErrUnsure, err)
	}
	return err
}

// attempt runs the change once, in one transaction.
func (w *pgWriter) attempt(ctx context.Context, c *pgChange, alone bool) error {
	if alone {
		w.alone.Lock()
		defer w.alone.Unlock()
	} else {
		w.alone.RLock()
		defer w.alone.RUnlock()
	}
	conn, err := w.handle.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if c.unsure {
		if done, err := c.wasMade(conn); done || err != nil {
			return err
		}
	}
	t := newPGTx(conn)
	defer t.end()
	if err = t.begin(c.derived); err == nil {
		err = t.change(c.fn)
	}
	if err == nil {
		err = t.commit()
	}
	if errors.Is(err, ErrUnsure) {
		c.unsure = true
		return err
	}
	if err != nil && c.unsure && !c.again(err) {
		// It failed by itself, perhaps because it found its own earlier run.
		t.end()
		if done, e := c.wasMade(conn); done || e != nil {
			return e
		}
	}
	return err
}

// wasMade asks whether an earlier attempt was committed after all.
func (c *pgChange) wasMade(conn *sql.Conn) (done bool, err error) {
	t := newPGTx(conn)
	defer t.end()
	if err := t.begin(false); err != nil {
		return false, err
	}
	err = t.change(func(tx *Tx) (err error) {
		done, err = c.made(tx)
		return err
	})
	return done, err
}

// pgTx is a transaction on a connection.
type pgTx struct {
	conn  *sql.Conn
	ctx   context.Context // no caller can cancel it
	group *group
	began bool
	hold  func(query string, args []any) error // nil: the connection cannot
	ask   asking                               // nil likewise
	lost  bool                                 // the connection is not to be used again
}

func newPGTx(conn *sql.Conn) *pgTx {
	t := &pgTx{conn: conn, ctx: context.Background(), group: &group{}}
	conn.Raw(func(c any) error {
		if _, ours := c.(*pgConn); ours {
			t.hold, t.ask = t.holdBack, t.execAsking
		}
		return nil
	})
	return t
}

func (t *pgTx) holdBack(query string, args []any) error {
	return t.conn.Raw(func(c any) error {
		c.(*pgConn).hold(query, args)
		return nil
	})
}

func (t *pgTx) execAsking(query string, args []any, question string) (res sql.Result, answer *string, err error) {
	e := t.conn.Raw(func(c any) error {
		res, answer, err = c.(*pgConn).execAsking(t.ctx, query, args, question)
		return nil
	})
	if e != nil {
		err = e
	}
	return res, answer, err
}

// begin costs no round trip of its own: it goes with the first statement.
func (t *pgTx) begin(derived bool) error {
	t.began = true
	if derived {
		return t.tx().Ahead("BEGIN ISOLATION LEVEL READ COMMITTED")
	}
	return t.tx().Ahead("BEGIN ISOLATION LEVEL SERIALIZABLE")
}

func (t *pgTx) tx() *Tx { return &Tx{ctx: t.ctx, on: t.conn, hold: t.hold, ask: t.ask, group: t.group} }

// change runs fn and writes what it left for the end. If a statement failed,
// its error decides, whatever fn made of it.
func (t *pgTx) change(fn func(*Tx) error) error {
	for _, step := range []func(*Tx) error{fn, t.group.flush} {
		tx := t.tx()
		err := tx.run(step)
		if cause := tx.cause; cause != nil {
			t.lost = t.lost || postgresCondition(cause) == Unreachable || onStandby(cause)
			if err == nil || retried(cause) {
				err = cause
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// retried are the conditions of which a change's own error tells nothing.
func retried(err error) bool {
	switch postgresCondition(err) {
	case Contended, Unreachable:
		return true
	}
	return false
}

// errNotSent is a connection that was found closed before COMMIT was sent.
var errNotSent = fmt.Errorf("before the commit: %w", net.ErrClosed)

// commit is certain of the outcome, or says [ErrUnsure].
func (t *pgTx) commit() error {
	err := t.conn.Raw(func(c any) error {
		conn, err := pgxConn(c)
		switch ours, is := c.(*pgConn); {
		case err != nil:
			return err
		case conn.IsClosed():
			return errNotSent
		case is:
			return ours.commit(t.ctx)
		}
		return committed(conn.Exec(t.ctx, "COMMIT"))
	})
	switch {
	case err == nil:
		t.began = false
		return nil
	case postgresCondition(err) != Unreachable:
		return fmt.Errorf("committing: %w", err)
	}
	t.lost = true
	if errors.Is(err, errNotSent) {
		return err
	}
	return fmt.Errorf("%w: %w", ErrUnsure, err)
}

// end rolls back what was not committed. A connection that cannot even do that
// is thrown away.
func (t *pgTx) end() {
	if !t.began {
		return
	}
	t.began = false
	t.conn.Raw(func(c any) error {
		if ours, is := c.(*pgConn); is {
			ours.held = nil
		}
		conn, err := pgxConn(c)
		if err != nil || t.lost || conn.IsClosed() {
			return driver.ErrBadConn
		}
		if conn.PgConn().TxStatus() == 'I' {
			return nil // it never began
		}
		if _, err := conn.Exec(t.ctx, "ROLLBACK"); err != nil {
			return driver.ErrBadConn
		}
		return nil
	})
}

// pgxConn is pgx's own connection behind that of database/sql.
func pgxConn(c any) (*pgx.Conn, error) {
	switch c := c.(type) {
	case *pgConn:
		return c.Conn.Conn(), nil
	case *stdlib.Conn:
		return c.Conn(), nil
	}
	return nil, fmt.Errorf("the handle is of %T, not of pgx's driver", c)
}
