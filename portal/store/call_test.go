package store

import (
	"context"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"onrecord/audit"
	"onrecord/database"
)

func TestFirstCallIDBoundsTheIDsOfItsMicrosecond(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.UnixMicro(rapid.Int64Range(0, 4e15).Draw(t, "microseconds")).UTC()
		source := rapid.String().Draw(t, "source")
		id := audit.ForeignID("call", at, "team_x", "calls", source)
		if !audit.ValidID("call", firstCallID(at)) {
			t.Fatalf("%s is no id", firstCallID(at))
		}
		if id < firstCallID(at) || id >= firstCallID(at.Add(time.Microsecond)) {
			t.Fatalf("%s of %s is not between %s and %s", id, at, firstCallID(at), firstCallID(at.Add(time.Microsecond)))
		}
	})
	if got := firstCallID(time.Date(1900, 1, 1, 0, 0, 0, 0, time.UTC)); got != firstCallID(time.Unix(0, 0)) {
		t.Errorf("before 1970: %s", got)
	}
}

// explained gives the planner's words for a query.
func explained(t *testing.T, db *database.DB, query string, args ...any) string {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "EXPLAIN QUERY PLAN "+query, args...)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	defer rows.Close()
	var steps []string
	for rows.Next() {
		var id, parent, unused int
		var step string
		if err := rows.Scan(&id, &parent, &unused, &step); err != nil {
			t.Fatal(err)
		}
		steps = append(steps, step)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(steps, "; ")
}

func TestNoListOfCallsScansOrSorts(t *testing.T) {
	db, err := database.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Migrate(context.Background(), Schema(database.SQLite)); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	for name, want := range map[string]struct {
		f     CallFilter
		index string
	}{
		"all":            {CallFilter{}, "sqlite_autoindex_call_1 (team=?"},
		"dates":          {CallFilter{After: at, Before: at.Add(time.Hour)}, "sqlite_autoindex_call_1 (team=? AND id>? AND id<?"},
		"direction":      {CallFilter{Direction: "inbound"}, "sqlite_autoindex_call_1 (team=?"},
		"agent":          {CallFilter{Agent: "Dana"}, "call_agent (team=? AND agent=?"},
		"agent and date": {CallFilter{Agent: "Dana", After: at}, "AND id>?"}, // by either index
		"device":         {CallFilter{DeviceID: "device_x"}, "call_device (team=? AND device_id=?"},
		"deleted":        {CallFilter{Deleted: true}, "call_deleted (team=?"},
	} {
		for _, key := range []CallKey{{}, {Deleted: 1, ID: "call_x"}} {
			for _, newer := range []bool{false, true} {
				where, args := want.f.where("team_x", key, newer)
				plan := explained(t, db, "SELECT "+callColumns+callFrom+"WHERE "+where+" LIMIT 51", args...)
				if !strings.Contains(plan, want.index) || strings.Contains(plan, "SCAN") || strings.Contains(plan, "TEMP B-TREE") {
					t.Errorf("%s (from a key: %t, newer: %t): %s", name, key.ID != "", newer, plan)
				}
			}
		}
	}
}
