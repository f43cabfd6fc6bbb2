package portal_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"onrecord/audit"
	"onrecord/database/dbtest"
	"onrecord/portal"
	"onrecord/portal/portaltest"
	"onrecord/portal/store"
)

// rolesOf makes two roles for a fresh database: one that owns it, and one that
// is to serve. It gives the address for each.
func rolesOf(t *testing.T) (owner, serving, role string) {
	t.Helper()
	dsn := dbtest.Postgres(t)
	at := must(url.Parse(dsn))
	name := strings.TrimPrefix(at.Path, "/")
	role = "serving_" + name
	admin := must(sql.Open("pgx", dsn))
	defer admin.Close()
	for _, query := range []string{
		"CREATE ROLE owner_" + name + " LOGIN", "CREATE ROLE " + role + " LOGIN",
		"ALTER DATABASE " + name + " OWNER TO owner_" + name, "ALTER SCHEMA public OWNER TO owner_" + name,
	} {
		_, err := admin.ExecContext(ctx, query)
		check(t, err)
	}
	t.Cleanup(func() {
		admin := must(sql.Open("pgx", dsn))
		defer admin.Close()
		for _, query := range []string{"DROP OWNED BY " + role, "DROP ROLE " + role} {
			_, err := admin.Exec(query)
			check(t, err)
		}
	})
	as := func(role string) string {
		to := *at
		to.User = url.User(role)
		return to.String()
	}
	return as("owner_" + name), as(role), role
}

// The role that serves can do all that serving takes, and of what is on the
// record it can change and remove nothing.
func TestServingRole(t *testing.T) {
	owner, serving, role := rolesOf(t)
	db := dbtest.Open(t, owner)
	must(portal.Migrate(ctx, db))
	check(t, portal.GrantServing(ctx, db, role))
	check(t, portal.GrantServing(ctx, db, role)) // again changes nothing

	f := portaltest.At(t, serving) // its log is checked with this role, too
	busy(t, f)
	check(t, f.Log().Seal(ctx))
	if found := must(f.Log().Search(ctx, f.Alpha, must(audit.ParseQuery("action:call.deleted")), audit.Page{})); len(found.Events) != 1 {
		t.Errorf("the serving role finds %+v", found.Events)
	}

	raw := must(sql.Open("pgx", serving))
	defer raw.Close()
	tables := portaltest.Columns(t, db)
	guarded := []string{"audit_event", "audit_part", "audit_name", "audit_leaf", "audit_checkpoint"}
	for _, table := range store.Tables {
		guarded = append(guarded, table.Name)
	}
	for _, table := range guarded {
		column := tables[table][0]
		for _, query := range []string{
			"UPDATE %s SET %s = %[2]s", "DELETE FROM %s", "TRUNCATE %s", "DROP TABLE %s", "ALTER TABLE %s DISABLE TRIGGER ALL",
			"ALTER TABLE %s DISABLE TRIGGER USER", "ALTER TABLE %s ADD COLUMN more TEXT", "CREATE RULE r AS ON INSERT TO %s DO INSTEAD NOTHING",
			"SET session_replication_role = 'replica'; DELETE FROM %s", "ALTER TABLE %s OWNER TO CURRENT_USER",
			"INSERT INTO %s SELECT * FROM %[1]s ON CONFLICT DO NOTHING",
		} {
			query = fmt.Sprintf(query, table, column)
			res, err := raw.ExecContext(ctx, query)
			if err != nil {
				continue
			}
			if n, _ := res.RowsAffected(); n > 0 || !strings.HasPrefix(query, "INSERT") && !strings.HasPrefix(query, "UPDATE") {
				t.Errorf("the serving role may: %s", query)
			}
		}
	}
	for _, query := range []string{
		"SET session_replication_role = 'replica'", "CREATE TABLE more (x TEXT)", "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'",
		"DROP FUNCTION audit_refuse() CASCADE", "DROP SCHEMA public CASCADE", "UPDATE portal_version SET version_id = 7", "DELETE FROM audit_version",
		"UPDATE audit_unsealed SET action = 'x'", "ALTER ROLE CURRENT_USER SUPERUSER",
	} {
		if _, err := raw.ExecContext(ctx, query); err == nil {
			t.Errorf("the serving role may: %s", query)
		}
	}
	for table := range tables { // a new table has to be granted
		if _, err := raw.ExecContext(ctx, "SELECT 1 FROM "+table+" LIMIT 1"); err != nil {
			t.Errorf("the serving role cannot read %s: %v", table, err)
		}
	}
	small := dbtest.Open(t, serving)
	if _, err := portal.Migrate(ctx, small); err != nil {
		t.Errorf("the serving role finds nothing to migrate, and fails: %v", err)
	}
	if err := portal.GrantServing(ctx, small, role); err == nil {
		t.Error("the serving role can grant")
	}
}

func TestServingRoleThatNothingBinds(t *testing.T) {
	owner, _, role := rolesOf(t)
	db := dbtest.Open(t, owner)
	must(portal.Migrate(ctx, db))
	at := must(url.Parse(owner))
	for _, bad := range []string{"nobody_of_that_name", "postgres", at.User.Username(), `"; DROP TABLE team; --`} {
		refused(t, portal.GrantServing(ctx, db, bad), audit.CodeInvalid, "role")
	}
	superuser := *at
	superuser.User = url.User("postgres")
	admin := must(sql.Open("pgx", superuser.String()))
	defer admin.Close()
	_, err := admin.ExecContext(ctx, "GRANT "+at.User.Username()+" TO "+role)
	check(t, err)
	refused(t, portal.GrantServing(ctx, db, role), audit.CodeInvalid, "role")
	refused(t, portal.GrantServing(ctx, dbtest.Open(t, dbtest.SQLite(t)), role), audit.CodeInvalid, "role")
}
