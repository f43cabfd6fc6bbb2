package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"hash/maphash"
	"iter"

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
// entries, words, names, counts, the queue of unsealed events, and for every
// row of every audited table the chain of its changes and the state they lead
// to.
//
// Cost: reads everything once and keeps the present state of every audited
// row and one number an event in memory; writes nothing and locks nobody out.
// Run it while nothing records, or a change may fall between two of its reads.
func (l *Log) Check(ctx context.Context) ([]Fault, error) {
	c := &checker{
		log: l, rows: map[rowKey]*history{}, totals: map[[2]string]int64{},
		indexed: map[int64]uint64{}, seed: maphash.MakeSeed(),
	}
	for _, step := range []func(context.Context) error{c.index, c.events, c.derived, c.state} {
		if err := step(ctx); err != nil {
			return nil, fmt.Errorf("checking the log: %w", err)
		}
	}
	return c.faults, nil
}

type checker struct {
	log     *Log
	faults  []Fault
	events_ int64
	parts   int64
	totals  map[[2]string]int64
	indexed map[int64]uint64 // by place: the sum of the hashes of its terms in the index
	seed    maphash.Seed
	rows    map[rowKey]*history
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

// eachEvent walks all events in order, a page at a time.
func (c *checker) eachEvent(ctx context.Context) iter.Seq2[rawEvent, error] {
	return func(yield func(rawEvent, error) bool) {
		last := int64(-1 << 62)
		for {
			page, err := readRaw(ctx, c.log.db, last, 500)
			if err != nil {
				yield(rawEvent{}, err)
				return
			}
			for _, e := range page {
				if !yield(e, nil) {
					return
				}
				last = e.n
			}
			if len(page) == 0 {
				return
			}
		}
	}
}

// rawEvent is an event's row as it stands.
type rawEvent struct {
	n         int64
	log, id   string
	body      []byte
	who, what *part
}

func readRaw(ctx context.Context, q database.Querier, after int64, limit int) ([]rawEvent, error) {
	rows, err := q.QueryContext(ctx, `
		SELECT e.n, e.log, e.id, e.body,
		       who.salt, who.part, what.salt, what.part
		FROM audit_event e
		LEFT JOIN audit_part who ON who.n = e.n AND who.kind = 'who'
		LEFT JOIN audit_part what ON what.n = e.n AND what.kind = 'what'
		WHERE e.n > $1 ORDER BY e.n LIMIT $2`, after, limit)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var page []rawEvent
	for rows.Next() {
		var e rawEvent
		var who, what part
		if err := rows.Scan(&e.n, &e.log, &e.id, &e.body,
			&who.Salt, &who.JSON, &what.Salt, &what.JSON); err != nil {
			return nil, err
		}
		e.who, e.what = who.unlessErased(), what.unlessErased()
		page = append(page, e)
	}
	return page, rows.Err()
}

func (c *checker) events(ctx context.Context) error {
	for raw, err := range c.eachEvent(ctx) {
		if err != nil {
			return err
		}
		c.events_++
		e, err := decode(raw.body, raw.who, raw.what)
		if err != nil {
			c.fault(raw.id, "%v", err)
			continue
		}
		c.columns(raw, &e)
		if err := c.findable(ctx, raw, &e); err != nil {
			return err
		}
		c.remember(raw, &e)
	}
	return nil
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
	c.totals[[2]string{e.Log, e.Action}]++
	for _, p := range []*part{raw.who, raw.what} {
		if p != nil {
			c.parts++
		}
	}
}

// index reads the whole index once. A sum of hashes stands for an event's set
// of terms: it is the same only if the set is, in whatever order they come.
func (c *checker) index(ctx context.Context) error {
	rows, err := c.log.db.QueryContext(ctx, `SELECT term, doc FROM audit_index_entry`)
	if err != nil {
		return err
	}
	defer rows.Close()
	var term sql.RawBytes
	for rows.Next() {
		var n int64
		if err := rows.Scan(&term, &n); err != nil {
			return err
		}
		c.indexed[n] += maphash.Bytes(c.seed, term)
	}
	return rows.Err()
}

// findable looks every index entry, word and name of the event up.
func (c *checker) findable(ctx context.Context, raw rawEvent, e *Event) error {
	q := c.log.db
	var sum uint64
	for _, t := range terms(e) {
		sum += maphash.String(c.seed, t)
	}
	if c.indexed[raw.n] != sum {
		c.fault(raw.id, "an index entry is missing or too many: the event cannot be found by what it says, or is found by what it does not")
	}
	delete(c.indexed, raw.n)
	if ok, err := exists(ctx, q, `SELECT 1 FROM audit_unsealed WHERE n = $1`, raw.n); err != nil {
		return err
	} else if !ok {
		c.fault(raw.id, "it is not in the queue of unsealed events")
	}
	for _, naming := range namings(e) {
		if ok, err := exists(ctx, q, `SELECT 1 FROM audit_name WHERE log = $1 AND type = $2 AND id = $3 AND word = $4 AND name = $5`,
			naming.log, naming.typ, naming.id, fold(naming.name), naming.name); err != nil {
			return err
		} else if !ok {
			c.fault(raw.id, "the name of %s %s is missing from the names", naming.typ, naming.id)
		}
	}
	return nil
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

// derived compares counts: a missing entry was reported with its event, a
// surplus one shows here.
func (c *checker) derived(ctx context.Context) error {
	for n := range c.indexed {
		c.fault("", "the index has entries for place %d, where there is no event", n)
	}
	for _, each := range []struct {
		what, query string
		want        int64
	}{
		{"parts", `SELECT count(*) FROM audit_part`, c.parts},
		{"events in the queue to be sealed", `SELECT count(*) FROM audit_unsealed`, c.events_},
		{"open records", `SELECT count(*) FROM audit_open`, 0},
	} {
		var have int64
		if err := c.log.db.QueryRowContext(ctx, each.query).Scan(&have); err != nil {
			return err
		}
		if have != each.want {
			c.fault("", "there are %d %s, the events make %d", have, each.what, each.want)
		}
	}
	rows, err := c.log.db.QueryContext(ctx, `SELECT log, action, events FROM audit_total`)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var key [2]string
		var n int64
		if err := rows.Scan(&key[0], &key[1], &n); err != nil {
			return err
		}
		if c.totals[key] != n {
			c.fault("", "the count of %s in log %s is %d, there are %d events", key[1], key[0], n, c.totals[key])
		}
		delete(c.totals, key)
	}
	for key := range c.totals {
		c.fault("", "the count of %s in log %s is missing", key[1], key[0])
	}
	return rows.Err()
}
