package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/maphash"
	"time"

	"onrecord/database"
)

// Fault is something in the database that the log's rules do not allow.
type Fault struct {
	Event string // the event it is about, or ""
	Row   string // "type id" of the row it is about, or ""
	What  string
}

func (f Fault) String() string {
	switch {
	case f.Event != "":
		return "event " + f.Event + ": " + f.What
	case f.Row != "":
		return f.Row + ": " + f.What
	}
	return f.What
}

// Check derives the whole log again from its raw rows and reports everything
// that does not agree: bytes and their commitments, columns, index
// entries, words, names, counts, the queue of unsealed events, the leaves and
// hashes of each log's tree and the roots of its checkpoints, and for every
// row of every audited table the chain of its changes and the state they lead
// to. Whose signature a checkpoint bears it does not ask.
//
// Cost: reads everything once, the sealed bytes twice, and keeps the present
// state of every audited row and one number an event in memory; writes nothing
// and locks nobody out: it sees the database as it was when it began.
func (l *Log) Check(ctx context.Context) ([]Fault, error) {
	c := &checker{
		log: l, rows: map[rowKey]*history{}, counts: map[logSpan]int64{}, names: map[naming]string{},
		indexed: map[int64]uint64{}, seed: maphash.MakeSeed(),
	}
	err := l.db.Snapshot(ctx, func(q database.Querier) error {
		c.q = q
		for _, step := range []func(context.Context) error{c.index, c.events, c.derived, c.trees, c.state} {
			if err := step(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("checking the log: %w", err)
	}
	return c.faults, nil
}

type checker struct {
	log     *Log
	q       database.Querier // of one state of the database; one query at a time
	faults  []Fault
	parts   int64
	queued  int64
	leaves  int64
	counts  map[logSpan]int64
	names   map[naming]string // an event that has each
	indexed map[int64]uint64  // by place: the sum of the hashes of its terms in the index
	seed    maphash.Seed
	rows    map[rowKey]*history
}

type logSpan struct {
	log string
	span
}

// rowKey is an audited row: its id is unique within its log and type.
type rowKey struct{ log, typ, id string }

// history is every change of one row, by the event before it.
type history struct {
	after map[string]*step // by prev; "" is the creation
}

// step is what one event changed of one row.
type step struct {
	event   string
	changes []Change
	salt    []byte // of the event's what, for digests; nil if erased
}

func (c *checker) fault(event, format string, args ...any) {
	c.faults = append(c.faults, Fault{Event: event, What: fmt.Sprintf(format, args...)})
}

// rawEvent is an event's row as it stands, with what follows it.
type rawEvent struct {
	n         int64
	log, id   string
	body      []byte
	who, what *part
	queued    *string // its action in the queue; nil if it is not there
	leaf      *int64  // nil if it has none
}

// events looks at every event, in whatever order.
func (c *checker) events(ctx context.Context) error {
	rows, err := c.q.QueryContext(ctx, `
		SELECT e.n, e.log, e.id, e.body, who.salt, who.part, what.salt, what.part, u.action, l.leaf
		FROM audit_event e
		LEFT JOIN audit_part who ON who.log = e.log AND who.n = e.n AND who.kind = 'who'
		LEFT JOIN audit_part what ON what.log = e.log AND what.n = e.n AND what.kind = 'what'
		LEFT JOIN audit_unsealed u ON u.log = e.log AND u.n = e.n
		LEFT JOIN audit_leaf l ON l.log = e.log AND l.n = e.n`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var raw rawEvent
		var who, what part
		if err := rows.Scan(&raw.n, &raw.log, &raw.id, &raw.body, &who.Salt, &who.JSON, &what.Salt, &what.JSON, &raw.queued, &raw.leaf); err != nil {
			return err
		}
		raw.who, raw.what = who.unlessErased(), what.unlessErased()
		c.event(raw)
	}
	return rows.Err()
}

func (c *checker) event(raw rawEvent) {
	switch {
	case raw.queued == nil && raw.leaf == nil:
		c.fault(raw.id, "it is neither sealed nor in the queue of unsealed events")
	case raw.queued != nil && raw.leaf != nil:
		c.fault(raw.id, "it is sealed as leaf %d and still in the queue of unsealed events", *raw.leaf)
	}
	if raw.queued != nil {
		c.queued++
	}
	if raw.leaf != nil {
		c.leaves++
	}
	for _, p := range []*part{raw.who, raw.what} {
		if p != nil {
			c.parts++
		}
	}
	e, err := decode(raw.body, raw.who, raw.what)
	if err != nil {
		c.fault(raw.id, "%v", err)
		delete(c.indexed, raw.n)
		return
	}
	c.columns(raw, &e)
	c.findable(raw, &e)
	c.remember(raw, &e)
}

// columns compares the columns beside the sealed bytes with what the bytes say.
func (c *checker) columns(raw rawEvent, e *Event) {
	for _, col := range []struct{ name, column, bytes string }{
		{"log", raw.log, e.Log},
		{"id", raw.id, e.ID},
	} {
		if col.column != col.bytes {
			c.fault(raw.id, "column %s says %q, the sealed bytes say %q", col.name, col.column, col.bytes)
		}
	}
	if first, last, err := placesOf(raw.id); err != nil || raw.n < first || raw.n > last {
		c.fault(raw.id, "place %d is not in the microsecond of the event's id", raw.n)
	}
	if raw.queued != nil && *raw.queued != e.Action {
		c.fault(raw.id, "the queue of unsealed events has it as %q, the sealed bytes as %q", *raw.queued, e.Action)
	}
	if raw.leaf != nil {
		for _, counted := range spansOf(raw.n, e.Action) {
			c.counts[logSpan{e.Log, counted}]++
		}
	}
}

// index reads the whole index once. A sum of hashes stands for an event's set
// of terms: it is the same only if the set is, in whatever order they come.
func (c *checker) index(ctx context.Context) error {
	return c.log.backend.eachEntry(ctx, c.q, func(n int64, key []byte) {
		c.indexed[n] += maphash.Bytes(c.seed, key)
	})
}

// findable compares the event's index entries, of which only a sealed one has
// any, and remembers its names.
func (c *checker) findable(raw rawEvent, e *Event) {
	if raw.leaf != nil {
		for _, t := range terms(e) {
			c.indexed[raw.n] -= maphash.Bytes(c.seed, c.log.backend.key(t))
		}
	}
	if c.indexed[raw.n] != 0 {
		c.fault(raw.id, "an index entry is missing or too many: the event cannot be found by what it says, or is found by what it does not")
	}
	delete(c.indexed, raw.n)
	for _, naming := range namings(e) {
		c.names[naming] = e.ID
	}
}

func exists(ctx context.Context, q database.Querier, query string, args ...any) (bool, error) {
	var one int
	err := q.QueryRowContext(ctx, query, args...).Scan(&one)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, err
}

// remember adds the event's changes to the histories of their rows.
func (c *checker) remember(raw rawEvent, e *Event) {
	for i, change := range e.Changes {
		key := rowKey{e.Log, change.On.Type, change.On.ID}
		h := c.rows[key]
		if h == nil {
			h = &history{after: map[string]*step{}}
			c.rows[key] = h
		}
		s := h.after[change.Prev]
		if s != nil && s.event != e.ID {
			c.fault(e.ID, "change %d of %s %s follows %q, which event %s follows already", i, change.On.Type, change.On.ID, change.Prev, s.event)
			continue
		}
		if s == nil {
			s = &step{event: e.ID}
			if raw.what != nil {
				s.salt = raw.what.Salt
			}
			h.after[change.Prev] = s
		}
		s.changes = append(s.changes, change)
	}
}

// derived compares what follows from the events: an entry that is missing was
// reported with its event, a surplus one shows here.
func (c *checker) derived(ctx context.Context) error {
	for n := range c.indexed {
		c.fault("", "the index has entries for place %d, where there is no event", n)
	}
	for _, each := range []struct {
		what, query string
		want        int64
	}{
		{"parts", `SELECT count(*) FROM audit_part`, c.parts},
		{"events in the queue to be sealed", `SELECT count(*) FROM audit_unsealed`, c.queued},
		{"leaves", `SELECT count(*) FROM audit_leaf`, c.leaves},
		{"open records", c.log.backend.openRecords(), 0},
	} {
		var have int64
		if err := c.q.QueryRowContext(ctx, each.query).Scan(&have); err != nil {
			return err
		}
		if have != each.want {
			c.fault("", "there are %d %s, the events make %d", have, each.what, each.want)
		}
	}
	for naming, event := range c.names {
		if ok, err := exists(ctx, c.q, `SELECT 1 FROM audit_name WHERE log = $1 AND type = $2 AND id = $3 AND word = $4 AND name = $5`,
			naming.log, naming.typ, naming.id, fold(naming.name), naming.name); err != nil {
			return err
		} else if !ok {
			c.fault(event, "the name of %s %s is missing from the names", naming.typ, naming.id)
		}
	}
	return c.counted(ctx)
}

func (c *checker) counted(ctx context.Context) error {
	rows, err := c.q.QueryContext(ctx, `SELECT log, span, at, action, events FROM audit_count`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key logSpan
		var n int64
		if err := rows.Scan(&key.log, &key.name, &key.at, &key.action, &n); err != nil {
			return err
		}
		if c.counts[key] != n {
			c.fault("", "the count of %s in log %s, %s, is %d, there are %d sealed events", key.action, key.log, key.span, n, c.counts[key])
		}
		delete(c.counts, key)
	}
	for key := range c.counts {
		c.fault("", "the count of %s in log %s, %s, is missing", key.action, key.log, key.span)
	}
	return rows.Err()
}

func (s span) String() string {
	if s.name == spanAll {
		return "in all"
	}
	return s.name + " of " + time.UnixMicro(s.at).UTC().Format("2006-01-02T15:04Z")
}
