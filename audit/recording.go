package audit

import (
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"onrecord/database"
)

// recording is one call of Record: one event, or several that belong together
// ([Tx.Also]).
type recording struct {
	log    *Log
	tx     *database.Tx
	open   []*Tx    // the innermost last
	staged []staged // finished events, for the end of the group
	failed error    // of an inner record: the whole can only fail
	step   int      // see staged
	seen   *string  // what the guards have left, if the last statement told
}

// staged is an event ready to be written.
type staged struct {
	event  Event
	sealed sealed
	names  []naming // of the event that may not be in the database yet
	step   int      // its place is so many steps from the wanted one, which was taken
}

// Tx is an open record: the change writes through it, and what it writes
// becomes the event's before and after. It is valid until the change returns.
type Tx struct {
	rec     *recording
	event   Event
	changed []rowChange
	late    []*Tx // events linked to this one, encoded once both are complete
}

// run opens the record, runs the change and leaves its events for the end of
// the group.
func (r *recording) run(in Intent, id string, at time.Time, change func(*Tx) error) error {
	t, err := r.begin(in, id, at)
	if err != nil {
		return err
	}
	if err := change(t); err != nil {
		return err
	}
	if r.failed != nil {
		return r.failed
	}
	if err := r.collect(t); err != nil {
		return err
	}
	for _, each := range append([]*Tx{t}, t.late...) {
		if err := r.stage(each); err != nil {
			return err
		}
	}
	r.leave()
	return nil
}

// leave leaves the finished events for the end of the group.
func (r *recording) leave() {
	for i := range r.staged {
		r.tx.AtCommit(r.log, &r.staged[i], r.log.flush)
	}
}

func (r *recording) begin(in Intent, id string, at time.Time) (*Tx, error) {
	t := &Tx{rec: r, event: newEvent(in, id, at)}
	r.seen = nil
	if err := r.log.backend.openRecord(r.ctx(), r.tx, in.Log, id); err != nil {
		return nil, fmt.Errorf("opening the record: %w", err)
	}
	r.open = append(r.open, t)
	return t, nil
}

// ctx is the context of statements: the transaction has its own, which no
// caller can cancel.
func (r *recording) ctx() context.Context { return context.Background() }

// collect closes the innermost record and takes what it wrote, in one
// statement.
func (r *recording) collect(t *Tx) error {
	seen := r.seen
	r.seen = nil
	writes, err := r.log.backend.collect(r.ctx(), r.tx, seen)
	if err != nil {
		return fmt.Errorf("collecting the changes: %w", err)
	}
	r.open = r.open[:len(r.open)-1]
	return t.add(writes)
}

// stage encodes a finished event.
func (r *recording) stage(t *Tx) error {
	if action, _ := r.log.cat.Get(t.event.Action); t.event.Object != nil {
		if err := action.takes(*t.event.Object); err != nil {
			return err
		}
	}
	for _, c := range t.changed {
		t.event.Changes = append(t.event.Changes, c.changes()...)
	}
	s, err := r.seal(&t.event)
	if err != nil {
		return err
	}
	r.staged = append(r.staged, s)
	return nil
}

func (r *recording) seal(e *Event) (staged, error) {
	var salts [64]byte
	rand.Read(salts[:]) // never fails: crypto/rand
	s, err := encode(e, [32]byte(salts[:32]), [32]byte(salts[32:]))
	if err != nil {
		return staged{}, fmt.Errorf("recording %s: %w", e.Action, err)
	}
	return staged{event: *e, sealed: s, names: r.log.names.unknown(e), step: r.step}, nil
}

func newEvent(in Intent, id string, at time.Time) Event {
	e := Event{
		ID: id, Log: in.Log, Time: at, Recorded: at, Version: 1,
		Action: in.Action, Outcome: OutcomeOK, Reason: strings.TrimSpace(in.Reason),
		Context: in.Context, Related: slices.Clone(in.Related), Links: slices.Clone(in.Links),
	}
	actor := in.Actor
	e.Actor = &actor
	if in.Object.Type != "" {
		object := in.Object
		e.Object = &object
	}
	for k, v := range in.Data {
		e.setData(k, v)
	}
	return e
}

func (e *Event) setData(key, value string) {
	if e.Data == nil {
		e.Data = map[string]string{}
	}
	e.Data[key] = value
}

// EventID is the id of the event being recorded: the stamp (event_id) of every
// row that the change writes.
func (t *Tx) EventID() string { return t.event.ID }

// Now is the event's time.
func (t *Tx) Now() time.Time { return t.event.Time }

// SetObject names the object when only the change could find it.
func (t *Tx) SetObject(object Ref) { t.event.Object = &object }

// AddRelated names further objects; the filter object: finds them too.
func (t *Tx) AddRelated(objects ...Ref) { t.event.Related = append(t.event.Related, objects...) }

// SetData records a further fact, erasably.
func (t *Tx) SetData(key, value string) { t.event.setData(key, value) }

// ExecContext writes. Each INSERT or UPDATE of an audited table sets event_id
// to [Tx.EventID]. After a statement has failed the change can only fail.
func (t *Tx) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return t.rec.exec(ctx, query, args)
}

// exec lets what the guards leave come with the answer, if it can: the last
// statement of a change then spares asking for it.
func (r *recording) exec(ctx context.Context, query string, args []any) (sql.Result, error) {
	r.seen = nil
	if question := r.log.backend.glimpse(); question != "" {
		if res, seen, asked, err := r.tx.ExecAsking(query, args, question); asked {
			r.seen = seen
			return res, err
		}
	}
	return r.tx.ExecContext(ctx, query, args...)
}

// QueryContext reads inside the change.
func (t *Tx) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	t.rec.seen = nil
	return t.rec.tx.QueryContext(ctx, query, args...)
}

// QueryRowContext reads at most one row inside the change.
func (t *Tx) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	t.rec.seen = nil
	return t.rec.tx.QueryRowContext(ctx, query, args...)
}

// Also records a second event in the same transaction, possibly in another
// log, with the rows that its own change writes. rel says how the two belong
// together: with "pair" each names the other, any other word is a link from
// the second to the first. It gives the second event's id. After it has failed
// the first change can only fail, too. A row that the first event wrote before
// the second did cannot be written by the first again.
func (t *Tx) Also(in Intent, rel string, change func(*Tx) error) (string, error) {
	id, err := t.also(in, rel, change)
	if err != nil && t.rec.failed == nil {
		t.rec.failed = err
	}
	return id, err
}

func (t *Tx) also(in Intent, rel string, change func(*Tx) error) (string, error) {
	r := t.rec
	if err := r.log.check(in); err != nil {
		return "", err
	}
	if len(r.open) == 0 || r.open[len(r.open)-1] != t {
		return "", fmt.Errorf("recording %s: the record it was to be linked to is not the open one: use the Tx that the innermost change was given", in.Action)
	}
	// What the outer change wrote so far is collected before the inner record
	// opens, and the outer one opens again after it.
	if err := r.collect(t); err != nil {
		return "", err
	}
	at := r.log.clock.tick()
	inner, err := r.begin(in, NewID("evt", at), at)
	if err != nil {
		return "", err
	}
	if err := change(inner); err != nil {
		return "", err
	}
	if err := r.collect(inner); err != nil {
		return "", err
	}
	inner.event.Links = append(inner.event.Links, Link{Rel: rel, Log: t.event.Log, ID: t.event.ID})
	if rel == "pair" {
		t.event.Links = append(t.event.Links, Link{Rel: rel, Log: inner.event.Log, ID: inner.event.ID})
	}
	t.late = append(t.late, inner)
	t.late = append(t.late, inner.late...)
	inner.late = nil
	if err := r.log.backend.openRecord(r.ctx(), r.tx, t.event.Log, t.event.ID); err != nil {
		return "", fmt.Errorf("opening the record again: %w", err)
	}
	r.open = append(r.open, t)
	return inner.event.ID, nil
}

// write is one write of an audited row, as its guard saw it, in their order.
type write struct {
	table, row, prev string
	before, after    []byte // JSON objects by column; before is nil for an INSERT
}

// rowChange is all that one event changed of one row.
type rowChange struct {
	on     Ref
	prev   string
	fields []Change
}

// add folds writes into the row changes: of several writes of one row the
// first before and the last after remain.
func (t *Tx) add(writes []write) error {
	for _, w := range writes {
		table, ok := t.rec.log.tables[w.table]
		if !ok {
			return fmt.Errorf("recording %s: table %s has a guard but is not declared", t.event.Action, w.table)
		}
		row, again := t.row(Ref{Type: table.Type, ID: w.row}, w.prev)
		if again && w.prev != t.event.ID {
			// One event has one place in the chain of a row's changes.
			return fmt.Errorf("recording %s: row %s of %s was written, then written by event %s of the same transaction, then again: make all changes of a row by this event before or after that one", t.event.Action, w.row, w.table, w.prev)
		}
		if err := row.fold(table, w); err != nil {
			return fmt.Errorf("recording %s: row %s of %s: %w", t.event.Action, w.row, w.table, err)
		}
	}
	return nil
}

// row gives what the event has changed of a row so far; again tells that it
// has.
func (t *Tx) row(on Ref, prev string) (row *rowChange, again bool) {
	for i := range t.changed {
		if t.changed[i].on == on {
			return &t.changed[i], true
		}
	}
	t.changed = append(t.changed, rowChange{on: on, prev: prev})
	return &t.changed[len(t.changed)-1], false
}

func (r *rowChange) fold(table Table, w write) error {
	before, err := readImage(w.before)
	if err != nil {
		return err
	}
	after, err := readImage(w.after)
	if err != nil {
		return err
	}
	for _, c := range after {
		class, _ := table.classOf(c.name)
		if class == Secret {
			if c.value.isTrue() {
				r.set(c.name, class, Value{}, Value{})
			}
			continue
		}
		if was := before.of(c.name); was != c.value {
			r.set(c.name, class, was, c.value)
		}
	}
	return nil
}

func (r *rowChange) set(field string, class Class, from, to Value) {
	for i := range r.fields {
		if r.fields[i].Field == field {
			r.fields[i].To = to
			return
		}
	}
	r.fields = append(r.fields, Change{On: r.on, Prev: r.prev, Field: field, Class: class, From: from, To: to})
}

// changes gives what remains different. A row that was written without a
// difference still gets one entry without a field, so that its stamp and the
// chain of prev stay explained.
func (r *rowChange) changes() []Change {
	var out []Change
	for _, c := range r.fields {
		if c.Class == Secret || c.From != c.To {
			out = append(out, c)
		}
	}
	if out == nil {
		out = []Change{{On: r.on, Prev: r.prev, Class: Plain}}
	}
	return out
}
