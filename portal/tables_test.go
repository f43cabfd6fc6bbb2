package portal_test

import (
	"database/sql"
	"slices"
	"strings"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
	"onrecord/portal/store"
	"onrecord/portal/transcript"
)

// Every table is audited, protected by the engine, or exempt with a reason: a
// new one fails here until somebody decides.
func TestEveryTableIsDecided(t *testing.T) {
	f := portaltest.Empty(t)
	decided := map[string]string{"audit_event": "guarded", "audit_part": "guarded", "audit_name": "guarded",
		"audit_unsealed": "guarded", "audit_leaf": "guarded", "audit_checkpoint": "guarded"}
	for _, table := range store.Tables {
		decided[table.Name] = "audited"
	}
	for _, exempt := range []map[string]string{store.Exempt, audit.Exempt} {
		for name, reason := range exempt {
			if decided[name] != "" || len(reason) < 10 {
				t.Errorf("%s is decided twice, or without a reason", name)
			}
			decided[name] = "exempt"
		}
	}
	if portaltest.On() == "postgres" {
		delete(decided, "audit_open")        // a setting of the transaction
		delete(decided, "audit_index_entry") // the index can be read from both sides
	}
	there := columnOf(t, f, tablesOf[portaltest.On()])
	for _, name := range there {
		if decided[name] == "" {
			t.Errorf("nobody has decided whether the table %s is audited", name)
		}
		delete(decided, name)
	}
	for name := range decided {
		t.Errorf("there is no table %s", name)
	}
}

// tablesOf asks a database for the names of its tables.
var tablesOf = map[string]string{
	"sqlite":   `SELECT name FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'virtual') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'`,
	"postgres": `SELECT tablename FROM pg_tables WHERE schemaname = current_schema()`,
}

func columnOf(t *testing.T, f *portaltest.Fixture, query string) []string {
	t.Helper()
	rows, err := f.Look(t).QueryContext(ctx, query)
	check(t, err)
	defer rows.Close()
	var all []string
	for rows.Next() {
		var s string
		check(t, rows.Scan(&s))
		all = append(all, s)
	}
	check(t, rows.Err())
	return all
}

// Plain SQL changes no audited table, by whatever verb.
func TestPlainSQLIsRefused(t *testing.T) {
	f := portaltest.OnSQLite(t)
	f.Sign(t)
	f.AddDevice(t, f.Dana, f.Alpha, "desk-1")
	call := transcript.Call{SourceID: "c1", StartedAt: time.Date(2026, 2, 1, 9, 0, 0, 0, time.UTC), Agent: "Agnes Ash", Customer: "Cam",
		Direction: transcript.Inbound, Turns: []transcript.Turn{{Speaker: transcript.Agent, Text: "Good morning?"}}}
	_, err := f.Import(ctx, f.Dana, f.Alpha, func(yield func(transcript.Call, error) bool) { yield(call, nil) }, nil)
	check(t, err)
	id := columnOf(t, f, "SELECT id FROM call")[0]
	must(f.EditValue(ctx, f.Dana, f.Alpha, id, "questions_asked", "7", "", ""))
	must(f.SetMetric(ctx, f.Dana, f.Alpha, "questions_asked", false, "", ""))
	must(f.SaveView(ctx, f.Dana, f.Alpha, portal.SavedView{Name: "Calls", Query: "type:call"}))
	_, _, err = f.CreateAPIKey(ctx, f.Dana, f.Alpha, portal.NewAPIKey{Name: "SIEM", Scope: portal.ScopeRead})
	check(t, err)

	raw, err := sql.Open("sqlite", "file:"+f.Path+"?_pragma=busy_timeout(5000)")
	check(t, err)
	defer raw.Close()
	for _, table := range store.Tables {
		columns := columnOf(t, f, "SELECT name FROM pragma_table_info('"+table.Name+"')")
		if n := columnOf(t, f, "SELECT count(*) FROM "+table.Name)[0]; n == "0" {
			t.Fatalf("%s is empty: the test would show nothing", table.Name)
		}
		list := strings.Join(columns, ", ")
		other := strings.Join(replaced(columns, table.ID, "'other'"), ", ")
		for _, query := range []string{
			"DELETE FROM " + table.Name,
			"UPDATE " + table.Name + " SET event_id = event_id",
			"UPDATE " + table.Name + " SET event_id = 'evt_other'",
			"UPDATE OR IGNORE " + table.Name + " SET event_id = 'evt_other'",
			"UPDATE " + table.Name + " SET " + table.ID + " = 'other'",
			"INSERT INTO " + table.Name + " (" + list + ") SELECT " + other + " FROM " + table.Name + " LIMIT 1",
			"INSERT OR REPLACE INTO " + table.Name + " (" + list + ") SELECT " + list + " FROM " + table.Name + " LIMIT 1",
			"REPLACE INTO " + table.Name + " (" + list + ") SELECT " + list + " FROM " + table.Name + " LIMIT 1",
		} {
			if _, err := raw.ExecContext(ctx, query); err == nil {
				t.Errorf("this was let through: %s", query)
			}
		}
	}
}

// replaced puts an expression in the place of one column.
func replaced(columns []string, column, by string) []string {
	all := slices.Clone(columns)
	all[slices.Index(all, column)] = by
	return all
}
