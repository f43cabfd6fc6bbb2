package audit_test

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"sync"
	"testing"

	"onrecord/audit"
	"onrecord/audit/audittest"
	"onrecord/database"
)

var catalogue = audit.MustCatalogue(
	audit.Action{ID: "order.created", Label: "Created order", Group: "Orders", Objects: []string{"order"}, Doc: "An order was created."},
	audit.Action{ID: "order.changed", Label: "Changed order", Group: "Orders", Objects: []string{"order"}, Doc: "An order was changed."},
	audit.Action{ID: "order.viewed", Label: "Viewed order", Group: "Orders", Objects: []string{"order"}, Doc: "An order was shown.", Quiet: true},
)

var orders = audit.Table{
	Name: "orders", Type: "order", Log: "shop", ID: "id",
	Plain: []string{"status", "amount"}, Personal: []string{"customer"}, Secret: []string{"card"}, Digest: []string{"note"},
}

const ordersSQL = `CREATE TABLE orders (
	shop TEXT NOT NULL, id TEXT NOT NULL, status TEXT NOT NULL, amount INTEGER, customer TEXT, card TEXT, note TEXT,
	number INTEGER GENERATED ALWAYS AS (amount) VIRTUAL,
	event_id TEXT NOT NULL, PRIMARY KEY (shop, id), UNIQUE (shop, customer)) STRICT`

func openShop(t *testing.T) *audit.Log {
	t.Helper()
	ctx := t.Context()
	db, err := database.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if err := db.Write(ctx, func(tx *database.Tx) error { _, err := tx.ExecContext(ctx, ordersSQL); return err }); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Migrate(ctx, db, []audit.Table{orders}); err != nil {
		t.Fatal(err)
	}
	l, err := audit.Open(ctx, db, catalogue, []audit.Table{orders})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close(); audittest.CheckLog(ctxless{t}, l) })
	return l
}

// ctxless lends CheckLog a context that is still alive during cleanup.
type ctxless struct{ testing.TB }

func (ctxless) Context() context.Context { return context.Background() }

func intent(action, id string) audit.Intent {
	return audit.Intent{
		Log: "shop_1", Action: action, Object: audit.Ref{Type: "order", ID: id, Name: "Order " + id},
		Actor:   audit.Actor{Type: audit.ActorUser, ID: "user_1", Name: "Dana Cruz", Email: "dana@example.com"},
		Context: audit.Context{IP: "203.0.113.7", UserAgent: "test", Via: "web"},
	}
}

func TestRecord(t *testing.T) {
	l := openShop(t)
	ctx := t.Context()
	created, err := l.Record(ctx, intent("order.created", "o1"), func(tx *audit.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO orders (shop, id, status, amount, customer, card, note, event_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)`,
			"shop_1", "o1", "open", 5, "Sam <Roe>", "4111", "a note", tx.EventID())
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	changed, err := l.Record(ctx, intent("order.changed", "o1"), func(tx *audit.Tx) error {
		for _, q := range []string{`UPDATE orders SET status = 'paid', card = '4222', event_id = $1`, `UPDATE orders SET amount = NULL, note = 'b', event_id = $1`} {
			if _, err := tx.ExecContext(ctx, q, tx.EventID()); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	e, err := l.Event(ctx, "shop_1", changed)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", e)
	for i, want := range []string{"card secret  ", "status plain open paid", "amount plain 5 ", "note digest"} {
		c := e.Changes[i]
		got := c.Field + " " + string(c.Class)
		if c.Class != audit.Digest {
			got += " " + c.From.String() + " " + c.To.String()
		}
		if got != want || c.Prev != created {
			t.Errorf("change %d: %q after %s, want %q after %s", i, got, c.Prev, want, created)
		}
	}
	res, err := l.Search(ctx, "shop_1", audit.Filter{Text: audit.Values{Any: []string{"roe"}}}, audit.Page{})
	if err != nil || len(res.Events) != 1 || res.Events[0].ID != created {
		t.Errorf("searching roe: %v, %v", res, err)
	}
}

func TestRecordTogether(t *testing.T) {
	l := openShop(t)
	ctx := t.Context()
	boom := errors.New("boom")
	var wg sync.WaitGroup
	for i := range 64 {
		wg.Go(func() {
			id := "o" + strconv.Itoa(i)
			_, err := l.Record(ctx, intent("order.created", id), func(tx *audit.Tx) error {
				if _, err := tx.ExecContext(ctx, `INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_1', $1, 'open', $2)`, id, tx.EventID()); err != nil {
					return err
				}
				if i%4 == 0 {
					return boom
				}
				return nil
			})
			if (err != nil) != (i%4 == 0) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	res, err := l.Search(ctx, "shop_1", audit.Filter{}, audit.Page{Limit: 1000})
	if err != nil {
		t.Fatal(err)
	}
	if len(res.Events) != 48+10 {
		t.Errorf("%d events, want 48 and the first ten refusals", len(res.Events))
	}
}
