package audit_test

import (
	"context"
	"database/sql"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"onrecord/audit"
	"onrecord/database"
)

var actions = audit.MustCatalogue(
	audit.Action{ID: "order.placed", Label: "Placed order", Group: "Orders", Objects: []string{"order"}, Doc: "A customer placed an order."},
	audit.Action{ID: "order.shipped", Label: "Shipped order", Group: "Orders", Objects: []string{"order"}, Doc: "An order left the house."},
	audit.Action{ID: "order.viewed", Label: "Viewed order", Group: "Orders", Objects: []string{"order"}, Doc: "An order was shown.", Quiet: true},
)

var tables = []audit.Table{{
	Name: "orders", Type: "order", Log: "shop", ID: "id",
	Plain:    []string{"status", "cents"}, // in clear, for ever
	Personal: []string{"customer"},        // erasable
	Secret:   []string{"card"},            // never recorded, only that it changed
	Digest:   []string{"letter"},          // a salted digest
}}

const ordersTable = `CREATE TABLE orders (
	shop     TEXT NOT NULL,
	id       TEXT NOT NULL,
	status   TEXT NOT NULL,
	cents    INTEGER NOT NULL,
	customer TEXT,
	card     TEXT,
	letter   TEXT,
	event_id TEXT NOT NULL,
	PRIMARY KEY (shop, id)
) STRICT`

// A program declares its tables and actions, and makes its changes through the
// log. The event's before and after come from the rows themselves.
func Example() {
	ctx := context.Background()
	l, done := openShop(ctx)
	defer done()

	place := audit.Intent{
		Log:    "shop_1",
		Actor:  audit.Actor{Type: audit.ActorUser, ID: "clerk_7", Name: "Ana Ruiz", Email: "ana@example.com"},
		Action: "order.placed",
		Object: audit.Ref{Type: "order", ID: "o1", Name: "Two chairs"},
	}
	_, err := l.Record(ctx, place, func(tx *audit.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO orders (shop, id, status, cents, customer, event_id)
			VALUES ('shop_1', 'o1', 'open', 12900, 'Sam Roe', $1)`, tx.EventID())
		return err
	})
	if err != nil {
		log.Fatal(err)
	}

	filter, err := audit.ParseQuery(`actor:ana object:"two chairs" after:2026-01-01`)
	if err != nil {
		log.Fatal(err)
	}
	found, err := l.Search(ctx, "shop_1", filter, audit.Page{Limit: 10})
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range found.Events {
		fmt.Println(e.Actor.Name, e.Action, e.Object.ID)
		for _, c := range e.Changes {
			fmt.Printf("  %s (%s): %q to %q\n", c.Field, c.Class, c.From, c.To)
		}
	}
	// Output:
	// Ana Ruiz order.placed o1
	//   cents (plain): "" to "12900"
	//   customer (personal): "" to "Sam Roe"
	//   status (plain): "" to "open"
}

// A refusal is an event as well: return the error that says what is wrong.
func ExampleLog_Record_refusal() {
	ctx := context.Background()
	l, done := openShop(ctx)
	defer done()

	ship := audit.Intent{
		Log:    "shop_1",
		Actor:  audit.Actor{Type: audit.ActorUser, ID: "clerk_7"},
		Action: "order.shipped",
		Object: audit.Ref{Type: "order", ID: "o1"},
	}
	_, err := l.Record(ctx, ship, func(tx *audit.Tx) error {
		res, err := tx.ExecContext(ctx, `
			UPDATE orders SET status = 'shipped', event_id = $1
			WHERE shop = 'shop_1' AND id = 'o1' AND status = 'open'`, tx.EventID())
		if err != nil {
			return err
		}
		if n, err := res.RowsAffected(); n == 0 || err != nil {
			return audit.Conflict("This order is not open.")
		}
		return nil
	})
	fmt.Println(err, "/", audit.CodeOf(err))

	found, err := l.Search(ctx, "shop_1", audit.Filter{}, audit.Page{})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(found.Events[0].Action, found.Events[0].Outcome, found.Events[0].Error)
	// Output:
	// This order is not open. / conflict
	// order.shipped failed conflict
}

// Note comes before what it discloses: it returns when the event is durable.
func ExampleLog_Note() {
	ctx := context.Background()
	l, done := openShop(ctx)
	defer done()

	_, err := l.Note(ctx, audit.Intent{
		Log:    "shop_1",
		Actor:  audit.Actor{Type: audit.ActorUser, ID: "clerk_7"},
		Action: "order.viewed",
		Object: audit.Ref{Type: "order", ID: "o1"},
	})
	if err != nil {
		fmt.Println("nothing is shown:", err)
		return
	}
	fmt.Println("the order")
	// Output: the order
}

// RecordTx joins a transaction of the application's own: both are committed, or
// neither. The handle may come from any SQLite driver.
func ExampleLog_RecordTx() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	handle, err := sql.Open("sqlite", "file:"+filepath.Join(dir, "shop.db")+
		"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=recursive_triggers(ON)&_txlock=immediate")
	if err != nil {
		log.Fatal(err)
	}
	defer handle.Close()
	if _, err := handle.ExecContext(ctx, ordersTable); err != nil {
		log.Fatal(err)
	}

	db, err := database.Wrap(ctx, handle, database.SQLite)
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close() // leaves the handle open
	if _, err := audit.Migrate(ctx, db, tables); err != nil {
		log.Fatal(err)
	}
	l, err := audit.Open(ctx, db, actions, tables)
	if err != nil {
		log.Fatal(err)
	}
	defer l.Close()

	tx, err := handle.BeginTx(ctx, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer tx.Rollback()
	id, err := l.RecordTx(ctx, tx, audit.Intent{
		Log:    "shop_1",
		Actor:  audit.Actor{Type: audit.ActorSystem},
		Action: "order.placed",
		Object: audit.Ref{Type: "order", ID: "o1"},
	}, func(rec *audit.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO orders (shop, id, status, cents, event_id)
			VALUES ('shop_1', 'o1', 'open', 500, $1)`, rec.EventID())
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		log.Fatal(err)
	}

	e, err := l.Event(ctx, "shop_1", id)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(e.Action, e.Changes[0].Field, e.Changes[0].To)
	// Output: order.placed cents 500
}

func ExampleParseQuery() {
	filter, err := audit.ParseQuery(`-outcome:ok actor:"Dana Cruz",sam@example.com after:2026-11-01 refund`)
	fmt.Println(filter, err)
	_, err = audit.ParseQuery("actr:dana")
	fmt.Println(err)
	// Output:
	// actor:"Dana Cruz",sam@example.com -outcome:ok after:2026-11-01 refund <nil>
	// "actr:dana" (at 1): there is no field actr: (did you mean actor:?); the fields are actor: action: object: type: outcome: ip: via: session: request: hours: after: before: (put the word in quotes to search for it as text)
}

// openShop opens the shop in a folder of its own.
func openShop(ctx context.Context) (l *audit.Log, done func()) {
	dir, err := os.MkdirTemp("", "")
	if err != nil {
		log.Fatal(err)
	}
	db, err := database.Open(ctx, "sqlite:"+filepath.Join(dir, "shop.db"))
	if err != nil {
		log.Fatal(err)
	}
	err = db.Write(ctx, func(tx *database.Tx) error {
		_, err := tx.ExecContext(ctx, ordersTable)
		return err
	})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := audit.Migrate(ctx, db, tables); err != nil {
		log.Fatal(err)
	}
	l, err = audit.Open(ctx, db, actions, tables)
	if err != nil {
		log.Fatal(err)
	}
	return l, func() {
		l.Close()
		db.Close()
		os.RemoveAll(dir)
	}
}
