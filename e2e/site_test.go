package e2e

import (
	"context"
	"log/slog"
	"net"
	"net/http"
	"testing"
	"time"

	"onrecord/api"
	"onrecord/portal"
	"onrecord/portal/portaltest"
	"onrecord/portal/transcript"
	"onrecord/web"
)

// site is a portal that serves its pages on a port of this machine, over a
// SQLite file. When the test ends, the whole log is checked, and an error in
// the server's own log fails the test.
type site struct {
	*portaltest.Fixture
	t      testing.TB
	origin string
}

// serve starts a server for the two teams of portaltest.
func serve(t testing.TB) *site {
	t.Helper()
	s := &site{Fixture: portaltest.New(t), t: t}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.origin = "http://" + ln.Addr().String()
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	logger := slog.New(slog.NewTextHandler(complaints{t}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	handler := http.NewServeMux()
	handler.Handle("/", web.New(s.Portal, web.Config{Now: s.Clock.Now, Logger: logger}))
	handler.Handle(api.Prefix+"/", api.New(s.Portal, api.Config{Logger: logger, Stopping: ctx.Done()}))
	go func() { ended <- web.Serve(ctx, ln, handler) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s
}

// complaints fails a test with what a server has to say.
type complaints struct{ t testing.TB }

func (c complaints) Write(line []byte) (int, error) {
	c.t.Errorf("the server says: %s", line)
	return len(line), nil
}

// browser opens a browser in which somebody is signed in.
func (s *site) browser(team string, who portal.Caller) *window {
	s.t.Helper()
	s.SignedIn(s.t, team, who)
	w := open(s.t, s.origin)
	w.signIn(who.Email, portaltest.Password)
	return w
}

func (s *site) path(team string, parts string) string { return "/t/" + team + parts }

const logPath = "/settings/security/audit-logs"

// addCall imports a call and gives its id.
func (s *site) addCall(team string, c transcript.Call) string {
	s.t.Helper()
	var id string
	counts, err := s.Import(context.Background(), s.Operator, team,
		func(yield func(transcript.Call, error) bool) { yield(c, nil) },
		func(i portal.Imported) {
			if i.Err != nil {
				s.t.Errorf("importing %s: %v", c.SourceID, i.Err)
			}
			id = i.ID
		})
	if err != nil || counts.New != 1 {
		s.t.Fatalf("importing %s: %+v, %v", c.SourceID, counts, err)
	}
	return id
}

// callOf is a call of a customer, with times.
func callOf(customer string) transcript.Call {
	at := func(ms int) *time.Duration { d := time.Duration(ms) * time.Millisecond; return &d }
	began := time.Date(2026, 2, 27, 12, 0, 0, 0, time.UTC)
	return transcript.Call{
		Place: "test:1", SourceID: "of " + customer, StartedAt: began, EndedAt: began.Add(10 * time.Second),
		Agent: "Agnes Ash", Customer: customer, Direction: transcript.Inbound, Device: "desk-1", Topic: "cards",
		Turns: []transcript.Turn{
			{Speaker: transcript.Agent, Start: at(0), End: at(3000), Text: "Good morning, how can I help?"},
			{Speaker: transcript.Customer, Start: at(3200), End: at(7000), Text: "My card is blue. I lost it."},
			{Speaker: transcript.Agent, Start: at(7100), End: at(10_000), Text: "Is there anything else?"},
		},
	}
}
