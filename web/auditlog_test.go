package web

import (
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"onrecord/audit"
	"onrecord/portal"
)

// busy does each of the twelve tracked actions once, by the page.
func (s *site) busy(by *tab) {
	s.t.Helper()
	team := "/t/" + s.Alpha
	call := team + "/calls/" + s.call
	by.get(call).status(http.StatusOK)
	by.post(call+"/export", "format", "vtt").status(http.StatusOK)
	by.post(call+"/metrics/talk_share/edit", "value", "12").status(http.StatusSeeOther)
	by.post(call + "/metrics/talk_share/reset").status(http.StatusSeeOther)
	by.post(call+"/delete", "reason", "too old").status(http.StatusSeeOther)
	by.post(call + "/restore").status(http.StatusSeeOther)
	by.post(team+"/users/add", "emails", "zed@example.com", "role", "agent").status(http.StatusSeeOther)
	zed := s.member("zed@example.com")
	by.post(team+"/users/"+zed+"/role", "role", "auditor").status(http.StatusSeeOther)
	by.post(team + "/users/" + zed + "/block").status(http.StatusSeeOther)
	by.post(team + "/users/" + zed + "/unblock").status(http.StatusSeeOther)
	by.post(team + "/users/" + zed + "/delete").status(http.StatusSeeOther)
	by.post(team+"/devices/"+s.device+"/move", "team", s.Beta).status(http.StatusSeeOther)
}

func (s *site) member(email string) string {
	s.t.Helper()
	found, err := s.Users(s.t.Context(), s.Operator, s.Alpha, portal.UserFilter{Text: email})
	if err != nil || len(found.Users) != 1 {
		s.t.Fatalf("%+v, %v", found, err)
	}
	return found.Users[0].ID
}

var twelve = []string{
	"Move device", "Deleted user", "Unblocked user", "Blocked user", "Changed user role", "Created new user", "Restore call", "Deleted call",
	"Reset metric value", "Edit metric value", "Exported Call Transcript", "Viewed call",
}

var actLabel = regexp.MustCompile(`<span class="act-label">([^<]*)</span>`)

func labelsOn(a answer) []string {
	var all []string
	for _, m := range actLabel.FindAllStringSubmatch(a.body, -1) {
		all = append(all, m[1])
	}
	return all
}

// doneOn are the labels but for readings of the log, which each look adds to.
func doneOn(a answer) []string {
	return slices.DeleteFunc(labelsOn(a), func(label string) bool { return label == "Viewed audit log" })
}

func TestTheLogShowsTheTwelve(t *testing.T) {
	s := newSite(t)
	bo := s.as(s.Alpha, s.Bo)
	since := s.Clock.Now().UTC().Format("2006-01-02T15:04:05.000000Z")
	s.busy(bo)
	log := logPath(s.Alpha, "")
	page := bo.get(log + "?q=" + url.QueryEscape("after:"+since)).status(http.StatusOK)
	if got := doneOn(page); !slices.Equal(got, twelve) {
		t.Errorf("the log shows %q", got)
	}
	page.has("Timestamp (UTC)", "agent → auditor", "Alpha → Beta", "Talk share: default → 12.0 %", "Talk share: 12.0 % → default", "Format: vtt", "zed@example.com", "desk-1",
		`<span class="note">deleted</span>`, "13 events") // with the reading itself
	// Every link to an object works, also to those that are gone.
	links := regexp.MustCompile(`href="(/t/[^"?]*/(?:calls|users|devices)/[a-z]+_[0-9a-z]+)"`).FindAllStringSubmatch(page.body, -1)
	if len(links) < 20 {
		t.Errorf("%d links to actors and objects", len(links))
	}
	for _, l := range links {
		bo.get(l[1]).status(http.StatusOK)
	}
	bo.get("/t/"+s.Alpha+"/devices/"+s.device).has("This device was moved to", "Beta", "/t/"+s.Beta+"/devices/dev_")
	bo.get("/t/" + s.Alpha + "/users/" + s.removed(t, "zed@example.com")).has("This user was deleted on")
}

// removed is the id of somebody who was deleted.
func (s *site) removed(t *testing.T, email string) string {
	t.Helper()
	names, err := s.Log().Names(t.Context(), s.Alpha, audit.NameQuery{Text: email, Types: []string{"user"}})
	if err != nil || len(names) != 1 {
		t.Fatalf("%v, %v", names, err)
	}
	return names[0].ID
}

func TestTheQuietDefault(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	log := logPath(s.Alpha, "")
	totals, err := s.Log().Count(t.Context(), s.Alpha)
	if err != nil {
		t.Fatal(err)
	}
	quiet, tracked := 1, 0 // the reading itself is quiet
	for action, n := range totals {
		if a, _ := portal.Catalogue.Get(action); a.Quiet {
			quiet += int(n)
		} else {
			tracked += int(n)
		}
	}
	page := dana.get(log).status(http.StatusOK).has("+ "+count(quiet)+" sign-ins, imports, readings", `href="`+log+`?all=1"`, count(tracked)+" of "+count(tracked))
	page.lacks(">Imported call</span>", ">Signed in</span>")
	if got := len(labelsOn(page)); got != tracked {
		t.Errorf("%d rows, not %d", got, tracked)
	}
	all := dana.get(log+"?all=1").has("Show tracked actions only", ">Imported call</span>", ">Signed in</span>", ">Viewed audit log</span>")
	if got := len(labelsOn(all)); got != tracked+quiet+1 {
		t.Errorf("%d rows, not %d", got, tracked+quiet+1)
	}
}

func TestControlsAreTheTextInAnotherForm(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	log := logPath(s.Alpha, "")
	to := func(q string) string { return log + "?" + url.Values{"q": {q}}.Encode() }
	for sent, want := range map[string]string{
		"set=action&action=call.viewed&action=call.deleted":                           "action:call.viewed,call.deleted",
		"set=action&q=action:call.viewed+outcome:denied":                              "outcome:denied", // nothing is ticked any more
		"set=actor&actor=user_1&q=action:call.viewed":                                 "actor:user_1 action:call.viewed",
		"set=actor&actor=Dana+Cruz&actor=Sam":                                         `actor:"Dana Cruz",Sam`,
		"set=object&kind=call&kind=user&object=Sam+Roe":                               `object:"Sam Roe" type:call,user`,
		"set=object&object=desk-1,+desk-2":                                            "object:desk-1,desk-2",
		"set=object&object=%22Roe%2C+Sam%22%2Cdesk-2":                                 `object:"Roe, Sam",desk-2`,
		"set=time&from=2026-03-01T09:00:05&to=2026-03-02T00:00":                       "after:2026-03-01T09:00:05Z before:2026-03-02",
		"set=time&from=&to=&q=after:2026-01-01+word":                                  "word",
		"set=actor&actor=a&q=-actor:b+ip:203.0.113.0/24+%22free+text%22":              `actor:a -actor:b ip:203.0.113.0/24 "free text"`,
		"action=call.viewed&actor=a&object=x&from=2026-03-01":                         "actor:a action:call.viewed object:x after:2026-03-01",
		"set=object&object=%22quoted&q=":                                              `object:"\"quoted"`,
		"set=action&action=call.viewed&cursor=abc&newer=1&q=-action:call.viewed+word": "action:call.viewed -action:call.viewed word",
	} {
		dana.get(log + "?" + sent).leads(to(want))
	}
	dana.get(log + "?set=actor").leads(log)
	s.Expect(t) // nothing was read

	dana.get(log+"?set=time&from=tomorrow&q=word").status(http.StatusUnprocessableEntity).has("From: “tomorrow” cannot be", "Start a new search")
	dana.get(log+"?set=time&from=2026-03-02T08:15&to=2026-03-01T00:00").status(http.StatusUnprocessableEntity).has("it must end later than it begins", `value="2026-03-02T08:15"`)
	dana.get(log + "?set=action&action=nonsense").status(http.StatusUnprocessableEntity).has("an action looks like call.viewed")
	dana.get(log + "?q=" + url.QueryEscape("word colour:red more")).status(http.StatusUnprocessableEntity).has(`word <mark class="">colour:red</mark> more`)
	s.Expect(t)

	page := dana.get(to(`actor:` + s.Dana.ID + ` -action:call.viewed after:2026-03-01T09:00Z "free text"`)).status(http.StatusOK)
	page.has("Actor: Dana Cruz", "From 2026-03-01 09:00:00 UTC", "Text: free text", "Remove filter not Action: Viewed call", "Clear all",
		`value="2026-03-01T09:00:00"`, `value="`+s.Dana.ID+`" checked`)
	dana.get(to("outcome:failed")).has("No event matches", "Clear all filters")
	dana.get(to("actor:nobody-here")).has("Nothing of that name was ever recorded here: nobody-here.")
}

// TestEachFilterShowsWhatItSays compares the page with what the events
// themselves say.
func TestEachFilterShowsWhatItSays(t *testing.T) {
	s := newSite(t)
	bo := s.as(s.Alpha, s.Bo)
	s.busy(bo)
	s.busy2(s.as(s.Alpha, s.Adam))
	found, err := s.Log().Search(t.Context(), s.Alpha, audit.Filter{}, firstPage)
	if err != nil {
		t.Fatal(err)
	}
	middle := found.Events[len(found.Events)/2].Time
	conditions := map[string]func(audit.Event) bool{
		"set=actor&actor=" + s.Bo.ID + "&actor=" + s.Adam.ID:            func(e audit.Event) bool { return e.Actor.ID == s.Bo.ID || e.Actor.ID == s.Adam.ID },
		"set=action&action=call.viewed&action=call.transcript_exported": func(e audit.Event) bool { return e.Action == "call.viewed" || e.Action == "call.transcript_exported" },
		"set=object&object=" + s.call:                                   func(e audit.Event) bool { return e.Object != nil && e.Object.ID == s.call },
		"set=object&kind=call":                                          func(e audit.Event) bool { return e.Object != nil && e.Object.Type == "call" },
		"set=time&from=" + middle.Format("2006-01-02T15:04:05.000000"):  func(e audit.Event) bool { return !e.Time.Before(middle) },
	}
	for a, aHolds := range conditions {
		for b, bHolds := range conditions {
			first := bo.get(logPath(s.Alpha, "") + "?" + a)
			q, err := url.Parse(first.Header.Get("Location"))
			if err != nil {
				t.Fatal(err)
			}
			second := bo.get(q.String() + "&" + b)
			page := bo.follow(second).status(http.StatusOK)
			replaced := samePart(a, b) // the second form of one control takes the place of the first
			var want []string
			for _, e := range found.Events {
				if bHolds(e) && (replaced || aHolds(e)) {
					want = append(want, portal.Catalogue.Label(e.Action))
				}
			}
			if len(want) == 0 || len(want) > rowsPerPage {
				t.Fatalf("%s and %s: %d events tell nothing", a, b, len(want))
			}
			if got := doneOn(page); !slices.Equal(got, want) {
				t.Errorf("%s and %s: %q, not %q", a, b, got, want)
			}
		}
	}
}

func samePart(a, b string) bool { return strings.Split(a, "&")[0] == strings.Split(b, "&")[0] }

// busy2 is what another Admin does.
func (s *site) busy2(by *tab) {
	s.t.Helper()
	by.get("/t/" + s.Alpha + "/calls/" + s.call).status(http.StatusOK)
	by.post("/t/"+s.Alpha+"/users/"+s.Agnes.ID+"/role", "role", "auditor").status(http.StatusSeeOther)
	s.Passed()
}

func TestTheLogIsPagedBothWays(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	path := "/t/" + s.Alpha + "/calls/" + s.call
	for range rowsPerPage + 7 {
		dana.get(path)
	}
	log := logPath(s.Alpha, "") + "?q=action%3Acall.viewed"
	first := dana.get(log).has("50 events on this page", "Older")
	second := dana.get(link(first, "next")).has("Newer", "7 events on this page")
	again := dana.get(link(second, "prev"))
	if len(labelsOn(first)) != rowsPerPage || len(labelsOn(second)) != 7 || firstEvents(first) != firstEvents(again) {
		t.Errorf("%d and %d rows, and back is the same page: %v", len(labelsOn(first)), len(labelsOn(second)), firstEvents(first) == firstEvents(again))
	}
	s.Passed()
	dana.get(log)
	s.Expect(t) // turning pages and reading again within the hour is one reading
	s.Clock.Advance(time.Hour)
	dana.get(log)
	s.Expect(t, "alpha audit_log.viewed ok: query=action:call.viewed")
	dana.get(log + "&cursor=nonsense").status(http.StatusUnprocessableEntity).has("damaged")
}

func firstEvents(a answer) string {
	return strings.Join(regexp.MustCompile(`evt_[0-9a-z]{26}`).FindAllString(a.body, 4), " ")
}

// eventIn is the address of the first event of a list, which the list writes
// as seen from itself.
func eventIn(list answer) string {
	base, _ := url.Parse(list.path)
	ref := regexp.MustCompile(`href="(audit-logs/evt_[^"]*)"`).FindStringSubmatch(list.body)
	if ref == nil {
		list.t.Fatalf("no event is listed: %s", list.text())
	}
	at, err := base.Parse(strings.ReplaceAll(ref[1], "&amp;", "&"))
	if err != nil {
		list.t.Fatal(err)
	}
	return at.String()
}

func TestAnEvent(t *testing.T) {
	s := newSite(t)
	bo := s.as(s.Alpha, s.Bo)
	team := "/t/" + s.Alpha
	bo.post(team+"/users/"+s.Agnes.ID+"/role", "role", "auditor", "reason", "covers for Audrey").status(http.StatusSeeOther)
	bo.post(team+"/devices/"+s.device+"/move", "team", s.Beta).status(http.StatusSeeOther)
	list := bo.get(logPath(s.Alpha, "") + "?q=action%3Auser.role_changed")
	event := eventIn(list)
	page := bo.get(event).status(http.StatusOK).has("Changed user role", "<del>agent</del>", "<ins>auditor</ins>", "covers for Audrey",
		"203.0.113.7", "Firefox on Linux", "ses_", "req_", "&#34;action&#34;: &#34;user.role_changed&#34;", "Same actor", "Same object", "Same session", "± 5 minutes", "bo@example.com",
		logPath(s.Alpha, "")+"?q=action%3Auser.role_changed")
	page.has("Same request", "Everything this actor did that day", "Everything that happened to this user")
	for _, m := range regexp.MustCompile(`<a class="btn small" href="([^"]*)"`).FindAllStringSubmatch(page.body, -1) {
		if strings.HasSuffix(m[1], "/history") {
			bo.get(m[1]).status(http.StatusOK).has("Changed user role")
			continue
		}
		if got := labelsOn(bo.get(strings.ReplaceAll(m[1], "&amp;", "&")).status(http.StatusOK)); !slices.Contains(got, "Changed user role") {
			t.Errorf("%s leads away from the event: %q", m[1], got)
		}
	}
	moved := bo.get(logPath(s.Alpha, "") + "?q=action%3Adevice.moved")
	event = eventIn(moved)
	pair := bo.get(event).has("The same in Beta", "Moved to", "Beta")
	there := regexp.MustCompile(`href="(/t/` + s.Beta + `/settings/security/audit-logs/evt_[^"]*)"`).FindStringSubmatch(pair.body)
	if there == nil {
		t.Fatal("no link to the pair")
	}
	bo.get(there[1]).status(http.StatusOK).has("Move device", "The same in Alpha")
	// Who is in one team only gets no link into the other.
	s.as(s.Alpha, s.Dana).get(event).status(http.StatusOK).lacks("The same in Beta")
}

func TestDeniedEventsSayWhatWasTried(t *testing.T) {
	s := newSite(t)
	agnes, dana := s.as(s.Alpha, s.Agnes), s.as(s.Alpha, s.Dana)
	agnes.get("/t/" + s.Alpha + "/calls/" + s.call).status(http.StatusForbidden).has("No administration for Agents")
	dana.get("/t/" + s.Alpha + "/calls/nonsense").status(http.StatusNotFound)
	dana.get(logPath(s.Alpha, "")+"?q=outcome%3Adenied").has("Denied", "Agnes Ash", "tried: call nonsense", "2 events")
}

func TestNotOnThisPlan(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	if _, err := s.ChangePlan(t.Context(), s.Operator, s.Alpha, portal.PlanCore, ""); err != nil {
		t.Fatal(err)
	}
	s.Passed()
	for _, path := range []string{"", "?q=word", "?q=colour:red", "/" + s.event} {
		dana.get(logPath(s.Alpha, "")+path).status(http.StatusForbidden).has("Not on this plan", "recorded all the same").lacks("act-label", "Dana Cruz created")
	}
	dana.get("/t/" + s.Alpha + "/users/" + s.Agnes.ID).status(http.StatusOK).has("which the plan Core does not have")
	dana.get("/t/" + s.Alpha + "/users/" + s.Agnes.ID + "/history").status(http.StatusForbidden).has("which this team does not have")
	dana.get("/t/" + s.Alpha + "/settings/security").status(http.StatusOK).has("Not on this plan")
	s.Expect(t)
	dana.get("/t/" + s.Alpha + "/calls/" + s.call)
	s.Expect(t, viewed)
}

func TestSuggestions(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	path := logPath(s.Alpha, "") + "/objects?"
	dana.get(path+"object=desk&kind=device").status(http.StatusOK).has(`<option value="`+s.device+`">desk-1 (device)</option>`).lacks("desk-2", "<html")
	dana.get(path + "object=desk&kind=user").status(http.StatusOK).lacks("desk-1")
	dana.get(path+"object=agn").status(http.StatusOK).has(s.Agnes.ID, "(user)")
	dana.get(path + "object=" + secret).status(http.StatusOK).lacks("option")
	s.Expect(t)
}

func TestWhatIsTypedIsSuggested(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	ask := func(q string) answer {
		return dana.get(logPath(s.Alpha, "") + "/suggest?" + url.Values{"q": {q}, "at": {strconv.Itoa(len(q))}}.Encode()).status(http.StatusOK)
	}
	ask("type:call ac").has(`"text":"actor:"`, `"text":"action:"`, `"from":10,`, `"to":12`)
	ask("actor:agn").lacks("desk-1").has(`"text":"agnes@example.com"`, `"from":6,`, `"to":9`)
	ask("object:desk").has(`"text":"desk-1"`, `"count":"1"`).lacks("desk-2")
	ask("deleted c").lacks(`"text":"call.deleted"`)
	ask("action:delet").has(`"text":"call.deleted","label":"Deleted call","detail":"call.deleted","count":"1"`)
	ask("outcome:d").has(`"items":[{"text":"denied"`)
	ask("agnes").has(`"text":"object:agnes@example.com"`) // she has done nothing yet
	ask("dana").has(`"text":"actor:`)
	ask("object:" + secret).has(`"items":[]`)
	ask(strings.Repeat("a", 10_000)).has(`"from":0`)
	s.Expect(t) // nothing was read
	s.as(s.Alpha, s.Agnes).get(logPath(s.Alpha, "") + "/suggest?q=actor:a").status(http.StatusForbidden)
	s.oneDenied(t, "alpha")
}

func TestTheSameFilterInAnotherTeam(t *testing.T) {
	s := newSite(t)
	to := `href="` + logPath(s.Beta, "") + `?q=action%3Acall.imported"`
	bo := s.as(s.Alpha, s.Bo)
	bo.get(logPath(s.Alpha, "")+"?q=action:call.imported").has("Other teams", to, "all ", "events searched")
	bo.get(logPath(s.Beta, "") + "?q=action:call.imported").status(http.StatusOK).has("Imported call")
	s.as(s.Alpha, s.Dana).get(logPath(s.Alpha, "")+"?q=action:call.imported").lacks("Other teams", s.Beta)
}

// A preferred view opens the log; Clear all leads to the log without a filter,
// not back to the view.
func TestAPreferredViewOpensTheLog(t *testing.T) {
	s := newSite(t)
	log := logPath(s.Alpha, "")
	dana := s.as(s.Alpha, s.Dana)
	dana.post(log+"/views/add", "name", "Calls", "query", "type:call", "preferred", "1").leads(log + "?q=type%3Acall")
	dana.get(log).leads(log + "?q=type%3Acall")
	dana.get(log+"?q=type%3Acall").status(http.StatusOK).has(`href="`+log+`?q="`, "Clear all")
	dana.get(log + "?q=").status(http.StatusOK).has("sign-ins, imports, readings")
	s.as(s.Alpha, s.Adam).get(log).status(http.StatusOK)
}

// What was kept by a program with other actions is shown, and said.
func TestAnUnknownActionIsSaid(t *testing.T) {
	s := newSite(t)
	log := logPath(s.Alpha, "")
	dana := s.as(s.Alpha, s.Dana)
	dana.post(log+"/views/add", "name", "Praise", "query", "action:call.praised").status(http.StatusSeeOther)
	dana.get(log+"/views").has("Praise", "action:call.praised", "This program has no action call.praised")
	dana.get(log+"?q=action:call.praised").status(http.StatusOK).has("This program has no action call.praised", `value="call.praised" checked`)
}

// Bad input is answered with a sentence, never with an empty page or a fault.
func TestBadInputOfTheLog(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	for q, says := range map[string]string{
		"after:2026-03-02 before:2026-03-01": "must end later than it begins",
		"after:2026-02-30":                   "there is no such day",
		strings.Repeat("word ", 2000):        "at most 4096 are read",
		"action:" + strings.TrimSuffix(strings.Repeat("call.viewed,call.deleted,", 250), ","): "at most 4096 are read",
		"type:" + strings.TrimSuffix(strings.Repeat("a,b,", 250), ","):                        "at most 100 values",
		"colour:red": "there is no field colour:",
		"\u202e":     "",
	} {
		a := dana.get(logPath(s.Alpha, "") + "?q=" + url.QueryEscape(q))
		if a.StatusCode != http.StatusUnprocessableEntity && a.StatusCode != http.StatusOK {
			t.Errorf("%.40q is answered with %d", q, a.StatusCode)
		}
		a.has(says)
	}
	for _, q := range []string{"\u0645\u0631\u062d\u0628\u0627", "👩‍🚀x", "e\u0301\u0301clair", "a\u200bb", "only=x"} {
		dana.get(logPath(s.Alpha, "") + "?q=" + url.QueryEscape(q)).status(http.StatusOK).has("No event matches")
	}
	first := dana.get(logPath(s.Alpha, "") + "?only=colour:red").status(http.StatusUnprocessableEntity)
	first.has("it looks like actor:user_")
	dana.get(logPath(s.Alpha, "") + "?only=actor:" + s.Bo.ID + "&q=type:call").leads(logPath(s.Alpha, "") + "?" + url.Values{"q": {"actor:" + s.Bo.ID + " type:call"}}.Encode())
	dana.get(logPath(s.Alpha, "") + "?not=action:call.viewed&q=type:call").leads(logPath(s.Alpha, "") + "?" + url.Values{"q": {"-action:call.viewed type:call"}}.Encode())
}

func TestHistories(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	team := "/t/" + s.Alpha
	dana.get(team + "/calls/" + s.deleted).has(`href="` + team + "/calls/" + s.deleted + `/history"`)
	dana.get(team+"/calls/"+s.deleted+"/history").status(http.StatusOK).has("History of Call Customer two", "Deleted call", "Imported call", "asked for", "Dana Cruz")
	dana.get(team+"/users/"+s.Agnes.ID+"/history").has("History of Agnes Ash", "Created new user")
	dana.get(team+"/devices/"+s.device+"/history").has("History of desk-1", "Added device")
	dana.get(team+"/settings/history").has("History of Alpha", "Created team")
	s.Passed()
}

func TestValuesOfOneFieldReadBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		values := rapid.SliceOfDistinct(rapid.StringMatching(`[a-zA-Zé",'; -]{0,8}[a-z]`), strings.TrimSpace).Draw(t, "values")
		for i := range values {
			values[i] = strings.TrimSpace(values[i])
		}
		if got := readValues(writeValues(values)); !slices.Equal(got, values) {
			t.Fatalf("%q is written as %s and read as %q", values, writeValues(values), got)
		}
	})
}
