package audittest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/database/dbtest"
)

// dialect is what the tests say differently to each database.
type dialect struct {
	find     string                                          // a function: where bytes stand in others, 0 if nowhere
	bytes    func(hex string) string                         // a value of bytes
	zeros    string                                          // 32 zero bytes
	edited   func(column, from, to string) string            // bytes with a text replaced
	joined   func(a, b string) string                        // bytes one behind the other
	overlaid func(column string, at int, text string) string // bytes with some overwritten

	emptyIndex string
	plain      func(old, last string) []string // more statements that a guard refuses
	stamped    []string                        // those that it refuses inside a record too; $1 is the stamp
	weakened   [][]string                      // ways of weakening the guard of orders

	// unguarded gives what makes the rest of a transaction free of guards.
	unguarded func(context.Context, *database.Tx) ([]string, error)
}

func (s *Shop) onPostgres() bool { return s.DB.Dialect().Name == database.Postgres.Name }

func (s *Shop) sql() dialect {
	if s.onPostgres() {
		return postgresDialect
	}
	return sqliteDialect
}

var sqliteDialect = dialect{
	find:  "instr",
	bytes: func(hex string) string { return "x'" + hex + "'" },
	zeros: "zeroblob(32)",
	edited: func(column, from, to string) string {
		return fmt.Sprintf("CAST(replace(%s, '%s', '%s') AS BLOB)", column, from, to)
	},
	joined: func(a, b string) string { return fmt.Sprintf("CAST(%s || %s AS BLOB)", a, b) },
	overlaid: func(column string, at int, text string) string {
		return fmt.Sprintf("CAST(replace(%s, substr(%[1]s, %d, %d), '%s') AS BLOB)", column, at, len(text), text)
	},
	emptyIndex: `INSERT INTO audit_index (audit_index) VALUES ('delete-all')`,
	plain: func(_, last string) []string {
		return []string{
			`UPDATE OR REPLACE orders SET customer = 'Sam' WHERE id = 'o1'`,
			`INSERT OR REPLACE INTO orders (shop, id, status, event_id) VALUES ('shop_1', 'o1', 'free', '` + last + `')`,
			`REPLACE INTO orders (shop, id, status, event_id) VALUES ('shop_1', 'o1', 'free', '` + last + `')`,
			`INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_1', 'o1', 'free', 'x') ON CONFLICT DO UPDATE SET status = 'free'`,
			`INSERT OR REPLACE INTO audit_event SELECT n, log, id, x'00' FROM audit_event`,
			`REPLACE INTO audit_event SELECT n, 'shop_2', id, body FROM audit_event`,
			`REPLACE INTO audit_part SELECT log, n, kind, salt, x'00' FROM audit_part`,
			`REPLACE INTO audit_leaf SELECT log, leaf, n, x'00' FROM audit_leaf`,
			`REPLACE INTO audit_checkpoint SELECT log, size, x'00' FROM audit_checkpoint`,
		}
	},
	stamped: []string{
		`INSERT OR REPLACE INTO orders (shop, id, status, event_id) VALUES ('shop_1', 'o1', 'free', $1)`,
		`INSERT OR REPLACE INTO orders (shop, id, status, customer, event_id) VALUES ('shop_1', 'o4', 'free', 'Sam', $1)`,
		`UPDATE OR REPLACE orders SET customer = 'Sam', event_id = $1 WHERE id = 'o1'`,
	},
	weakened: [][]string{{
		`DROP TRIGGER audit_guard_orders_update`,
		`DROP TRIGGER audit_guard_orders_updated`,
		`CREATE TRIGGER audit_guard_orders_update BEFORE UPDATE ON orders BEGIN SELECT 1; END`,
	}, {`DROP TRIGGER audit_guard_orders_delete`}},
	unguarded: func(ctx context.Context, tx *database.Tx) ([]string, error) {
		rows, err := tx.QueryContext(ctx, `SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'audit_guard%'`)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		var drop []string
		for rows.Next() {
			var name string
			if err := rows.Scan(&name); err != nil {
				return nil, err
			}
			drop = append(drop, `DROP TRIGGER "`+name+`"`)
		}
		return drop, rows.Err()
	},
}

var postgresDialect = dialect{
	find:  `pg_catalog."position"`,
	bytes: func(hex string) string { return `'\x` + hex + `'::bytea` },
	zeros: `decode(repeat('00', 32), 'hex')`,
	edited: func(column, from, to string) string {
		return fmt.Sprintf("convert_to(replace(convert_from(%s, 'UTF8'), '%s', '%s'), 'UTF8')", column, from, to)
	},
	joined: func(a, b string) string { return a + " || " + b },
	overlaid: func(column string, at int, text string) string {
		return fmt.Sprintf("overlay(%s PLACING convert_to('%s', 'UTF8') FROM %d)", column, text, at)
	},
	emptyIndex: `DELETE FROM audit_index`,
	plain: func(old, last string) []string {
		return []string{
			`INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_1', 'o1', 'free', 'x') ON CONFLICT (shop, id) DO UPDATE SET status = 'free'`,
			`INSERT INTO orders (shop, id, status, event_id) VALUES ('shop_1', 'o1', 'free', 'x') ON CONFLICT (shop, id) DO UPDATE SET status = 'free', event_id = '` + old + `'`,
			`MERGE INTO orders o USING (SELECT 'o1' AS id) s ON o.id = s.id WHEN MATCHED THEN UPDATE SET status = 'free'`,
			`MERGE INTO orders o USING (SELECT 'o1' AS id) s ON o.id = s.id WHEN MATCHED THEN DELETE`,
			`WITH gone AS (DELETE FROM orders RETURNING id) SELECT count(*) FROM gone`,
			`TRUNCATE orders`,
			`TRUNCATE audit_event`, `TRUNCATE audit_part`, `TRUNCATE audit_name`,
			`TRUNCATE audit_unsealed`, `TRUNCATE audit_leaf`, `TRUNCATE audit_checkpoint`,
			// The settings may be set by hand: what the key says stands all the same.
			`WITH s AS MATERIALIZED (SELECT set_config('onrecord.append', '|` + last + `|', true)) INSERT INTO audit_event (log, n, id, body) SELECT e.log, e.n, e.id, '\x7b7d' FROM audit_event e, s WHERE e.id = '` + last + `'`,
		}
	},
	weakened: [][]string{
		{`DROP TRIGGER audit_guard_orders_change ON orders`},
		{`DROP TRIGGER audit_guard_orders_delete ON orders`},
		{`ALTER TABLE orders DISABLE TRIGGER ALL`},
		{`CREATE OR REPLACE FUNCTION audit_guard_orders_change() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$`},
	},
	unguarded: func(context.Context, *database.Tx) ([]string, error) {
		return []string{`SET LOCAL session_replication_role = replica`}, nil
	},
}

// copied names a copy of the shop's database.
func (s *Shop) copied(t *testing.T) string {
	t.Helper()
	dsn := s.fresh(t)
	if !s.onPostgres() {
		if err := s.DB.CopyTo(t.Context(), strings.TrimPrefix(dsn, "sqlite:")); err != nil {
			t.Fatal(err)
		}
		return dsn
	}
	to := &Shop{T: t, DB: dbtest.Open(t, dsn)}
	to.Write(ordersSQL)
	if _, err := audit.Migrate(t.Context(), to.DB, []audit.Table{Orders}); err != nil {
		t.Fatal(err)
	}
	if err := copyTables(t.Context(), s.DB.DSN(), dsn); err != nil {
		t.Fatal(err)
	}
	return dsn
}

// copyTables copies what is in the shop's tables as it stands.
func copyTables(ctx context.Context, from, to string) error {
	source, err := pgx.Connect(ctx, from)
	if err != nil {
		return err
	}
	defer source.Close(ctx)
	target, err := pgx.Connect(ctx, to)
	if err != nil {
		return err
	}
	defer target.Close(ctx)
	if _, err := target.Exec(ctx, `SET session_replication_role = replica`); err != nil {
		return err
	}
	for _, table := range []string{
		"orders", "audit_event", "audit_part", "audit_unsealed", "audit_leaf", "audit_checkpoint", "audit_unsigned",
		"audit_index", "audit_name", "audit_count",
	} {
		var rows bytes.Buffer
		if _, err := source.PgConn().CopyTo(ctx, &rows, `COPY `+table+` TO STDOUT`); err != nil {
			return err
		}
		if _, err := target.PgConn().CopyFrom(ctx, &rows, `COPY `+table+` FROM STDIN`); err != nil {
			return err
		}
	}
	return nil
}
