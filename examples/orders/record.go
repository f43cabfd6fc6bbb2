package main

import (
	"context"

	"onrecord/audit"
	"onrecord/database"
)

// tables say how each column is recorded: the status in clear, the customer's
// name so that it can be erased one day.
var tables = []audit.Table{{Name: "orders", Type: "order", ID: "id", Plain: []string{"status", "cents"}, Personal: []string{"customer"}}}

var actions = audit.MustCatalogue(
	audit.Action{ID: "order.placed", Label: "Placed order", Group: "Orders", Objects: []string{"order"}, Doc: "A customer placed an order."},
	audit.Action{ID: "order.shipped", Label: "Shipped order", Group: "Orders", Objects: []string{"order"}, Doc: "An order left the house."},
)

// open opens the database, makes the application's table and then the log.
func open(ctx context.Context, path string) (*audit.Log, error) {
	db, err := database.Open(ctx, "sqlite:"+path)
	if err != nil {
		return nil, err
	}
	err = db.Write(ctx, func(tx *database.Tx) error { _, err := tx.ExecContext(ctx, schema); return err })
	if err == nil {
		_, err = audit.Migrate(ctx, db, tables)
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return audit.Open(ctx, db, actions, tables)
}

// change runs one statement on the record; its $1 is the event's id.
func change(ctx context.Context, log *audit.Log, action, order, query string, args ...any) error {
	in := audit.Intent{Log: "shop", Action: action, Object: audit.Ref{Type: "order", ID: order},
		Actor: audit.Actor{Type: audit.ActorUser, ID: "clerk_7", Name: "Ana Ruiz"}}
	_, err := log.Record(ctx, in, func(tx *audit.Tx) error {
		_, err := tx.ExecContext(ctx, query, append([]any{tx.EventID()}, args...)...)
		return err
	})
	return err
}
