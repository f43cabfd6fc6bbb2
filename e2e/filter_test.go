package e2e

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"onrecord/portal"
)

// narrowing is the use of one of the page's filter controls, and what it must
// let through.
type narrowing struct {
	name  string
	apply func(m mouse)
	keeps func(raw) bool
	chips []string
}

// narrowings are uses of each of the four.
func (s *site) narrowings(p past) []narrowing {
	between := func(from, to string) func(raw) bool {
		low, _ := time.Parse(time.RFC3339, from)
		high, _ := time.Parse(time.RFC3339, to)
		return func(r raw) bool { return !r.Time.Before(low) && r.Time.Before(high) }
	}
	return []narrowing{
		{"Timestamp", func(m mouse) { m.between("2026-03-01T23:59:59", "2026-03-02T00:00:00") },
			between("2026-03-01T23:59:59Z", "2026-03-02T00:00:00Z"), []string{"From 2026-03-01 23:59:59 UTC", "Before 2026-03-02 00:00:00 UTC"}},
		{"Timestamp", func(m mouse) { m.between("2026-03-02T00:00:00", "2026-03-03T00:00:00") },
			between("2026-03-02T00:00:00Z", "2026-03-03T00:00:00Z"), []string{"From 2026-03-02 00:00:00 UTC", "Before 2026-03-03 00:00:00 UTC"}},
		{"Actor", func(m mouse) { m.tickIn("Actor", "Dana Cruz dana@example.com", "Audrey Abe audrey@example.com") },
			func(r raw) bool { return r.by(s.Dana.ID) || r.by(s.Audrey.ID) }, []string{"Actor: Audrey Abe", "Actor: Dana Cruz"}},
		{"Action", func(m mouse) { m.tickIn("Action", "Viewed call", "Edit metric value", "Blocked user") },
			func(r raw) bool { return r.is(portal.CallViewed, portal.MetricValueEdited, portal.UserBlocked) },
			[]string{"Action: Viewed call", "Action: Edit metric value", "Action: Blocked user"}},
		{"Object", func(m mouse) { m.object("call nora lind") },
			func(r raw) bool { return r.about(p.nora) }, []string{"Object: call nora lind"}},
		{"Object", func(m mouse) { m.object("", "User", "Device") },
			func(r raw) bool { return r.kind("user", "device") }, []string{"Kind: user", "Kind: device"}},
	}
}

// between types an exact time from–to. Fields for a time are typed part by
// part; en-US is the browser's language here.
func (m mouse) between(from, to string) {
	m.t.Helper()
	menu := openMenu(m, "Timestamp")
	for _, f := range [][2]string{{"from", from}, {"to", to}} {
		at, err := time.Parse("2006-01-02T15:04:05", f[1])
		if err != nil {
			m.t.Fatal(err)
		}
		evaluate[bool](m.window, "document.getElementById('"+f[0]+"').focus() ?? true")
		m.keys(at.Format("0102") + at.Format("2006") + kb.ArrowRight + at.Format("030405PM"))
		if got := evaluate[string](m.window, "document.getElementById('"+f[0]+"').value"); !strings.HasPrefix(f[1], strings.TrimSuffix(got, ":00")) || got == "" {
			m.t.Fatalf("typed %s, the field %s holds %q", f[1], f[0], got)
		}
	}
	m.follow(button("Apply").in(menu))
}

// tickIn ticks some options of a menu, after taking away all that are ticked.
func (m mouse) tickIn(name string, options ...string) {
	m.t.Helper()
	menu := openMenu(m, name)
	for _, o := range options {
		m.tick(checkbox(o).in(menu))
	}
	m.follow(button("Apply").in(menu))
}

// object fills the menu Object.
func (m mouse) object(name string, kinds ...string) {
	m.t.Helper()
	menu := openMenu(m, "Object")
	for _, k := range kinds {
		m.tick(checkbox(k).in(menu))
	}
	if name != "" {
		m.enter(combobox("Name or id").in(menu), name)
	}
	m.follow(button("Apply").in(menu))
}

// TestFilters compares what the page shows for each filter, and for each pair
// of them, with the raw rows of the log.
func TestFilters(t *testing.T) {
	t.Parallel()
	s := serve(t)
	all := s.narrowings(s.past())
	w := s.browser(s.Alpha, s.Audrey)
	m := mouse{w}
	for i, a := range all {
		w.visit(s.path(s.Alpha, logPath))
		a.apply(m)
		s.same(w, []narrowing{a})
		alone := w.address()
		for _, b := range all[i+1:] {
			if a.name == b.name {
				continue
			}
			w.visit(alone)
			b.apply(m)
			s.same(w, []narrowing{a, b})
		}
	}
}

// same compares all rows of the page, and the chips, with what the filters
// must let through.
func (s *site) same(w *window, by []narrowing) {
	w.t.Helper()
	var names, chips []string
	for _, n := range by {
		names, chips = append(names, n.name), append(chips, n.chips...)
	}
	got := w.chips()
	slices.Sort(got)
	slices.Sort(chips)
	if !slices.Equal(got, chips) {
		w.t.Errorf("%v: the chips are %q, not %q", names, got, chips)
	}
	s.shows(w, s.Alpha, fmt.Sprint(names), func(r raw) bool {
		return !slices.ContainsFunc(by, func(n narrowing) bool { return !n.keeps(r) })
	})
}

// shows compares the rows of the page and of all older ones with those raw
// rows that should be there. What is recorded from here on is not among them.
func (s *site) shows(w *window, log, what string, keeps func(raw) bool) {
	w.t.Helper()
	var want []string
	for _, r := range s.raw(w.t, log) {
		if keeps(r) {
			want = append(want, r.Time.Format("2006-01-02 15:04:05")+" "+portal.Catalogue.Label(r.Action)+" "+r.ID)
		}
	}
	if len(want) == 0 {
		w.t.Fatalf("%s lets nothing through, which proves nothing", what)
	}
	var got []string
	for {
		for _, e := range w.entries() {
			action, _, _ := strings.Cut(e.Action, "\n") // a refused one says so under it
			got = append(got, e.Time+" "+strings.TrimSpace(action)+" "+e.Event)
		}
		if !w.has(link("Older")) {
			break
		}
		w.follow(link("Older"))
	}
	if !slices.Equal(got, want) {
		w.t.Errorf("%s: the page shows %d rows\n\t%s\nnot %d\n\t%s", what, len(got), strings.Join(got, "\n\t"), len(want), strings.Join(want, "\n\t"))
	}
}

// TestLogPage tries what else the page has: the quiet line, paging both ways,
// the search field, chips, and a query that is not understood.
func TestLogPage(t *testing.T) {
	t.Parallel()
	s := serve(t)
	s.past()
	w := s.browser(s.Alpha, s.Audrey)
	m := mouse{w}
	openLogFromStart(w, s)

	tracked := func(r raw) bool { a, ok := portal.Catalogue.Get(r.Action); return ok && !a.Quiet }
	quiet := 0
	for _, r := range s.raw(t, s.Alpha) {
		if !tracked(r) {
			quiet++
		}
	}
	w.says(fmt.Sprintf("+ %d sign-ins, imports, readings", quiet))
	first := w.entries()
	s.shows(w, s.Alpha, "the quiet page", tracked)
	if !w.has(link("Newer")) {
		t.Fatal("there is no way back to newer events")
	}
	for w.has(link("Newer")) {
		w.follow(link("Newer"))
	}
	if !slices.Equal(w.entries(), first) {
		t.Error("paging back does not lead to the first page again")
	}

	w.follow(link("Show everything"))
	s.shows(w, s.Alpha, "everything", func(raw) bool { return true })
	w.visit(s.path(s.Alpha, logPath+"?all=1"))
	w.follow(link("Show tracked actions only"))

	w.fill(searchbox("Search"), `actor:bo@example.com -action:call.viewed type:call after:2026-03-01T23:59Z before:2026-03-02T13:00Z`)
	w.follow(button("Find"))
	low, high := time.Date(2026, 3, 1, 23, 59, 0, 0, time.UTC), time.Date(2026, 3, 2, 13, 0, 0, 0, time.UTC)
	s.shows(w, s.Alpha, "the search", func(r raw) bool {
		return r.by(s.Bo.ID) && !r.is(portal.CallViewed) && r.kind("call") && !r.Time.Before(low) && r.Time.Before(high)
	})
	if n := len(w.chips()); n != 5 {
		t.Errorf("five conditions make %d chips: %q", n, w.chips())
	}
	m.follow(link("Remove filter Actor: bo@example.com"))
	s.shows(w, s.Alpha, "the search without its actor", func(r raw) bool {
		return !r.is(portal.CallViewed) && r.kind("call") && !r.Time.Before(low) && r.Time.Before(high)
	})
	m.follow(link("Clear all"))
	if len(w.chips()) != 0 || w.path() != s.path(s.Alpha, logPath) {
		t.Errorf("Clear all leads to %s with %q", w.address(), w.chips())
	}

	w.fill(searchbox("Search"), `"take 13"`)
	w.follow(button("Find"))
	found := slices.DeleteFunc(w.entries(), func(e entry) bool { return e.Action == "Viewed audit log" }) // this very search
	if len(found) != 1 || found[0].Action != "Edit metric value" || found[0].Time != "2026-03-01 23:59:58" {
		t.Errorf("a reason that was given once finds %+v: %s", found, w.text())
	}

	menu := openMenu(m, "Object")
	m.enter(combobox("Name or id").in(menu), "nora")
	wait(w, "a suggestion", `[...document.querySelectorAll("datalist option")].some((o) => o.label.startsWith("Call Nora Lind") && o.value.startsWith("call_"))`)

	w.fill(searchbox("Search"), `outcome:denied colour:blue`)
	w.expect(http.StatusUnprocessableEntity, w.clickTo(button("Find")))
	if got := evaluate[string](w, "document.querySelector('mark').textContent"); got != "colour:blue" {
		t.Errorf("%q is marked as wrong", got)
	}
	w.says("there is no field colour:")
	if w.has(control{role: "table"}) {
		t.Error("a wrong query shows a table")
	}
	w.fill(searchbox("Search"), `outcome:denied`)
	w.follow(button("Find"))
	for _, e := range w.entries() {
		if !strings.Contains(e.Action, "Denied") || e.Actor != "Audrey Abe" {
			t.Errorf("among the refusals: %+v", e)
		}
	}
	if len(w.entries()) == 0 {
		t.Error("no refusal is found")
	}
}

// openLogFromStart goes from the first page to the log.
func openLogFromStart(w *window, s *site) {
	w.t.Helper()
	w.visit("/")
	openLog(mouse{w})
}
