package demo_test

import (
	"context"
	"path/filepath"
	"slices"
	"strings"
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

// everything gives all events of a log, oldest first.
func everything(t *testing.T, p *portal.Portal, log string) (events []audit.Event) {
	t.Helper()
	for page := (audit.Page{Limit: 1000}); ; {
		res, err := p.Log().Search(t.Context(), log, audit.Filter{}, page)
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, res.Events...)
		if page.Cursor = res.Older; page.Cursor == "" {
			slices.Reverse(events)
			return events
		}
	}
}

func TestFill(t *testing.T) {
	now := time.Date(2026, 11, 24, 10, 17, 0, 0, time.UTC)
	p, by, made := filled(t, now)
	audittest.CheckLog(t, p.Log())
	for _, err := range made.Refused {
		t.Errorf("refused: %v", err)
	}
	teams, err := p.Teams(t.Context(), by)
	if err != nil || len(teams) != 3 {
		t.Fatalf("%d teams (%v), want 3", len(teams), err)
	}
	logs := map[string][]audit.Event{}
	people, devices, calls := map[string]bool{}, 0, 0
	for _, team := range teams {
		logs[team.Name] = everything(t, p, team.ID)
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
	t.Run("story", func(t *testing.T) { story(t, logs["Customer Support"]) })
	t.Run("shape", func(t *testing.T) { shape(t, logs["Customer Support"], now) })
}

// story looks for what happened that night.
func story(t *testing.T, events []audit.Event) {
	next := func(from int, what string, is func(audit.Event) bool) int {
		for i := from; i < len(events); i++ {
			if is(events[i]) {
				return i
			}
		}
		t.Fatalf("after event %d there is no %s", from, what)
		return 0
	}
	rory := "Rory Vale"
	promoted := next(0, "promotion", func(e audit.Event) bool {
		return e.Action == portal.UserRoleChanged && e.Object.Name == rory && e.Changes[0].To.String() == string(portal.Admin)
	})
	blocked := next(promoted, "block", func(e audit.Event) bool { return e.Action == portal.UserBlocked && e.Object.Name == rory })
	deleted := next(promoted, "deletion", func(e audit.Event) bool { return e.Action == portal.CallDeleted && e.Actor.Name == rory })
	if deleted > blocked || events[blocked].Actor.ID == events[promoted].Actor.ID {
		t.Error("the deletion comes before the block, which is by another Admin than the promotion")
	}
	if took := events[blocked].Time.Sub(events[promoted].Time); took > 24*time.Hour {
		t.Errorf("it took %s", took)
	}
	exports := 0
	for _, e := range events[promoted:blocked] {
		if e.Action == portal.CallTranscriptExported && e.Actor.Name == rory {
			exports++
			if e.Time.Hour() < 1 || e.Time.Hour() > 5 || e.Context.IP != events[promoted].Context.IP {
				t.Errorf("an export at %s from %s", e.Time, e.Context.IP)
			}
		}
	}
	if exports != 64 {
		t.Errorf("%d exports, want 64", exports)
	}
}

// shape compares the log with those of real systems.
func shape(t *testing.T, events []audit.Event, now time.Time) {
	actors, objects := map[string]int{}, map[string]int{}
	repeats, reads, done := 0, 0, 0
	last := map[string]string{}
	for _, e := range events {
		if e.Actor.Type != audit.ActorUser || strings.HasPrefix(e.Action, "session.") {
			continue
		}
		done++
		actors[e.Actor.ID]++
		object := ""
		if e.Object != nil {
			object = e.Object.ID
			objects[object]++
		}
		if last[e.Actor.ID] == e.Action+object {
			repeats++
		}
		last[e.Actor.ID] = e.Action + object
		switch e.Action {
		case portal.CallViewed, portal.CallTranscriptExported, portal.AuditLogViewed:
			reads++
		}
	}
	share := func(n int) float64 { return float64(n) / float64(done) }
	top, once := 0, 0
	for _, n := range actors {
		top = max(top, n)
	}
	for _, n := range objects {
		if n == 1 {
			once++
		}
	}
	for _, c := range []struct {
		what           string
		got, low, high float64
	}{
		{"the top actor's share", share(top), 0.44, 0.96},
		{"the share of readings", share(reads), 0.7, 0.9},
		{"the share of repeats", share(repeats), 0.10, 0.30},
		{"the share of objects seen once", float64(once) / float64(len(objects)), 0.05, 0.5},
		{"the days of history", now.Sub(events[0].Time).Hours() / 24, 89, 91},
		{"the minutes since the last event", now.Sub(events[len(events)-1].Time).Minutes(), 0, 30},
	} {
		t.Logf("%s: %.2f", c.what, c.got)
		if c.got < c.low || c.got > c.high {
			t.Errorf("%s is %.2f, want %.2f to %.2f", c.what, c.got, c.low, c.high)
		}
	}
}
