package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"onrecord/audit"
	"onrecord/portal"
)

// Each look-up is done so many times a round.
const lookUps = 20

// sought is a search and the look-up of the same rows in the bare table.
type sought struct {
	name   string
	what   string
	filter audit.Filter
	bare   string // after FROM bare_event
	args   []any
}

func anyOf(values ...string) audit.Values { return audit.Values{Any: values} }

// searches compares the newest 50 events of a filter, verified and decoded,
// with the same rows by a B-tree made for that very condition, their JSON read
// by encoding/json.
func (r *run) searches(ctx context.Context) error {
	c, err := r.filled(ctx)
	if err != nil {
		return err
	}
	if err := r.bareTwin(ctx, c); err != nil {
		return err
	}
	all, err := c.sought(ctx)
	if err != nil {
		return err
	}
	for _, s := range all {
		if err := r.search(ctx, c, s, 2, "the same rows by a B-tree for this condition, their JSON read"); err != nil {
			return err
		}
	}
	return nil
}

// sought are the filters, each with the commonest and the rarest value.
func (c *center) sought(ctx context.Context) ([]sought, error) {
	d := c.db.Dialect()
	by := func(index, where string) string { return indexedBy(d, index) + "WHERE log = $1" + where }
	var all []sought
	add := func(name, what string, f audit.Filter, bare string, args ...any) {
		all = append(all, sought{name, what, f, bare, append([]any{c.team}, args...)})
	}
	add("search/everything", "everything", audit.Filter{}, by("bare_log", ""))
	pick := func(columns, order, where string) ([]string, error) { return c.pick(ctx, columns, order, where) }
	for _, order := range []struct{ name, by string }{{"commonest", "DESC"}, {"rarest", "ASC"}} {
		v, err := pick("actor", order.by, "actor IS NOT NULL")
		if err != nil {
			return nil, err
		}
		add("search/actor "+order.name, order.name+" actor", audit.Filter{Actor: anyOf(v[0])}, by("bare_actor", " AND actor = $2"), v[0])
		if v, err = pick("action", order.by, "object LIKE 'call_01kb%'"); err != nil {
			return nil, err
		}
		if order.name == "rarest" {
			v = []string{rareAction}
		}
		add("search/action "+order.name, order.name+" action", audit.Filter{Action: anyOf(v[0])}, by("bare_action", " AND action = $2"), v[0])
		if v, err = pick("object", order.by, "object LIKE 'call_01kb%'"); err != nil {
			return nil, err
		}
		add("search/object "+order.name, order.name+" object", audit.Filter{Object: anyOf(v[0])}, by("bare_object", " AND object = $2"), v[0])
		if v, err = pick("actor, action", order.by, "actor IS NOT NULL"); err != nil {
			return nil, err
		}
		add("search/actor+action "+order.name, order.name+" pair of actor and action", audit.Filter{Actor: anyOf(v[0]), Action: anyOf(v[1])},
			by("bare_actor_action", " AND actor = $2 AND action = $3"), v[0], v[1])
	}
	add("search/object+actor", "object and actor", audit.Filter{Object: anyOf(callID(0)), Actor: anyOf(actorID(3))},
		by("bare_object", " AND object = $2 AND actor = $3"), callID(0), actorID(3))
	add("search/object+action", "object and action", audit.Filter{Object: anyOf(callID(0)), Action: anyOf(portal.MetricValueEdited)},
		by("bare_object", " AND object = $2 AND action = $3"), callID(0), portal.MetricValueEdited)
	return all, nil
}

// pick gives the values that occur most, or least.
func (c *center) pick(ctx context.Context, columns, order, where string) ([]string, error) {
	rows, err := c.db.QueryContext(ctx, `SELECT `+columns+`, count(*) FROM bare_event WHERE log = $1 AND `+where+` GROUP BY `+columns+` ORDER BY count(*) `+order+`, `+columns+` LIMIT 1`, c.team)
	if err != nil {
		return nil, err
	}
	found, err := scanAll(rows)
	if err != nil {
		return nil, err
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("the log has no %s: %w", columns, sql.ErrNoRows)
	}
	var values []string
	for _, v := range found[0] {
		values = append(values, fmt.Sprint(v))
	}
	return values, nil
}

// search compares one search with its look-up and adds how long single
// searches took.
func (r *run) search(ctx context.Context, c *center, s sought, goal float64, against string) error {
	log := c.portal.Log()
	var took []float64
	found := 0
	ours := func() error {
		for range lookUps {
			start := time.Now()
			res, err := log.Search(ctx, c.team, s.filter, audit.Page{})
			if err != nil {
				return err
			}
			took = append(took, float64(time.Since(start))/float64(time.Millisecond))
			found = len(res.Events)
		}
		return nil
	}
	bareFound := 0
	bare := func(decode bool) func() error {
		return func() (err error) {
			for range lookUps {
				if bareFound, err = bareSearch(ctx, c.db, s.bare, s.args, decode); err != nil {
					return err
				}
			}
			return nil
		}
	}
	got, err := r.compare(ctx, s.name, lookUps, ours, bare(true), nil)
	if err != nil {
		return err
	}
	took = took[lookUps:] // without the warm-up
	start := time.Now()
	if err := bare(false)(); err != nil {
		return err
	}
	alone := time.Since(start) / lookUps
	if found != bareFound {
		return fmt.Errorf("%s: the log finds %d events, the bare table %d", s.name, found, bareFound)
	}
	row := got.row(s.name, "newest 50 of "+count(r.Events)+" events: "+s.what, against).atMost(goal)
	row.Note = fmt.Sprintf("%d found; p50 %.2f ms, p99 %.2f ms; rows unread %d µs", found, median(took), quantile(took, 0.99), alone.Microseconds())
	r.report(row)
	return nil
}

// count writes a number with separators: 1,000,000.
func count(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return count(n/1000) + fmt.Sprintf(",%03d", n%1000)
}

// words compares free text with a bare word index over the same texts.
func (r *run) words(ctx context.Context) error {
	c, err := r.filled(ctx)
	if err != nil {
		return err
	}
	if err := r.bareTwin(ctx, c); err != nil {
		return err
	}
	rare, err := c.rareWord(ctx)
	if err != nil {
		return err
	}
	for _, w := range []struct{ name, what, word string }{
		{"common", "a common word", "person0"}, {"rare", "a rare word", rare},
		{"in many names", "a word in the names of hundreds of people", "person"},
	} {
		s := sought{name: "words/" + w.name, what: w.what, filter: audit.Filter{Text: anyOf(w.word)}, bare: bareWordQuery(c.db.Dialect()), args: []any{w.word}}
		if err := r.search(ctx, c, s, 2, "the same rows by a bare word index, their JSON read"); err != nil {
			return err
		}
	}
	return nil
}

// rareWord is the number of a customer who called once.
func (c *center) rareWord(ctx context.Context) (string, error) {
	v, err := c.pick(ctx, "object", "ASC", "object LIKE 'call_01kb%'")
	if err != nil {
		return "", err
	}
	if len(v[0]) < 7 {
		return "", errors.New("the object " + v[0] + " is no call of the load")
	}
	return v[0][len(v[0])-7:], nil
}
