// Package audit is an audit log in which a change and its record are one
// transaction: neither exists without the other.
//
// A program declares the tables it wants on the record ([Table]) and the
// actions that happen to them ([Catalogue]), and makes every change through
// [Log.Record]. The engine collects before and after from the writes
// themselves, keeps the event's exact bytes (see docs/event-format.md), and
// makes it searchable at once. It knows nothing of what the objects are.
package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"onrecord/database"
)

// Log records and searches. One Log may hold the logs of many teams; every
// call names the one it means. Its methods may be called from several
// goroutines.
type Log struct {
	db       *database.DB
	cat      *Catalogue
	tables   map[string]Table
	clock    *clock
	logger   *slog.Logger
	refusals *refusals
	names    *nameCache
	observer Observer
	backend  backend
	sealer   *sealer
}

// Option changes how a Log works.
type Option func(*Log)

// WithClock sets the clock that events are recorded by; time.Now unless set.
func WithClock(now func() time.Time) Option { return func(l *Log) { l.clock.now = now } }

// WithLogger sets where the Log tells of trouble that no caller can be told of.
func WithLogger(logger *slog.Logger) Option { return func(l *Log) { l.logger = logger } }

// Open gives the Log in a database that [Migrate] has prepared for the same
// tables. Until Close it seals in the background what this and other programs
// record ([Log.Seal]).
func Open(ctx context.Context, db *database.DB, cat *Catalogue, tables []Table, opts ...Option) (*Log, error) {
	l := &Log{
		db: db, cat: cat, tables: make(map[string]Table, len(tables)),
		clock: &clock{now: time.Now}, logger: slog.Default(), names: &nameCache{}, backend: backendOf(db.Dialect()),
	}
	l.sealer = newSealer(l)
	for _, t := range tables {
		l.tables[t.Name] = t
	}
	for _, o := range opts {
		o(l)
	}
	l.refusals = newRefusals(l)
	have, err := l.backend.guardsIn(ctx, db)
	if err != nil {
		return nil, err
	}
	for _, t := range tables {
		if have[guardName(t.Name, l.backend.firstGuard())].as == "" {
			return nil, fmt.Errorf("table %s has no guard: run audit.Migrate with its declaration first", t.Name)
		}
	}
	l.sealer.start()
	return l, nil
}

// Close writes the counts of refusals that were merged and seals what waits, as
// far as a few seconds suffice: the rest waits for the next program. The
// database stays open: it is the caller's.
func (l *Log) Close() error {
	err := l.refusals.close()
	l.sealer.close()
	return err
}

// Catalogue is the catalogue given to Open.
func (l *Log) Catalogue() *Catalogue { return l.cat }

// Tables gives the audited tables.
func (l *Log) Tables() []Table {
	all := make([]Table, 0, len(l.tables))
	for _, t := range l.tables {
		all = append(all, t)
	}
	return all
}

// DB is the database that the log is in.
func (l *Log) DB() *database.DB { return l.db }

// Intent says who is about to do what to which object, before it is done.
type Intent struct {
	Log     string // whose log: a team's id, or the organization's
	Actor   Actor  // Type is required
	Context Context
	Action  string // an id of the catalogue
	Object  Ref    // zero if there is none, or if the change finds it ([Tx.SetObject])
	Related []Ref
	Reason  string            // in the actor's words
	Data    map[string]string // further facts; recorded erasably
	Links   []Link
}

// ErrNothing is what a change returns when there turned out to be nothing to
// do: everything is rolled back, nothing is recorded, and Record gives "".
var ErrNothing = errors.New("nothing to record")

// Record makes a change together with its event and returns the event's id
// once both are durable. change writes through tx only and may run twice.
//
// If change returns an error nothing it wrote remains, and Record returns that
// error. change may not call Record or Note of a log in the same database, nor
// wait for somebody who does: it would wait for itself ([Tx.Also] records a
// second event). A panic in change is rolled back and becomes an error.
//
// A refusal is recorded by itself: [Denied], [NotFound] as outcome
// "denied"; [Conflict] and faults as outcome "failed". [Invalid] is not: the
// input was never an attempt. A full disk or a read-only file is an [Error]
// with CodeUnavailable.
//
// A caller that hangs up changes nothing: once called, Record finishes.
//
// Cost on SQLite: two statements around the change, then for all changes that
// commit together a look at the end of the log, one insert that writes every
// event with its two parts, and one fsync. The index is written later, in the
// background, for hundreds of events at once.
func (l *Log) Record(ctx context.Context, in Intent, change func(*Tx) error) (string, error) {
	if err := l.check(in); err != nil {
		return "", err
	}
	start := time.Now()
	ctx = context.WithoutCancel(ctx)
	at := l.clock.tick()
	id := NewID("evt", at)
	var rec *recording
	err := l.once(ctx, in.Log, id, func(tx *database.Tx, step int) error {
		rec = &recording{log: l, tx: tx, step: step}
		return rec.run(in, id, at, change)
	})
	if err == nil {
		l.recorded(rec.staged)
		since(l.observer.Record, start)
		return id, nil
	}
	if errors.Is(err, ErrNothing) {
		return "", nil
	}
	err = l.explain(err)
	if l.refuse(ctx, in, id, at, err) {
		return id, nil // the refusal found that the change was made after all
	}
	return "", err
}

// errMade answers an attempt to write an event that stands already.
var errMade = errors.New("this event is recorded already")

// maxSteps is how many places beside its own an event tries.
const maxSteps = 16

// once makes a change with its event, whose id says whether an attempt that
// nobody answered was committed: then nothing is done again. step is how many
// places the event goes on because events of other programs stand there.
func (l *Log) once(ctx context.Context, log, id string, change func(tx *database.Tx, step int) error) error {
	made := func(q database.Querier) (bool, error) {
		first, last, err := placesOf(id)
		if err != nil {
			return false, err
		}
		return exists(ctx, q, `SELECT 1 FROM audit_event WHERE log = $1 AND n BETWEEN $2 AND $3 AND id = $4`, log, first, last, id)
	}
	for step := 0; ; step++ {
		err := l.db.WriteOnce(ctx, func(tx *database.Tx) (bool, error) { return made(tx) },
			func(tx *database.Tx) error { return change(tx, step) })
		if err == nil || !l.backend.placeTaken(err) || step == maxSteps {
			return err
		}
		if is, e := made(l.db); e != nil {
			return e
		} else if is {
			return errMade
		}
	}
}

// recorded is told of events that are durable now.
func (l *Log) recorded(events []staged) {
	l.names.remember(events)
	l.observer.recorded(events)
	l.sealer.wakeUp()
}

// RecordTx records inside a transaction that the caller began on the same
// database and will commit or roll back: the event is durable when, and only
// if, the caller's commit is. On an error the caller must roll back; no
// refusal is recorded, since it would vanish with the transaction (use
// [Log.Refuse] after the rollback).
func (l *Log) RecordTx(ctx context.Context, tx *sql.Tx, in Intent, change func(*Tx) error) (string, error) {
	if err := l.check(in); err != nil {
		return "", err
	}
	at := l.clock.tick()
	id := NewID("evt", at)
	err := database.Join(ctx, tx, func(joined *database.Tx) error {
		return (&recording{log: l, tx: joined}).run(in, id, at, change)
	})
	if err != nil {
		return "", l.explain(err)
	}
	return id, nil
}

// Refuse records a refusal that was found outside Record and returns err, so
// that a caller can write return log.Refuse(…).
func (l *Log) Refuse(ctx context.Context, in Intent, err error) error {
	if e := l.check(in); e != nil {
		return e
	}
	at := l.clock.tick()
	l.refuse(context.WithoutCancel(ctx), in, NewID("evt", at), at, err)
	return err
}

// check finds intents that the program must not have.
func (l *Log) check(in Intent) error {
	action, ok := l.cat.Get(in.Action)
	switch {
	case !ok:
		return fmt.Errorf("recording %q: the catalogue has no such action", in.Action)
	case in.Log == "":
		return fmt.Errorf("recording %s: the intent names no log", in.Action)
	case in.Actor.Type == "":
		return fmt.Errorf("recording %s: the intent names no type of actor", in.Action)
	}
	return action.takes(in.Object)
}

// takes refuses an object of a type that the action does not happen to.
func (a Action) takes(object Ref) error {
	if object.Type == "" {
		return nil
	}
	for _, t := range a.Objects {
		if t == object.Type {
			return nil
		}
	}
	return fmt.Errorf("recording %s: its objects are %v, not %q", a.ID, a.Objects, object.Type)
}

// explain turns the database's trouble into a sentence for people. Errors of
// the change itself pass as they are.
func (l *Log) explain(err error) error {
	if _, ok := errors.AsType[*Error](err); ok {
		return err
	}
	message := ""
	switch l.db.Dialect().Condition(err) {
	case database.Full:
		message = "The disk of the database is full. Nothing was changed. Make room, then try again."
	case database.ReadOnly:
		message = "The database cannot be written to (read-only file or folder). Nothing was changed."
		if l.db.Dialect().Name == database.Postgres.Name {
			message = "The database takes no writes (a standby server, or a role that may not). Nothing was changed."
		}
	case database.Busy:
		message = "Another program holds the database for too long. Nothing was changed. Try again."
	case database.Contended:
		message = "Others keep changing the same things at the same moment. Nothing was changed. Try again."
	case database.Slow:
		message = "The database took too long. Nothing was changed. Try again; if it goes on, an operator has to look at it."
	case database.Unreachable:
		message = "The database cannot be reached. Nothing was changed. Try again in a moment."
	case database.Unsure:
		message = "The connection to the database was lost at the last moment: the change was made, or it was not. Look before you try again."
	case database.Unfit:
		return &Error{Code: CodeInvalid, Message: "A text holds a character that the database cannot keep, such as a zero byte. Nothing was changed. Remove it, then try again.", Err: err}
	case database.Failing:
		message = "The disk of the database reports errors, or its file is damaged. Nothing was changed. An operator has to look at it."
	case database.Moved:
		message = "The database file was removed or replaced while the program runs. Nothing was changed. An operator has to put it back and start the program again."
	}
	if errors.Is(err, database.ErrClosed) {
		message = "The program is shutting down. Nothing was changed. Try again in a moment."
	}
	if message == "" {
		return err
	}
	return &Error{Code: CodeUnavailable, Message: message, Err: err}
}

// clock gives the times of events: strictly rising by a microsecond at least,
// so that ids of one process keep their order, unless the clock itself is set
// back by more than a second. Then the events say what the clock says.
type clock struct {
	now  func() time.Time
	mu   sync.Mutex
	last time.Time // guarded by mu
}

const clockSlack = time.Second

func (c *clock) tick() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.now().UTC().Truncate(time.Microsecond)
	if !t.After(c.last) && c.last.Sub(t) < clockSlack {
		t = c.last.Add(time.Microsecond)
	}
	c.last = t
	return t
}
