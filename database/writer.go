package database

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxGroup   = 256                    // changes that share one commit at most
	busyWait   = 10 * time.Second       // how long a change waits for another process
	busyPoll   = 250 * time.Microsecond // how often it asks meanwhile
	queueDepth = 1024                   // callers beyond it wait their turn in Write

	maxLinger = 200 * time.Microsecond // about a tenth of a commit on a good disk

	// A process that never stops writing lets the others in for a moment, long
	// enough for their asking to meet it: SQLite's lock has no queue.
	maxHold = 100 * time.Millisecond
	holdGap = time.Millisecond

	nestedAfter = 50 * time.Millisecond // who waits so long may be waiting for itself
)

// The answers of [DB.Write] that are not the change's own.
var (
	// ErrClosed answers a write after Close.
	ErrClosed = errors.New("the database is closed")

	// ErrMoved answers every write once the file is no longer the one that was
	// opened: what is written to a removed file is lost.
	ErrMoved = errors.New("the database file was removed or replaced")

	// ErrNested answers a write from inside a change, which would wait for
	// itself.
	ErrNested = errors.New("a change may not wait for another change: write through its own Tx")

	// ErrExited answers a change that ended its goroutine (runtime.Goexit,
	// t.FailNow).
	ErrExited = errors.New("a change ended its goroutine")

	// ErrUnsure answers a change whose commit was sent and never answered.
	ErrUnsure = errors.New("the connection was lost while the change was committed")

	// errLost reports that the database rolled the whole transaction back
	// under a change (a full disk or an interrupted write does that on SQLite).
	errLost = errors.New("the transaction was lost")
)

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
	files   *files        // nil: not ours to watch
	wait    time.Duration // for another process
	lastGap time.Time     // when another process could last have written
	runner  atomic.Int64  // the goroutine that runs the changes

	todo   []*job // of the group that is being committed: not answered yet
	trying int    // how many of them share the present transaction
	single bool   // they run one by one

	mu     sync.RWMutex // held for reading while a job is being queued
	closed bool         // guarded by mu
}

type job struct {
	ctx    context.Context
	fn     func(*Tx) error
	answer chan error
	err    error
	nested bool // it came from inside a change, which was told so
}

// newWriter starts a writer. With keep it holds one connection of handle for
// good and prepares each statement once; without, it borrows one a group, so
// that an application whose pool has a single connection is not locked out.
func newWriter(ctx context.Context, handle *sql.DB, dialect Dialect, keep bool) (*writer, error) {
	w := &writer{handle: handle, dialect: dialect, queue: make(chan *job, queueDepth), done: make(chan struct{}), wait: busyWait}
	if keep {
		var err error
		if w.conn, err = handle.Conn(ctx); err != nil {
			return nil, err
		}
		// From now on begin waits for the lock by itself.
		if _, err := w.conn.ExecContext(ctx, "PRAGMA busy_timeout = 0"); err != nil {
			w.conn.Close()
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

func (w *writer) waiting(d time.Duration) { w.wait = d }

// write queues the change. A commit of SQLite is answered for certain, so
// nobody needs to ask whether it was made.
func (w *writer) write(ctx context.Context, c change) error {
	j := &job{ctx: ctx, fn: c.fn, answer: make(chan error, 1)}
	look := time.NewTimer(nestedAfter)
	defer look.Stop()
	if err := w.enqueue(j, look.C); err != nil {
		return err
	}
	select {
	case err := <-j.answer:
		return err
	case <-look.C:
		if w.nested() {
			j.nested = true // the writer reads it later, on this very goroutine
			return ErrNested
		}
		return <-j.answer
	}
}

func (w *writer) enqueue(j *job, look <-chan time.Time) error {
	w.mu.RLock()
	defer w.mu.RUnlock()
	if w.closed {
		return ErrClosed
	}
	select {
	case w.queue <- j:
	case <-look: // the queue is full
		if w.nested() {
			return ErrNested
		}
		w.queue <- j
	}
	return nil
}

// nested tells whether a change is asking. Only who waits long is looked at:
// this costs microseconds.
func (w *writer) nested() bool { return w.runner.Load() == goroutineID() }

// goroutineID is the number that the runtime prints in front of a stack trace,
// its only way to tell one goroutine from another.
func goroutineID() int64 {
	var b [32]byte
	_, text, _ := bytes.Cut(b[:runtime.Stack(b[:], false)], []byte("goroutine "))
	digits, _, _ := bytes.Cut(text, []byte(" "))
	id, _ := strconv.ParseInt(string(digits), 10, 64)
	return id
}

// loop commits group after group until the queue is closed. A change that ends
// its goroutine (runtime.Goexit) ends this one: the next takes over.
func (w *writer) loop() {
	ended := true
	defer func() {
		if ended {
			w.settle(true, ErrExited)
			go w.loop()
			return
		}
		if w.conn != nil {
			w.cached.close()
			w.conn.Close()
		}
		close(w.done)
	}()
	w.runner.Store(goroutineID())
	w.commit()
	last, idle := 1, time.Now()
	for first := range w.queue {
		if time.Since(idle) >= holdGap {
			w.lastGap = time.Now()
		}
		w.linger(last - 1)
		w.take(first)
	gather:
		for len(w.todo) < maxGroup {
			select {
			case j, ok := <-w.queue:
				if !ok {
					break gather
				}
				w.take(j)
			default:
				break gather
			}
		}
		last = len(w.todo)
		w.commit()
		idle = time.Now()
	}
	ended = false
}

// take adds a job to the group, unless nobody waits for it any more.
func (w *writer) take(j *job) {
	if err := j.ctx.Err(); err != nil || j.nested {
		j.answer <- err
		return
	}
	w.todo = append(w.todo, j)
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

// commit runs the group in one transaction and answers it. If the transaction
// cannot be kept it runs them again one by one, so that only those at fault
// fail; if it could not begin, nobody is at fault and all are told at once.
func (w *writer) commit() {
	for len(w.todo) > 0 {
		w.trying = len(w.todo)
		if w.single {
			w.trying = 1
		}
		w.settle(w.transaction(w.todo[:w.trying]))
	}
	w.single = false
}

// settle answers those whose transaction ended.
func (w *writer) settle(began bool, err error) {
	switch n := w.trying; {
	case err != nil && !began:
		w.answer(len(w.todo), err)
	case err != nil && n > 1:
		w.single = true
	default:
		w.answer(n, err)
	}
}

// answer tells the first n jobs their own error or else that of all.
func (w *writer) answer(n int, err error) {
	for _, j := range w.todo[:n] {
		if j.err == nil {
			j.err = err
		}
		j.answer <- j.err
	}
	w.todo = append(w.todo[:0], w.todo[n:]...)
}

// transaction runs the jobs, each in a savepoint, and commits. Each job's own
// error is in job.err; an error returned means that nothing was committed.
func (w *writer) transaction(jobs []*job) (began bool, err error) {
	// No caller can cancel the writer's connection: an interrupted statement
	// would roll back its neighbours too.
	ctx := context.Background()
	for _, j := range jobs {
		j.err = nil
	}
	if w.cached == nil {
		conn, err := w.handle.Conn(ctx)
		if err != nil {
			return false, err
		}
		w.conn = conn
		defer func() { w.conn = nil; conn.Close() }()
	}
	if err := w.begin(ctx); err != nil {
		return false, err
	}
	committed := false
	defer func() {
		if !committed {
			w.exec(ctx, "ROLLBACK") // fails when the database did it already
		}
	}()
	if err := w.runAll(ctx, jobs); err != nil {
		return true, err
	}
	if err := w.exec(ctx, "COMMIT"); err != nil {
		return true, fmt.Errorf("committing: %w", err)
	}
	committed = true
	return true, nil
}

// begin takes the write lock. It asks for it itself, because SQLite's own busy
// handler sleeps up to 100 ms at a time and would starve beside a command that
// imports without a pause.
func (w *writer) begin(ctx context.Context) error {
	if time.Since(w.lastGap) > maxHold {
		time.Sleep(holdGap)
		w.lastGap = time.Now()
	}
	deadline := time.Now().Add(w.wait)
	for {
		err := w.exec(ctx, "BEGIN IMMEDIATE")
		if err == nil {
			break
		}
		if w.dialect.Condition(err) != Busy || time.Now().After(deadline) {
			return fmt.Errorf("taking the write lock: %w", err)
		}
		time.Sleep(busyPoll)
		w.lastGap = time.Now()
	}
	if err := w.files.check(); err != nil {
		w.exec(ctx, "ROLLBACK")
		return err
	}
	return nil
}

func (w *writer) runAll(ctx context.Context, jobs []*job) error {
	group := &group{}
	if len(jobs) == 1 {
		// Alone, a change needs no savepoint: the transaction is its own.
		jobs[0].err = w.tx(ctx, group).run(jobs[0].fn)
		if jobs[0].err != nil {
			return jobs[0].err
		}
		return w.tx(ctx, group).run(group.flush)
	}
	for _, j := range jobs {
		if err := w.runOne(ctx, j, group); err != nil {
			return err
		}
	}
	return w.tx(ctx, group).run(group.flush)
}

func (w *writer) tx(ctx context.Context, g *group) *Tx {
	return &Tx{ctx: ctx, on: w.conn, cached: w.cached, group: g}
}

// runOne runs a job in its savepoint. A returned error means that the whole
// transaction is gone.
func (w *writer) runOne(ctx context.Context, j *job, g *group) error {
	if err := w.exec(ctx, "SAVEPOINT change"); err != nil {
		return err
	}
	tx := w.tx(ctx, &group{})
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
	_, err := w.tx(ctx, nil).ExecContext(ctx, query)
	return err
}
