package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"onrecord/database"
)

// Fault is something in the database that the log's rules do not allow.
type Fault struct {
	Log   string // whose, or "" if it is about no log
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

// CheckOptions say what [Log.CheckWith] looks at.
type CheckOptions struct {
	Log   string // only this one; "" is all
	State bool   // also the rows of the audited tables
	Most  int    // how many faults are kept; 0 is all
	// Checkpoint asks who signed a checkpoint and what witnesses added to it;
	// its error is a fault. nil asks nothing.
	Checkpoint func(log string, size int64, note []byte, cosigned []Cosignature) error
	// Progress is told how many events have been looked at. nil is not told.
	Progress func(events int64)
}

// Checked is what a check found.
type Checked struct {
	Faults []Fault
	More   int64                  // faults beyond those that were kept
	Logs   map[string]*LogFigures // by log
	Rows   int64                  // of audited tables that were compared
}

// LogFigures count what was looked at of one log.
type LogFigures struct {
	Events, Leaves, Checkpoints, Cosigned, Faults int64
	Erased                                        int64 // parts
	ClockBack                                     []ClockBack
}

// ClockBack is where the clock of the recording program was more than a minute
// behind an earlier leaf. It is not a fault of the log. Only the first few are
// kept.
type ClockBack struct {
	Leaf     int64
	From, To time.Time
}

// Check derives the whole log again from its raw rows and reports everything
// that does not agree: bytes and their commitments, columns, index
// entries, words, names, counts, the queue of unsealed events, the leaves and
// hashes of each log's tree and the roots of its checkpoints, and for every
// row of every audited table the chain of its changes and the state they lead
// to. Whose signature a checkpoint bears it does not ask.
//
// Cost: that of CheckWith.
func (l *Log) Check(ctx context.Context) ([]Fault, error) {
	found, err := l.CheckWith(ctx, CheckOptions{State: true})
	return found.Faults, err
}

// CheckWith is [Log.Check] with options.
//
// Cost: reads everything once, the sealed bytes twice; events are decoded on
// all cores. With State it keeps the changes of every audited row in memory,
// without it no more for many events than for few. It writes nothing and locks
// nobody out: it sees the database as it was when it began.
func (l *Log) CheckWith(ctx context.Context, o CheckOptions) (Checked, error) {
	c := &checker{
		log: l, options: o, rows: map[rowKey]*history{}, counts: map[logSpan]int64{}, names: map[naming]string{},
		index: newIndexSums(), found: Checked{Logs: map[string]*LogFigures{}},
	}
	steps := []func(context.Context) error{c.readIndex, c.events, c.compareIndex, c.derived, c.trees}
	if o.State {
		steps = append(steps, c.state)
	}
	err := l.db.Snapshot(ctx, func(q database.Querier) error {
		c.q = q
		for _, step := range steps {
			if err := step(ctx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return Checked{}, fmt.Errorf("checking the log: %w", err)
	}
	return c.found, nil
}

type checker struct {
	log     *Log
	options CheckOptions
	q       database.Querier // of one state of the database; one query at a time
	found   Checked
	at      string // the log that is looked at
	seen    int64  // events
	parts   int64
	queued  int64
	leaves  int64
	counts  map[logSpan]int64
	names   map[naming]string // an event that has each
	index   *indexSums
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
	c.add(Fault{Log: c.at, Event: event, What: fmt.Sprintf(format, args...)})
}

func (c *checker) add(f Fault) {
	c.figures(f.Log).Faults++
	if c.options.Most > 0 && len(c.found.Faults) >= c.options.Most {
		c.found.More++
		return
	}
	c.found.Faults = append(c.found.Faults, f)
}

func (c *checker) figures(log string) *LogFigures {
	f := c.found.Logs[log]
	if f == nil {
		f = &LogFigures{}
		c.found.Logs[log] = f
	}
	return f
}

// only restricts a query to the log that is asked for; column is where the log
// stands. The query has no other argument.
func (c *checker) only(query, column string) (string, []any) {
	if c.options.Log == "" {
		return query, nil
	}
	return query + " WHERE " + column + " = $1", []any{c.options.Log}
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

// examined is an event's row with what it says.
type examined struct {
	rawEvent
	e       Event
	err     error
	index   uint64 // the sum of what the index must have of it
	namings []naming
}

const checkPage = 256 // events that are decoded together

// events looks at every event, in whatever order.
func (c *checker) events(ctx context.Context) error {
	return c.eachEvent(ctx, func(x *examined) {
		c.at = x.log
		c.event(x)
		if c.seen++; c.options.Progress != nil && c.seen%checkPage == 0 {
			c.options.Progress(c.seen)
		}
	})
}

// eachEvent reads all events, decodes them on all cores, and gives them on this
// goroutine.
func (c *checker) eachEvent(ctx context.Context, each func(*examined)) error {
	query, args := c.only(`
		SELECT e.n, e.log, e.id, e.body, who.salt, who.part, what.salt, what.part, u.action, l.leaf
		FROM audit_event e
		LEFT JOIN audit_part who ON who.log = e.log AND who.n = e.n AND who.kind = 'who'
		LEFT JOIN audit_part what ON what.log = e.log AND what.n = e.n AND what.kind = 'what'
		LEFT JOIN audit_unsealed u ON u.log = e.log AND u.n = e.n
		LEFT JOIN audit_leaf l ON l.log = e.log AND l.n = e.n`, "e.log")
	rows, err := c.q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	fetch := func(context.Context) (page []examined, ok bool, err error) {
		for len(page) < checkPage && rows.Next() {
			var x examined
			var who, what part
			if err := rows.Scan(&x.n, &x.log, &x.id, &x.body, &who.Salt, &who.JSON, &what.Salt, &what.JSON, &x.queued, &x.leaf); err != nil {
				return nil, false, err
			}
			x.who, x.what = who.unlessErased(), what.unlessErased()
			page = append(page, x)
		}
		return page, len(page) > 0, rows.Err()
	}
	for page, err := range ahead(ctx, fetch, c.examine) {
		if err != nil {
			return err
		}
		for i := range page {
			each(&page[i])
		}
	}
	return nil
}

// examine decodes a page of events.
func (c *checker) examine(page []examined) ([]examined, error) {
	for i := range page {
		x := &page[i]
		if x.e, x.err = decode(x.body, x.who, x.what); x.err != nil {
			continue
		}
		x.namings = namings(&x.e)
		if x.leaf == nil {
			continue
		}
		for _, t := range terms(&x.e) {
			x.index += c.index.value(x.n, c.log.backend.key(t))
		}
	}
	return page, nil
}

func (c *checker) event(x *examined) {
	switch {
	case x.queued == nil && x.leaf == nil:
		c.fault(x.id, "it is neither sealed nor in the queue of unsealed events")
	case x.queued != nil && x.leaf != nil:
		c.fault(x.id, "it is sealed as leaf %d and still in the queue of unsealed events", *x.leaf)
	}
	figures := c.figures(x.log)
	figures.Events++
	if x.queued != nil {
		c.queued++
	}
	if x.leaf != nil {
		c.leaves++
	}
	for _, p := range []*part{x.who, x.what} {
		if p != nil {
			c.parts++
		} else {
			figures.Erased++
		}
	}
	if x.err != nil {
		c.fault(x.id, "%v", x.err)
		c.index.unreadable[x.n] = true
		return
	}
	c.columns(x.rawEvent, &x.e)
	c.index.add(x.n, -x.index)
	for _, naming := range x.namings {
		c.names[naming] = x.e.ID
	}
	if c.options.State {
		c.remember(x.rawEvent, &x.e)
	}
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
	c.at = c.options.Log
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
		query, args := each.query, []any(nil)
		if each.what != "open records" {
			query, args = c.only(query, "log")
		}
		if err := c.q.QueryRowContext(ctx, query, args...).Scan(&have); err != nil {
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
			c.at = naming.log
			c.fault(event, "the name of %s %s is missing from the names", naming.typ, naming.id)
		}
	}
	return c.counted(ctx)
}

func (c *checker) counted(ctx context.Context) error {
	query, args := c.only(`SELECT log, span, at, action, events FROM audit_count`, "log")
	rows, err := c.q.QueryContext(ctx, query, args...)
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
		if c.at = key.log; c.counts[key] != n {
			c.fault("", "the count of %s in log %s, %s, is %d, there are %d sealed events", key.action, key.log, key.span, n, c.counts[key])
		}
		delete(c.counts, key)
	}
	for key := range c.counts {
		c.at = key.log
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
