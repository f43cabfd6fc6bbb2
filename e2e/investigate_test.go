package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const centre = "Customer Support" // the demonstration's team with a story

// investigation is one of docs/investigations.md.
type investigation struct{ question, query string }

var written = regexp.MustCompile("(?s)\n## ([^\n]+)\n+```\n([^\n]+)\n```\n")

func investigations(t *testing.T) []investigation {
	t.Helper()
	page, err := os.ReadFile("../docs/investigations.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []investigation
	for _, m := range written.FindAllStringSubmatch(string(page), -1) {
		all = append(all, investigation{question: m[1], query: m[2]})
	}
	if len(all) != 5 {
		t.Fatalf("docs/investigations.md has %d questions with a query: %q", len(all), all)
	}
	return all
}

// found is an event as every way of asking gives it.
type found struct {
	ID, Time, Action, Outcome, Reason string
	Actor, Object                     struct{ Name string }
	Changes                           []struct {
		Field    string
		From, To any
	}
	Context struct{ IP string }
}

func (f found) line() string {
	line := f.Actor.Name + " " + f.Action + " " + f.Outcome + " " + f.Object.Name
	for _, c := range f.Changes {
		if c.Field == "role" {
			line += fmt.Sprint(" ", c.From, " → ", c.To)
		}
	}
	return strings.TrimSpace(line)
}

// answers say what the demonstration's story holds, for each question in turn.
var answers = []func(*testing.T, []found){
	func(t *testing.T, events []found) {
		by := map[string]int{}
		for _, e := range events {
			by[e.Actor.Name+" "+e.Context.IP]++
		}
		if by["Rory Vale 198.51.100.23"] != 64 || 2*by["Rory Vale 198.51.100.23"] < len(events) {
			t.Errorf("exports in the night: %v", by)
		}
	},
	func(t *testing.T, events []found) {
		if len(events) != 1 || events[0].line() != "Noah Berg user.role_changed ok Rory Vale agent → admin" ||
			events[0].Reason != "Covers the weekend" || events[0].Context.IP != "198.51.100.23" {
			t.Errorf("who made Rory an Admin: %+v", events)
		}
	},
	func(t *testing.T, events []found) {
		var outcomes []string
		for _, e := range events { // newest first
			outcomes = append(outcomes, e.Action+" "+e.Outcome)
		}
		refused := "session.sign_in_failed denied"
		if !slices.Equal(outcomes, []string{"session.signed_in ok", refused, refused, refused}) {
			t.Errorf("sign-ins as Noah: %q", outcomes)
		}
	},
	func(t *testing.T, events []found) {
		if len(events) != 1 || events[0].Action != "call.restored" || events[0].Actor.Name != "Dana Cruz" ||
			!strings.Contains(events[0].Reason, "it is a complaint") {
			t.Errorf("the complaint: %+v", events)
		}
	},
	func(t *testing.T, events []found) {
		if len(events) != 1 || events[0].line() != "Dana Cruz device.moved ok customer-desk-90" || events[0].Reason != "Goes with its desk" {
			t.Errorf("the device: %+v", events)
		}
	},
}

// onrecord runs a command of the program on the demonstration's database.
func (d demonstration) onrecord(t *testing.T, args ...string) []byte {
	t.Helper()
	c := exec.Command(d.program, append(args, "--db", "sqlite:"+d.database(t))...)
	var said bytes.Buffer
	c.Stderr = &said
	out, err := c.Output()
	if err != nil {
		t.Fatalf("onrecord %q: %v\n%s", args, err, said.String())
	}
	return out
}

func (d demonstration) byCommand(t *testing.T, query string) []found {
	t.Helper()
	out := d.onrecord(t, "events", "search", "--team", centre, "--limit", "0", "--format", "json", query)
	var events []found
	for line := range bytes.Lines(out) {
		var e found
		if err := json.Unmarshal(line, &e); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		events = append(events, e)
	}
	return events
}

func (d demonstration) byAPI(t *testing.T, key, query string) []found {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, d.origin+"/api/v1/audit-events?limit=1000&q="+url.QueryEscape(query), nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var page struct{ Items []found }
	if err := json.NewDecoder(res.Body).Decode(&page); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("the API answers %s, %v", res.Status, err)
	}
	return page.Items
}

// byPage types the query into the search field and reads every page of rows.
func (w *window) byPage(query string) (ids []string) {
	w.t.Helper()
	openLog(mouse{w})
	w.fill(searchbox("Search"), query)
	w.follow(button("Find"))
	for {
		for _, e := range w.entries() {
			ids = append(ids, e.Event)
		}
		if !w.has(link("Older")) {
			return ids
		}
		w.follow(link("Older"))
	}
}

func idsOf(events []found) (ids []string) {
	for _, e := range events {
		ids = append(ids, e.ID)
	}
	return ids
}

// TestInvestigations solves the written investigations on the demonstration's
// history, each on the page, on the command line and by the API: the same
// events, and the answer.
func TestInvestigations(t *testing.T) {
	t.Parallel()
	d := startDemo(t)
	w := open(t, d.origin)
	w.signIn(d.email, d.password)
	w.follow(link(centre).inMain())
	key := strings.TrimSpace(string(d.onrecord(t, "keys", "create", "--team", centre, "--name", "Investigation", "--scope", "read")))
	for i, in := range investigations(t) {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			events := d.byCommand(t, in.query)
			answers[i](t, events)
			if ids := idsOf(d.byAPI(t, key, in.query)); !slices.Equal(ids, idsOf(events)) {
				t.Errorf("%s: the API finds %q, the command line %q", in.query, ids, idsOf(events))
			}
			if ids := w.byPage(in.query); !slices.Equal(ids, idsOf(events)) {
				t.Errorf("%s: the page finds %q, the command line %q", in.query, ids, idsOf(events))
			}
		})
	}
	w.whatElse(t, investigations(t)[0].query)
}

// whatElse goes on from the exports of the night as docs/investigations.md
// says: the most frequent actor, one of the events, the whole day.
func (w *window) whatElse(t *testing.T, query string) {
	t.Helper()
	openLog(mouse{w})
	w.fill(searchbox("Search"), query)
	w.follow(button("Find"))
	wait(w, "what is most frequent", "document.querySelector('.facet-only') !== null")
	w.follow(link("Rory Vale 64").inMain())
	for _, e := range w.entries() {
		if e.Actor != "Rory Vale" {
			t.Errorf("among the events of Rory Vale: %+v", e)
		}
	}
	w.visit(w.path() + "/" + w.entries()[0].Event)
	w.follow(link("Everything this actor did that day"))
	actions := map[string]bool{}
	for {
		for _, e := range w.entries() {
			actions[e.Action] = true
		}
		if !w.has(link("Older")) {
			break
		}
		w.follow(link("Older"))
	}
	for _, want := range []string{"Exported Call Transcript", "Viewed call", "Deleted call"} {
		if !actions[want] {
			t.Errorf("that day Rory Vale did %v, without %q", actions, want)
		}
	}
}
