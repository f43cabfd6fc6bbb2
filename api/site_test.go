package api

import (
	"context"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

// site is a portal with its API, a key of the team Alpha that Dana answers for
// and one of Beta. The whole log is checked when the test ends.
type site struct {
	*portaltest.Fixture
	t       testing.TB
	server  *server
	handler http.Handler

	key, betaKey     string // tokens
	keyID            string
	event, betaEvent string
	betaExport       string
	size             string // of a checkpoint of Alpha's log
}

func newSite(t testing.TB, change ...func(*Config)) *site {
	t.Helper()
	f := portaltest.New(t)
	c := Config{URL: "http://portal.example.com", Now: f.Clock.Now, Logger: slog.New(slog.NewTextHandler(complaints{t}, nil)), Rate: 1000, Burst: 1_000_000}
	for _, set := range change {
		set(&c)
	}
	s := &site{Fixture: f, t: t, server: newServer(f.Portal, c)}
	s.handler = s.server.handler()
	s.key, s.keyID = s.newKey(f.Dana, f.Alpha, portal.NewAPIKey{Name: "SIEM"})
	s.betaKey, _ = s.newKey(f.Bea, f.Beta, portal.NewAPIKey{Name: "SIEM"})
	s.event, s.betaEvent = s.firstEvent(f.Alpha), s.firstEvent(f.Beta)
	x, err := f.ExportLog(context.Background(), f.Bea, f.Beta, audit.Filter{}, portal.ExportOptions{Format: "csv"})
	if err != nil {
		t.Fatal(err)
	}
	s.betaExport = x.ID
	f.Sign(t)
	if err := f.Log().Seal(context.Background()); err != nil {
		t.Fatal(err)
	}
	state, err := f.Log().SealState(context.Background(), f.Alpha)
	if err != nil {
		t.Fatal(err)
	}
	s.size = strconv.FormatInt(state.Sealed, 10)
	f.Passed()
	return s
}

// complaints fails a test with what the server has to say.
type complaints struct{ t testing.TB }

func (c complaints) Write(line []byte) (int, error) {
	c.t.Errorf("the server says: %s", line)
	return len(line), nil
}

func (s *site) newKey(by portal.Caller, team string, n portal.NewAPIKey) (token, id string) {
	s.t.Helper()
	if n.Scope == "" {
		n.Scope = portal.ScopeRead
	}
	k, token, err := s.CreateAPIKey(context.Background(), by, team, n)
	if err != nil {
		s.t.Fatal(err)
	}
	return token, k.ID
}

func (s *site) firstEvent(team string) string {
	s.t.Helper()
	r, err := s.Log().Search(context.Background(), team, audit.Filter{}, audit.Page{Limit: 1000})
	if err != nil || len(r.Events) == 0 {
		s.t.Fatalf("reading the log: %v", err)
	}
	return r.Events[len(r.Events)-1].ID
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
	t    testing.TB
}

// get asks with a key for an address under the prefix; "" brings no key.
func (s *site) get(key, path string) answer {
	s.t.Helper()
	r := httptest.NewRequest("GET", Prefix+path, nil)
	if key != "" {
		r.Header.Set("Authorization", "Bearer "+key)
	}
	return s.send(r)
}

// send asks. A stream, which has no end, is heard for a moment.
func (s *site) send(r *http.Request) answer {
	s.t.Helper()
	if strings.HasSuffix(r.URL.Path, "/stream") {
		heard, end := context.WithTimeout(r.Context(), 200*time.Millisecond)
		defer end()
		r = r.WithContext(heard)
	}
	r.RemoteAddr = "198.51.100.7:4711"
	r.Header.Set("User-Agent", "siem/1")
	w := httptest.NewRecorder()
	s.handler.ServeHTTP(w, r)
	a := answer{w.Result(), w.Body.String(), s.t}
	if a.Header.Get("X-Content-Type-Options") != "nosniff" || !strings.HasPrefix(a.Header.Get("X-Request-Id"), "req_") || a.Header.Get("Cache-Control") == "" ||
		a.Header.Get("Access-Control-Allow-Origin") != "" {
		s.t.Errorf("%s has the header %v", r.URL, a.Header)
	}
	return a
}

// status fails the test unless the answer has it.
func (a answer) status(want int) answer {
	a.t.Helper()
	if a.StatusCode != want {
		a.t.Errorf("%d, not %d: %s", a.StatusCode, want, a.body)
	}
	return a
}

// problem fails the test unless the answer is a problem document with this
// status, which names the location if one is told, and says the texts.
func (a answer) problem(status int, location string, says ...string) answer {
	a.t.Helper()
	a.status(status)
	var p struct {
		Title, Detail string
		Status        int
		Errors        []struct {
			Location, Message string
			Value             any
		}
	}
	if err := json.Unmarshal([]byte(a.body), &p); err != nil || a.Header.Get("Content-Type") != "application/problem+json" {
		a.t.Errorf("the problem is %s %q: %v", a.Header.Get("Content-Type"), a.body, err)
	}
	if p.Status != status || p.Title == "" || p.Detail == "" || strings.HasPrefix(p.Detail, "validation failed") {
		a.t.Errorf("the problem is %s", a.body)
	}
	named := location == ""
	for _, e := range p.Errors {
		named = named || e.Location == location && e.Message != ""
	}
	if !named {
		a.t.Errorf("the problem does not name %s: %s", location, a.body)
	}
	for _, text := range says {
		if !strings.Contains(p.Detail, text) {
			a.t.Errorf("the problem does not say %q: %s", text, a.body)
		}
	}
	return a
}

// read decodes an answer.
func read[T any](a answer) T {
	a.t.Helper()
	a.status(http.StatusOK)
	var v T
	if err := json.Unmarshal([]byte(a.body), &v); err != nil {
		a.t.Fatalf("%v: %s", err, a.body)
	}
	return v
}

// page is a page of events as a program reads it.
type page struct {
	Items      []event
	NextCursor *string `json:"next_cursor"`
	Reached    string
	Unknown    []string
}

type event struct {
	ID, Action, Outcome string
	Actor               actor
	Context             struct{ IP, Via, Request string }
	Leaf                int64
}

type actor struct{ Type, ID, Name, For string }

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}
