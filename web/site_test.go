package web

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
	"onrecord/portal/transcript"
)

// site is a portal with its pages, and what a test asks about: a call of each
// team, a deleted one, devices. The whole log is checked when the test ends.
type site struct {
	*portaltest.Fixture
	t       testing.TB
	server  *server
	handler http.Handler
	seen    map[string]bool // patterns of the routes that were asked

	call, deleted, betaCall string
	device, betaDevice      string
	event, betaEvent        string // of the creation of the teams
	export, betaExport      string // of the log, begun by Audrey and Bea
	mine                    string // one of Bo's
	key, betaKey            string // of the API
	view, betaView, boView  string // saved: Audrey's, Bea's, Bo's
}

// secret stands in every transcript and nowhere else.
const secret = "xylophone"

func newSite(t testing.TB, change ...func(*Config)) *site {
	t.Helper()
	return siteOf(t, portaltest.New(t), change...)
}

func siteOf(t testing.TB, f *portaltest.Fixture, change ...func(*Config)) *site {
	t.Helper()
	c := Config{Now: f.Clock.Now, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))}
	for _, set := range change {
		set(&c)
	}
	s := newServer(f.Portal, c)
	at := &site{Fixture: f, t: t, server: s, handler: s.handler(), seen: map[string]bool{}}
	at.call, at.deleted = at.addCall(f.Alpha, "one"), at.addCall(f.Alpha, "two")
	at.betaCall = at.addCall(f.Beta, "three")
	at.device, at.betaDevice = f.AddDevice(t, f.Dana, f.Alpha, "desk-1").ID, f.AddDevice(t, f.Bea, f.Beta, "desk-2").ID
	ctx := context.Background()
	if _, err := f.DeleteCall(ctx, f.Dana, f.Alpha, at.deleted, "", "asked for"); err != nil {
		t.Fatal(err)
	}
	at.view, at.betaView, at.boView = at.addView(f.Audrey, f.Alpha), at.addView(f.Bea, f.Beta), at.addView(f.Bo, f.Alpha)
	at.key, at.betaKey = at.addKey(f.Dana, f.Alpha), at.addKey(f.Bea, f.Beta)
	at.event, at.betaEvent = at.firstEvent(f.Alpha), at.firstEvent(f.Beta)
	at.export, at.betaExport = at.beginExport(f.Alpha, f.Audrey), at.beginExport(f.Beta, f.Bea)
	at.mine = at.beginExport(f.Alpha, f.Bo)
	f.Passed()
	return at
}

func (s *site) addKey(by portal.Caller, team string) string {
	s.t.Helper()
	k, _, err := s.CreateAPIKey(context.Background(), by, team, portal.NewAPIKey{Name: "SIEM", Scope: portal.ScopeRead})
	if err != nil {
		s.t.Fatal(err)
	}
	return k.ID
}

func (s *site) addView(by portal.Caller, team string) string {
	s.t.Helper()
	v, err := s.SaveView(context.Background(), by, team, portal.SavedView{Name: "Calls of " + by.Name, Query: "type:call"})
	if err != nil {
		s.t.Fatal(err)
	}
	return v.ID
}

func (s *site) firstEvent(team string) string {
	s.t.Helper()
	r, err := s.Log().Search(context.Background(), team, allEvents, firstPage)
	if err != nil || len(r.Events) == 0 {
		s.t.Fatalf("reading the log: %v", err)
	}
	return r.Events[len(r.Events)-1].ID
}

func (s *site) beginExport(team string, by portal.Caller) string {
	s.t.Helper()
	x, err := s.ExportLog(context.Background(), by, team, audit.Filter{Action: audit.Values{Any: []string{portal.TeamCreated}}}, portal.ExportOptions{Format: "csv"})
	if err != nil {
		s.t.Fatalf("exporting the log: %v", err)
	}
	return x.ID
}

func (s *site) addCall(team, source string) string {
	s.t.Helper()
	ms := func(n int) *time.Duration { d := time.Duration(n) * time.Millisecond; return &d }
	c := transcript.Call{
		Place: "test:1", SourceID: source, StartedAt: time.Date(2026, 2, 27, 12, 0, 0, 0, time.UTC), EndedAt: time.Date(2026, 2, 27, 12, 0, 9, 0, time.UTC),
		Agent: "Agnes Ash", Customer: "Customer " + source, Direction: transcript.Inbound, Device: "phone-" + source, Topic: "cards",
		Turns: []transcript.Turn{
			{Speaker: transcript.Agent, Start: ms(0), End: ms(2000), Text: "Good morning, how can I help?"},
			{Speaker: transcript.Customer, Start: ms(2500), End: ms(6000), Text: "My " + secret + " is gone."},
			{Speaker: transcript.Agent, Start: ms(6500), End: ms(9000), Text: "I will look at once."},
		},
	}
	return s.importCall(team, c)
}

func (s *site) importCall(team string, c transcript.Call) string {
	s.t.Helper()
	var id string
	_, err := s.Import(context.Background(), s.Operator, team, func(yield func(transcript.Call, error) bool) { yield(c, nil) },
		func(i portal.Imported) {
			if i.Err != nil {
				s.t.Fatal(i.Err)
			}
			id = i.ID
		})
	if err != nil {
		s.t.Fatal(err)
	}
	return id
}

// browser is a person's browser: it keeps cookies and follows nothing.
type tab struct {
	site    *site
	who     string
	cookies map[string]string
	header  http.Header // sent with every request
	from    string      // RemoteAddr
}

// open gives somebody a browser; signed in, if who is somebody.
func (s *site) open() *tab {
	return &tab{site: s, who: "nobody", cookies: map[string]string{}, header: http.Header{"User-Agent": {"Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}}, from: "203.0.113.7:4711"}
}

// as gives a member of a team a browser with a session.
func (s *site) as(team string, who portal.Caller) *tab {
	s.t.Helper()
	in := s.SignedIn(s.t, team, who)
	s.Passed()
	b := s.open()
	b.who = who.Name
	b.cookies["onrecord"] = in.Token
	return b
}

// answer is what came back.
type answer struct {
	*http.Response
	body string
	t    testing.TB
	path string // that was asked for
}

func (b *tab) get(path string) answer { return b.send(httptest.NewRequest("GET", path, nil)) }

func (b *tab) post(path string, pairs ...string) answer {
	form := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		form.Add(pairs[i], pairs[i+1])
	}
	r := httptest.NewRequest("POST", path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.send(r)
}

func (b *tab) send(r *http.Request) answer {
	b.site.t.Helper()
	r.RemoteAddr = b.from
	for name, values := range b.header {
		r.Header[name] = values
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	w := httptest.NewRecorder()
	if strings.HasSuffix(r.URL.Path, "/audit-logs/live") { // goes on until its reader goes
		ctx, leave := context.WithTimeout(r.Context(), 100*time.Millisecond)
		defer leave()
		r = r.WithContext(ctx)
	}
	b.site.handler.ServeHTTP(w, r)
	if r.Pattern != "" {
		b.site.seen[r.Pattern] = true
	}
	answered := w.Result()
	for _, c := range answered.Cookies() {
		if c.MaxAge < 0 {
			delete(b.cookies, c.Name)
		} else {
			b.cookies[c.Name] = c.Value
		}
	}
	return answer{answered, w.Body.String(), b.site.t, r.URL.RequestURI()}
}

// follow opens the page that an answer leads to.
func (b *tab) follow(a answer) answer {
	b.site.t.Helper()
	if a.StatusCode != http.StatusSeeOther {
		b.site.t.Fatalf("%d leads nowhere:\n%s", a.StatusCode, a.text())
	}
	return b.get(a.Header.Get("Location"))
}

// status fails the test unless the answer has it.
func (a answer) status(want int) answer {
	a.t.Helper()
	if a.StatusCode != want {
		a.t.Errorf("%d, not %d: %s", a.StatusCode, want, a.text())
	}
	return a
}

// leads fails the test unless the answer leads to an address.
func (a answer) leads(to string) answer {
	a.t.Helper()
	a.status(http.StatusSeeOther)
	if got := a.Header.Get("Location"); got != to {
		a.t.Errorf("it leads to %s, not to %s", got, to)
	}
	return a
}

// has fails the test unless all texts stand in the page.
func (a answer) has(texts ...string) answer {
	a.t.Helper()
	for _, text := range texts {
		if !strings.Contains(a.body, text) {
			a.t.Errorf("the page has no %q:\n%s", text, a.text())
		}
	}
	return a
}

// lacks fails the test if one of the texts stands in the page.
func (a answer) lacks(texts ...string) answer {
	a.t.Helper()
	for _, text := range texts {
		if strings.Contains(a.body, text) {
			a.t.Errorf("the page has %q:\n%s", text, a.text())
		}
	}
	return a
}

// text is the page without its markup, for the messages of tests.
func (a answer) text() string {
	_, main, found := strings.Cut(a.body, "<main")
	if !found {
		main = a.body
	}
	var b strings.Builder
	inside := false
	for _, r := range main {
		switch {
		case r == '<':
			inside = true
			b.WriteByte(' ')
		case r == '>':
			inside = false
		case !inside:
			b.WriteRune(r)
		}
	}
	return fmt.Sprint(strings.Join(strings.Fields(b.String()), " "))
}
