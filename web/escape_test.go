package web

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"onrecord/portal/transcript"
)

const script = `<script>alert('x')</script>"'><img src=x onerror=alert(1)>`

// harmless fails the test if a page holds markup that somebody typed.
func (a answer) harmless() answer {
	a.t.Helper()
	for _, raw := range []string{"<script>alert", "<img", `"'>`, "onerror=alert(1)>"} {
		if strings.Contains(a.body, raw) {
			i := strings.Index(a.body, raw)
			a.t.Errorf("%s holds %q: …%s…", a.text()[:min(40, len(a.text()))], raw, a.body[max(0, i-80):min(len(a.body), i+80)])
		}
	}
	return a
}

// TestScriptInEveryTextFieldStaysText puts a script wherever a person can
// write something, and looks at every page.
func TestScriptInEveryTextFieldStaysText(t *testing.T) {
	s := newSite(t)
	bo := s.as(s.Alpha, s.Bo)
	team := "/t/" + s.Alpha
	second := time.Second
	s.call = s.importCall(s.Alpha, transcript.Call{
		Place: "test:1", SourceID: script, StartedAt: time.Date(2026, 2, 28, 12, 0, 0, 0, time.UTC), Agent: script, Customer: script,
		Direction: transcript.Inbound, Device: script, Topic: script,
		Turns: []transcript.Turn{{Speaker: transcript.Agent, Start: &second, End: &second, Text: script}, {Speaker: script, Text: script}},
	})
	for _, sent := range [][]string{
		{"/account/name", "name", script},
		{team + "/settings", "name", script},
		{team + "/calls/" + s.call + "/metrics/questions_asked/edit", "value", "3", "reason", script},
		{team + "/users/" + s.Agnes.ID + "/role", "role", "auditor", "reason", script},
		{team + "/devices/" + s.device + "/assign", "user", s.Bo.ID, "reason", script},
		{team + "/calls/" + s.call + "/delete", "reason", script},
	} {
		bo.post(sent[0], sent[1:]...).status(http.StatusSeeOther).harmless()
	}
	bo.header.Set("User-Agent", script)
	pages := []string{"/", "/account", "/login?next=" + url.QueryEscape(script)}
	for _, p := range []string{"", "/deleted", "/" + s.call, "/" + s.call + "/history"} {
		pages = append(pages, team+"/calls"+p)
	}
	bo.get(team + "/calls/deleted").has("&lt;script&gt;") // the texts are there, as text
	for _, p := range pages {
		bo.get(p).harmless()
	}
	bo.post(team + "/calls/" + s.call + "/restore").status(http.StatusSeeOther)
	hostile := url.QueryEscape(script)
	for _, p := range []string{
		"/calls", "/calls/" + s.call, "/calls/" + s.call + "/delete", "/calls?q=" + hostile, "/calls?agent=" + hostile, "/calls?from=" + hostile, "/calls?direction=" + hostile,
		"/calls?device=" + hostile, "/calls?cursor=" + hostile, "/calls/" + url.PathEscape(script), "/calls/deleted?q=" + hostile,
		"/metrics", "/users", "/users?q=" + hostile, "/users?role=" + hostile, "/users?sort=" + hostile, "/users/" + s.Bo.ID, "/users/" + s.Agnes.ID + "/history", "/users/" + s.Bo.ID + "/delete",
		"/users/bulk?action=block&id=" + s.Bo.ID, "/users/bulk?action=" + hostile + "&id=" + s.Bo.ID,
		"/devices", "/devices?q=" + hostile, "/devices?state=" + hostile, "/devices/" + s.device, "/devices/" + s.device + "/assign", "/devices/" + s.device + "/history",
		"/settings", "/settings/history", "/settings/security",
		"/settings/security/audit-logs?all=1", "/settings/security/audit-logs?q=" + url.QueryEscape(`"`+strings.ReplaceAll(script, `"`, `\"`)+`"`),
		"/settings/security/audit-logs?q=" + hostile, "/settings/security/audit-logs?set=time&from=" + hostile, "/settings/security/audit-logs?q=colour:" + hostile,
		"/settings/security/audit-logs/objects?object=script", "/settings/security/audit-logs/" + url.PathEscape(script),
	} {
		a := bo.get(team + p).harmless()
		if a.StatusCode >= http.StatusInternalServerError || a.StatusCode == http.StatusForbidden {
			t.Errorf("%s: %d", p, a.StatusCode)
		}
		if a.StatusCode == http.StatusSeeOther {
			bo.follow(a).harmless()
		}
	}
	found, err := s.Log().Search(t.Context(), s.Alpha, allEvents, firstPage)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range found.Events {
		bo.get(logPath(s.Alpha, e.ID)).status(http.StatusOK).harmless()
	}
	for _, sent := range [][]string{ // forms that come back with what was typed
		{"/login", "email", script, "password", script, "next", script},
		{"/account/name", "name", script + strings.Repeat("x", 200)},
		{team + "/settings", "name", script + strings.Repeat("x", 200)},
		{team + "/users/add", "emails", script, "role", script, "reason", script},
		{team + "/users/add", "emails", script, "role", "admin", "reason", script},
		{team + "/devices/add", "hostname", script, "reason", script},
		{team + "/calls/" + s.call + "/metrics/questions_asked/edit", "value", script, "reason", script, "version", script},
		{team + "/calls/" + s.call + "/export", "format", script},
		{team + "/users/" + s.Agnes.ID + "/role", "role", script, "reason", script},
		{team + "/devices/" + s.device + "/move", "team", script, "reason", script},
		{team + "/metrics/" + url.PathEscape(script), "on", script},
		{"/link/" + url.PathEscape(script), "name", script, "password", script},
	} {
		bo.post(sent[0], sent[1:]...).harmless()
	}
	if got := bo.get("/account").body; !strings.Contains(got, "&lt;script&gt;alert") {
		t.Error("the name is not on the page of the account")
	}
}
