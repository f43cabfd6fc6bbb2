package audit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"onrecord/database"
)

// Rights of the role that serves, on a table.
const (
	RightsRead    = "SELECT"
	RightsAudited = "SELECT, INSERT, UPDATE" // a row is never removed
	RightsFree    = "SELECT, INSERT, UPDATE, DELETE"

	rightsAppend = "SELECT, INSERT"
	rightsQueue  = "SELECT, INSERT, DELETE"
)

// rightsOfEngine are those on the engine's own tables: what is recorded can be
// added and read, by this role nothing of it can be changed or removed.
var rightsOfEngine = map[string]string{
	"audit_event":       rightsAppend,
	"audit_part":        rightsAppend,
	"audit_name":        rightsAppend,
	"audit_leaf":        rightsAppend,
	"audit_checkpoint":  rightsAppend,
	"audit_cosignature": rightsAppend,
	"audit_index":       rightsAppend,
	"audit_count":       "SELECT, INSERT, UPDATE",
	"audit_unsealed":    rightsQueue,
	"audit_unsigned":    rightsQueue,
	"audit_version":     RightsRead,
}

// Grant gives a role of PostgreSQL exactly what a program needs that records,
// reads and seals: on the engine's tables, on the audited tables, and on others
// as told. Whatever else it had in this schema is taken away. It takes the role
// that owns the tables.
//
// Errors: Invalid, field role, for a role that is not there, or that nothing
// can be kept from: a superuser, an owner of one of the tables, or a member of
// that role; Denied for whoever does not own the tables.
func Grant(ctx context.Context, db *database.DB, role string, tables []Table, others map[string]string) error {
	if db.Dialect().Name != database.Postgres.Name {
		return Invalid("role", "roles are PostgreSQL's: a SQLite file belongs to whoever may write it")
	}
	rights := maps.Clone(rightsOfEngine)
	for _, t := range tables {
		rights[t.Name] = RightsAudited
	}
	maps.Copy(rights, others)
	if err := mayServe(ctx, db, role, slices.Sorted(maps.Keys(rights))); err != nil {
		return err
	}
	return db.Write(ctx, func(tx *database.Tx) error {
		var schema string
		if err := tx.QueryRowContext(ctx, "SELECT current_schema()").Scan(&schema); err != nil {
			return err
		}
		queries := []string{
			"REVOKE ALL ON ALL TABLES IN SCHEMA " + quote(schema) + " FROM " + quote(role),
			"REVOKE ALL ON SCHEMA " + quote(schema) + " FROM " + quote(role),
			"GRANT USAGE ON SCHEMA " + quote(schema) + " TO " + quote(role),
		}
		for _, table := range slices.Sorted(maps.Keys(rights)) {
			queries = append(queries, "GRANT "+rights[table]+" ON TABLE "+quote(table)+" TO "+quote(role))
		}
		for _, query := range queries {
			if _, err := tx.ExecContext(ctx, query); err != nil {
				return fmt.Errorf("%s: %w", query, err)
			}
		}
		return nil
	})
}

// mayServe refuses roles that rights do not bind.
func mayServe(ctx context.Context, db *database.DB, role string, tables []string) error {
	var there, super, creates bool
	err := db.QueryRowContext(ctx, `
		SELECT count(*) > 0, coalesce(bool_or(rolsuper OR rolreplication OR rolbypassrls), false), coalesce(bool_or(rolcreaterole), false)
		FROM pg_roles WHERE rolname = $1`, role).Scan(&there, &super, &creates)
	switch {
	case err != nil:
		return fmt.Errorf("looking the role %s up: %w", role, err)
	case !there:
		return Invalid("role", "there is no role %s: make it first, for example with CREATE ROLE %s LOGIN", role, quote(role))
	case super, creates:
		return Invalid("role", "the role %s is a superuser or may become one: nothing keeps it from changing the log; name a role that is only to serve", role)
	}
	var others string
	err = db.QueryRowContext(ctx, `
		SELECT coalesce(string_agg(tablename, ', ' ORDER BY tablename), '') FROM pg_tables
		WHERE schemaname = current_schema() AND tablename = ANY(string_to_array($1, ',')) AND NOT pg_has_role(tableowner, 'USAGE')`,
		strings.Join(tables, ",")).Scan(&others)
	if err != nil {
		return fmt.Errorf("looking up who owns the tables: %w", err)
	}
	if others != "" {
		return Denied("Rights are given by the role that owns the tables; this one does not own: %s.", others)
	}
	var owned string
	err = db.QueryRowContext(ctx, `
		SELECT coalesce(string_agg(tablename, ', ' ORDER BY tablename), '') FROM pg_tables
		WHERE schemaname = current_schema() AND tablename = ANY(string_to_array($2, ',')) AND pg_has_role($1, tableowner, 'MEMBER')`,
		role, strings.Join(tables, ",")).Scan(&owned)
	if err != nil {
		return fmt.Errorf("looking up what %s owns: %w", role, err)
	}
	if owned != "" {
		return Invalid("role", "the role %s owns tables, itself or through another role (%s): nothing keeps it from changing the log; let another role own them", role, owned)
	}
	return nil
}
