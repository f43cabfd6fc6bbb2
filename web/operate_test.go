package web

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"onrecord/database"
	"onrecord/portal/portaltest"
)

func (a answer) ready() (b readyBody) {
	a.t.Helper()
	if err := json.Unmarshal([]byte(a.body), &b); err != nil {
		a.t.Fatalf("%v: %s", err, a.body)
	}
	return b
}

func TestReadyUntilTheDatabaseIsGone(t *testing.T) {
	s := siteOf(t, portaltest.OnSQLite(t))
	nobody := s.open()
	if b := nobody.get("/readyz").status(http.StatusOK).ready(); b.Status != "ready" || b.Database != "reachable" || b.Schema != "current" || b.Faults == nil {
		t.Errorf("a portal at work is %+v", b)
	}
	hidden := s.Path + ".hidden"
	if err := os.Rename(s.Path, hidden); err != nil {
		t.Fatal(err)
	}
	defer os.Rename(hidden, s.Path)
	time.Sleep(1100 * time.Millisecond) // an answer counts for a second
	if b := nobody.get("/readyz").status(http.StatusServiceUnavailable).lacks(s.Path).ready(); b.Status != "not ready" || b.Database != "unreachable" {
		t.Errorf("a portal without its file is %+v", b)
	}
	nobody.get("/healthz").status(http.StatusOK)
	s.Expect(t)
}

func TestReadyOnlyOnItsOwnSchema(t *testing.T) {
	s := newSite(t)
	err := s.DB.Write(t.Context(), func(tx *database.Tx) error {
		_, err := tx.ExecContext(t.Context(), "INSERT INTO portal_version (version_id, is_applied) VALUES ($1, $2)", 4711, true)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if b := s.open().get("/readyz").status(http.StatusServiceUnavailable).ready(); b.Schema != "other" || b.Database != "reachable" {
		t.Errorf("on the schema of a later program it is %+v", b)
	}
}

func figuresOf(c *Config) {
	c.Metrics = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "figures") })
}

// Only who asks from this machine, for nobody else, gets the figures.
func TestFiguresStayOnTheMachine(t *testing.T) {
	s := newSite(t, figuresOf)
	b := s.open()
	for from, want := range map[string]int{
		"127.0.0.1:4711": http.StatusOK, "[::1]:4711": http.StatusOK, "[::ffff:127.0.0.1]:80": http.StatusOK,
		"203.0.113.7:4711": http.StatusNotFound, "10.0.0.1:80": http.StatusNotFound, "": http.StatusNotFound,
	} {
		b.from = from
		if a := b.get("/metrics").status(want); strings.Contains(a.body, "figures") != (want == http.StatusOK) {
			t.Errorf("from %s: %s", from, a.text())
		}
	}
	b.from = "127.0.0.1:4711"
	for _, header := range []string{"X-Forwarded-For", "Forwarded", "Via", "X-Real-Ip"} {
		b.header = http.Header{header: {"203.0.113.7"}}
		b.get("/metrics").status(http.StatusNotFound).lacks("figures")
	}
	without := newSite(t).open()
	without.from = "127.0.0.1:4711"
	without.get("/metrics").status(http.StatusNotFound)
}

func TestOperatingAnswersAnybody(t *testing.T) {
	s := newSite(t)
	var c Config
	figuresOf(&c)
	h := Operating(s.Portal, slog.New(slog.DiscardHandler), c.Metrics)
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 200, "/metrics": 200, "/login": 404, "/": 404} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != want {
			t.Errorf("%s answers %d, not %d", path, w.Code, want)
		}
	}
}

// What is told of a request has its route, never its address.
func TestObserved(t *testing.T) {
	s := newSite(t)
	var told []Answered
	s.handler = Observed(s.handler, func(_ *http.Request, a Answered) { told = append(told, a) })
	dana := s.as(s.Alpha, s.Dana)
	dana.get("/t/" + s.Alpha + "/calls/" + s.call + "?q=secret")
	dana.get("/nowhere/at/all")
	s.open().get("/link/sometoken")
	dana.send(httptest.NewRequest("BREW", "/login", nil))
	want := []Answered{
		{Method: "GET", Route: "GET /t/{team}/calls/{call}", Status: 200},
		{Method: "GET", Route: "/", Status: 404},
		{Method: "GET", Route: "GET /link/{token}", Status: 404},
		{Method: "other", Route: "/", Status: 404},
	}
	if len(told) != len(want) {
		t.Fatalf("told of %d requests: %+v", len(told), told)
	}
	for i, a := range told {
		if a.Took <= 0 || a.Bytes == 0 || !strings.HasPrefix(a.Request, "req_") {
			t.Errorf("%+v lacks something", a)
		}
		a.Took, a.Bytes, a.Request = 0, 0, ""
		if a != want[i] {
			t.Errorf("told of %+v, not %+v", a, want[i])
		}
	}
}

func TestObservedBrokenOff(t *testing.T) {
	var told Answered
	h := Observed(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "half")
		panic(http.ErrAbortHandler)
	}), func(_ *http.Request, a Answered) { told = a })
	func() {
		defer func() { recover() }()
		h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/", nil))
	}()
	if told.Status != brokenOff || told.Bytes != 4 {
		t.Errorf("told of %+v", told)
	}
}
