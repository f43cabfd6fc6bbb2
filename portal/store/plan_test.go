package store_test

import (
	"context"
	"database/sql"
	"strings"
	"testing"

	"onrecord/database"
	"onrecord/database/dbtest"
	"onrecord/portal/store"
)

// explainer runs every query after asking the planner how, and fails the test
// if a whole table would be read.
type explainer struct {
	*database.DB
	t     *testing.T
	asked int
}

func (e *explainer) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	e.explain(ctx, query, args)
	return e.DB.QueryContext(ctx, query, args...)
}

func (e *explainer) QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row {
	e.explain(ctx, query, args)
	return e.DB.QueryRowContext(ctx, query, args...)
}

func (e *explainer) explain(ctx context.Context, query string, args []any) {
	e.t.Helper()
	e.asked++
	ask, step := "EXPLAIN QUERY PLAN ", ""
	into := []any{new(int), new(int), new(int), &step}
	if e.Dialect().Name == database.Postgres.Name {
		ask, into = "EXPLAIN ", []any{&step}
	}
	rows, err := e.DB.QueryContext(ctx, ask+query, args...)
	if err != nil {
		e.t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			e.t.Fatal(err)
		}
		// The organization has one row, a constant no table.
		scans := strings.HasPrefix(step, "SCAN ") && step != "SCAN CONSTANT ROW" || strings.Contains(step, "Seq Scan on")
		if scans && !strings.Contains(step, "organization") {
			e.t.Errorf("%s, in\n%s", step, query)
		}
	}
	if err := rows.Err(); err != nil {
		e.t.Fatal(err)
	}
}

// No query about people, devices, teams or sessions reads a whole table.
func TestNoQueryScans(t *testing.T) { dbtest.Each(t, noQueryScans) }

func noQueryScans(t *testing.T, dsn string) {
	ctx := t.Context()
	if strings.HasPrefix(dsn, "postgres:") {
		dsn += "&enable_seqscan=off" // small tables are read whole unless there is no other way
	}
	db := dbtest.Open(t, dsn)
	if _, err := db.Migrate(ctx, store.Schema(db.Dialect())); err != nil {
		t.Fatal(err)
	}
	e := &explainer{DB: db, t: t}
	for _, query := range []func() error{
		func() error { _, err := store.Organization(ctx, e); return err },
		func() error { _, err := store.Teams(ctx, e, "o"); return err },
		func() error { _, err := store.TeamByID(ctx, e, "o", "t"); return err },
		func() error { _, err := store.TeamByName(ctx, e, "o", "t"); return err },
		func() error { _, err := store.Plan(ctx, e, "t"); return err },
		func() error { _, _, _, err := store.Size(ctx, e, "t"); return err },
		func() error { _, err := store.AccountByID(ctx, e, "o", "u"); return err },
		func() error { _, err := store.AccountByEmail(ctx, e, "o", "u"); return err },
		func() error { _, err := store.MemberByID(ctx, e, "t", "u"); return err },
		func() error { _, err := store.Members(ctx, e, "t"); return err },
		func() error { _, err := store.OtherAdmins(ctx, e, "t", "u"); return err },
		func() error { _, err := store.Memberships(ctx, e, "u"); return err },
		func() error { _, err := store.DeviceByID(ctx, e, "t", "d"); return err },
		func() error { _, err := store.DeviceByHostname(ctx, e, "t", "d"); return err },
		func() error { _, err := store.Devices(ctx, e, "t"); return err },
		func() error { _, err := store.DevicesOf(ctx, e, "t", "u"); return err },
		func() error { _, err := store.SessionByToken(ctx, e, []byte("x")); return err },
		func() error { _, err := store.Sessions(ctx, e, "u"); return err },
		func() error { _, err := store.LinkByToken(ctx, e, []byte("x")); return err },
		func() error { _, err := store.APIKeyByID(ctx, e, "t", "k"); return err },
		func() error { _, err := store.APIKeyByToken(ctx, e, "t", []byte("x")); return err },
		func() error { _, err := store.APIKeys(ctx, e, "t"); return err },
	} {
		if err := query(); err != nil && err != sql.ErrNoRows {
			t.Error(err)
		}
	}
	if e.asked != 22 {
		t.Errorf("%d queries were looked at, not 22", e.asked)
	}
}
