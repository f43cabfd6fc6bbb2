package portal_test

import (
	"slices"
	"testing"

	"onrecord/database"
	"onrecord/database/dbtest"
	"onrecord/portal/portaltest"
)

// Tables that would stand on every machine if the teams' rows were spread over
// several: they belong to no team, point at none of its rows, and hold ids and
// addresses.
var onEveryMachine = []string{
	"organization", "team", "account", "account_team", "account_activity", "signing_key",
	"session", "sign_in_link", "sign_in_failure", "reading", "redirect_note",
	"portal_version", "audit_version",
}

// index is a primary key or another unique key as PostgreSQL's catalogue has it.
type index struct{ table, name, first string }

func uniqueIndexes(t *testing.T, db *database.DB) (all []index) {
	t.Helper()
	rows, err := db.QueryContext(ctx, `
		SELECT c.relname, i.relname, coalesce(a.attname, '')
		FROM pg_index x
		JOIN pg_class c ON c.oid = x.indrelid
		JOIN pg_class i ON i.oid = x.indexrelid
		JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema()
		LEFT JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = x.indkey[0]
		WHERE x.indisunique ORDER BY 1, 2`)
	check(t, err)
	defer rows.Close()
	for rows.Next() {
		var x index
		check(t, rows.Scan(&x.table, &x.name, &x.first))
		all = append(all, x)
	}
	check(t, rows.Err())
	return all
}

// Every team's rows can stand on one machine of several: its team, or its log,
// comes first in every key, and no key leads from one table into another.
func TestTeamComesFirstInEveryKey(t *testing.T) {
	db := dbtest.Open(t, portaltest.OnPostgres(t))
	keyed := map[string]bool{}
	for _, x := range uniqueIndexes(t, db) {
		keyed[x.table] = true
		if slices.Contains(onEveryMachine, x.table) {
			continue
		}
		if x.first != "team" && x.first != "log" && x.first != "organization" {
			t.Errorf("the key %s of %s begins with %q, not with the team", x.name, x.table, x.first)
		}
	}
	tables := portaltest.Columns(t, db)
	for table := range tables {
		if !keyed[table] {
			t.Errorf("%s has no key", table)
		}
	}
	for _, table := range onEveryMachine {
		if tables[table] == nil {
			t.Errorf("there is no table %s", table)
		}
	}
	var foreign int
	check(t, db.QueryRowContext(ctx, `SELECT count(*) FROM pg_constraint WHERE contype = 'f'`).Scan(&foreign))
	if foreign > 0 {
		t.Errorf("there are %d foreign keys: does each begin with the team, and stay within it?", foreign)
	}
}
