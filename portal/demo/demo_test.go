package demo_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/audit/audittest"
	"onrecord/database"
	"onrecord/portal"
	"onrecord/portal/demo"
)

const password = "tulip gravel Kayak ostrich 41"

// filled gives a portal that the demonstration has filled, with an operator.
func filled(t *testing.T, now time.Time) (*portal.Portal, portal.Caller, demo.Made) {
	t.Helper()
	ctx := context.Background()
	db, err := database.Open(ctx, "sqlite:"+filepath.Join(t.TempDir(), "demo.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	if _, err := portal.Migrate(ctx, db); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	made, err := demo.Fill(ctx, db, demo.Options{Seed: 1, Now: now, Password: password})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d steps in %s", made.Steps, time.Since(began).Round(time.Millisecond))
	p, err := portal.Open(ctx, db, portal.WithClock(func() time.Time { return now }))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	by, err := p.Operator(ctx, "test@host")
	if err != nil {
		t.Fatal(err)
	}
	return p, by, made
}

func TestFill(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 17, 0, 0, time.UTC)
	p, by, made := filled(t, now)
	audittest.CheckLog(t, p.Log())
	teams, err := p.Teams(t.Context(), by)
	if err != nil || len(teams) != 3 {
		t.Fatalf("%d teams (%v), want 3", len(teams), err)
	}
	people, devices, calls := map[string]bool{}, 0, 0
	for _, team := range teams {
		page, err := p.Team(t.Context(), by, team.ID)
		if err != nil {
			t.Fatal(err)
		}
		users, err := p.Users(t.Context(), by, team.ID, portal.UserFilter{Limit: 1000})
		if err != nil {
			t.Fatal(err)
		}
		for _, u := range users.Users {
			people[u.ID] = true
		}
		devices, calls = devices+page.Devices, calls+page.Calls
		totals, _ := p.Log().Totals(t.Context(), team.ID)
		t.Logf("%s: %d members, %d devices, %d calls, %v", team.Name, page.Members, page.Devices, page.Calls, totals)
	}
	if len(people) < 24 || len(people) > 27 || devices < 40 || devices > 45 || calls < 360 || calls > 420 {
		t.Errorf("%d people, %d devices, %d calls", len(people), devices, calls)
	}
	in, err := p.SignIn(t.Context(), portal.Caller{Context: audit.Context{IP: "127.0.0.1", Via: "web"}}, made.Email, password)
	if err != nil {
		t.Fatal(err)
	}
	if len(in.Memberships) != 3 {
		t.Errorf("%s is in %d teams, want 3", made.Email, len(in.Memberships))
	}
}
