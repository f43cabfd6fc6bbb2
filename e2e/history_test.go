package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"testing"
	"time"

	"onrecord/portal"
)

// at sets the clock of the portal.
func (s *site) at(day, clock string) {
	s.t.Helper()
	to, err := time.Parse("2006-01-02 15:04:05.999999", day+" "+clock)
	if err != nil {
		s.t.Fatal(err)
	}
	s.Clock.Advance(to.Sub(s.Clock.Now()))
}

// past is what was done in Alpha over three days, mostly around midnight: the
// objects of it.
type past struct{ nora, omar, desk, sam string }

// past makes a history by several people.
func (s *site) past() past {
	s.t.Helper()
	ctx := context.Background()
	p := past{nora: s.addCall(s.Alpha, callOf("Nora Lind")), omar: s.addCall(s.Alpha, callOf("Omar Sy"))}
	p.desk = s.AddDevice(s.t, s.Dana, s.Alpha, "desk-1").ID
	p.sam = s.Add(s.t, s.Adam, s.Alpha, "sam@example.com", "Sam Roe", portal.Agent).ID
	steps := []func(by portal.Caller, n int) error{
		func(by portal.Caller, n int) error { _, err := s.ViewCall(ctx, by, s.Alpha, p.nora); return err },
		func(by portal.Caller, n int) error {
			_, err := s.ExportTranscript(ctx, by, s.Alpha, p.omar, "vtt")
			return err
		},
		func(by portal.Caller, n int) error {
			_, err := s.EditValue(ctx, by, s.Alpha, p.nora, "talk_share", fmt.Sprint(n), "", "take "+fmt.Sprint(n))
			return err
		},
		func(by portal.Caller, n int) error {
			_, err := s.BlockUser(ctx, by, s.Alpha, p.sam, "", "on leave")
			return err
		},
		func(by portal.Caller, n int) error {
			_, err := s.UnblockUser(ctx, by, s.Alpha, p.sam, "", "")
			return err
		},
		func(by portal.Caller, n int) error {
			_, err := s.AssignDevice(ctx, by, s.Alpha, p.desk, p.sam, "", "")
			return err
		},
		func(by portal.Caller, n int) error {
			_, err := s.UnassignDevice(ctx, by, s.Alpha, p.desk, "", "")
			return err
		},
		func(by portal.Caller, n int) error {
			_, err := s.DeleteCall(ctx, by, s.Alpha, p.omar, "", "")
			return err
		},
		func(by portal.Caller, n int) error {
			_, err := s.RestoreCall(ctx, by, s.Alpha, p.omar, "", "")
			return err
		},
		func(by portal.Caller, n int) error { // an Auditor may not, which is on the record as well
			if _, err := s.BlockUser(ctx, s.Audrey, s.Alpha, p.sam, "", ""); err == nil {
				return fmt.Errorf("an Auditor blocked a user")
			}
			return nil
		},
	}
	people := []portal.Caller{s.Dana, s.Adam, s.Bo}
	n := 0
	for _, moment := range [][2]string{
		{"2026-03-01", "12:00:00"}, {"2026-03-01", "23:59:58.5"}, {"2026-03-01", "23:59:59.999"},
		{"2026-03-02", "00:00:00"}, {"2026-03-02", "00:00:00.5"}, {"2026-03-02", "13:30:00"}, {"2026-03-03", "00:00:00.000001"},
	} {
		s.at(moment[0], moment[1])
		for i, step := range steps {
			n++
			if err := step(people[(n+i/3)%len(people)], n); err != nil {
				s.t.Fatalf("step %d at %s %s: %v", i, moment[0], moment[1], err)
			}
		}
	}
	s.at("2026-03-03", "09:00:00")
	return p
}

// raw is an event as its sealed bytes say, read without the portal.
type raw struct {
	ID     string
	Time   time.Time
	Actor  *struct{ Type, ID string }
	Action string
	Object *struct{ Type, ID string }

	Related []struct{ Type, ID string }
}

func (r raw) by(id string) bool { return r.Actor != nil && r.Actor.ID == id }

func (r raw) is(actions ...string) bool { return slices.Contains(actions, r.Action) }

func (r raw) kind(kinds ...string) bool {
	return r.Object != nil && slices.Contains(kinds, r.Object.Type)
}

func (r raw) about(id string) bool {
	for _, o := range r.Related {
		if o.ID == id {
			return true
		}
	}
	return r.Object != nil && r.Object.ID == id
}

// raw reads the events of a log out of their table, newest first.
func (s *site) raw(t testing.TB, log string) []raw {
	t.Helper()
	rows, err := s.Look(t).QueryContext(context.Background(), "SELECT body FROM audit_event WHERE log = $1", log)
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	var all []raw
	for rows.Next() {
		var body []byte
		var r raw
		if err := rows.Scan(&body); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(body, &r); err != nil {
			t.Fatalf("%s: %v", body, err)
		}
		all = append(all, r)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(all, func(a, b raw) int {
		if c := b.Time.Compare(a.Time); c != 0 {
			return c
		}
		return compare(b.ID, a.ID)
	})
	return all
}

func compare(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}
