package portal_test

import (
	"database/sql"
	"strings"
	"testing"

	_ "github.com/jackc/pgx/v5/stdlib"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

// behind opens the database as its owner does who has taken the guards away.
func behind(t *testing.T, f *portaltest.Fixture) func(query string, args ...any) {
	t.Helper()
	driver, dsn := "pgx", f.DSN
	if f.Path != "" {
		driver, dsn = "sqlite", "file:"+f.Path+"?_pragma=busy_timeout(5000)"
	}
	raw, err := sql.Open(driver, dsn)
	check(t, err)
	t.Cleanup(func() { raw.Close() })
	raw.SetMaxOpenConns(1)
	run := func(query string, args ...any) {
		t.Helper()
		res, err := raw.ExecContext(ctx, query, args...)
		if err != nil {
			t.Fatalf("%s: %v", query, err)
		}
		if n, _ := res.RowsAffected(); n == 0 && !strings.HasPrefix(query, "DROP") && !strings.HasPrefix(query, "SET") {
			t.Fatalf("nothing was changed by %s", query)
		}
	}
	if f.Path == "" {
		run("SET session_replication_role = replica") // no trigger fires
		return run
	}
	for _, trigger := range columnOf(t, f, "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name NOT LIKE 'audit_append%'") {
		run("DROP TRIGGER " + trigger)
	}
	return run
}

// TestWhatIsFound changes the database behind the portal's back, and wants the
// culprit named.
func TestWhatIsFound(t *testing.T) {
	for _, c := range []struct {
		name string
		do   func(run func(string, ...any), log string, n []int64)
		want []string // each is in a fault; ID is the id of the third event
	}{
		{"a byte of an event", func(run func(string, ...any), log string, n []int64) {
			run(`UPDATE audit_event SET body = $1 WHERE log = $2 AND n = $3`, []byte(`{}`), log, n[2])
		}, []string{"event ID: the sealed bytes are not", "event ID: its bytes are not those that were sealed as leaf 2"}},
		{"the id beside the bytes", func(run func(string, ...any), log string, n []int64) {
			run(`UPDATE audit_event SET id = 'evt_01k00000000000000000000000' WHERE log = $1 AND n = $2`, log, n[2])
		}, []string{`event evt_01k00000000000000000000000: column id says "evt_01k00000000000000000000000", the sealed bytes say "ID"`}},
		{"a name", func(run func(string, ...any), log string, n []int64) {
			run(`UPDATE audit_part SET part = $1 WHERE log = $2 AND n = $3 AND kind = 'who'`, []byte(`{"name":"Somebody Else"}`), log, n[2])
		}, []string{"event ID: the part who does not match its commitment"}},
		{"a salt", func(run func(string, ...any), log string, n []int64) {
			run(`UPDATE audit_part SET salt = $1 WHERE log = $2 AND n = $3 AND kind = 'what'`, make([]byte, 32), log, n[2])
		}, []string{"event ID: the part what does not match its commitment"}},
		{"a part of another event", func(run func(string, ...any), log string, n []int64) {
			run(`UPDATE audit_part SET salt = (SELECT salt FROM audit_part WHERE log = $1 AND n = $2 AND kind = 'what'),
				part = (SELECT part FROM audit_part WHERE log = $1 AND n = $2 AND kind = 'what') WHERE log = $1 AND n = $3 AND kind = 'what'`, log, n[3], n[2])
		}, []string{"event ID: the part what does not match its commitment"}},
		{"the first event removed", removed(0), []string{"the event of leaf 0 is missing"}},
		{"one in the middle removed", removed(2), []string{"the event of leaf 2 is missing"}},
		{"the last event removed", removed(-1), []string{"the event of leaf "}},
		{"three in a row removed", removed(2, 3, 4), []string{"the event of leaf 2 is missing", "the event of leaf 3 is missing", "the event of leaf 4 is missing"}},
		{"the last event removed with its leaf", func(run func(string, ...any), log string, n []int64) {
			removed(-1)(run, log, n)
			run(`DELETE FROM audit_leaf WHERE log = $1 AND n = $2`, log, n[len(n)-1])
		}, []string{"has a checkpoint of"}},
		{"two leaves exchanged", func(run func(string, ...any), log string, n []int64) {
			run(`UPDATE audit_leaf SET leaf = -1 WHERE log = $1 AND leaf = 2`, log)
			run(`UPDATE audit_leaf SET leaf = 2 WHERE log = $1 AND leaf = 3`, log)
			run(`UPDATE audit_leaf SET leaf = 3 WHERE log = $1 AND leaf = -1`, log)
		}, []string{"event ID: ", "log LOG: leaf 3"}},
		{"a hash of the tree", func(run func(string, ...any), log string, n []int64) {
			run(`UPDATE audit_leaf SET hashes = $1 WHERE log = $2 AND leaf = 2`, make([]byte, 32), log)
		}, []string{"event ID: its bytes are not those that were sealed as leaf 2"}},
		{"a checkpoint", func(run func(string, ...any), log string, n []int64) {
			run(`UPDATE audit_checkpoint SET note = $1 WHERE log = $2`, []byte("onrecord/x/y\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n— x AAAAAAAA\n"), log)
		}, []string{"the checkpoint kept for", "none of the keys of this organization signed it"}},
		{"a role", func(run func(string, ...any), log string, n []int64) {
			run(`UPDATE member SET role = 'auditor' WHERE team = $1 AND role = 'agent'`, log)
		}, []string{`role is "auditor"; the last event says "agent" (event `}},
		{"a row removed", func(run func(string, ...any), log string, n []int64) {
			run(`DELETE FROM device WHERE team = $1`, log)
		}, []string{"the log explains a row that does not exist"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := portaltest.New(t)
			f.Sign(t)
			f.AddDevice(t, f.Dana, f.Alpha, "desk-1")
			check(t, f.Log().Seal(ctx))
			var places []int64
			for raw := range f.Log().InLeafOrder(ctx, f.Alpha, 0, 1<<40) {
				places = append(places, placeOf(t, f, raw))
			}
			id := idOf(t, f, places[2])
			run := behind(t, f)
			c.do(run, f.Alpha, places)
			found, err := f.VerifyLog(ctx, f.Operator, f.Alpha, portal.VerifyOptions{State: true})
			check(t, err)
			var all strings.Builder
			for _, fault := range found.Faults {
				if fault.Log == f.Alpha {
					all.WriteString(fault.String() + "\n")
				}
			}
			for _, want := range c.want {
				want = strings.NewReplacer("ID", id, "LOG", f.Alpha).Replace(want)
				if !strings.Contains(all.String(), want) {
					t.Errorf("the faults do not say %q:\n%s", want, all.String())
				}
			}
			known, err := f.KnownFaults(ctx, f.Dana, f.Alpha)
			check(t, err)
			if len(known) != 1 || !strings.HasPrefix(known[0], "the check of the log found: ") {
				t.Errorf("Admins are told %q", known)
			}
			f.Broken()
		})
	}
}

// removed removes events by their leaves; -1 is the last.
func removed(leaves ...int) func(func(string, ...any), string, []int64) {
	return func(run func(string, ...any), log string, n []int64) {
		for _, leaf := range leaves {
			if leaf < 0 {
				leaf = len(n) - 1
			}
			run(`DELETE FROM audit_event WHERE log = $1 AND n = $2`, log, n[leaf])
			run(`DELETE FROM audit_part WHERE log = $1 AND n = $2`, log, n[leaf])
		}
	}
}

func placeOf(t *testing.T, f *portaltest.Fixture, raw audit.RawEvent) (n int64) {
	t.Helper()
	check(t, f.DB.QueryRowContext(ctx, "SELECT n FROM audit_leaf WHERE log = $1 AND leaf = $2", f.Alpha, raw.Leaf).Scan(&n))
	return n
}

func idOf(t *testing.T, f *portaltest.Fixture, n int64) (id string) {
	t.Helper()
	check(t, f.DB.QueryRowContext(ctx, "SELECT id FROM audit_event WHERE log = $1 AND n = $2", f.Alpha, n).Scan(&id))
	return id
}
