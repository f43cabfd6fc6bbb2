package audit

import (
	"context"
	"embed"
	"fmt"
	"io/fs"

	"onrecord/database"
)

//go:embed migrations
var migrations embed.FS

// Schema is the engine's own schema in the database.
func Schema(d database.Dialect) database.Migrations {
	sub, err := fs.Sub(migrations, "migrations/"+d.Name)
	if err != nil {
		panic(err) // the folder is part of the program
	}
	return database.Migrations{Name: "audit", FS: sub}
}

// Exempt lists the engine's own tables that no guard protects, with the reason.
var Exempt = map[string]string{
	"audit_index":       "follows from the events; CheckLog derives it again",
	"audit_index_entry": "a view of audit_index",
	"audit_count":       "counts of events; CheckLog counts again",
	"audit_cosignature": "signatures of others, who alone can make them; a lost one can be had again",
	"audit_unsigned":    "logs that wait for a checkpoint; it is only ever late",
	"audit_open":        "holds the open record, empty between transactions",
	"audit_version":     "the engine's schema version",
}

// Migrate adds the engine's tables to the database, or brings them up to date,
// and installs the guards of tables, which must exist already. backup is the
// path of the copy that was made of a SQLite file before an older schema was
// changed. A guard that is missing or differs is put back.
func Migrate(ctx context.Context, db *database.DB, tables []Table) (backup string, err error) {
	if backup, err = db.Migrate(ctx, Schema(db.Dialect())); err != nil {
		return backup, err
	}
	want := map[string]trigger{}
	for _, t := range engineGuards() {
		want[t.name] = t
	}
	types := map[string]string{}
	for _, t := range tables {
		if other := types[t.Type]; other != "" {
			return backup, fmt.Errorf("audited tables %s and %s both hold objects of type %q: a row is known by its type and id", other, t.Name, t.Type)
		}
		types[t.Type] = t.Name
		cols, err := columns(ctx, db, t.Name)
		if err != nil {
			return backup, err
		}
		if err := t.check(cols); err != nil {
			return backup, err
		}
		keys, err := uniqueKeys(ctx, db, t.Name)
		if err != nil {
			return backup, err
		}
		if err := t.checkKey(keys); err != nil {
			return backup, err
		}
		for _, g := range t.guards(cols, keys) {
			want[g.name] = g
		}
	}
	return backup, installGuards(ctx, db, want)
}

// installGuards makes the guards in the database equal to those wanted.
func installGuards(ctx context.Context, db *database.DB, want map[string]trigger) error {
	have, err := guardsIn(ctx, db)
	if err != nil {
		return err
	}
	same := len(have) == len(want)
	for name, t := range want {
		same = same && have[name] == t.sql
	}
	if same {
		return nil
	}
	err = db.Write(ctx, func(tx *database.Tx) error {
		have, err := guardsIn(ctx, tx) // another process may do the same
		if err != nil {
			return err
		}
		for name := range have {
			if have[name] == want[name].sql {
				continue
			}
			if _, err := tx.ExecContext(ctx, "DROP TRIGGER "+quote(name)); err != nil {
				return err
			}
		}
		for name, t := range want {
			if have[name] == t.sql {
				continue
			}
			if _, err := tx.ExecContext(ctx, t.sql); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("installing the guards: %w", err)
	}
	return nil
}

// guardsIn reads the guards that stand in the database.
func guardsIn(ctx context.Context, q database.Querier) (map[string]string, error) {
	rows, err := q.QueryContext(ctx, `SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'audit\_guard\_%' ESCAPE '\'`)
	if err != nil {
		return nil, fmt.Errorf("reading the guards: %w", err)
	}
	defer rows.Close()
	have := map[string]string{}
	for rows.Next() {
		var name, sql string
		if err := rows.Scan(&name, &sql); err != nil {
			return nil, fmt.Errorf("reading the guards: %w", err)
		}
		have[name] = sql
	}
	return have, rows.Err()
}
