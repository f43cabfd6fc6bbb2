package portal_test

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"onrecord/audit"
	"onrecord/audit/audittest"
	"onrecord/database"
	"onrecord/database/dbtest"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

// copySource is a portal on SQLite with something in every table, closed.
func copySource(t *testing.T) *portaltest.Fixture {
	t.Helper()
	f := portaltest.OnSQLite(t)
	busy(t, f)
	check(t, f.Log().Seal(ctx))
	dana := f.SignedIn(t, f.Alpha, f.Dana).Caller // waits to be sealed when it is copied
	must(f.SearchLog(ctx, dana, f.Alpha, audit.Filter{}, audit.Page{}))
	return f
}

// copied runs Copy and closes the target's handle.
func copied(t *testing.T, from *database.DB, dsn string, told func(done, total int64)) (portal.Copied, error) {
	t.Helper()
	to := must(database.Open(ctx, dsn))
	defer to.Close()
	if told == nil {
		told = func(int64, int64) {}
	}
	return portal.Copy(ctx, from, to, "olga@console", told)
}

// openCopy opens the portal of a target.
func openCopy(t *testing.T, dsn string) *portal.Portal {
	t.Helper()
	db := dbtest.Open(t, dsn)
	p, err := portal.Open(ctx, db, portal.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	check(t, err)
	t.Cleanup(func() {
		check(t, p.Close())
		audittest.CheckLog(alive{t}, p.Log())
	})
	return p
}

type alive struct{ testing.TB }

func (alive) Context() context.Context { return context.Background() }

// eventsOf gives the JSON of all events of a log, newest first, without what
// happened to it in the copy.
func eventsOf(t *testing.T, p *portal.Portal, log string) (all []string) {
	t.Helper()
	check(t, p.Log().Seal(ctx))
	for page := (audit.Page{Limit: 1000}); ; {
		res, err := p.Log().Search(ctx, log, audit.Filter{}, page)
		check(t, err)
		for _, e := range res.Events {
			if e.Action != portal.DatabaseCopied {
				all = append(all, string(must(json.Marshal(e))))
			}
		}
		if page.Cursor = res.Older; page.Cursor == "" {
			return all
		}
	}
}

func TestCopyMovesEverything(t *testing.T) {
	f := copySource(t)
	dsn := dbtest.Postgres(t)
	last, of := int64(0), int64(0)
	done, err := copied(t, f.Look(t), dsn, func(done, total int64) {
		if done < last {
			t.Errorf("told of %d after %d", done, last)
		}
		last, of = done, total
	})
	check(t, err)
	if done.Resumed || len(done.Faults) > 0 || done.Organization != f.Org || done.Tables < 20 || done.Event == "" || last != of {
		t.Errorf("the copy is %+v, told of %d of %d", done, last, of)
	}
	p := openCopy(t, dsn)
	for _, log := range []string{f.Org, f.Alpha, f.Beta} {
		here, there := eventsOf(t, f.Portal, log), eventsOf(t, p, log)
		if len(here) < 4 || !slices.Equal(here, there) {
			t.Errorf("the log %s has %d events here, %d there, and they differ", log, len(here), len(there))
		}
	}
	filter := must(audit.ParseQuery("action:database.copied"))
	res := must(p.Log().Search(ctx, f.Org, filter, audit.Page{}))
	if len(res.Events) != 1 || res.Events[0].Actor.Name != "olga@console" || res.Events[0].Data["events"] != fmt.Sprint(done.Events) {
		t.Errorf("the copy is on the record as %+v", res.Events)
	}

	// The target works: people sign in with their passwords, change things, and
	// find what was there.
	dana := must(p.SignIn(ctx, portaltest.From("203.0.113.7"), "dana@example.com", portaltest.Password)).Caller
	calls := must(p.Calls(ctx, dana, f.Alpha, portal.CallFilter{}, audit.Page{}))
	must(p.EditValue(ctx, dana, f.Alpha, calls.Calls[0].ID, "closing", "12", "", ""))
	must(p.AddDevice(ctx, dana, f.Alpha, "desk-after", ""))
	found := must(p.SearchLog(ctx, dana, f.Alpha, must(audit.ParseQuery(`action:call.deleted "Test"`)), audit.Page{}))
	if len(found.Events) != 1 {
		t.Errorf("a search in what was copied finds %+v", found.Events)
	}
}

func TestCopyIntoWhatIsThere(t *testing.T) {
	f := copySource(t)
	dsn := dbtest.Postgres(t)
	must(copied(t, f.Look(t), dsn, nil))
	_, err := copied(t, f.Look(t), dsn, nil)
	refused(t, err, audit.CodeConflict)
	if !strings.Contains(err.Error(), "this organization already") {
		t.Errorf("copying twice: %v", err)
	}
	other := copySource(t)
	_, err = copied(t, other.Look(t), dsn, nil)
	refused(t, err, audit.CodeConflict)
	if !strings.Contains(err.Error(), "another organization already") {
		t.Errorf("copying into the database of another organization: %v", err)
	}
	if len(eventsOf(t, openCopy(t, dsn), f.Org)) < 4 {
		t.Error("a refused copy changed the target")
	}

	// A database that was migrated, and its roles granted, before is empty all the same.
	must(copied(t, f.Look(t), portaltest.OnPostgres(t), nil))

	empty, p, err := openPortal(dbtest.SQLite(t))
	check(t, err)
	defer func() { check(t, errors.Join(p.Close(), empty.Close())) }()
	_, err = copied(t, empty, dbtest.Postgres(t), nil)
	refused(t, err, audit.CodeConflict)
	_, err = copied(t, f.Look(t), dbtest.SQLite(t), nil)
	refused(t, err, audit.CodeInvalid)
}

// stopped ends a copy at a step, as if its program was killed: by a context that
// ends, which nothing survives that was not committed.
func stopped(t *testing.T, from *database.DB, dsn string, at int64) bool {
	t.Helper()
	to := must(database.Open(ctx, dsn))
	defer to.Close()
	ctx, kill := context.WithCancel(ctx)
	defer kill()
	_, err := portal.Copy(ctx, from, to, "olga@console", func(done, _ int64) {
		if done >= at {
			kill()
		}
	})
	return err != nil
}

// Wherever it is stopped, the next run goes on, nobody can use the half, and
// the whole is what the source is; also if that has changed meanwhile.
func TestCopyGoesOn(t *testing.T) {
	f := copySource(t)
	dsn := dbtest.Postgres(t)
	runs := 0
	for at := int64(50); stopped(t, f.Look(t), dsn, at); at += 400 {
		runs++
		db := must(database.Open(ctx, dsn))
		if _, err := portal.Schemas(ctx, db); err != portal.ErrCopying {
			t.Fatalf("half a copy can be opened: %v", err)
		}
		if _, err := portal.Migrate(ctx, db); err != portal.ErrCopying {
			t.Fatalf("half a copy can be migrated: %v", err)
		}
		db.Close()
		if runs == 2 { // somebody works on the source in between
			f.AddDevice(t, f.Dana, f.Alpha, "desk-between")
			must(f.UnblockUser(ctx, f.Bo, f.Alpha, f.Adam.ID, "", ""))
			check(t, f.Log().Seal(ctx))
		}
	}
	if runs < 3 {
		t.Errorf("the copy was stopped %d times only", runs)
	}
	p := openCopy(t, dsn)
	for _, log := range []string{f.Org, f.Alpha, f.Beta} {
		if here, there := eventsOf(t, f.Portal, log), eventsOf(t, p, log); !slices.Equal(here, there) {
			t.Errorf("the log %s has %d events here, %d there, and they differ", log, len(here), len(there))
		}
	}
	m := must(p.User(ctx, f.Dana, f.Alpha, f.Adam.ID))
	if m.Status != portal.Active {
		t.Errorf("what changed between two runs is %+v", m)
	}
}

// A log with faults is copied as it is, and they are told.
func TestCopyTellsFaults(t *testing.T) {
	db, p, err := openPortal(dbtest.SQLite(t))
	check(t, err)
	defer func() { check(t, errors.Join(p.Close(), db.Close())) }()
	made := must(p.Setup(ctx, crashOperator, portal.NewTeam{Team: "Alpha", Email: "dana@example.com"}))
	tamperWith(t, db.Path(), "member", "UPDATE member SET role = 'agent'")
	must(portal.Migrate(ctx, db)) // puts the guards back
	done, err := copied(t, db, dbtest.Postgres(t), nil)
	check(t, err)
	if len(done.Faults) != 1 || !strings.Contains(done.Faults[0].String(), made.Admin.ID) {
		t.Errorf("told is %v", done.Faults)
	}
}

// tamperWith changes a table as whoever can write the file may.
func tamperWith(t *testing.T, path, table, query string) {
	t.Helper()
	raw, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(5000)")
	check(t, err)
	defer raw.Close()
	raw.SetMaxOpenConns(1)
	var guards []string
	rows, err := raw.Query("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = $1", table)
	check(t, err)
	for rows.Next() {
		var name string
		check(t, rows.Scan(&name))
		guards = append(guards, "DROP TRIGGER "+name)
	}
	check(t, rows.Err())
	for _, query := range append(guards, query) {
		_, err := raw.Exec(query)
		check(t, err)
	}
}
