// Package portaltest opens real portals for tests: a fresh database with an
// organization, two teams and their people, on SQLite and on PostgreSQL in turn
// ([Main]). Every test that uses it ends in a check of the whole log.
package portaltest

import (
	"context"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/audit/audittest"
	"onrecord/audit/seal"
	"onrecord/database"
	"onrecord/database/dbtest"
	"onrecord/portal"
)

// Fixture is a portal with two teams: Alpha, whose Admins are Dana and Adam,
// with the Auditor Audrey and the Agent Agnes; and Beta, whose Admin is Bea.
// Bo is an Admin in both. Nobody has a password.
type Fixture struct {
	*portal.Portal
	Clock *Clock
	DB    *database.DB
	DSN   string // of the database
	Path  string // of the SQLite file, or ""
	Keys  string // of the file with signing keys; there is none before [Fixture.Sign]

	Operator    portal.Caller
	Org         string // the organization's id
	Alpha, Beta string // ids of the teams

	Dana, Adam, Audrey, Agnes, Bea, Bo portal.Caller

	look *database.DB

	t      testing.TB
	broken bool            // the log was tampered with
	seen   map[string]bool // events that Expect has passed
}

// Clock is a clock that only moves when it is told to, and a microsecond at
// each look.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// Now is the time, one microsecond later at each call.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(time.Microsecond)
	return c.now
}

// Advance moves the clock.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Empty opens a portal that is not set up.
func Empty(t testing.TB) *Fixture {
	t.Helper()
	return emptyAt(t, DSN(t))
}

func emptyAt(t testing.TB, dsn string) *Fixture {
	t.Helper()
	f := &Fixture{
		t: t, seen: map[string]bool{},
		Clock: &Clock{now: time.Date(2026, 3, 1, 9, 0, 0, 0, time.UTC)},
		DSN:   dsn,
		Keys:  filepath.Join(t.TempDir(), "onrecord.key"),
		Operator: portal.Caller{
			Actor:   audit.Actor{Type: audit.ActorOperator, Name: "olga@console"},
			Context: audit.Context{Via: "cli"},
		},
	}
	ctx := context.Background()
	var err error
	if f.DB, err = database.Open(ctx, dsn); err != nil {
		t.Fatal(err)
	}
	f.Path = f.DB.Path()
	t.Cleanup(func() { f.DB.Close() })
	if f.Portal, err = portal.Open(ctx, f.DB, portal.WithClock(f.Clock.Now), portal.WithSigningKeys(f.Keys)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
		if f.Path != "" {
			checkStatements(t, f)
		}
		if !f.broken {
			audittest.CheckLog(alive{t}, f.Log())
		}
	})
	return f
}

// Broken spares a log that the test has tampered with the check at its end.
func (f *Fixture) Broken() { f.broken = true }

// Sign makes a signing key: from now on checkpoints are signed. What that
// recorded counts as seen by [Fixture.Expect].
func (f *Fixture) Sign(t testing.TB) seal.NamedKey {
	t.Helper()
	keys, _, err := seal.MakeKeyFile(f.Keys, seal.FileName)
	if err == nil {
		err = f.AddSigningKey(context.Background(), f.Operator, keys[0].Public())
	}
	if err != nil {
		t.Fatal(err)
	}
	f.Passed()
	return keys[0]
}

// Look gives a handle for a test's own queries.
func (f *Fixture) Look(t testing.TB) *database.DB {
	t.Helper()
	if f.look == nil {
		f.look = dbtest.Open(f.t, f.DSN)
	}
	return f.look
}

// alive lends a test a context that still lives during clean-up.
type alive struct{ testing.TB }

func (alive) Context() context.Context { return context.Background() }

// New opens a portal with the two teams. What led there counts as seen by
// [Fixture.Expect].
func New(t testing.TB) *Fixture {
	t.Helper()
	return At(t, DSN(t))
}

// OnSQLite is New on SQLite, whatever database others are made on: for a test
// of its file or its planner.
func OnSQLite(t testing.TB) *Fixture {
	t.Helper()
	return At(t, sqliteDSN(t))
}

// At is New on a database that has the schema.
func At(t testing.TB, dsn string) *Fixture {
	t.Helper()
	f := emptyAt(t, dsn)
	alpha := f.Setup(t, portal.NewTeam{Organization: "Acme", Team: "Alpha", Email: "dana@example.com", AdminName: "Dana Cruz"})
	beta := f.Setup(t, portal.NewTeam{Team: "Beta", Email: "bea@example.com", AdminName: "Bea Brown"})
	f.Org, f.Alpha, f.Beta = alpha.Organization, alpha.Team, beta.Team
	f.Dana, f.Bea = As(alpha.Admin), As(beta.Admin)
	f.Adam = f.Add(t, f.Dana, f.Alpha, "adam@example.com", "Adam Ames", portal.Admin)
	f.Audrey = f.Add(t, f.Dana, f.Alpha, "audrey@example.com", "Audrey Abe", portal.Auditor)
	f.Agnes = f.Add(t, f.Dana, f.Alpha, "agnes@example.com", "Agnes Ash", portal.Agent)
	f.Bo = f.Add(t, f.Dana, f.Alpha, "bo@example.com", "Bo Both", portal.Admin)
	f.Add(t, f.Bea, f.Beta, "bo@example.com", "", portal.Admin)
	f.Passed()
	return f
}

// Setup makes a team as the operator.
func (f *Fixture) Setup(t testing.TB, n portal.NewTeam) portal.CreatedTeam {
	t.Helper()
	made, err := f.Portal.Setup(context.Background(), f.Operator, n)
	if err != nil {
		t.Fatalf("setting up %s: %v", n.Team, err)
	}
	f.Org = made.Organization
	return made
}

// Add makes somebody a member and gives them as a caller.
func (f *Fixture) Add(t testing.TB, by portal.Caller, team, email, name string, role portal.Role) portal.Caller {
	t.Helper()
	done, err := f.AddUsers(context.Background(), by, team, []portal.NewUser{{Email: email, Name: name}}, role, "")
	if err != nil || len(done.Added) != 1 {
		t.Fatalf("adding %s: %+v, %v", email, done, err)
	}
	return As(done.Added[0].Member)
}

// AddDevice adds a device.
func (f *Fixture) AddDevice(t testing.TB, by portal.Caller, team, hostname string) portal.Device {
	t.Helper()
	d, err := f.Portal.AddDevice(context.Background(), by, team, hostname, "")
	if err != nil {
		t.Fatalf("adding the device %s: %v", hostname, err)
	}
	return d
}

// As is a member as a caller without a session.
func As(m portal.Member) portal.Caller {
	return portal.Caller{
		Actor:   audit.Actor{Type: audit.ActorUser, ID: m.ID, Name: m.Name, Email: m.Email},
		Context: audit.Context{IP: "203.0.113.7", UserAgent: "portaltest", Via: "web"},
	}
}

// From is a caller who is not signed in, from an address.
func From(ip string) portal.Caller {
	return portal.Caller{Context: audit.Context{IP: ip, UserAgent: "portaltest", Via: "web"}}
}

// Password satisfies the policy for everybody of the fixture.
const Password = "tulip gravel Kayak ostrich 41"

// SignedIn gives somebody a password, by a one-time link, and a session.
func (f *Fixture) SignedIn(t testing.TB, team string, who portal.Caller) portal.SignedIn {
	t.Helper()
	link, err := f.NewLink(context.Background(), f.Operator, team, who.ID, "")
	if err != nil {
		t.Fatalf("making a link for %s: %v", who.Email, err)
	}
	in, err := f.UseLink(context.Background(), From("203.0.113.7"), link.Token, "", Password)
	if err != nil {
		t.Fatalf("using the link of %s: %v", who.Email, err)
	}
	return in
}

// Passed counts everything recorded so far as seen and gives what was new, as
// [Fixture.Expect] writes it.
func (f *Fixture) Passed() []string { return f.unseen(f.t) }

// Expect fails the test unless the events recorded since the last Expect are
// exactly these, in all logs together. An event reads
//
//	alpha user.role_changed ok "Sam Roe": role agent→auditor
//
// that is its log, action, outcome (with the error of a failed one), object,
// and then the changed fields and the data. Ids and times read as *, and so
// do the texts of refusals and the sizes and digests of exports. The name of an
// export is its file's without the time.
func (f *Fixture) Expect(t testing.TB, want ...string) {
	t.Helper()
	got := f.unseen(t)
	if slices.Equal(got, want) {
		return
	}
	t.Errorf("the events are\n\t%s\nnot\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
}

// unseen gives the events that were not given before, by time.
func (f *Fixture) unseen(t testing.TB) []string {
	t.Helper()
	var events []audit.Event
	for _, log := range []string{f.Org, f.Alpha, f.Beta} {
		if log == "" {
			continue
		}
		for page := (audit.Page{Limit: 1000}); ; {
			r, err := f.Log().Search(context.Background(), log, audit.Filter{}, page)
			if err != nil {
				t.Fatalf("reading the log: %v", err)
			}
			events = append(events, r.Events...)
			if page.Cursor = r.Older; r.Older == "" {
				break
			}
		}
	}
	slices.SortFunc(events, func(a, b audit.Event) int { return strings.Compare(a.ID, b.ID) })
	var lines []string
	for _, e := range events {
		if !f.seen[e.ID] {
			f.seen[e.ID] = true
			lines = append(lines, f.line(e))
		}
	}
	return lines
}

func (f *Fixture) line(e audit.Event) string {
	log := map[string]string{f.Org: "org", f.Alpha: "alpha", f.Beta: "beta"}[e.Log]
	line := fmt.Sprintf("%s %s %s", log, e.Action, e.Outcome)
	if e.Error != "" {
		line += " " + e.Error
	}
	if e.Object != nil {
		name := e.Object.Name
		if e.Object.Type == "export" {
			name = "audit-log" + path.Ext(name)
		}
		line += fmt.Sprintf(" %q", name)
	}
	var facts []string
	for _, c := range e.Changes {
		facts = append(facts, strings.TrimSpace(fmt.Sprintf("%s %s→%s", c.Field, f.value(c, c.From), f.value(c, c.To))))
	}
	for key, value := range e.Data {
		switch key {
		case "refusal", "sha256", "bytes", "size": // tests of exports compare these themselves
			value = "*"
		}
		for _, id := range strings.FieldsFunc(value, func(r rune) bool { return r == ' ' || r == ',' }) {
			if prefix, _, err := audit.ParseID(id); err == nil {
				value = strings.ReplaceAll(value, id, prefix+"_*")
			}
		}
		facts = append(facts, key+"="+value)
	}
	slices.Sort(facts)
	if len(facts) > 0 {
		line += ": " + strings.Join(facts, ", ")
	}
	return line
}

// value is one side of a change; what differs from run to run is a star.
func (f *Fixture) value(c audit.Change, v audit.Value) string {
	if v.IsZero() {
		return ""
	}
	if _, _, err := audit.ParseID(v.String()); err == nil || strings.HasSuffix(c.Field, "_at") || c.Class == audit.Digest {
		return "*"
	}
	return v.String()
}
