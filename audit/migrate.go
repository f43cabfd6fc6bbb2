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
	"audit_open":        "holds the open record on SQLite, empty between transactions",
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
	l := &installer{db, backendOf(db.Dialect())}
	want := map[string]guard{}
	for _, g := range l.backend.engineGuards() {
		want[g.name] = g
	}
	types := map[string]string{}
	for _, t := range tables {
		if other := types[t.Type]; other != "" {
			return backup, fmt.Errorf("audited tables %s and %s both hold objects of type %q: a row is known by its type and id", other, t.Name, t.Type)
		}
		types[t.Type] = t.Name
		cols, err := l.backend.columns(ctx, db, t.Name)
		if err != nil {
			return backup, err
		}
		if err := t.check(cols, l.backend); err != nil {
			return backup, err
		}
		keys, err := l.backend.uniqueKeys(ctx, db, t.Name)
		if err != nil {
			return backup, err
		}
		if err := t.checkKey(keys); err != nil {
			return backup, err
		}
		for _, g := range l.backend.tableGuards(t, cols, keys) {
			want[g.name] = g
		}
	}
	return backup, l.installGuards(ctx, want)
}

// Unguard takes the guards of an empty log away, so that a copy can be loaded
// into its tables; [Migrate] puts them back. It takes the role that owns the
// tables. It tells whether there are no guards now: they stay where there is an
// event.
func Unguard(ctx context.Context, db *database.DB) (bool, error) {
	var events int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM (SELECT 1 FROM audit_event LIMIT 1) AS any_event").Scan(&events); err != nil {
		return false, fmt.Errorf("looking for events: %w", err)
	}
	l := &installer{db, backendOf(db.Dialect())}
	have, err := l.backend.guardsIn(ctx, db)
	if err != nil || len(have) == 0 || events > 0 {
		return len(have) == 0, err
	}
	return true, l.installGuards(ctx, nil)
}

// installer brings a database into the shape that the engine needs.
type installer struct {
	db      *database.DB
	backend backend
}
