package bench

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"

	"onrecord/audit"
	"onrecord/database"
)

// The change that is measured is the smallest there is: one column of one row,
// and the row's stamp.
var (
	changeCatalogue = audit.MustCatalogue(
		audit.Action{ID: "desk.changed", Label: "Changed desk", Group: "Desks", Objects: []string{"desk"}, Doc: "A desk changed."},
	)
	changeTables = []audit.Table{{Name: "desk", Type: "desk", Log: "team", ID: "id", Plain: []string{"state"}, Personal: []string{"hostname"}}}
)

const (
	benchTeam = "team_01kb0000000000000000000000"
	noEvent   = "evt_01kb0000000000000000000000"
	deskCount = 1000
)

// desks are a small database of one audited table and its twin that is not.
type desks struct {
	closing
	db  *database.DB
	log *audit.Log
	n   atomic.Int64
}

func (r *run) desks(ctx context.Context) (_ *desks, err error) {
	d := &desks{}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	if d.db, _, err = r.places.open(ctx, "change", false); err != nil {
		return nil, err
	}
	d.add(d.db.Close)
	const columns = `(team TEXT NOT NULL, id TEXT NOT NULL, hostname TEXT NOT NULL, state TEXT NOT NULL, event_id TEXT NOT NULL, PRIMARY KEY (team, id))`
	if err := write(ctx, d.db, "CREATE TABLE desk "+columns, "CREATE TABLE bare_desk "+columns); err != nil {
		return nil, err
	}
	if _, err := audit.Migrate(ctx, d.db, changeTables); err != nil {
		return nil, err
	}
	if d.log, err = audit.Open(ctx, d.db, changeCatalogue, changeTables, audit.WithoutSealing()); err != nil {
		return nil, err
	}
	d.add(d.log.Close)
	return d, d.fill(ctx)
}

func deskID(i int64) string { return fmt.Sprintf("desk_01kb%022d", i%deskCount) }

func (d *desks) fill(ctx context.Context) error {
	return drive(16, deskCount, func() error {
		i := d.n.Add(1)
		insert := func(into string, tx execer, event string) error {
			_, err := tx.ExecContext(ctx, "INSERT INTO "+into+" VALUES ($1, $2, $3, 'new', $4)", benchTeam, deskID(i), "desk-"+strconv.FormatInt(i, 10), event)
			return err
		}
		_, err := d.log.Record(ctx, d.intent(i), func(tx *audit.Tx) error { return insert("desk", tx, tx.EventID()) })
		if err != nil {
			return err
		}
		return d.db.Write(ctx, func(tx *database.Tx) error { return insert("bare_desk", tx, noEvent) })
	})
}

func (d *desks) intent(i int64) audit.Intent {
	return audit.Intent{
		Log: benchTeam, Action: "desk.changed",
		Actor:   audit.Actor{Type: audit.ActorUser, ID: actorID(uint64(i % 25)), Name: actorName(uint64(i % 25)), Email: fmt.Sprintf("person%d@example.com", i%25)},
		Object:  audit.Ref{Type: "desk", ID: deskID(i), Name: "desk-" + strconv.FormatInt(i%deskCount, 10)},
		Context: audit.Context{IP: "203.0.113.7", UserAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0", Session: "ses_01kb0000000000000000000000", Request: "req_01kb0000000000000000000000", Via: "web"},
	}
}

// recorded changes a desk with its event.
func (d *desks) recorded(ctx context.Context) error {
	i := d.n.Add(1)
	_, err := d.log.Record(ctx, d.intent(i), func(tx *audit.Tx) error {
		return update(ctx, tx, "desk", i, tx.EventID())
	})
	return err
}

// bare makes the same change through the same writer, and records nothing.
func (d *desks) bare(ctx context.Context) error {
	i := d.n.Add(1)
	return d.db.Write(ctx, func(tx *database.Tx) error { return update(ctx, tx, "bare_desk", i, noEvent) })
}

// update changes the same rows of both tables by the same statement.
func update(ctx context.Context, tx execer, table string, i int64, event string) error {
	_, err := tx.ExecContext(ctx, "UPDATE "+table+" SET state = $1, event_id = $2 WHERE team = $3 AND id = $4", strconv.FormatInt(i, 10), event, benchTeam, deskID(i))
	return err
}

// drive does a number of operations from several goroutines.
func drive(clients, operations int, op func() error) error {
	var wg sync.WaitGroup
	var left atomic.Int64
	left.Store(int64(operations))
	errs := make([]error, clients)
	for c := range clients {
		wg.Go(func() {
			for left.Add(-1) >= 0 && errs[c] == nil {
				errs[c] = op()
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// changes measures a change with its event: what its caller waits for, and all
// that it costs until it is sealed and indexed, which is done behind the
// commit.
func (r *run) changes(ctx context.Context) (err error) {
	d, err := r.desks(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	seal := func() error { return d.log.Seal(ctx) }
	goals := map[int]float64{1: 1.4, 16: 2}
	if d.db.Dialect().Name != database.SQLite.Name {
		goals[16] = 1.25
	}
	for _, clients := range []int{1, 16} {
		n := r.portion(25, 2000)
		many := func(op func(context.Context) error) func() error {
			return func() error { return drive(clients, n, func() error { return op(ctx) }) }
		}
		name := fmt.Sprintf("change/%d", clients)
		what := fmt.Sprintf("a change with its event, %s", clientsOf(clients))
		const against = "the same change without any recording"
		got, err := r.compare(ctx, name, n, many(d.recorded), many(d.bare), seal)
		if err != nil {
			return err
		}
		r.report(got.row(name, what, against).atMost(goals[clients]))
		name += " sealed"
		got, err = r.compare(ctx, name, n, func() error { return errors.Join(many(d.recorded)(), seal()) }, many(d.bare), nil)
		if err != nil {
			return err
		}
		r.report(got.row(name, what+", until it is sealed and indexed", against))
	}
	if d.db.Dialect().Name == database.SQLite.Name {
		err = r.grouped(ctx, d, seal)
	} else {
		err = r.triggers(ctx, d, seal)
	}
	if err != nil {
		return err
	}
	return r.check(ctx, d.log)
}

func clientsOf(n int) string {
	if n == 1 {
		return "1 client"
	}
	return fmt.Sprintf("%d clients at once", n)
}

// grouped compares many who commit together with the same many one by one.
func (r *run) grouped(ctx context.Context, d *desks, seal func() error) error {
	n := r.portion(50, 1000)
	var turn sync.Mutex
	together := func() error { return drive(16, n, func() error { return d.recorded(ctx) }) }
	inTurn := func() error {
		err := drive(16, n, func() error {
			turn.Lock()
			defer turn.Unlock()
			return d.recorded(ctx)
		})
		return errors.Join(err, seal())
	}
	got, err := r.compare(ctx, "change/grouped", n, together, inTurn, seal)
	if err != nil {
		return err
	}
	row := got.row("change/grouped", "recorded changes of 16 clients, committed together", "the same, one commit each")
	row.Ratio, row.Note = 1/got.ratio, "ratio of the rates"
	r.report(row.atLeast(2.5))
	return nil
}
