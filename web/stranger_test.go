package web

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"onrecord/audit"
)

// forms are what a person would send to each route that takes a form.
var forms = map[string]string{
	"export": "format=txt", "edit": "value=50", "reset": "", "restore": "", "delete": "", "link": "", "block": "", "unblock": "", "unassign": "",
	"role": "role=agent", "assign": "user={agnes}", "move": "team={beta}", "settings": "name=Stolen", "{metric}": "on=0",
	"views/add": "name=Mine&query=type:call", "{view}": "name=Devices&query=type:device",
	"users/add": "emails=evil@example.com&role=admin", "devices/add": "hostname=evil",
	"api-keys/add": "name=evil&scope=write&expires=never", "revoke": "",
	"audit-logs/export": "format=csv",
	"users/bulk":        "action=block&id={user}", "devices/bulk": "action=block&id={device}",
}

// filled gives a route's address and form with ids for the names in its
// pattern.
func filled(pattern string, ids map[string]string) (request, form string) {
	last := pattern[strings.LastIndexByte(pattern, '/')+1:]
	parts := strings.Split(pattern, "/")
	form, ok := forms[parts[len(parts)-2]+"/"+last]
	if !ok {
		form = forms[last]
	}
	if strings.HasPrefix(pattern, "GET") && last == "bulk" {
		pattern += "?" + form
	}
	for name, id := range ids {
		pattern, form = strings.ReplaceAll(pattern, "{"+name+"}", url.PathEscape(id)), strings.ReplaceAll(form, "{"+name+"}", id)
	}
	return pattern, form
}

func (s *site) teamRoutes() []string {
	var all []string
	for _, r := range s.server.routes() {
		if strings.Contains(r.pattern, "/t/{team}") {
			all = append(all, r.pattern)
		}
	}
	return all
}

// one fails the test unless exactly one event was recorded since, and it is a
// denied one in this log.
func (s *site) oneDenied(t *testing.T, log string) {
	t.Helper()
	got := s.Passed()
	if len(got) != 1 || !strings.HasPrefix(got[0], log+" ") || !strings.Contains(got[0], " denied") {
		t.Errorf("recorded is %q, not one denied event in %s", got, log)
	}
	s.Clock.Advance(2 * time.Minute) // refusals of the same minute are merged
}

func (s *site) alphaIDs() map[string]string {
	return map[string]string{"team": s.Alpha, "call": s.call, "user": s.Adam.ID, "device": s.device, "event": s.event, "export": s.export, "key": s.key, "metric": "talk_share", "view": s.view, "beta": s.Beta, "agnes": s.Agnes.ID}
}

func TestAnotherTeamIsNotThere(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	beta := map[string]string{"team": s.Beta, "call": s.betaCall, "user": s.Bea.ID, "device": s.betaDevice, "event": s.betaEvent, "export": s.betaExport, "key": s.betaKey, "metric": "talk_share", "view": s.betaView, "beta": s.Alpha, "agnes": s.Bea.ID}
	for _, pattern := range s.teamRoutes() {
		t.Run(pattern, func(t *testing.T) {
			s.t = t
			request, form := filled(pattern, beta)
			dana.ask(request, form).status(http.StatusNotFound).lacks(secret, "Beta", "Bea", "desk-2")
			s.oneDenied(t, "beta")
		})
	}
}

func TestNoTeamIsNotThere(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	ask := func(pattern, team string) {
		ids := s.alphaIDs()
		ids["team"] = team
		request, form := filled(pattern, ids)
		dana.ask(request, form).status(http.StatusNotFound)
		s.oneDenied(t, "org")
		if t.Failed() {
			t.Fatalf("that was %s", request)
		}
	}
	for _, pattern := range s.teamRoutes() {
		ask(pattern, "team_01kjma0fm0e069emh051z4vyed")
		ask(pattern, "\xff")
	}
	for _, team := range []string{"nonsense", "../" + s.Alpha, s.Alpha + "/", s.Org, "'; DROP TABLE team; --", "\x00", strings.Repeat("x", 3000)} {
		ask("GET /t/{team}/calls", team)
	}
}

func TestWhatTheTeamDoesNotHave(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	wrong := map[string][]string{
		"call":   {s.betaCall, audit.NewID("call", s.Clock.Now()), "nonsense", s.device, "\xff"},
		"user":   {s.Bea.ID, audit.NewID("user", s.Clock.Now()), "nonsense", s.call, "\xff"},
		"device": {s.betaDevice, audit.NewID("dev", s.Clock.Now()), "nonsense", s.call, "\xff"},
		"event":  {s.betaEvent, audit.NewID("evt", s.Clock.Now()), "nonsense", s.call, "\xff"},
		"key":    {s.betaKey, audit.NewID("key", s.Clock.Now()), "nonsense", s.call, "\xff"},
		"export": {s.betaExport, audit.NewID("exp", s.Clock.Now()), "exp_" + strings.TrimPrefix(s.event, "evt_"), "nonsense", s.call, "\xff"},
		"metric": {"nonsense", s.call, "\xff"},
		"view":   {s.betaView, audit.NewID("view", s.Clock.Now()), "nonsense", s.call, "\xff"},
	}
	for _, pattern := range s.teamRoutes() {
		for name, values := range wrong {
			for _, id := range values {
				ids := s.alphaIDs()
				ids[name] = id
				request, form := filled(pattern, ids)
				if right, same := filled(pattern, s.alphaIDs()); request == right && form == same {
					continue // this route has no such id
				}
				dana.ask(request, form).status(http.StatusNotFound)
				s.oneDenied(t, "alpha")
				if t.Failed() {
					t.Fatalf("that was %s %s", request, form)
				}
			}
		}
	}
}

func TestIdsInFormsAndQueriesThatTheTeamDoesNotHave(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	for _, a := range []struct{ request, form string }{
		{"POST /t/{alpha}/devices/{device}/assign", "user=" + s.Bea.ID},
		{"POST /t/{alpha}/devices/{device}/assign", "user=nonsense"},
		{"POST /t/{alpha}/devices/{device}/move", "team={beta}"},
		{"POST /t/{alpha}/devices/{device}/move", "team=nonsense"},
		{"POST /t/{alpha}/devices/bulk", "action=move&team={beta}&id={device}"},
		{"GET /t/{alpha}/devices/bulk?action=move&id={device}&id=" + s.betaDevice, ""},
		{"GET /t/{alpha}/users/bulk?action=role&id={agnes}&id=" + s.Bea.ID, ""},
		{"GET /t/{alpha}/calls?device=" + s.betaDevice, ""},
		{"GET /t/{alpha}/calls?device=nonsense", ""},
		{"POST /account/sessions/" + audit.NewID("ses", s.Clock.Now()) + "/end", ""},
	} {
		dana.ask(a.request, a.form).status(http.StatusNotFound)
		s.oneDenied(t, "alpha")
		if t.Failed() {
			t.Fatalf("that was %s %s", a.request, a.form)
		}
	}
}

func TestAnAgentIsRefusedEverywhere(t *testing.T) {
	s := newSite(t)
	agnes := s.as(s.Alpha, s.Agnes)
	agnes.get("/").status(http.StatusOK).has("Alpha", "Agents have no administration here")
	s.Expect(t)
	for _, pattern := range s.teamRoutes() {
		if pattern == "GET /t/{team}" {
			continue // leads to the calls
		}
		t.Run(pattern, func(t *testing.T) {
			s.t = t
			request, form := filled(pattern, s.alphaIDs())
			agnes.ask(request, form).status(http.StatusForbidden).lacks(secret, "Customer one", "desk-1")
			s.oneDenied(t, "alpha")
		})
	}
}

// readable are the pages that an Auditor sees: those of GET that prepare no
// change, and the export of the log, which is reading it.
func readable(pattern string) bool {
	if strings.HasSuffix(pattern, "/audit-logs/export") {
		return true
	}
	if !strings.HasPrefix(pattern, "GET ") {
		return false
	}
	last := pattern[strings.LastIndexByte(pattern, '/')+1:]
	_, changes := forms[last]
	return last == "settings" || !changes && last != "add" && last != "bulk"
}

// keepsViews are the pages of saved views: what an Auditor keeps there is for
// themselves and changes nothing of the team's.
func keepsViews(pattern string) bool { return strings.Contains(pattern, "/audit-logs/views") }

func TestAnAuditorChangesNothing(t *testing.T) {
	s := newSite(t)
	audrey := s.as(s.Alpha, s.Audrey)
	for _, pattern := range s.teamRoutes() {
		if pattern == "GET /t/{team}" {
			continue
		}
		t.Run(pattern, func(t *testing.T) {
			s.t = t
			request, form := filled(pattern, s.alphaIDs())
			a := audrey.ask(request, form).lacks(secret)
			if keepsViews(pattern) {
				s.onlyOwnViews(t, a)
				return
			}
			if !readable(pattern) {
				a.status(http.StatusForbidden)
				s.oneDenied(t, "alpha")
				return
			}
			a.status(http.StatusOK)
			for _, form := range postForms(a.body) {
				if form != "/logout" && !strings.HasSuffix(form, "/audit-logs/export") {
					t.Errorf("the page has a form to %s", form)
				}
			}
			for _, line := range s.Passed() {
				if !strings.HasPrefix(line, "alpha audit_log.") || strings.Contains(line, " denied") {
					t.Errorf("recorded is %s", line)
				}
			}
		})
	}
	page := audrey.get("/t/" + s.Alpha + "/calls/" + s.call).status(http.StatusOK)
	page.has("The transcript is not shown", "Customer one", "Talk share").lacks("Good morning", "Export transcript", "Delete call")
	s.Expect(t)
}

// onlyOwnViews wants an answer that shows or keeps nothing but a saved view.
func (s *site) onlyOwnViews(t *testing.T, a answer) {
	t.Helper()
	if a.StatusCode != http.StatusOK && a.StatusCode != http.StatusSeeOther {
		t.Errorf("%d: %s", a.StatusCode, a.text())
	}
	for _, form := range postForms(a.body) {
		if form != "/logout" && !keepsViews(form) {
			t.Errorf("the page has a form to %s", form)
		}
	}
	for _, line := range s.Passed() {
		if !strings.HasPrefix(line, "alpha saved_view.") || !strings.Contains(line, " ok ") {
			t.Errorf("recorded is %s", line)
		}
	}
}

// postForms are the addresses of a page's forms that change something.
func postForms(page string) []string {
	var all []string
	for _, part := range strings.Split(page, `<form method="post" action="`)[1:] {
		action, _, _ := strings.Cut(part, `"`)
		all = append(all, action)
	}
	return all
}

func TestNobodyGetsInWithoutSigningIn(t *testing.T) {
	s := newSite(t)
	for _, r := range s.server.routes() {
		if r.open {
			continue
		}
		pattern := r.pattern
		if pattern == anywhere {
			pattern = "GET /nowhere"
		}
		request, form := filled(strings.TrimSuffix(pattern, "{$}"), s.alphaIDs())
		for _, token := range []string{"", "nonsense", strings.Repeat("A", 43)} {
			b := s.open()
			if token != "" {
				b.cookies["onrecord"] = token
			}
			method, path, _ := strings.Cut(request, " ")
			want := "/login"
			if method == "GET" && path != "/" {
				want += "?next=" + url.QueryEscape(path)
			}
			b.ask(request, form).leads(want).lacks(secret)
			s.Expect(t)
			if t.Failed() {
				t.Fatalf("that was %s", request)
			}
		}
	}
}

func TestHeadAndPrefetchOpenNothing(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	link, err := s.NewLink(t.Context(), s.Operator, s.Alpha, s.Agnes.ID, "")
	if err != nil {
		t.Fatal(err)
	}
	s.Passed()
	for _, r := range s.server.routes() {
		if r.static || strings.HasPrefix(r.pattern, "POST ") {
			continue
		}
		ids := s.alphaIDs()
		ids["token"], ids["$"] = link.Token, ""
		request, _ := filled(r.pattern, ids)
		_, path, found := strings.Cut(request, " ")
		if !found {
			path = request
		}
		a := dana.send(httptest.NewRequest("HEAD", path, nil)).status(http.StatusOK)
		if a.body != "" || a.Header.Get("Cache-Control") != "no-store" {
			t.Errorf("HEAD %s answers %q, Cache-Control %s", path, a.body, a.Header.Get("Cache-Control"))
		}
		for header, value := range map[string]string{"Sec-Purpose": "prefetch;prerender", "Purpose": "prefetch", "X-Moz": "prefetch"} {
			ahead := httptest.NewRequest("GET", path, nil)
			ahead.Header.Set(header, value)
			a = dana.send(ahead).status(http.StatusServiceUnavailable).lacks(secret, "Customer one", link.Token)
			if a.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("the answer to the prefetch of %s may be kept", path)
			}
		}
		s.Expect(t)
	}
}

func TestFormsFromElsewhereDoNothing(t *testing.T) {
	s := newSite(t)
	dana := s.as(s.Alpha, s.Dana)
	for _, r := range s.server.routes() {
		if !strings.HasPrefix(r.pattern, "POST ") {
			continue
		}
		request, form := filled(r.pattern, s.alphaIDs())
		_, path, _ := strings.Cut(request, " ")
		for _, header := range []http.Header{
			{"Sec-Fetch-Site": {"cross-site"}}, {"Sec-Fetch-Site": {"same-site"}}, {"Origin": {"https://evil.example"}}, {"Origin": {"null"}},
		} {
			forged := httptest.NewRequest("POST", path, strings.NewReader(s.ids().Replace(form)))
			forged.Header = header.Clone()
			forged.Header.Set("Content-Type", "application/x-www-form-urlencoded")
			dana.send(forged).status(http.StatusForbidden)
			s.Expect(t)
			if t.Failed() {
				t.Fatalf("that was POST %s with %v", path, header)
			}
		}
	}
	dana.get("/account").status(http.StatusOK) // still signed in
}
