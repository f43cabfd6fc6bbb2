package database

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"
	"time"
)

const (
	maxGroup   = 256              // changes that share one commit at most
	busyWait   = 10 * time.Second // how long a change waits for another process
	busyPoll   = time.Millisecond // how often it asks meanwhile
	queueDepth = 1024             // callers beyond it wait their turn in Write

	maxLinger = 200 * time.Microsecond // about a tenth of a commit on a good disk
)

// ErrClosed answers a write after Close.
var ErrClosed = errors.New("the database is closed")

// errLost reports that the database rolled the whole transaction back under a
// change (a full disk or an interrupted write does that on SQLite).
var errLost = errors.New("the transaction was lost")

// writer is the one way to write on SQLite. Its goroutine alone touches conn.
//
// Durability: a change is answered only after the commit that holds it.
// Isolation: changes run one after another, each in its own savepoint, so one
// that fails takes nothing of its neighbours with it.
type writer struct {
	handle  *sql.DB
	conn    *sql.Conn // held for good when the handle is ours, else nil between groups
	dialect Dialect
	cached  *statements // nil while connections are borrowed
	queue   chan *job
	done    chan struct{}

	mu     sync.RWMutex // held for reading while a job is being queued
	closed bool         // guarded by mu
}

type job struct {
	ctx    context.Context
	fn     func(*Tx) error
	answer chan error
	err    error
}

// newWriter starts a writer. With keep it holds one connection of handle for
// good and prepares each statement once; without, it borrows one a group, so
// that an application whose pool has a single connection is not locked out.
func newWriter(ctx context.Context, handle *sql.DB, dialect Dialect, keep bool) (*writer, error) {
	w := &writer{handle: handle, dialect: dialect, queue: make(chan *job, queueDepth), done: make(chan struct{})}
	if keep {
		var err error
		if w.conn, err = handle.Conn(ctx); err != nil {
			return nil, err
		}
		w.cached = &statements{}
	}
	go w.loop()
	return w, nil
}

func (w *writer) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.queue)
	}
	w.mu.Unlock()
	<-w.done
}

// Write runs fn in a transaction and returns after its commit is durable, or
// with fn's error after everything it wrote is rolled back. fn may run twice
// and must touch nothing but its Tx. A ctx that ends before fn's turn leaves
// the change undone; once fn runs, the change is whole or absent and Write
// waits to say which.
//
// Cost: one fsync for all changes that wait at the same time.
func (db *DB) Write(ctx context.Context, fn func(*Tx) error) error {
	return db.writer.write(ctx, fn)
}

func (w *writer) write(ctx context.Context, fn func(*Tx) error) error {
	j := &job{ctx: ctx, fn: fn, answer: make(chan error, 1)}
	w.mu.RLock()
	if w.closed {
		w.mu.RUnlock()
		return ErrClosed
	}
	w.queue <- j
	w.mu.RUnlock()
	return <-j.answer
}

func (w *writer) loop() {
	defer close(w.done)
	if w.conn != nil {
		defer w.conn.Close()
		defer w.cached.close()
	}
	last := 1
	for first := range w.queue {
		w.linger(last - 1)
		group := []*job{first}
	gather:
		for len(group) < maxGroup {
			select {
			case j, ok := <-w.queue:
				if !ok {
					break gather
				}
				group = append(group, j)
			default:
				break gather
			}
		}
		last = len(group)
		w.commit(group)
	}
}

// linger gives the callers whose changes have just been answered a moment to
// come with their next ones, so that they share this commit as they shared the
// last: otherwise groups of one and of all the others would take turns.
func (w *writer) linger(expected int) {
	if expected == 0 {
		return
	}
	for start := time.Now(); len(w.queue) < expected && time.Since(start) < maxLinger; {
		runtime.Gosched()
	}
}

// commit runs the group in one transaction. If the transaction cannot be kept
// it runs them again one by one, so that only those at fault fail.
func (w *writer) commit(group []*job) {
	waiting := group[:0]
	for _, j := range group {
		if err := j.ctx.Err(); err != nil {
			j.answer <- err
			continue
		}
		waiting = append(waiting, j)
	}
	if len(waiting) == 0 {
		return
	}
	err := w.transaction(waiting)
	if err != nil && len(waiting) > 1 {
		for _, j := range waiting {
			w.commit([]*job{j})
		}
		return
	}
	for _, j := range waiting {
		if j.err == nil {
			j.err = err
		}
		j.answer <- j.err
	}
}

// transaction runs the jobs, each in a savepoint, and commits. Each job's own
// error is in job.err; an error returned means that nothing was committed.
func (w *writer) transaction(jobs []*job) error {
	// No caller can cancel the writer's connection: an interrupted statement
	// would roll back its neighbours too.
	ctx := context.Background()
	for _, j := range jobs {
		j.err = nil
	}
	if w.cached == nil {
		conn, err := w.handle.Conn(ctx)
		if err != nil {
			return err
		}
		w.conn = conn
		defer func() { w.conn = nil; conn.Close() }()
	}
	if err := w.begin(ctx); err != nil {
		return err
	}
	if err := w.runAll(ctx, jobs); err != nil {
		w.exec(ctx, "ROLLBACK") // fails when the database did it already
		return err
	}
	if err := w.exec(ctx, "COMMIT"); err != nil {
		w.exec(ctx, "ROLLBACK")
		return fmt.Errorf("committing: %w", err)
	}
	return nil
}

// begin takes the write lock. It asks again every millisecond itself, because
// SQLite's own busy handler sleeps up to 100 ms at a time and would starve
// beside a command that imports without a pause.
func (w *writer) begin(ctx context.Context) error {
	deadline := time.Now().Add(busyWait)
	for {
		err := w.exec(ctx, "BEGIN IMMEDIATE")
		if err == nil {
			return nil
		}
		if w.dialect.Condition(err) != Busy || time.Now().After(deadline) {
			return fmt.Errorf("taking the write lock: %w", err)
		}
		time.Sleep(busyPoll)
	}
}

func (w *writer) runAll(ctx context.Context, jobs []*job) error {
	group := &group{}
	if len(jobs) == 1 {
		// Alone, a change needs no savepoint: the transaction is its own.
		tx := &Tx{ctx: ctx, on: w.conn, cached: w.cached, group: group}
		if jobs[0].err = tx.run(jobs[0].fn); jobs[0].err != nil {
			return jobs[0].err
		}
		return group.flush(tx)
	}
	for _, j := range jobs {
		if err := w.runOne(ctx, j, group); err != nil {
			return err
		}
	}
	return group.flush(&Tx{ctx: ctx, on: w.conn, cached: w.cached, group: group})
}

// runOne runs a job in its savepoint. A returned error means that the whole
// transaction is gone.
func (w *writer) runOne(ctx context.Context, j *job, g *group) error {
	if err := w.exec(ctx, "SAVEPOINT change"); err != nil {
		return err
	}
	tx := &Tx{ctx: ctx, on: w.conn, cached: w.cached, group: &group{}}
	j.err = tx.run(j.fn)
	if j.err == nil {
		if err := w.exec(ctx, "RELEASE change"); err != nil {
			return fmt.Errorf("%w: %w", errLost, err)
		}
		g.join(tx.group)
		return nil
	}
	// Both succeed only while the outer transaction still stands: this is the
	// check that the failure took nothing else with it.
	if err := w.exec(ctx, "ROLLBACK TO change"); err != nil {
		return fmt.Errorf("%w: %w", errLost, j.err)
	}
	if err := w.exec(ctx, "RELEASE change"); err != nil {
		return fmt.Errorf("%w: %w", errLost, j.err)
	}
	return nil
}

func (w *writer) exec(ctx context.Context, query string) error {
	_, err := (&Tx{ctx: ctx, on: w.conn, cached: w.cached}).ExecContext(ctx, query)
	return err
}

// PanicError is a panic inside a change: the change is rolled back and the
// program goes on.
type PanicError struct {
	Value any
	Stack []byte
}

func (p *PanicError) Error() string { return fmt.Sprintf("panic in a change: %v", p.Value) }

func (t *Tx) run(fn func(*Tx) error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = &PanicError{Value: v, Stack: debug.Stack()}
		}
	}()
	if err := fn(t); err != nil {
		return err
	}
	return t.failed
}
