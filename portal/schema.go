package portal

import (
	"cmp"
	"context"
	"fmt"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal/store"
)

// SchemaVersion is the version of one of the schemas that a database holds.
type SchemaVersion struct {
	Name    string
	Has     int64 // in the database; 0 if it is not there
	Program int64 // that this program knows
}

// ProgramSchemas tells which versions this program knows.
func ProgramSchemas(d database.Dialect) ([]SchemaVersion, error) {
	var all []SchemaVersion
	for _, m := range []database.Migrations{store.Schema(d), audit.Schema(d)} {
		latest, err := m.Latest()
		if err != nil {
			return nil, err
		}
		all = append(all, SchemaVersion{Name: m.Name, Program: latest})
	}
	return all, nil
}

// Schemas tells which versions a database has and which this program knows. It
// changes nothing. Errors: *[database.NewerError] for a database that a later
// program has migrated; [ErrCopying].
func Schemas(ctx context.Context, db *database.DB) ([]SchemaVersion, error) {
	if begun, err := copying(ctx, db); err != nil || begun {
		return nil, cmp.Or(err, ErrCopying)
	}
	all, err := ProgramSchemas(db.Dialect())
	if err != nil {
		return nil, err
	}
	for i := range all {
		v := &all[i]
		if v.Has, err = appliedVersion(ctx, db, v.Name+"_version"); err != nil {
			return nil, fmt.Errorf("reading the %s schema's version: %w", v.Name, err)
		}
		if v.Has > v.Program {
			return nil, &database.NewerError{Schema: v.Name, Has: v.Has, Program: v.Program}
		}
	}
	return all, nil
}

// tableThere asks each database whether it has a table.
var tableThere = map[string]string{
	database.SQLite.Name:   `SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = $1`,
	database.Postgres.Name: `SELECT count(*) FROM pg_tables WHERE schemaname = current_schema() AND tablename = $1`,
}

func appliedVersion(ctx context.Context, db *database.DB, table string) (version int64, err error) {
	var there int
	if err := db.QueryRowContext(ctx, tableThere[db.Dialect().Name], table).Scan(&there); err != nil || there == 0 {
		return 0, err
	}
	err = db.QueryRowContext(ctx, `SELECT coalesce(max(version_id), 0) FROM `+table+` WHERE is_applied`).Scan(&version)
	return version, err
}
