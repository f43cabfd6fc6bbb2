package audittest

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/database"
)

// Crash kills programs while they record, again and again on the same
// database: every change that was answered is there with its event, every row
// is explained by the log, and of what was not answered no half is left. fresh
// names a database that is empty or not made yet.
//
// Call it from a test that does nothing else.
func Crash(t *testing.T, fresh func(testing.TB) (dsn string), rounds, children int) {
	dsn := killed(t, fresh)
	c := &crash{orders: map[string]int{}}
	Kill{
		DSN: dsn, Rounds: rounds, Children: children, Within: 10 * time.Millisecond, Answers: 15,
		Load: crashLoad, Verify: func(t *testing.T, answered []string) { c.verify(t, dsn, answered) },
	}.Run(t)
}

// CrashAtStart kills programs while they open, migrate and repair the
// database.
func CrashAtStart(t *testing.T, fresh func(testing.TB) (dsn string), within time.Duration) {
	dsn := killed(t, fresh)
	c := &crash{orders: map[string]int{}}
	Kill{
		DSN: dsn, Rounds: 2, Children: 2, Within: within,
		Load: crashLoad, Verify: func(t *testing.T, answered []string) { c.verify(t, dsn, answered) },
	}.Run(t)
}

func openShop(ctx context.Context, dsn string) (*database.DB, *audit.Log, error) {
	db, err := database.Open(ctx, dsn)
	if err != nil {
		return nil, nil, err
	}
	err = db.Write(ctx, func(tx *database.Tx) error {
		if db.Dialect().Name == database.Postgres.Name { // IF NOT EXISTS alone does not help two at once
			if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(1)`); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, strings.Replace(ordersSQL, "CREATE TABLE", "CREATE TABLE IF NOT EXISTS", 1))
		return err
	})
	if err == nil {
		_, err = audit.Migrate(ctx, db, []audit.Table{Orders})
	}
	var l *audit.Log
	if err == nil {
		l, err = audit.Open(ctx, db, Catalogue, []audit.Table{Orders})
	}
	if err != nil {
		db.Close()
		return nil, nil, err
	}
	return db, l, nil
}

// crashClients work at once in each child, each on orders of its own: the
// amount of an order counts its changes.
const crashClients = 6

func crashLoad(ctx context.Context, dsn, child string, answered func(string)) error {
	_, l, err := openShop(ctx, dsn)
	if err != nil {
		return err
	}
	errs := make(chan error)
	var wg sync.WaitGroup
	for client := range crashClients {
		wg.Go(func() {
			for n := 0; ; n++ {
				order := fmt.Sprintf("o%s-%d-%d", child, client, n)
				if err := crashOrder(ctx, l, order, answered); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	return <-errs
}

// crashOrder makes an order and changes it a few times.
func crashOrder(ctx context.Context, l *audit.Log, order string, answered func(string)) error {
	for amount := range 4 {
		query, action := `UPDATE orders SET amount = $2, event_id = $3 WHERE shop = 'shop_1' AND id = $1`, "order.changed"
		if amount == 0 {
			query, action = `INSERT INTO orders (shop, id, status, amount, event_id) VALUES ('shop_1', $1, 'open', $2, $3)`, "order.created"
		}
		id, err := l.Record(ctx, Intent(action, order), func(tx *audit.Tx) error {
			_, err := tx.ExecContext(ctx, query, order, amount, tx.EventID())
			return err
		})
		if err != nil {
			return err
		}
		answered(fmt.Sprintf("changed %s %d %s", order, amount, id))
	}
	id, err := l.Note(ctx, Intent("order.viewed", order))
	if err == nil {
		answered(fmt.Sprintf("viewed %s 0 %s", order, id))
	}
	return err
}

// crash is what the dead said in all rounds so far.
type crash struct {
	orders map[string]int // the amount last answered
}

func (c *crash) verify(t *testing.T, dsn string, answered []string) {
	t.Helper()
	db, l, err := openShop(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	defer l.Close()
	for _, line := range answered {
		f := fields(t, line, 4)
		e, err := l.Event(t.Context(), "shop_1", f[3])
		if err != nil {
			t.Errorf("%s was answered: %v", line, err)
			continue
		}
		if e.Object.ID != f[1] || e.Outcome != audit.OutcomeOK {
			t.Errorf("%s was answered, its event is %+v", line, e)
		}
		if f[0] != "changed" {
			continue
		}
		if !says(e, "amount", f[2]) {
			t.Errorf("%s was answered, its event says %v", line, Changes(e))
		}
		if c.orders[f[1]], err = strconv.Atoi(f[2]); err != nil {
			t.Fatal(err)
		}
	}
	c.rows(t, db)
	CheckLog(t, l)
}

func says(e audit.Event, field, to string) bool {
	for _, ch := range e.Changes {
		if ch.Field == field && ch.To.String() == to {
			return true
		}
	}
	return false
}

// rows compares every order with what was answered. At most the one change
// that was under way may have been made without an answer.
func (c *crash) rows(t *testing.T, db *database.DB) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), `SELECT id, amount FROM orders`)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	seen := 0
	for rows.Next() {
		var order string
		var amount int
		if err := rows.Scan(&order, &amount); err != nil {
			t.Fatal(err)
		}
		last, known := c.orders[order]
		if known {
			seen++
		} else {
			last = -1
		}
		if amount < last || amount > last+1 {
			t.Errorf("order %s has amount %d, the last that was answered is %d", order, amount, last)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	if seen != len(c.orders) {
		t.Errorf("%d orders were answered, only %d of them are there", len(c.orders), seen)
	}
}
