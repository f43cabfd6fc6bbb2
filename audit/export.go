package audit

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"math"
	"runtime"
	"strconv"
	"time"
)

const (
	exportBatch = 1_000   // events of one statement
	exportBytes = 4 << 20 // bytes of their rows: then a batch ends early
)

// Render adds an event to b in some format. It is called from several
// goroutines at once.
type Render func(b []byte, e *Event) ([]byte, error)

// Batch is a piece of an export.
type Batch struct {
	Bytes  []byte  // what Render made of its events
	Events int     // that it holds; may be none
	Done   float64 // how much of the log has been read, 0 to 1
}

// Size tells how many events of a log have their leaf, once all that is
// recorded now has.
//
// Cost: what waits is sealed first; see [Log.Seal].
func (l *Log) Size(ctx context.Context, log string) (int64, error) {
	if err := l.Seal(ctx); err != nil {
		return 0, err
	}
	state, err := l.SealState(ctx, log)
	return state.Leaves, err
}

// Export gives every event among the first size leaves of a log that a filter
// matches, newest first, as render writes them. size is what [Log.Size] gave:
// the same size gives the same events again, however much is recorded
// meanwhile, also behind them in time. Only what a name in the filter means may
// change: it is every id that ever bore it.
//
// There is no cap and no time limit. No transaction is held while the caller
// works on a batch, so that a slow caller delays nobody; the memory does not
// grow with the number of events. The iteration ends with the first error, or
// when ctx does.
//
// Cost: one question to the index for each thousand events; without conditions
// but time, none. Events are decoded, verified and rendered on all cores.
func (l *Log) Export(ctx context.Context, log string, f Filter, size int64, render Render) iter.Seq2[Batch, error] {
	return func(yield func(Batch, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		defer stop()
		x, err := l.newExport(ctx, log, f, size)
		if err != nil {
			yield(Batch{}, l.explain(err))
			return
		}
		for b, err := range ahead(ctx, x.fetch, func(p pile) (Batch, error) { return x.render(p, render) }) {
			if err != nil {
				yield(Batch{}, l.explain(err))
				return
			}
			if !yield(b, nil) {
				return
			}
		}
	}
}

// export is one walk through all that a filter matches.
type export struct {
	walk
	size          int64 // leaves at and behind it do not belong
	straight      bool  // no condition but time: the events themselves are walked
	newest, spans int64 // the leaf of the newest event, and how many leaves come with it at most
	done          float64
	ended         bool
}

func (l *Log) newExport(ctx context.Context, log string, f Filter, size int64) (*export, error) {
	x := &export{walk: walk{log: l, logID: log, low: 0, high: math.MaxInt64}, size: size}
	if err := x.bounds(f); err != nil {
		return nil, err
	}
	var err error
	if x.filter, err = l.resolve(ctx, log, f); err != nil {
		return nil, err
	}
	if err := x.plan(ctx); err != nil {
		return nil, err
	}
	f.After, f.Before = time.Time{}, time.Time{}
	x.straight = f.IsZero()
	return x, x.extent(ctx)
}

// extent finds out between which leaves the walk goes. Leaves and places have
// nearly the same order, so that they tell how far it has come.
func (x *export) extent(ctx context.Context) error {
	oldest := int64(0)
	for _, end := range []struct {
		leaf  *int64
		order string
	}{{&x.newest, "DESC"}, {&oldest, "ASC"}} {
		err := x.log.db.QueryRowContext(ctx, `
			SELECT l.leaf FROM audit_event e JOIN audit_leaf l ON l.log = e.log AND l.n = e.n
			WHERE e.log = $1 AND e.n BETWEEN $2 AND $3 ORDER BY e.n `+end.order+` LIMIT 1`, x.logID, x.low, x.high).Scan(end.leaf)
		if errors.Is(err, sql.ErrNoRows) {
			return nil // nothing to read
		}
		if err != nil {
			return fmt.Errorf("exporting: %w", err)
		}
	}
	x.newest = min(x.newest, x.size-1)
	x.spans = max(1, x.newest-oldest+1)
	return nil
}

// pile are rows of one statement and how far it went.
type pile struct {
	rows []row
	done float64
}

// row is an event as it is stored.
type row struct {
	leaf      int64
	body      []byte
	who, what part
}

// fetch reads the next rows, newest first. ok is false once there are none.
func (x *export) fetch(ctx context.Context) (p pile, ok bool, err error) {
	if x.ended {
		return p, false, nil
	}
	query, args := x.question()
	rows, err := x.log.db.QueryContext(ctx, query, args...)
	if err != nil {
		return p, false, fmt.Errorf("exporting: %w", err)
	}
	defer rows.Close()
	var kept arena
	seen := 0
	for kept.bytes < exportBytes && rows.Next() {
		seen++
		if err := x.take(rows, &p, &kept); err != nil {
			return p, false, err
		}
	}
	if err := rows.Err(); err != nil {
		return p, false, fmt.Errorf("exporting: %w", err)
	}
	if x.ended = seen < exportBatch && kept.bytes < exportBytes; x.ended {
		x.done = 1
	}
	p.done = x.done
	return p, true, nil
}

// question is the statement for the next rows.
func (x *export) question() (string, []any) {
	const columns = `e.body, who.salt, who.part, what.salt, what.part, l.leaf`
	const joins = `
		LEFT JOIN audit_part what ON what.log = e.log AND what.n = e.n AND what.kind = 'what'
		LEFT JOIN audit_part who ON who.log = e.log AND who.n = e.n AND who.kind = 'who'
		LEFT JOIN audit_leaf l ON l.log = e.log AND l.n = e.n`
	if x.straight {
		return `SELECT e.n, ` + columns + ` FROM audit_event e` + joins + `
			WHERE e.log = $1 AND e.n BETWEEN $2 AND $3 ORDER BY e.n DESC LIMIT $4`, []any{x.logID, x.low, x.high, exportBatch}
	}
	places, args := x.log.backend.find(x.logID, x.whole, x.low, x.high, exportBatch, false)
	return `SELECT place.n, ` + columns + ` FROM (` + places + `) AS place
		LEFT JOIN audit_event e ON e.log = $` + strconv.Itoa(len(args)+1) + ` AND e.n = place.n` + joins + x.log.backend.inOrder(), append(args, x.logID)
}

// take reads one row, and keeps it if it belongs.
func (x *export) take(rows *sql.Rows, p *pile, kept *arena) error {
	var n int64
	var leaf sql.NullInt64
	var body, whoSalt, who, whatSalt, what sql.RawBytes
	if err := rows.Scan(&n, &body, &whoSalt, &who, &whatSalt, &what, &leaf); err != nil {
		return fmt.Errorf("exporting: %w", err)
	}
	x.high = n - 1
	if body == nil || !leaf.Valid || leaf.Int64 >= x.size {
		return nil
	}
	x.done = max(x.done, min(1, float64(x.newest-leaf.Int64+1)/float64(x.spans)))
	p.rows = append(p.rows, row{leaf.Int64, kept.keep(body), part{kept.keep(whoSalt), kept.keep(who)}, part{kept.keep(whatSalt), kept.keep(what)}})
	return nil
}

// arena keeps many small pieces of memory in a few large ones.
type arena struct {
	block []byte
	bytes int // in all blocks
}

func (a *arena) keep(b []byte) []byte {
	if b == nil {
		return nil // an erased part
	}
	if cap(a.block)-len(a.block) < len(b) {
		a.block = make([]byte, 0, max(len(b), 64<<10))
	}
	a.block, a.bytes = append(a.block, b...), a.bytes+len(b)
	return a.block[len(a.block)-len(b) : len(a.block) : len(a.block)]
}

func (x *export) render(p pile, render Render) (b Batch, err error) {
	b.Bytes, b.Done = make([]byte, 0, 512*len(p.rows)), p.done
	for i := range p.rows {
		r := &p.rows[i]
		e, err := decode(r.body, r.who.unlessErased(), r.what.unlessErased())
		if err != nil {
			return b, fmt.Errorf("reading leaf %d of log %s: %w", r.leaf, x.logID, err)
		}
		if e.Leaf = &r.leaf; !x.filter.matches(&e, x.logID) {
			continue
		}
		if b.Bytes, err = render(b.Bytes, &e); err != nil {
			return b, err
		}
		b.Events++
	}
	return b, nil
}

// ahead fetches pieces one after another and works on several at once, but
// gives them in order. A few are made ahead of the caller, no more.
func ahead[P, R any](ctx context.Context, fetch func(context.Context) (P, bool, error), work func(P) (R, error)) iter.Seq2[R, error] {
	type made struct {
		piece R
		err   error
	}
	produce := func(ctx context.Context, pieces chan<- chan made) {
		defer close(pieces)
		for {
			at := make(chan made, 1)
			piece, ok, err := fetch(ctx)
			switch {
			case err != nil:
				at <- made{err: err}
			case !ok:
				return
			default:
				go func() {
					done, err := work(piece)
					at <- made{done, err}
				}()
			}
			select {
			case pieces <- at:
			case <-ctx.Done():
				return
			}
			if err != nil {
				return
			}
		}
	}
	return func(yield func(R, error) bool) {
		ctx, stop := context.WithCancel(ctx)
		pieces := make(chan chan made, runtime.GOMAXPROCS(0))
		defer func() {
			stop()
			for range pieces { // until nothing is fetched any more
			}
		}()
		go produce(ctx, pieces)
		for at := range pieces {
			m := <-at
			if !yield(m.piece, m.err) || m.err != nil {
				return
			}
		}
		if err := ctx.Err(); err != nil {
			var none R
			yield(none, err)
		}
	}
}
