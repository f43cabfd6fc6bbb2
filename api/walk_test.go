package api

import (
	"encoding/json"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"onrecord/audit"
	"onrecord/audit/seal"
)

// visit is what an operation of the OpenAPI document is asked in the walk.
// {event}, {user} and the like stand for ids.
type visit struct {
	good    []call
	bad     []bad
	foreign []string // addresses with ids of Beta, asked with Alpha's key
	absent  []string // numbers of what the log does not have: that is no attempt on anything
	wrong   []string // values of the path that cannot be
	stream  bool     // the answer is no JSON document
	note    bool     // it is a signed note
}

// call is an address that is answered, with the exact events that it causes.
type call struct {
	path   string
	events []string
}

// bad is an address that is refused without a record, and the field it names.
type bad struct{ query, location string }

// badFilters are wrong for whatever takes a filter.
var badFilters = []bad{
	{"q=colour:red", "query.q"},
	{"q=after:2026-02-30", "query.q"},
	{"q=" + strings.Repeat("x", 5000), "query.q"},
	{"q=outcome:maybe", "query.q"},
	{"q=%00", "query.q"},
	{"q=%ff", "query.q"},
	{"q=a&q=b", "query.q"},
	{"q=a&actor=b", "query.q"},
	{"action=Deleted", "query.action"},
	{"action=call.viewed&action=2", "query.action"},
	{"outcome=maybe", "query.outcome"},
	{"actor=", "query.actor"},
	{"actor=&actor=x", "query.actor"},
	{"actor=%ff", "query.actor"},
	{"after=yesterday", "query.after"},
	{"after=2026-02-30", "query.after"},
	{"before=2026-13-01", "query.before"},
	{"after=2026-03-02&before=2026-03-01", "query.before"},
	{"colour=red", "query.colour"},
}

var badPages = []bad{
	{"limit=0", "query.limit"}, {"limit=1001", "query.limit"}, {"limit=many", "query.limit"}, {"limit=", "query.limit"}, {"limit=1&limit=2", "query.limit"},
	{"cursor=nonsense", "query.cursor"}, {"cursor=%ff", "query.cursor"}, {"cursor=" + strings.Repeat("A", 3000), "query.cursor"},
}

var visits = map[string]visit{
	"/audit-events": {
		good: []call{
			{"?limit=3", []string{`alpha audit_log.viewed ok`}},
			{"?limit=2", nil}, // the same filter in the same hour
			{"?q=action:user.created%20outcome:ok", []string{`alpha audit_log.viewed ok: query=action:user.created outcome:ok`}},
			{"?action=user.created&outcome=ok", nil}, // the same filter
			{"?actor=dana@example.com&actor=bo@example.com&after=2026-01-01&before=2027-01-01T00:00Z",
				[]string{`alpha audit_log.viewed ok: query=actor:dana@example.com,bo@example.com after:2026-01-01 before:2027-01-01`}},
			{"?order=commit&limit=2&q=outcome:ok", []string{`alpha audit_log.viewed ok: query=outcome:ok`}},
			{"?order=commit&limit=2&q=outcome:ok&cursor=3", nil},
			{"?object={user}", []string{`alpha audit_log.viewed ok: query=object:{user}`}},
		},
		bad: slices.Concat(badFilters, badPages, []bad{
			{"order=oldest", "query.order"}, {"order=commit&cursor=x", "query.cursor"}, {"order=commit&cursor=-1", "query.cursor"}, {"order=commit&cursor=99999", "query.cursor"},
			{"order=commit&cursor=99999999999999999999", "query.cursor"}}),
	},
	"/audit-events/histogram": {
		good: []call{{"?q=actor:dana@example.com", []string{`alpha audit_log.viewed ok: query=actor:dana@example.com`}}, {"?q=actor:dana@example.com&bars=7", nil}},
		bad:  slices.Concat(badFilters, []bad{{"bars=0", "query.bars"}, {"bars=1001", "query.bars"}, {"bars=x", "query.bars"}}),
	},
	"/audit-events/export": {
		stream: true,
		good: []call{
			{"?q=action:team.created", []string{
				`alpha audit_log.exported ok "audit-log.jsonl": format=jsonl, query=action:team.created, size=*`,
				`alpha audit_log.export_ended ok "audit-log.jsonl": bytes=*, events=1, format=jsonl, sha256=*`}},
			{"?action=team.created&format=csv&columns=id,action", []string{
				`alpha audit_log.exported ok "audit-log.csv": columns=id,action, format=csv, query=action:team.created, size=*`,
				`alpha audit_log.export_ended ok "audit-log.csv": bytes=*, events=1, format=csv, sha256=*`}},
		},
		bad: slices.Concat(badFilters, []bad{
			{"format=xml", "query.format"}, {"format=report", "query.format"}, {"format=csv&columns=colour", "query.columns"}, {"from=-1", "query.from"}, {"from=x", "query.from"},
			{"from=7", "query.from"}, {"export=exp_1&q=dana", "query.export"}, {"export=exp_1&columns=id", "query.export"}}),
		foreign: []string{"?export={betaExport}", "?export=nonsense", "?export=%ff", "?export=exp_01kjma0fm0e069emh051z4vyed"},
	},
	"/audit-events/stream": {
		stream: true,
		good:   []call{{"?q=action:team.created&cursor=start", []string{`alpha audit_log.viewed ok: query=action:team.created`}}, {"?q=action:team.created&cursor=0", nil}},
		bad:    slices.Concat(badFilters, []bad{{"cursor=-1", "query.cursor"}, {"cursor=x", "query.cursor"}, {"cursor=99999", "query.cursor"}, {"cursor=07", "query.cursor"}}),
	},
	"/audit-events/{id}": {
		good:    []call{{"{event}", []string{`alpha audit_log.viewed ok: event=evt_*`}}, {"{event}", nil}},
		bad:     []bad{{"x=1", "query.x"}},
		foreign: []string{"{betaEvent}", "evt_01kjma0fm0e069emh051z4vyed", "nonsense", "%00", "%ff", "{user}"},
	},
	"/checkpoint":        {note: true, good: []call{{"", nil}}, bad: []bad{{"size=1", "query.size"}}},
	"/checkpoint/{size}": {note: true, good: []call{{"{size}", nil}}, bad: []bad{{"x=1", "query.x"}}, absent: []string{"9007199254740991"}, wrong: []string{"0", "-1", "x", "9007199254740992"}},
	"/consistency": {
		good: []call{{"?from=0&to=0", nil}, {"?from=1&to={size}", nil}},
		bad: []bad{{"from=1", "query.to"}, {"to=1", "query.from"}, {"from=x&to=2", "query.from"}, {"from=3&to=2", "query.from"}, {"from=-1&to=2", "query.from"},
			{"from=1&to=99999999", "query.to"}, {"from=1&to=2&colour=red", "query.colour"}},
	},
	"/actions": {good: []call{{"", nil}}, bad: []bad{{"limit=1", "query.limit"}}},
	"/users": {
		good: []call{{"?limit=2", nil}, {"?q=dana&role=admin&state=invited", nil}},
		bad:  slices.Concat(badPages, []bad{{"role=king", "query.role"}, {"state=tired", "query.state"}}),
	},
	"/users/{id}": {
		good:    []call{{"{user}", nil}},
		bad:     []bad{{"x=1", "query.x"}},
		foreign: []string{"{betaUser}", "user_01kjma0fm0e069emh051z4vyed", "nonsense", "%00", "%ff", "{event}"},
	},
}

func (s *site) ids() *strings.Replacer {
	return strings.NewReplacer("{event}", s.event, "{betaEvent}", s.betaEvent, "{user}", s.Agnes.ID, "{betaUser}", s.Bea.ID, "{betaExport}", s.betaExport, "{size}", s.size)
}

func (s *site) address(path, rest string) string {
	rest = s.ids().Replace(rest)
	if i := strings.Index(path, "{"); i >= 0 {
		return path[:i] + rest
	}
	if rest != "" && !strings.HasPrefix(rest, "?") {
		rest = "?" + rest
	}
	return path + rest
}

// TestWalk goes through the OpenAPI document and asks each operation what is
// right, what is wrong, and for what is another team's.
func TestWalk(t *testing.T) {
	s := newSite(t)
	var spec struct {
		OpenAPI string `json:"openapi"`
		Paths   map[string]map[string]struct {
			OperationID string `json:"operationId"`
			Responses   map[string]any
		}
	}
	if err := json.Unmarshal([]byte(s.get("", "/openapi.json").status(http.StatusOK).body), &spec); err != nil || spec.OpenAPI != "3.1.0" {
		t.Fatalf("OpenAPI %s, %v", spec.OpenAPI, err)
	}
	for _, path := range slices.Sorted(maps.Keys(spec.Paths)) {
		v, known := visits[path]
		if !known {
			t.Errorf("the walk does not know %s", path)
			continue
		}
		for method, op := range spec.Paths[path] {
			if method != "get" || op.OperationID == "" {
				t.Errorf("the walk cannot do %s %s", method, path)
			}
			t.Run(op.OperationID, func(t *testing.T) { s.t = t; s.walk(t, path, v) })
		}
	}
	if len(spec.Paths) != len(visits) {
		t.Errorf("the document has %d paths, the walk %d", len(spec.Paths), len(visits))
	}
}

func (s *site) walk(t *testing.T, path string, v visit) {
	for _, c := range v.good {
		at := s.address(path, c.path)
		a := s.get(s.key, at).status(http.StatusOK)
		var want []string
		for _, e := range c.events {
			want = append(want, s.ids().Replace(e))
		}
		s.Expect(t, want...)
		if v.stream {
			continue
		}
		if v.note {
			if _, err := seal.Open([]byte(a.body), must(s.LogKeys(t.Context())), nil); err != nil || a.Header.Get("Content-Type") != "text/plain; charset=utf-8" {
				t.Errorf("%s: %v", at, err)
			}
		} else {
			s.fits(path, a)
		}
		r := httptest.NewRequest("HEAD", Prefix+at, nil)
		r.Header.Set("Authorization", "Bearer "+s.key)
		if head := s.send(r).status(http.StatusOK); head.body != "" {
			t.Errorf("HEAD %s answers %q", at, head.body)
		}
		if a.Header.Get("Cache-Control") != "no-store" || a.Header.Get("ETag") != "" {
			t.Errorf("%s may be kept: %v", at, a.Header)
		}
	}
	first := v.good[0].path
	for _, b := range v.bad {
		joint := "?"
		base := s.address(path, "")
		if strings.HasSuffix(path, "}") {
			base = s.address(path, first)
		}
		s.get(s.key, base+joint+b.query).problem(http.StatusUnprocessableEntity, b.location)
		s.Expect(t)
		if t.Failed() {
			t.Fatalf("that was %s?%s", base, b.query)
		}
	}
	for _, id := range v.absent {
		s.get(s.key, s.address(path, id)).problem(http.StatusNotFound, "")
	}
	for _, id := range v.wrong {
		s.get(s.key, s.address(path, id)).problem(http.StatusUnprocessableEntity, "path.size")
	}
	s.Expect(t)
	for _, id := range v.foreign {
		a := s.get(s.key, s.address(path, id)).problem(http.StatusNotFound, "")
		if strings.Contains(a.body, "Bea") {
			t.Errorf("the refusal tells: %s", a.body)
		}
		if got := s.Passed(); len(got) != 1 || !strings.HasPrefix(got[0], "alpha ") || !strings.Contains(got[0], " denied") {
			t.Errorf("%s is recorded as %q", id, got)
		}
		s.Clock.Advance(2 * time.Minute) // refusals of the same minute are merged
	}
	at := s.address(path, first)
	for _, key := range []string{"", s.key[:len(s.key)-1] + "!"} {
		a := s.get(key, at).problem(http.StatusUnauthorized, "")
		if !strings.HasPrefix(a.Header.Get("WWW-Authenticate"), "Bearer ") {
			t.Errorf("the refusal has the header %v", a.Header)
		}
		s.Clock.Advance(time.Hour)
	}
	s.Passed()
	for _, method := range []string{"POST", "PUT", "DELETE", "OPTIONS", "NONSENSE"} {
		r := httptest.NewRequest(method, Prefix+at, nil)
		r.Header.Set("Authorization", "Bearer "+s.key)
		r.Header.Set("Origin", "https://evil.example")
		if a := s.send(r).problem(http.StatusMethodNotAllowed, ""); a.Header.Get("Allow") != "GET" {
			t.Errorf("%s allows %q", method, a.Header.Get("Allow"))
		}
	}
	s.Expect(t)
}

// fits fails the test unless the answer is as the document says.
func (s *site) fits(path string, a answer) {
	s.t.Helper()
	if got := a.Header.Get("Content-Type"); got != "application/json" {
		s.t.Errorf("%s is %s", path, got)
	}
	spec := s.server.huma.OpenAPI()
	schema := spec.Paths[path].Get.Responses["200"].Content["application/json"].Schema
	var v any
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		s.t.Fatal(err)
	}
	var found huma.ValidateResult
	huma.Validate(spec.Components.Schemas, schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, &found)
	for _, e := range found.Errors {
		s.t.Errorf("%s is not as the document says: %v", path, e)
	}
}

// The schema of an event knows every member that an event can have.
func TestEventSchema(t *testing.T) {
	s := newSite(t)
	schema := s.server.huma.OpenAPI().Components.Schemas.Map()["Event"]
	leaf := int64(3)
	whole := audit.Event{
		ID: "evt_1", Log: "team_1", Time: time.Unix(1, 0), Recorded: time.Unix(2, 0), Version: 9, Leaf: &leaf,
		Actor:  &audit.Actor{Type: audit.ActorAPIKey, ID: "key_1", For: "user_1", Name: "n", Email: "e"},
		Action: "a.b", Outcome: audit.OutcomeFailed, Error: "conflict", Object: &audit.Ref{Type: "t", ID: "i", Name: "n"},
		Related: []audit.Ref{{Type: "t", ID: "i", Name: "n"}}, Links: []audit.Link{{Rel: "pair", Log: "l", ID: "i"}},
		Changes: []audit.Change{{On: audit.Ref{Type: "t", ID: "i"}, Prev: "p", Field: "f", Class: audit.Erased}},
		Reason:  "r", Data: map[string]string{"k": "v"}, Source: "s", WhoErased: true, WhatErased: true,
		Context: audit.Context{IP: "i", UserAgent: "u", Session: "s", Request: "r", Via: "v"},
	}
	for _, e := range []audit.Event{whole, {ID: "evt_1", Log: "team_1", Version: 1}} {
		body, err := json.Marshal(Event{e})
		if err != nil {
			t.Fatal(err)
		}
		var v map[string]any
		if err := json.Unmarshal(body, &v); err != nil {
			t.Fatal(err)
		}
		var found huma.ValidateResult
		huma.Validate(s.server.huma.OpenAPI().Components.Schemas, schema, huma.NewPathBuffer(nil, 0), huma.ModeReadFromServer, v, &found)
		if len(found.Errors) > 0 {
			t.Errorf("%s: %v", body, found.Errors)
		}
		if e.Reason != "" && len(v) != len(schema.Properties) {
			t.Errorf("an event with everything has %d members, the schema %d", len(v), len(schema.Properties))
		}
	}
}

func TestAddressesOutsideTheOperations(t *testing.T) {
	s := newSite(t)
	s.get("", "/").status(http.StatusSeeOther)
	for _, path := range []string{"/nowhere", "/audit-events/", "/audit-events/a/b", "/docs/x"} {
		s.get(s.key, path).problem(http.StatusNotFound, "")
	}
	for path, kind := range map[string]string{"/openapi.json": "application/openapi+json", "/docs": "text/html; charset=utf-8", "/docs.css": "text/css; charset=utf-8"} {
		a := s.get("", path).status(http.StatusOK)
		if a.Header.Get("Content-Type") != kind || a.Header.Get("Content-Security-Policy") != policy {
			t.Errorf("%s has the header %v", path, a.Header)
		}
		r := httptest.NewRequest("GET", Prefix+path, nil)
		r.Header.Set("If-None-Match", a.Header.Get("ETag"))
		s.send(r).status(http.StatusNotModified)
	}
	s.Expect(t)
	docs := s.get("", "/docs").body
	for _, text := range []string{"<script", "style=", "http://", "https://"} {
		if i := strings.Index(strings.ReplaceAll(docs, "http://portal.example.com", ""), text); i >= 0 {
			t.Errorf("the page has %q", text)
		}
	}
	for path := range visits {
		if !strings.Contains(docs, "<code>"+path+"</code>") {
			t.Errorf("the page has no %s", path)
		}
	}
}

func TestPagesOfEvents(t *testing.T) {
	s := newSite(t)
	all := read[page](s.get(s.key, "/audit-events?limit=1000&before=2026-03-01T09:59Z"))
	if all.NextCursor != nil || len(all.Items) < 8 || !slices.IsSortedFunc(all.Items, func(a, b event) int { return strings.Compare(b.ID, a.ID) }) {
		t.Fatalf("%d events, then %v", len(all.Items), all.NextCursor)
	}
	var got []event
	for at := "/audit-events?limit=3&before=2026-03-01T09:59Z"; at != ""; {
		p := read[page](s.get(s.key, at))
		got = append(got, p.Items...)
		at = ""
		if p.NextCursor != nil {
			at = "/audit-events?limit=3&before=2026-03-01T09:59Z&cursor=" + url.QueryEscape(*p.NextCursor)
			s.get(s.key, "/audit-events?limit=3&cursor="+*p.NextCursor).problem(422, "query.cursor", "another filter")
			s.get(s.betaKey, at).problem(422, "query.cursor", "another filter or log")
		}
	}
	if !slices.Equal(got, all.Items) {
		t.Errorf("the pages hold %d events, not the %d", len(got), len(all.Items))
	}
	one := read[page](s.get(s.key, "/audit-events?actor="+s.keyID))
	if e := one.Items[0]; e.Actor != (actor{"api_key", s.keyID, "SIEM", s.Dana.ID}) || e.Context.IP != "198.51.100.7" || e.Context.Via != "api" || e.Context.Request == "" {
		t.Errorf("the reading is recorded as %+v", e)
	}
	none := read[page](s.get(s.key, "/audit-events?actor=nobody@example.com"))
	if len(none.Items) != 0 || none.NextCursor != nil || !slices.Equal(none.Unknown, []string{"nobody@example.com"}) {
		t.Errorf("found is %+v", none)
	}
	// Nothing of another team, whatever the filter names.
	if p := read[page](s.get(s.key, "/audit-events?object="+s.Bea.ID)); len(p.Items) != 0 {
		t.Errorf("found is %+v", p)
	}
}

func TestPagesOfUsers(t *testing.T) {
	s := newSite(t)
	type users struct {
		Items      []user
		NextCursor *string `json:"next_cursor"`
	}
	var names []string
	for at := "/users?limit=2"; at != ""; {
		p := read[users](s.get(s.key, at))
		for _, u := range p.Items {
			names = append(names, u.Name+" "+u.Role+" "+u.Status)
		}
		at = ""
		if p.NextCursor != nil {
			at = "/users?limit=2&cursor=" + *p.NextCursor
		}
	}
	want := []string{"Adam Ames admin active", "Agnes Ash agent active", "Audrey Abe auditor active", "Bo Both admin active", "Dana Cruz admin active"}
	if !slices.Equal(names, want) {
		t.Errorf("the users are %q", names)
	}
	if u := read[user](s.get(s.key, "/users/"+s.Dana.ID)); u.Email != "dana@example.com" || u.Deleted != "" || u.Added == "" {
		t.Errorf("Dana is %+v", u)
	}
}
