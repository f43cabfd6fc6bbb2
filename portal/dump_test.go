package portal_test

import (
	"path/filepath"
	"slices"
	"testing"

	"onrecord/audit"
	"onrecord/database/dbtest"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

// What docs/operating.md says of backing PostgreSQL up: pg_dump while people
// work, pg_restore into an empty database, and everything is there, guards and
// all.
func TestDumpAndRestore(t *testing.T) {
	f := portaltest.At(t, portaltest.OnPostgres(t))
	busy(t, f)
	file := filepath.Join(t.TempDir(), "onrecord.dump")
	run(t, "pg_dump", "--format=custom", "--file", file, f.DSN)
	here := map[string][]string{}
	for _, log := range []string{f.Org, f.Alpha, f.Beta} {
		here[log] = eventsOf(t, f.Portal, log)
	}
	f.AddDevice(t, f.Bo, f.Alpha, "after-the-dump")

	restored := dbtest.Postgres(t)
	run(t, "pg_restore", "--no-owner", "--no-privileges", "--exit-on-error", "--dbname", restored, file)
	p := openCopy(t, restored) // whose log is checked at the end
	for log, events := range here {
		if there := eventsOf(t, p, log); !slices.Equal(events, there) {
			t.Errorf("the log %s has %d events here, %d there, and they differ", log, len(events), len(there))
		}
	}
	dana := must(p.SignIn(ctx, portaltest.From("203.0.113.7"), "dana@example.com", portaltest.Password)).Caller
	calls := must(p.Calls(ctx, dana, f.Alpha, portal.CallFilter{}, audit.Page{}))
	must(p.DeleteCall(ctx, dana, f.Alpha, calls.Calls[0].ID, "", ""))
	db := dbtest.Open(t, restored)
	for _, s := range must(portal.Schemas(ctx, db)) {
		if s.Has != s.Program {
			t.Errorf("the schema %s has version %d, not %d", s.Name, s.Has, s.Program)
		}
	}
	if _, err := portal.Migrate(ctx, db); err != nil {
		t.Errorf("migrating what was restored: %v", err)
	}
}

func run(t *testing.T, tool string, args ...string) {
	t.Helper()
	if out, err := dbtest.Tool(t, tool, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s: %v\n%s", tool, err, out)
	}
}
