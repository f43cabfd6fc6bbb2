// Orders is an application with one table that knows nothing of OnRecord's
// portal. It places an order and ships it by plain SQL, and prints its log.
// All that it takes to have that on the record is in record.go.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"onrecord/audit"
)

const schema = `CREATE TABLE IF NOT EXISTS orders (
	id TEXT PRIMARY KEY, status TEXT NOT NULL, cents INTEGER NOT NULL, customer TEXT NOT NULL, event_id TEXT NOT NULL) STRICT`

func main() {
	if err := run(context.Background(), "orders.db", os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "orders:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, path string, out io.Writer) error {
	log, err := open(ctx, path)
	if err != nil {
		return err
	}
	defer log.DB().Close()
	defer log.Close()
	order := audit.NewID("order", time.Now())
	if err := change(ctx, log, "order.placed", order, `INSERT INTO orders (event_id, id, status, cents, customer) VALUES ($1, $2, 'open', $3, $4)`, order, 12900, "Sam Roe"); err != nil {
		return err
	}
	if err := change(ctx, log, "order.shipped", order, `UPDATE orders SET event_id = $1, status = 'shipped' WHERE id = $2`, order); err != nil {
		return err
	}
	found, err := log.Search(ctx, "shop", audit.Filter{}, audit.Page{})
	for _, event := range found.Events {
		err = errors.Join(err, json.NewEncoder(out).Encode(event))
	}
	return err
}
