package e2e

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
)

func itoa(n int) string { return strconv.Itoa(n) }

// record records something that Dana did, by one of the processes.
func (s *site) record(log *audit.Log, action string) string {
	s.t.Helper()
	id, err := log.Note(context.Background(), audit.Intent{Log: s.Alpha, Actor: s.Dana.Actor, Action: action, Context: audit.Context{Via: "web"}})
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// shown waits until the list begins with these events.
func (w *window) shown(ids ...string) {
	w.t.Helper()
	var got []string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		got = nil
		for _, e := range w.entries() {
			got = append(got, e.Event)
		}
		if len(got) >= len(ids) && slices.Equal(got[:len(ids)], ids) {
			return
		}
	}
	w.t.Fatalf("the list begins with %q, not with %q", got[:min(len(got), len(ids))], ids)
}

// New events come to the page by themselves while nothing is read there; while
// something is, a button says how many wait. Each comes once, also after the
// connection broke off, and in its place, also if it committed late.
func TestLiveLog(t *testing.T) {
	t.Parallel()
	s := serve(t)
	for range 60 {
		s.record(s.Log(), portal.CallViewed)
	}
	w := s.browser(s.Alpha, s.Audrey)
	w.visit(s.path(s.Alpha, logPath+"?q=action:call.viewed,call.deleted"))
	before := w.entries()
	w.click(button("Live").inMain())
	one := s.record(s.Log(), portal.CallDeleted)
	w.shown(one, before[0].Event)

	behind, err := audit.Open(t.Context(), s.DB, portal.Catalogue, s.Log().Tables(), audit.WithClock(func() time.Time { return s.Clock.Now().Add(-time.Hour) }))
	if err != nil {
		t.Fatal(err)
	}
	defer behind.Close()
	late := s.record(behind, portal.CallDeleted)
	wait(w, "the late event", `!!document.querySelector('table.log a[href*="`+late+`"]')`)
	if all := w.entries(); all[len(all)-1].Event != late || all[0].Event != one {
		t.Errorf("the late event does not stand in its place")
	}

	// Reading: nothing moves.
	evaluate[bool](w, `scrollTo(0, 400), true`)
	wait(w, "the scrolling", `scrollY > 100`)
	at := evaluate[float64](w, `document.querySelectorAll("table.log tbody tr")[20].getBoundingClientRect().top`)
	two, three := s.record(s.Log(), portal.CallDeleted), s.record(behind, portal.CallViewed)
	s.record(s.Log(), portal.CallRestored) // not of this filter
	wait(w, "the button", `document.querySelector(".news button").textContent === "2 new" && !document.querySelector(".news button").hidden`)
	if now := evaluate[float64](w, `document.querySelectorAll("table.log tbody tr")[20].getBoundingClientRect().top`); now != at {
		t.Errorf("what was read moved from %v to %v", at, now)
	}
	w.click(button("2 new").inMain())
	w.shown(two, one, before[0].Event)
	if top := evaluate[float64](w, "scrollY"); top != 0 {
		t.Errorf("the list is at %v, not at its top", top)
	}

	// Switched off and on again it goes on where it was.
	w.click(button("Live").inMain())
	four := s.record(s.Log(), portal.CallDeleted)
	evaluate[bool](w, `document.activeElement.blur(), true`)
	w.click(button("Live").inMain())
	w.shown(four, two, one)
	count := map[string]int{}
	for _, e := range w.entries() {
		count[e.Event]++
	}
	for id, n := range count {
		if n != 1 {
			t.Errorf("%s stands %d times in the list", id, n)
		}
	}
	if count[three] != 1 {
		t.Error("the event that came late while the button waited is missing")
	}

	// Whoever may no longer read the log sees no more.
	if _, err := s.BlockUser(context.Background(), s.Dana, s.Alpha, s.Audrey.ID, "", ""); err != nil {
		t.Fatal(err)
	}
	wait(w, "the end", `document.querySelector("[data-live]").ariaPressed === "false"`)
	w.says("Sign in to go on.")
	s.record(s.Log(), portal.CallDeleted)
	time.Sleep(time.Second)
	if first := w.entries()[0].Event; first != four {
		t.Errorf("%s came after the end", first)
	}
	s.Passed()
}
