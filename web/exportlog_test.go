package web

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/csv"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

const exportForm = "/settings/security/audit-logs/export"

// fill makes the log of Alpha longer.
func (s *site) fill(n int) {
	s.t.Helper()
	var wg sync.WaitGroup
	for range n {
		wg.Go(func() {
			in := audit.Intent{Log: s.Alpha, Actor: s.Dana.Actor, Action: portal.AuditLogViewed, Data: map[string]string{"query": strings.Repeat("long ", 200)}}
			if _, err := s.Log().Note(context.Background(), in); err != nil {
				s.t.Error(err)
			}
		})
	}
	wg.Wait()
	s.Passed()
}

// socket is what a connection holds of what its reader has not read.
const socket = 128 << 10

// served answers over a real connection, with small buffers, so that a reader
// who does not read is noticed.
func (s *site) served(change func(*http.Server)) *httptest.Server {
	srv := httptest.NewUnstartedServer(s.handler)
	srv.Config.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if err := c.(*net.TCPConn).SetWriteBuffer(socket); err != nil {
			s.t.Error(err)
		}
		return ctx
	}
	if change != nil {
		change(srv.Config)
	}
	srv.Start()
	s.t.Cleanup(srv.Close)
	return srv
}

// download asks for an export over a real connection.
func (b *tab) download(srv *httptest.Server, form url.Values) *http.Response {
	b.site.t.Helper()
	r, err := http.NewRequest("POST", srv.URL+"/t/"+b.site.Alpha+exportForm, strings.NewReader(form.Encode()))
	if err != nil {
		b.site.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.do(r)
}

func (b *tab) do(r *http.Request) *http.Response {
	b.site.t.Helper()
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	small := &http.Transport{DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
		c, err := new(net.Dialer).DialContext(ctx, network, addr)
		if err == nil {
			err = c.(*net.TCPConn).SetReadBuffer(socket)
		}
		return c, err
	}}
	b.site.t.Cleanup(small.CloseIdleConnections)
	a, err := (&http.Client{Transport: small}).Do(r)
	if err != nil {
		b.site.t.Fatal(err)
	}
	b.site.t.Cleanup(func() { a.Body.Close() })
	return a
}

// ended waits until exactly these events were recorded.
func (s *site) ended(want ...string) {
	s.t.Helper()
	var got []string
	for deadline := time.Now().Add(10 * time.Second); len(got) < len(want) && time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		got = append(got, s.Passed()...)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		s.t.Errorf("the events are\n\t%s\nnot\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

func exported(format string) string {
	return fmt.Sprintf(`alpha audit_log.exported ok "audit-log.%s": format=%s, size=*`, format, format)
}

func exportBroken(format, why string, events int) string {
	return fmt.Sprintf(`alpha audit_log.export_ended ok "audit-log.%s": broken_off=%s, bytes=*, events=%d, format=%s`, format, why, events, format)
}

func TestExportOverTheWire(t *testing.T) {
	s := newSite(t)
	s.fill(30)
	srv := s.served(nil)
	dana := s.as(s.Alpha, s.Dana)
	a := dana.download(srv, url.Values{"format": {"csv"}, "all": {"1"}, "column": {"id", "action_label"}})
	body, err := io.ReadAll(a.Body)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(body)).ReadAll()
	if err != nil || a.StatusCode != ok || strings.Join(rows[0], " ") != "id action_label" {
		t.Fatalf("%d, %v: %.200s", a.StatusCode, err, body)
	}
	id := exportOfLocation(t, a)
	if h := a.Header; h.Get("Content-Type") != "text/csv; charset=utf-8; header=present" || h.Get("Cache-Control") != "no-store" ||
		!strings.HasPrefix(h.Get("Content-Disposition"), `attachment; filename="audit-log-2026`) {
		t.Errorf("headers %v", h)
	}
	sum := sha256.Sum256(body)
	if got, want := a.Trailer.Get("Repr-Digest"), "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":"; got != want {
		t.Errorf("the digest that follows is %q, not %q", got, want)
	}
	if got := a.Trailer.Get("X-Events"); got != fmt.Sprint(len(rows)-1) {
		t.Errorf("%s events follow %d rows", got, len(rows)-1)
	}
	s.Expect(t, `alpha audit_log.exported ok "audit-log.csv": columns=id,action_label, format=csv, size=*`,
		fmt.Sprintf(`alpha audit_log.export_ended ok "audit-log.csv": bytes=*, events=%d, format=csv, sha256=*`, len(rows)-1))

	// How it went, for the script that made it without another reading.
	r := httptest.NewRequest("GET", "/t/"+s.Alpha+exportForm+"/"+id, nil)
	r.Header.Set("Accept", "application/json")
	var state struct {
		State, SHA256 string
		Events, Bytes int
		Done          float64
	}
	if err := json.Unmarshal([]byte(dana.send(r).status(ok).body), &state); err != nil {
		t.Fatal(err)
	}
	if state.State != "whole" || state.SHA256 != hex.EncodeToString(sum[:]) || state.Bytes != len(body) || state.Events != len(rows)-1 || state.Done != 1 {
		t.Errorf("the state is %+v", state)
	}
	s.Expect(t)
	// For others it is reading the log.
	audrey := s.as(s.Alpha, s.Audrey)
	audrey.get("/t/"+s.Alpha+exportForm+"/"+id).status(ok).has(state.SHA256, "Whole", "Dana Cruz", "sha256sum audit-log-2026").lacks("Send it again")
	s.Expect(t, `alpha audit_log.viewed ok: export=exp_*`)
	audrey.get("/t/"+s.Alpha+exportForm).status(ok).has(state.SHA256[:12], "Dana Cruz", "Under way") // the ones that newSite has begun
	s.Passed()
}

func exportOfLocation(t testing.TB, a *http.Response) string {
	t.Helper()
	at := a.Header.Get("Content-Location")
	id := at[strings.LastIndexByte(at, '/')+1:]
	if !audit.ValidID("exp", id) {
		t.Fatalf("the address of the export is %q", at)
	}
	return id
}

func TestAnExportThatBreaksOffGoesOn(t *testing.T) {
	s := newSite(t)
	s.fill(2200)
	srv := s.served(nil)
	dana := s.as(s.Alpha, s.Dana)
	a := dana.download(srv, url.Values{"format": {"jsonl"}, "all": {"1"}})
	first := make([]byte, 100_000)
	if _, err := io.ReadFull(a.Body, first); err != nil {
		t.Fatal(err)
	}
	a.Body.Close() // the browser is closed
	s.ended(exported("jsonl"), exportBroken("jsonl", "the reader went away", 0))
	id := exportOfLocation(t, a)
	dana.get("/t/"+s.Alpha+exportForm+"/"+id).status(ok).has("Broken off", "the reader went away", "Send it again")
	s.Passed()

	rest := dana.get(fmt.Sprintf("/t/%s%s/%s/rest?from=%d", s.Alpha, exportForm, id, len(first))).status(ok)
	whole := dana.get("/t/" + s.Alpha + exportForm + "/" + id + "/rest").status(ok)
	if string(first)+rest.body != whole.body {
		t.Errorf("%d and %d bytes are not the %d of the whole file", len(first), len(rest.body), len(whole.body))
	}
	sum := sha256.Sum256([]byte(whole.body))
	if got := rest.Trailer.Get("Repr-Digest"); got != "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":" {
		t.Errorf("the rest came with the digest %q", got)
	}
	n := strings.Count(whole.body, "\n")
	s.Expect(t, `alpha audit_log.exported ok "audit-log.jsonl": format=jsonl, from=100000`,
		fmt.Sprintf(`alpha audit_log.export_ended ok "audit-log.jsonl": bytes=*, events=%d, format=jsonl, sha256=*`, n),
		`alpha audit_log.exported ok "audit-log.jsonl": format=jsonl, from=0`,
		fmt.Sprintf(`alpha audit_log.export_ended ok "audit-log.jsonl": bytes=*, events=%d, format=jsonl, sha256=*`, n))
	dana.get(fmt.Sprintf("/t/%s%s/%s/rest?from=%d", s.Alpha, exportForm, id, len(whole.body)+1)).status(invalid).has("less than the")
	s.Passed()
}

func TestAStalledReaderIsCutOff(t *testing.T) {
	s := newSite(t)
	s.server.stall = 300 * time.Millisecond
	s.fill(5000)
	srv := s.served(nil)
	dana := s.as(s.Alpha, s.Dana)
	a := dana.download(srv, url.Values{"format": {"jsonl"}, "all": {"1"}})
	if _, err := io.ReadFull(a.Body, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	var got []string
	for deadline := time.Now().Add(10 * time.Second); len(got) < 2 && time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		got = append(got, s.Passed()...)
	}
	if len(got) != 2 || !strings.Contains(got[1], "broken_off=the reader went away") {
		t.Errorf("recorded is %q", got)
	}
	if _, err := io.Copy(io.Discard, a.Body); err == nil {
		t.Error("the reader takes it for whole")
	}
}

// A slow reader is not a stalled one: neither the limits of the server nor its
// own pauses end the export.
func TestASlowReaderGetsEverything(t *testing.T) {
	s := newSite(t)
	s.fill(3000)
	srv := s.served(func(c *http.Server) { c.ReadTimeout, c.WriteTimeout = 200*time.Millisecond, 200*time.Millisecond })
	dana := s.as(s.Alpha, s.Dana)
	a := dana.download(srv, url.Values{"format": {"jsonl"}, "all": {"1"}})
	var file bytes.Buffer
	for range 3 {
		if _, err := io.CopyN(&file, a.Body, 1_000_000); err != nil {
			t.Fatalf("after %d bytes: %v", file.Len(), err)
		}
		time.Sleep(300 * time.Millisecond)
	}
	if _, err := io.Copy(&file, a.Body); err != nil {
		t.Fatalf("after %d bytes: %v", file.Len(), err)
	}
	sum := sha256.Sum256(file.Bytes())
	if got := a.Trailer.Get("Repr-Digest"); got != "sha-256=:"+base64.StdEncoding.EncodeToString(sum[:])+":" {
		t.Errorf("the digest is %q", got)
	}
	s.Passed()
}

func TestStoppingTheServerBreaksAnExportOff(t *testing.T) {
	s := newSite(t)
	s.fill(5000)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, ln, s.handler) }()
	dana := s.as(s.Alpha, s.Dana)
	a := dana.download(&httptest.Server{URL: "http://" + ln.Addr().String()}, url.Values{"format": {"jsonl"}, "all": {"1"}})
	if _, err := io.ReadFull(a.Body, make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	stop()
	go io.Copy(io.Discard, a.Body)
	select {
	case err := <-ended:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the server waits for the export")
	}
	got := s.Passed()
	if len(got) != 2 || !strings.Contains(got[1], "broken_off=the server was stopped") {
		t.Errorf("recorded is %q", got)
	}
}

func TestReport(t *testing.T) {
	s := newSite(t)
	evil := portaltest.As(portal.Member{})
	evil.Actor = audit.Actor{Type: audit.ActorUser, ID: s.Adam.ID, Name: `<script>alert(1)</script>`, Email: "adam@example.com"}
	if _, err := s.Log().Note(context.Background(), audit.Intent{Log: s.Alpha, Actor: evil.Actor, Action: portal.CallViewed, Reason: "<b>why</b>"}); err != nil {
		t.Fatal(err)
	}
	s.Passed()
	audrey := s.as(s.Alpha, s.Audrey)
	a := audrey.post("/t/"+s.Alpha+exportForm, "format", "report", "q", "action:call.viewed,call.deleted,device.added after:2026-01-01").status(ok)
	a.has("Audit log report", "Audrey Abe", "audrey@example.com", "Alpha", "action:call.viewed,call.deleted,device.added", "from 2026-01-01 00:00:00 UTC",
		"Viewed call", "Deleted call", "device.added", "&lt;script&gt;", "“&lt;b&gt;why&lt;/b&gt;”", "asked for", "--format verified", "</html>")
	a.lacks("<script>alert", "<b>why", secret)
	if !strings.HasPrefix(a.Header.Get("Content-Disposition"), "inline") || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/html") {
		t.Errorf("headers %v", a.Header)
	}
	for label, want := range map[string]int{`<td class="time">`: 3, `<code>device.added</code>`: 1, "<tbody>": 2} {
		if got := strings.Count(a.body, label); got != want {
			t.Errorf("%d times %s, not %d", got, label, want)
		}
	}
	s.Expect(t, `alpha audit_log.exported ok "audit-log.html": format=report, query=action:call.viewed,call.deleted,device.added after:2026-01-01, size=*`,
		`alpha audit_log.export_ended ok "audit-log.html": bytes=*, events=3, format=report, sha256=*`)
	audrey.post("/t/"+s.Alpha+exportForm, "format", "report", "q", "nobody").status(ok).has("No event matches.", "</html>")
	s.Passed()
}
