package portal_test

import (
	"compress/gzip"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/audit/audittest"
	"onrecord/database"
	"onrecord/portal"
	"onrecord/portal/portaltest"
	"onrecord/portal/transcript"
)

var addSchema = flag.Bool("add-schema", false, "write the database of today's schema into testdata/schemas")

const schemas = "testdata/schemas"

// TestSchemas opens a database of every released schema, as CONTRIBUTING.md
// tells.
func TestSchemas(t *testing.T) {
	today := schemaName(t)
	if *addSchema {
		writeSchema(t, today)
	}
	files, err := filepath.Glob(filepath.Join(schemas, "*.db.gz"))
	check(t, err)
	found := false
	for _, file := range files {
		found = found || filepath.Base(file) == today
		t.Run(strings.TrimSuffix(filepath.Base(file), ".db.gz"), func(t *testing.T) { opensSchema(t, file, filepath.Base(file) != today) })
	}
	if !found {
		t.Errorf("%s/%s is missing: once this schema is final, run go test ./portal -run TestSchemas -add-schema", schemas, today)
	}
}

// schemaName is the file of today's schema: portal-1_audit-1.db.gz.
func schemaName(t *testing.T) string {
	t.Helper()
	versions, err := portal.ProgramSchemas(database.SQLite)
	check(t, err)
	var parts []string
	for _, v := range versions {
		parts = append(parts, fmt.Sprintf("%s-%d", v.Name, v.Program))
	}
	return strings.Join(parts, "_") + ".db.gz"
}

const schemaCall = `{"id":"c-1","started_at":"2026-02-27T10:00:00Z","agent":"Agnes Ash","customer":"+1 555 0142","direction":"inbound","topic":"billing",` +
	`"turns":[{"speaker":"agent","start_ms":0,"end_ms":1800,"text":"Good morning, how can I help you?"},{"speaker":"customer","start_ms":1900,"end_ms":4000,"text":"My bill is wrong."}]}`

// writeSchema makes a small database with something in every table.
func writeSchema(t *testing.T, name string) {
	t.Helper()
	f := portaltest.OnSQLite(t)
	busy(t, f)

	copied := filepath.Join(t.TempDir(), "copy.db")
	check(t, f.DB.CopyTo(ctx, copied))
	text, err := os.ReadFile(copied)
	check(t, err)
	check(t, os.MkdirAll(schemas, 0o755))
	out, err := os.Create(filepath.Join(schemas, name))
	check(t, err)
	zip, err := gzip.NewWriterLevel(out, gzip.BestCompression)
	check(t, err)
	_, err = zip.Write(text)
	check(t, err)
	check(t, zip.Close())
	check(t, out.Close())
}

// busy does something of every kind.
func busy(t *testing.T, f *portaltest.Fixture) {
	t.Helper()
	calls := transcript.Open(strings.NewReader(schemaCall), "calls.jsonl", transcript.Options{})
	id := ""
	must(f.Import(ctx, f.Operator, f.Alpha, calls, func(told portal.Imported) { id = told.ID }))
	f.Clock.Advance(time.Hour)
	dana := f.SignedIn(t, f.Alpha, f.Dana).Caller
	must(f.ViewCall(ctx, dana, f.Alpha, id))
	must(f.EditValue(ctx, dana, f.Alpha, id, "greeting", "0", "", "Not heard"))
	must(f.ResetValue(ctx, dana, f.Alpha, id, "greeting", "", ""))
	must(f.EditValue(ctx, dana, f.Alpha, id, "closing", "100", "", ""))
	must(f.ExportTranscript(ctx, dana, f.Alpha, id, "vtt"))
	must(f.DeleteCall(ctx, dana, f.Alpha, id, "", "Test"))
	must(f.RestoreCall(ctx, dana, f.Alpha, id, "", ""))
	must(f.SetMetric(ctx, dana, f.Alpha, "filler_words", false, "", ""))
	must(f.ChangeRole(ctx, dana, f.Alpha, f.Agnes.ID, portal.Auditor, "", "Helps out"))
	must(f.BlockUser(ctx, dana, f.Alpha, f.Adam.ID, "", ""))
	must(f.DeleteUser(ctx, dana, f.Alpha, f.Audrey.ID, "", "Left"))
	desk := f.AddDevice(t, f.Bo, f.Alpha, "desk-1")
	must(f.AssignDevice(ctx, f.Bo, f.Alpha, desk.ID, f.Agnes.ID, "", ""))
	must(f.MoveDevice(ctx, f.Bo, f.Alpha, desk.ID, f.Beta, "", "Goes with its desk"))
	must(f.NewLink(ctx, f.Operator, f.Beta, f.Bea.ID, ""))
	must(f.SearchLog(ctx, dana, f.Alpha, audit.Filter{}, audit.Page{}))
}

// opensSchema migrates a database of an older program and works with it.
func opensSchema(t *testing.T, file string, older bool) {
	path := filepath.Join(t.TempDir(), "old.db")
	unzip(t, file, path)
	db, err := database.Open(ctx, "sqlite:"+path)
	check(t, err)
	defer db.Close()
	had := count(t, db, "audit_event")
	copies, err := portal.Migrate(ctx, db)
	check(t, err)
	if older != (len(copies) > 0) {
		t.Errorf("the copies before the migration are %q", copies)
	}
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p, err := portal.Open(ctx, db, portal.WithClock(func() time.Time { return now }))
	check(t, err)
	defer p.Close()
	audittest.CheckLog(t, p.Log())
	if has := count(t, db, "audit_event"); has != had || had < 30 {
		t.Errorf("there are %d events, before the migration %d", has, had)
	}
	readsSchema(t, p)
	audittest.CheckLog(t, p.Log())
}

// readsSchema finds what writeSchema made, and changes some of it.
func readsSchema(t *testing.T, p *portal.Portal) {
	t.Helper()
	by := must(p.Operator(ctx, "olga@console"))
	team := must(p.FindTeam(ctx, by, "Alpha")).ID
	dana := must(p.SignIn(ctx, portaltest.From("203.0.113.7"), "dana@example.com", portaltest.Password)).Caller
	calls := must(p.Calls(ctx, dana, team, portal.CallFilter{}, audit.Page{}))
	if len(calls.Calls) != 1 || calls.Calls[0].Customer != "+1 555 0142" {
		t.Fatalf("the calls are %+v", calls.Calls)
	}
	call := calls.Calls[0].ID
	open := must(p.ViewCall(ctx, dana, team, call))
	if len(open.Transcript) != 2 || open.Transcript[1].Text != "My bill is wrong." {
		t.Errorf("the transcript is %+v", open.Transcript)
	}
	for _, s := range open.Scores {
		if s.Metric.Key == "closing" && (!s.Edited || s.Value.String() != "100.0") {
			t.Errorf("the edited score is %+v", s)
		}
	}
	users := must(p.Users(ctx, dana, team, portal.UserFilter{}))
	if users.Total != 4 || users.States[portal.StateBlocked] != 1 {
		t.Errorf("the users are %+v", users)
	}
	f, err := audit.ParseQuery(`action:call.deleted object:"Call +1 555 0142" test`)
	check(t, err)
	if res := must(p.SearchLog(ctx, dana, team, f, audit.Page{})); len(res.Events) != 1 || res.Events[0].Reason != "Test" {
		t.Errorf("the search gives %+v", res.Events)
	}
	must(p.EditValue(ctx, dana, team, call, "closing", "20", "", ""))
	must(p.DeleteCall(ctx, dana, team, call, "", ""))
}

func unzip(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	check(t, err)
	defer in.Close()
	zip, err := gzip.NewReader(in)
	check(t, err)
	out, err := os.Create(to)
	check(t, err)
	_, err = io.Copy(out, zip)
	check(t, err)
	check(t, out.Close())
}

func count(t *testing.T, q database.Querier, table string) (n int) {
	t.Helper()
	check(t, q.QueryRowContext(ctx, "SELECT count(*) FROM "+table).Scan(&n))
	return n
}
