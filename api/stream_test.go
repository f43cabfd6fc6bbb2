package api

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"onrecord/portal"
)

// listener is a program that follows the log over a real connection.
type listener struct {
	*bufio.Scanner
	t       *testing.T
	answer  *http.Response
	hangUp  func()
	retries string
}

// heard is one server-sent event.
type heard struct{ id, kind, data string }

func (s *site) serve(t *testing.T) string {
	t.Helper()
	srv := httptest.NewServer(s.handler)
	t.Cleanup(srv.Close)
	return srv.URL + Prefix
}

func listen(t *testing.T, address, key, last string) *listener {
	t.Helper()
	ctx, hangUp := context.WithCancel(t.Context())
	t.Cleanup(hangUp)
	r, err := http.NewRequestWithContext(ctx, "GET", address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+key)
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { answer.Body.Close() })
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "text/event-stream" {
		body, _ := io.ReadAll(answer.Body)
		t.Fatalf("%s: %s", answer.Status, body)
	}
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	return &listener{Scanner: lines, t: t, answer: answer, hangUp: hangUp}
}

// next waits for the next event; false at the end of the stream.
func (l *listener) next() (h heard, more bool) {
	l.t.Helper()
	for l.Scan() {
		name, value, _ := strings.Cut(l.Text(), ": ")
		switch name {
		case "id":
			h.id = value
		case "event":
			h.kind = value
		case "data":
			h.data = value
		case "retry":
			l.retries = value
		case "":
			if h != (heard{}) {
				return h, true
			}
		}
	}
	return h, false
}

func (l *listener) event() (event, string) {
	l.t.Helper()
	h, more := l.next()
	var e event
	if err := json.Unmarshal([]byte(h.data), &e); !more || err != nil || h.kind != "" || strconv.FormatInt(e.Leaf, 10) != h.id {
		l.t.Fatalf("heard is %+v, %v", h, err)
	}
	return e, h.id
}

func TestStream(t *testing.T) {
	s := newSite(t)
	address := s.serve(t) + "/audit-events/stream?action=device.added&action=device.blocked"
	live := listen(t, address, s.key, "")
	d := s.AddDevice(t, s.Adam, s.Alpha, "desk-1")
	e, id := live.event()
	if e.ID != d.Version || e.Action != portal.DeviceAdded {
		t.Errorf("heard is %+v", e)
	}
	if live.retries != "2000" {
		t.Errorf("retry is %q", live.retries)
	}
	live.hangUp()
	// What happened meanwhile comes when the stream goes on, once.
	two := s.AddDevice(t, s.Adam, s.Alpha, "desk-2")
	blocked, err := s.BlockDevice(t.Context(), s.Adam, s.Alpha, d.ID, "", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, again := range []*listener{listen(t, address, s.key, id), listen(t, address+"&cursor="+id, s.key, ""), listen(t, address+"&cursor=start", s.key, id)} {
		for _, want := range []string{two.Version, blocked} {
			if e, _ := again.event(); e.ID != want {
				t.Errorf("heard is %+v, not %s", e, want)
			}
		}
		again.hangUp()
	}
	if e, _ := listen(t, address+"&cursor=start", s.key, "").event(); e.ID != d.Version {
		t.Errorf("from the start on heard is %+v", e)
	}
}

func TestStreamEndsWithItsKey(t *testing.T) {
	s := newSite(t)
	live := listen(t, s.serve(t)+"/audit-events/stream?q=action:device.added", s.key, "")
	if _, err := s.RevokeAPIKey(t.Context(), s.Dana, s.Alpha, s.keyID, ""); err != nil {
		t.Fatal(err)
	}
	revoked := time.Now()
	h, _ := live.next()
	if h.kind != "problem" || !strings.Contains(h.data, "was revoked") || !strings.Contains(h.data, `"status":401`) {
		t.Errorf("heard is %+v", h)
	}
	if took := time.Since(revoked); took > 3*time.Second {
		t.Errorf("it took %s", took)
	}
	if h, more := live.next(); more {
		t.Errorf("after the end heard is %+v", h)
	}
}

func TestStreamsEndWithTheProgram(t *testing.T) {
	stopping := make(chan struct{})
	s := newSite(t, func(c *Config) { c.Stopping = stopping })
	live := listen(t, s.serve(t)+"/audit-events/stream", s.key, "")
	close(stopping)
	for { // perhaps an event that came before
		if _, more := live.next(); !more {
			return
		}
	}
}

func TestManyStreamsOfOneKey(t *testing.T) {
	s := newSite(t)
	address := s.serve(t) + "/audit-events/stream"
	var all []*listener
	for range mostOpen {
		all = append(all, listen(t, address, s.key, ""))
	}
	if a := s.get(s.key, "/audit-events/stream").problem(http.StatusTooManyRequests, ""); a.Header.Get("Retry-After") == "" {
		t.Error("it does not say when to try again")
	}
	s.get(s.key, "/audit-events/export").problem(http.StatusTooManyRequests, "")
	all[0].hangUp()
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		if s.get(s.key, "/audit-events/export").StatusCode == http.StatusOK {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("a stream that ended is still counted")
		}
	}
}

func TestExport(t *testing.T) {
	s := newSite(t)
	address := s.serve(t) + "/audit-events/export"
	fetch := func(query string) (*http.Response, string) {
		r, err := http.NewRequest("GET", address+query, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Authorization", "Bearer "+s.key)
		a, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Body.Close()
		body, err := io.ReadAll(a.Body)
		if err != nil || a.StatusCode != http.StatusOK {
			t.Fatalf("%s: %s, %v", a.Status, body, err)
		}
		return a, string(body)
	}
	a, file := fetch("?q=action:user.created")
	sum := sha256.Sum256([]byte(file))
	if got := a.Trailer.Get("Repr-Digest"); got != "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":" {
		t.Errorf("the digest is %q", got)
	}
	if lines := strings.Count(file, "\n"); lines != 5 || a.Trailer.Get("X-Events") != "5" || a.Header.Get("Content-Type") != "application/jsonl; charset=utf-8" {
		t.Errorf("%d lines, %v, %v", lines, a.Header, a.Trailer)
	}
	if got := a.Header.Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="audit-log-20260301T09`) {
		t.Errorf("the file is %q", got)
	}
	s.Passed()
	// It goes on where it was broken off.
	export := url.QueryEscape(a.Header.Get("X-Export"))
	rest, tail := fetch("?export=" + export + "&from=100")
	if tail != file[100:] || rest.Trailer.Get("Repr-Digest") != a.Trailer.Get("Repr-Digest") {
		t.Errorf("the rest is %d bytes of %d, %v", len(tail), len(file), rest.Trailer)
	}
	s.Expect(t, `alpha audit_log.exported ok "audit-log.jsonl": format=jsonl, from=100`, `alpha audit_log.export_ended ok "audit-log.jsonl": bytes=*, events=5, format=jsonl, sha256=*`)
	s.get(s.key, "/audit-events/export?export="+export+"&from=999999").problem(http.StatusUnprocessableEntity, "query.from", "Begin again")
	other, _ := s.newKey(s.Dana, s.Alpha, portal.NewAPIKey{Name: "other"})
	s.get(other, "/audit-events/export?export="+export).problem(http.StatusForbidden, "", "somebody else's export")
}

// A program that asks again and again, going on from the cursor, misses none
// and gets none twice, whatever is recorded meanwhile.
func TestPollingInTheOrderOfCommits(t *testing.T) {
	s := newSite(t)
	cursor, next := "", int64(0)
	poll := func() (n int) {
		at := "/audit-events?order=commit&limit=3"
		if cursor != "" {
			at += "&cursor=" + cursor
		}
		p := read[page](s.get(s.key, at))
		for _, e := range p.Items {
			if e.Leaf != next {
				t.Fatalf("leaf %d comes after %d", e.Leaf, next-1)
			}
			next++
		}
		cursor = *p.NextCursor
		return len(p.Items)
	}
	for i := range 20 {
		s.AddDevice(t, s.Adam, s.Alpha, "desk-"+strconv.Itoa(i))
		poll()
	}
	if err := s.Log().Seal(t.Context()); err != nil {
		t.Fatal(err)
	}
	for poll() > 0 {
	}
	state, err := s.Log().SealState(t.Context(), s.Alpha)
	if err != nil || next != state.Leaves {
		t.Errorf("%d events of %d, %v", next, state.Leaves, err)
	}
}
