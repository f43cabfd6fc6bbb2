package web

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
)

// message is one of a stream.
type message struct{ id, kind, data string }

// watching is a live view that is open.
type watching struct {
	t        testing.TB
	answer   *http.Response
	messages chan message
}

// watch opens a live view over a real connection.
func (b *tab) watch(srv *httptest.Server, query, last string) *watching {
	b.site.t.Helper()
	r, err := http.NewRequest("GET", srv.URL+"/t/"+b.site.Alpha+"/settings/security/audit-logs/live?"+query, nil)
	if err != nil {
		b.site.t.Fatal(err)
	}
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	w := &watching{t: b.site.t, answer: b.do(r), messages: make(chan message, 100_000)}
	if got := w.answer.Header.Get("Content-Type"); got != "text/event-stream" {
		b.site.t.Fatalf("%s, %s", w.answer.Status, got)
	}
	go func() {
		defer close(w.messages)
		var m message
		for lines := bufio.NewScanner(w.answer.Body); lines.Scan(); {
			name, value, _ := strings.Cut(lines.Text(), ": ")
			switch name {
			case "id":
				m.id = value
			case "event":
				m.kind = value
			case "data":
				m.data += value
			case "":
				if m.kind != "" {
					w.messages <- m
				}
				m = message{}
			}
		}
	}()
	return w
}

// leave ends it.
func (w *watching) leave() { w.answer.Body.Close() }

// next gives the next message of these kinds; ok is false at the end.
func (w *watching) next(kinds ...string) (message, bool) {
	w.t.Helper()
	deadline := time.After(10 * time.Second)
	for {
		select {
		case m, ok := <-w.messages:
			if !ok || slices.Contains(kinds, m.kind) {
				return m, ok
			}
		case <-deadline:
			w.t.Fatal("nothing comes")
		}
	}
}

// rows gives the ids of the next n events, and the leaf of the last.
func (w *watching) rows(n int) (ids []string, last string) {
	w.t.Helper()
	for range n {
		m, ok := w.next("row", "end")
		if !ok || m.kind == "end" {
			w.t.Fatalf("it ends after %d of %d rows: %s", len(ids), n, m.data)
		}
		ids, last = append(ids, eventOf(m.data)), m.id
	}
	return ids, last
}

var eventHref = regexp.MustCompile(`href="[^"]*(evt_[0-9a-z]{26})`)

func eventOf(row string) string {
	if m := eventHref.FindStringSubmatch(row); m != nil {
		return m[1]
	}
	return ""
}

// note records an event of Dana's and gives its id.
func (s *site) note(log *audit.Log, action string) string {
	s.t.Helper()
	id, err := log.Note(context.Background(), audit.Intent{Log: s.Alpha, Actor: s.Dana.Actor, Action: action, Context: audit.Context{Via: "web"}})
	if err != nil {
		s.t.Error(err)
	}
	return id
}

func TestLiveShowsTheRowsOfThePage(t *testing.T) {
	s := newSite(t)
	s.fill(60)
	srv := s.served(nil)
	dana := s.as(s.Alpha, s.Dana)
	page := dana.get("/t/" + s.Alpha + "/settings/security/audit-logs?all=1").status(ok)
	address := regexp.MustCompile(`data-live="([^"]+)"`).FindStringSubmatch(page.body)
	if address == nil {
		t.Fatal("the page has no button Live")
	}
	_, query, _ := strings.Cut(strings.ReplaceAll(address[1], "&amp;", "&"), "?")
	s.Passed()
	w := dana.watch(srv, query, "")
	if _, err := s.ChangeRole(t.Context(), s.Adam, s.Alpha, s.Agnes.ID, portal.Auditor, "", "<i>helps</i>"); err != nil {
		t.Fatal(err)
	}
	var row string
	for row == "" || !strings.Contains(row, "Changed user role") { // the reading of the page comes first
		m, _ := w.next("row")
		row = m.data
	}
	w.leave()
	again := dana.get("/t/" + s.Alpha + "/settings/security/audit-logs?all=1").status(ok)
	flat := strings.Join(strings.Fields(again.body), " ")
	if !strings.Contains(flat, strings.Join(strings.Fields(row), " ")) {
		t.Errorf("the page has no such row as\n%s", row)
	}
	if !strings.Contains(row, "agent → auditor") && !strings.Contains(row, "Agent → Auditor") {
		t.Errorf("the row does not say what changed: %s", row)
	}
	for _, path := range []string{"?all=1&cursor=" + cursorOf(again.body), "?q=before:2026-01-01"} {
		dana.get("/t/" + s.Alpha + "/settings/security/audit-logs" + path).lacks("data-live")
	}
	s.Passed()
}

func cursorOf(page string) string {
	if m := regexp.MustCompile(`cursor=([A-Za-z0-9_-]+)`).FindStringSubmatch(page); m != nil {
		return m[1]
	}
	return ""
}

// Two processes record at once, one of them with a clock that is behind; two
// live views, one of which breaks off again and again, each get every event
// exactly once.
func TestLiveHasNoGapAndNoRepeat(t *testing.T) {
	s := newSite(t)
	srv := s.served(nil)
	dana, audrey := s.as(s.Alpha, s.Dana), s.as(s.Alpha, s.Audrey)
	other, err := audit.Open(t.Context(), s.Log().DB(), portal.Catalogue, s.Log().Tables(), audit.WithClock(func() time.Time { return s.Clock.Now().Add(-time.Hour) }))
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	const query = "q=action:call.viewed,call.deleted"
	steady, broken := dana.watch(srv, query, ""), audrey.watch(srv, query, "")
	const each = 60
	var mu sync.Mutex
	var want []string
	var wg sync.WaitGroup
	for _, log := range []*audit.Log{s.Log(), other} {
		wg.Go(func() {
			for i := range each {
				action := []string{portal.CallViewed, portal.CallDeleted, portal.CallRestored}[i%3]
				if id := s.note(log, action); action != portal.CallRestored {
					mu.Lock()
					want = append(want, id)
					mu.Unlock()
				}
			}
		})
	}
	const n = 2 * each * 2 / 3
	got, _ := steady.rows(n)
	steady.leave()
	var again []string
	for len(again) < n {
		ids, last := broken.rows(min(7, n-len(again)))
		again = append(again, ids...)
		broken.leave()
		broken = audrey.watch(srv, query, last)
	}
	wg.Wait()
	broken.leave()
	if !slices.Equal(got, again) {
		t.Errorf("the two views differ:\n%q\n%q", got, again)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("the rows are\n%q\nnot the events\n%q", got, want)
	}
	s.Passed()
}

func TestLiveEndsWithThePermission(t *testing.T) {
	s := newSite(t)
	srv := s.served(nil)
	ctx := t.Context()
	audrey := s.as(s.Alpha, s.Audrey)
	for name, c := range map[string]struct {
		who *tab
		do  func()
		why string
	}{
		"demoted": {s.as(s.Alpha, s.Adam), func() {
			_, err := s.ChangeRole(ctx, s.Dana, s.Alpha, s.Adam.ID, portal.Agent, "", "")
			if err != nil {
				t.Error(err)
			}
		}, "Sign in to go on."},
		"blocked": {s.as(s.Alpha, s.Bo), func() {
			if _, err := s.BlockUser(ctx, s.Dana, s.Alpha, s.Bo.ID, "", ""); err != nil {
				t.Error(err)
			}
		}, "Sign in to go on."},
		"signed out": {audrey, func() { audrey.post("/logout") }, "Sign in to go on."},
		"on another plan": {s.as(s.Alpha, s.Dana), func() {
			if _, err := s.ChangePlan(ctx, s.Operator, s.Alpha, portal.PlanCore, ""); err != nil {
				t.Error(err)
			}
		}, "Audit Logs are part of the plan"},
	} {
		w := c.who.watch(srv, "q=via:system", "")
		defer w.leave()
		if name == "on another plan" {
			defer func() {
				c.do()
				end, ok := w.next("end")
				if !ok || !strings.Contains(end.data, c.why) {
					t.Errorf("%s: it ends with %+v", name, end)
				}
				s.Passed()
			}()
			continue
		}
		c.do()
		begun := time.Now()
		end, ok := w.next("end")
		if !ok || !strings.Contains(end.data, c.why) {
			t.Errorf("%s: it ends with %+v", name, end)
		}
		if _, more := w.next("row", "end"); more {
			t.Errorf("%s: something follows the end", name)
		}
		if took := time.Since(begun); took > 5*time.Second {
			t.Errorf("%s: it ended only after %s", name, took)
		}
	}
	s.Passed()
}

func TestASlowViewerHoldsNobodyUpAndIsDropped(t *testing.T) {
	s := newSite(t)
	s.server.stall = 500 * time.Millisecond
	srv := s.served(nil)
	dana := s.as(s.Alpha, s.Dana)
	r, err := http.NewRequest("GET", srv.URL+"/t/"+s.Alpha+"/settings/security/audit-logs/live?all=1&after=-1", nil)
	if err != nil {
		t.Fatal(err)
	}
	a := dana.do(r)
	begun := time.Now()
	for range 20 {
		s.fill(100) // rows of a kilobyte: more than the connection holds
	}
	t.Logf("2,000 events recorded in %s beside a viewer who reads nothing", time.Since(begun).Round(time.Millisecond))
	time.Sleep(3 * s.server.stall)
	body, err := io.ReadAll(a.Body)
	rows := strings.Count(string(body), "event: row")
	if err == nil || rows == 0 || rows >= 2000 {
		t.Errorf("the viewer was not dropped: %d rows, %v", rows, err)
	}
	s.Passed()
}

func TestStoppingTheServerEndsLiveViews(t *testing.T) {
	s := newSite(t)
	stopping, stop := context.WithCancel(context.Background())
	srv := s.served(func(c *http.Server) {
		c.BaseContext = func(net.Listener) context.Context {
			return context.WithValue(context.Background(), stoppingKey{}, stopping)
		}
	})
	w := s.as(s.Alpha, s.Dana).watch(srv, "all=1", "")
	stop()
	for {
		m, ok := w.next("row", "end", "icon")
		if !ok {
			break
		}
		if m.kind == "end" {
			t.Errorf("the browser is told not to come again: %s", m.data)
		}
	}
	s.Passed()
}
