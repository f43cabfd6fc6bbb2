package portal_test

import (
	"io"
	"log/slog"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/database/dbtest"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

// beside opens the same database again, as another process does that serves
// from it.
func beside(t *testing.T, f *portaltest.Fixture) *portal.Portal {
	t.Helper()
	p, err := portal.Open(ctx, dbtest.Open(t, f.DSN), portal.WithClock(f.Clock.Now), portal.WithLogger(slog.New(slog.NewTextHandler(io.Discard, nil))))
	check(t, err)
	t.Cleanup(func() { check(t, p.Close()) })
	return p
}

// Several processes serve from one PostgreSQL database: it does not matter
// which of them is asked.
func TestProcessesShareSessions(t *testing.T) {
	f := portaltest.At(t, portaltest.OnPostgres(t))
	other := beside(t, f)
	in := f.SignedIn(t, f.Alpha, f.Adam)
	from := portaltest.From("203.0.113.7").Context
	there, err := other.Authenticate(ctx, from, in.Token)
	check(t, err)
	if there.Caller.ID != f.Adam.ID || len(there.Memberships) != 1 {
		t.Errorf("the other process knows the session as %+v", there)
	}
	// Who is blocked by one is out of the other at once.
	must(other.BlockUser(ctx, f.Dana, f.Alpha, f.Adam.ID, "", ""))
	if _, err := f.Authenticate(ctx, from, in.Token); !portal.SignedOut(err) {
		t.Errorf("blocked through the other process: %v", err)
	}
	// A team and a link made by one work with the other.
	made := must(other.Setup(ctx, f.Operator, portal.NewTeam{Team: "Gamma", Email: "gina@example.com"}))
	link := must(other.NewLink(ctx, f.Operator, made.Team, made.Admin.ID, ""))
	gina := must(f.UseLink(ctx, portaltest.From("203.0.113.9"), link.Token, "Gina", portaltest.Password))
	f.AddDevice(t, gina.Caller, made.Team, "desk-9")
	list := must(other.Devices(ctx, gina.Caller, made.Team, portal.DeviceFilter{}))
	if len(list.Devices) != 1 {
		t.Errorf("the other process sees %+v", list.Devices)
	}
	must(other.SearchLog(ctx, gina.Caller, made.Team, audit.Filter{}, audit.Page{}))
}

func TestProcessesShareLimits(t *testing.T) {
	f := portaltest.At(t, portaltest.OnPostgres(t))
	f.SignedIn(t, f.Alpha, f.Dana)
	both := []*portal.Portal{f.Portal, beside(t, f)}
	wrong := func(n int) error {
		_, err := both[n%2].SignIn(ctx, portaltest.From("203.0.113.7"), "dana@example.com", "wrong "+portaltest.Password)
		return err
	}
	for n := range 5 {
		refused(t, wrong(n), audit.CodeDenied)
	}
	refused(t, wrong(0), audit.CodeTooMany)
	refused(t, wrong(1), audit.CodeTooMany)
	// The right password has to wait as well, and then works with either.
	_, err := both[1].SignIn(ctx, portaltest.From("203.0.113.7"), "dana@example.com", portaltest.Password)
	refused(t, err, audit.CodeTooMany)
	f.Clock.Advance(2 * time.Second)
	must(both[1].SignIn(ctx, portaltest.From("203.0.113.7"), "dana@example.com", portaltest.Password))
	for n := range 5 { // a success is forgiveness, wherever it was
		refused(t, wrong(n), audit.CodeDenied)
	}
	refused(t, wrong(1), audit.CodeTooMany)
}
