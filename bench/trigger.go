package bench

import (
	"context"
	"fmt"

	"onrecord/database"
)

// What people use instead on PostgreSQL: a trigger that copies the old and the
// new row as jsonb into a table of changes. It knows neither who nor why, keeps
// nothing in a form that could be proved, and finds nothing by actor or word.
// The long form also derives a stable id of the row and indexes it, which is
// what finding the history of one row takes.
var triggerAudit = []string{
	`CREATE TABLE short_desk (LIKE desk INCLUDING INDEXES)`,
	`CREATE TABLE long_desk (LIKE desk INCLUDING INDEXES)`,
	`CREATE TABLE short_change (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at TIMESTAMPTZ NOT NULL DEFAULT now(),
		tbl TEXT NOT NULL, op TEXT NOT NULL, old JSONB, new JSONB)`,
	`CREATE TABLE long_change (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at TIMESTAMPTZ NOT NULL DEFAULT now(),
		tbl TEXT NOT NULL, op TEXT NOT NULL, old_row UUID, new_row UUID, old JSONB, new JSONB)`,
	`CREATE INDEX long_change_old ON long_change (old_row) WHERE old_row IS NOT NULL`,
	`CREATE INDEX long_change_new ON long_change (new_row) WHERE new_row IS NOT NULL`,
	`CREATE INDEX long_change_tbl ON long_change (tbl)`,
	`CREATE INDEX long_change_at ON long_change USING brin (at)`,
	`CREATE FUNCTION short_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO short_change (tbl, op, old, new) VALUES (TG_TABLE_NAME, TG_OP, to_jsonb(OLD), to_jsonb(NEW));
		RETURN NULL;
	END $$`,
	`CREATE FUNCTION row_id(tbl OID, team TEXT, id TEXT) RETURNS UUID LANGUAGE sql IMMUTABLE AS $$
		SELECT md5(jsonb_build_array(tbl, team, id)::text)::uuid
	$$`,
	`CREATE FUNCTION long_changed() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
		INSERT INTO long_change (tbl, op, old_row, new_row, old, new)
		VALUES (TG_TABLE_NAME, TG_OP, row_id(TG_RELID, OLD.team, OLD.id), row_id(TG_RELID, NEW.team, NEW.id), to_jsonb(OLD), to_jsonb(NEW));
		RETURN NULL;
	END $$`,
	`INSERT INTO short_desk SELECT * FROM bare_desk`,
	`INSERT INTO long_desk SELECT * FROM bare_desk`,
	`CREATE TRIGGER changed AFTER UPDATE ON short_desk FOR EACH ROW EXECUTE FUNCTION short_changed()`,
	`CREATE TRIGGER changed AFTER UPDATE ON long_desk FOR EACH ROW EXECUTE FUNCTION long_changed()`,
}

// triggers compares a change with its event with the same change under a
// trigger.
func (r *run) triggers(ctx context.Context, d *desks, seal func() error) error {
	if err := write(ctx, d.db, triggerAudit...); err != nil {
		return err
	}
	n := r.portion(25, 2000)
	many := func(op func() error) func() error { return func() error { return drive(16, n, op) } }
	ours := many(func() error { return d.recorded(ctx) })
	under := func(table string) func() error {
		return many(func() error {
			i := d.n.Add(1)
			return d.db.Write(ctx, func(tx *database.Tx) error { return update(ctx, tx, table, i, noEvent) })
		})
	}
	for _, t := range []struct{ name, table, what string }{
		{"change/16 against triggers", "short_desk", "the same change under a trigger that copies both rows as jsonb"},
		{"change/16 against triggers with ids", "long_desk", "the same, with an id of the row and its indexes"},
	} {
		got, err := r.compare(ctx, t.name, n, ours, under(t.table), seal)
		if err != nil {
			return err
		}
		r.report(got.row(t.name, "a change with its event, 16 clients at once", t.what).atMost(1))
	}
	for table, log := range map[string]string{"short_desk": "short_change", "long_desk": "long_change"} {
		if got, err := number(ctx, d.db, `SELECT count(*) FROM `+log+` WHERE tbl = $1`, table); err != nil || got < int64(n) {
			return fmt.Errorf("the trigger of %s wrote %d rows: %w", table, got, err)
		}
	}
	return nil
}
