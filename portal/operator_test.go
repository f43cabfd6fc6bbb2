package portal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

func TestOperatorKeepsTheirID(t *testing.T) {
	f := portaltest.Empty(t)
	first := must(f.Portal.Operator(ctx, "alice@host"))
	made := must(f.Portal.Setup(ctx, first, portal.NewTeam{Team: "Alpha", Email: "dana@example.com"}))
	again := must(f.Portal.Operator(ctx, "alice@host"))
	if again.ID != first.ID || !audit.ValidID("operator", again.ID) || again.Type != audit.ActorOperator || again.Via != "cli" {
		t.Errorf("the operator is %+v, before %+v", again, first)
	}
	if again.Request == first.Request {
		t.Error("two commands are one request")
	}
	// Whose name begins the same, or is the same in other letters, is another.
	for _, name := range []string{"alice@host2", "alice@hos", "Alice@host", "bob@host"} {
		if other := must(f.Portal.Operator(ctx, name)); other.ID == first.ID {
			t.Errorf("%s is taken for alice@host", name)
		}
	}
	// Somebody whom only a team's log knows is found again too.
	bob := must(f.Portal.Operator(ctx, "bob@host"))
	must(f.AddUsers(ctx, bob, made.Team, []portal.NewUser{{Email: "sam@example.com"}}, portal.Agent, ""))
	if again := must(f.Portal.Operator(ctx, "bob@host")); again.ID != bob.ID {
		t.Errorf("bob is %s, before %s", again.ID, bob.ID)
	}
}

func TestFindMember(t *testing.T) {
	f := portaltest.New(t)
	m := must(f.FindMember(ctx, f.Operator, f.Alpha, "DANA@Example.com"))
	if m.ID != f.Dana.ID {
		t.Errorf("found %+v", m)
	}
	for _, email := range []string{"nobody@example.com", "bea@example.com", ""} { // Bea is in the other team
		_, err := f.FindMember(ctx, f.Operator, f.Alpha, email)
		refused(t, err, audit.CodeNotFound)
	}
	_, err := f.FindMember(ctx, f.Dana, f.Alpha, "dana@example.com")
	refused(t, err, audit.CodeDenied)
	f.Expect(t)
}

// read collects the labels of all events that ReadLog gives.
func read(t *testing.T, f *portaltest.Fixture, by portal.Caller, log string, filter audit.Filter, limit int) (ids []string, pages int) {
	t.Helper()
	for page, err := range f.ReadLog(ctx, by, log, filter, limit) {
		check(t, err)
		pages++
		for _, e := range page.Events {
			ids = append(ids, e.ID)
		}
	}
	return ids, pages
}

func TestReadLogIsOneReading(t *testing.T) {
	f := portaltest.New(t)
	for i := range 1_100 {
		must(f.SetMetric(ctx, f.Dana, f.Alpha, "greeting", i%2 == 1, "", ""))
	}
	f.Passed()
	filter := must(audit.ParseQuery("action:metric.enabled,metric.disabled"))
	all, pages := read(t, f, f.Operator, f.Alpha, filter, 0)
	if len(all) != 1_100 || pages < 2 {
		t.Errorf("%d events on %d pages, want 1100 on at least two", len(all), pages)
	}
	f.Expect(t, "alpha audit_log.viewed ok: query=action:metric.enabled,metric.disabled")
	if !slices.IsSortedFunc(all, func(a, b string) int { return strings.Compare(b, a) }) {
		t.Error("they are not newest first")
	}
	for _, limit := range []int{1, 50, 1000, 1001, 1100, 5000} {
		some, _ := read(t, f, f.Operator, f.Alpha, filter, limit)
		if want := min(limit, 1_100); !slices.Equal(some, all[:want]) {
			t.Errorf("with the limit %d there are %d events, want %d", limit, len(some), want)
		}
	}
	f.Passed()

	// Who stops early has read all the same.
	for range f.ReadLog(ctx, f.Operator, f.Alpha, filter, 0) {
		break
	}
	f.Expect(t, "alpha audit_log.viewed ok: query=action:metric.enabled,metric.disabled")
}

func TestReadLogOfTheOrganization(t *testing.T) {
	f := portaltest.New(t)
	ids, _ := read(t, f, f.Operator, f.Org, audit.Filter{}, 0)
	if len(ids) < 5 {
		t.Errorf("%d events", len(ids))
	}
	f.Expect(t, "org audit_log.viewed ok")
	for _, c := range []struct {
		by   portal.Caller
		log  string
		code audit.Code
	}{
		{f.Dana, f.Org, audit.CodeNotFound},
		{f.Agnes, f.Alpha, audit.CodeDenied},
		{f.Bea, f.Alpha, audit.CodeNotFound},
		{f.Operator, audit.NewID("team", f.Clock.Now()), audit.CodeNotFound},
	} {
		for page, err := range f.ReadLog(ctx, c.by, c.log, audit.Filter{}, 0) {
			if len(page.Events) > 0 {
				t.Errorf("%s read %s", c.by.Name, c.log)
			}
			refused(t, err, c.code)
		}
	}
	f.Passed()
}

func TestSchemaVersions(t *testing.T) {
	f := portaltest.Empty(t)
	for _, s := range must(portal.Schemas(ctx, f.DB)) {
		if s.Has != s.Program || s.Has < 1 {
			t.Errorf("the schema is %s", fmt.Sprint(s))
		}
	}
}

func TestBackUpIsRecordedFirst(t *testing.T) {
	empty := portaltest.Empty(t)
	_, err := empty.BackUp(ctx, empty.Operator, "a.db")
	refused(t, err, audit.CodeConflict)

	f := portaltest.New(t)
	must(f.BackUp(ctx, f.Operator, "backup.db"))
	f.Expect(t, `org database.backed_up ok "Acme": file=backup.db`)
	_, err = f.BackUp(ctx, f.Dana, "stolen.db")
	refused(t, err, audit.CodeDenied)
	f.Expect(t, `org database.backed_up denied "Acme": file=stolen.db, refusal=*`)
}
