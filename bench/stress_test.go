package bench

import (
	"context"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/database/dbtest"
	"onrecord/portal"
)

var stress = flag.Duration("stress", 8*time.Second, "how long TestStress works")

const stressClients, stressCalls = 16, 40

// TestStress works with two servers on one PostgreSQL by the load of [Load],
// while one of the servers and then the database are killed and started again.
// Nothing that was answered is lost, nothing is done twice, and the log is what
// its events say.
func TestStress(t *testing.T) {
	s := dbtest.StartServer(t)
	r := &run{Options: Options{DSN: s.DSN("postgres"), Events: 1, Program: program(t)}}
	var err error
	if r.places, err = newPlaces(r.Options); err != nil {
		t.Fatal(err)
	}
	defer r.places.close()
	o := &office{run: r, t: t}
	o.found()
	for i := range o.servers {
		o.start(i)
	}
	ctx, stop := context.WithTimeout(t.Context(), *stress)
	defer stop()
	var clients sync.WaitGroup
	for c := range stressClients {
		clients.Go(func() { o.work(ctx, uint64(c)) })
	}
	time.Sleep(*stress / 4)
	o.kill(0)
	time.Sleep(*stress / 8)
	o.start(0)
	time.Sleep(*stress / 8)
	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	time.Sleep(*stress / 8)
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	before := o.sum()
	clients.Wait()
	if o.sum() == before {
		t.Error("after the database had come back nothing was answered")
	}
	for i := range o.servers {
		if err := o.servers[i].Load().stop(); err != nil {
			t.Error(err)
		}
	}
	o.compare()
}

// office is a portal under load.
type office struct {
	*run
	t       *testing.T
	team    string
	calls   []string
	cookies []string
	servers [2]atomic.Pointer[server]
	killed  [2]atomic.Bool
	center  *center

	mu       sync.Mutex
	asked    map[string]bool // guarded by mu: by what an event is known, whether it was answered
	answered map[string]int  // guarded by mu: by action
	trouble  int             // guarded by mu: requests that nobody answered
}

// found makes the team, its calls and its sessions.
func (o *office) found() {
	o.t.Helper()
	ctx := o.t.Context()
	o.asked, o.answered = map[string]bool{}, map[string]int{}
	c, err := o.run.center(ctx, "stress", false)
	if err != nil {
		o.t.Fatal(err)
	}
	defer c.close()
	o.center, o.team = c, c.team
	if err := c.importCalls(ctx, 1, stressCalls); err != nil {
		o.t.Fatal(err)
	}
	for range 4 {
		in, err := c.signIn(ctx)
		if err != nil {
			o.t.Fatal(err)
		}
		o.cookies = append(o.cookies, cookie(in))
		list, err := c.portal.Calls(ctx, in.Caller, c.team, portal.CallFilter{}, audit.Page{Limit: stressCalls})
		if err != nil {
			o.t.Fatal(err)
		}
		o.calls = nil
		for _, call := range list.Calls {
			o.calls = append(o.calls, call.ID)
		}
	}
}

func (o *office) start(i int) {
	o.t.Helper()
	s, err := o.run.serve(context.WithoutCancel(o.t.Context()), o.center)
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(func() { s.process.Process.Kill() }) // of one that a failed test leaves
	o.servers[i].Store(s)
	o.killed[i].Store(false)
}

func (o *office) kill(i int) {
	o.t.Helper()
	o.killed[i].Store(true)
	s := o.servers[i].Load()
	if err := s.process.Process.Kill(); err != nil {
		o.t.Error(err)
	}
	if _, ok := s.process.Wait().(*exec.ExitError); !ok {
		o.t.Error("a server that was killed ended in order")
	}
}

// work asks for one thing after another, now of one server, now of the other.
func (o *office) work(ctx context.Context, client uint64) {
	load := NewLoad(client, time.Now(), time.Hour, 10_000)
	dice := rand.New(rand.NewPCG(client, 2))
	for n := 0; ctx.Err() == nil; n++ {
		s := load.Next()
		at := dice.IntN(2)
		if o.killed[at].Load() {
			at = 1 - at
		}
		o.ask(o.servers[at].Load(), s, o.cookies[(s.Actor%uint64(len(o.cookies)))], fmt.Sprintf("stress-%d-%d", client, n), dice)
	}
}

// ask does a step and remembers by what its event is known: the request's
// number of what was read, the reason of what was changed.
func (o *office) ask(on *server, s Step, cookie, mark string, dice *rand.Rand) {
	call := "/t/" + o.team + "/calls/" + o.calls[s.Object%uint64(len(o.calls))]
	method, path, form, want := http.MethodGet, call, url.Values{}, http.StatusOK
	change := func(to string, values ...string) {
		method, path, want = http.MethodPost, to, http.StatusSeeOther
		for i := 0; i < len(values); i += 2 {
			form.Set(values[i], values[i+1])
		}
		form.Set("reason", mark)
	}
	action := s.Action
	switch s.Action {
	case portal.CallViewed:
	case portal.CallTranscriptExported:
		change(call+"/export", "format", "txt")
		want = http.StatusOK
	case portal.AuditLogViewed:
		path, action = "/t/"+o.team+"/settings/security/audit-logs?q=object:"+o.calls[s.Object%uint64(len(o.calls))], "" // once an hour
	case portal.MetricValueEdited:
		change(call+"/metrics/talk_share/edit", "value", fmt.Sprint(dice.IntN(100)))
	case portal.DeviceBlocked, portal.UserDeleted:
		action = portal.DeviceAdded
		change("/t/"+o.team+"/devices/add", "hostname", mark)
	case portal.UserRoleChanged:
		action = portal.UserCreated
		change("/t/"+o.team+"/users/add", "emails", mark+"@example.com", "role", string(portal.Agent))
	default:
		path, action = "/t/"+o.team+"/users", ""
	}
	status, request, err := on.send(method, path, form, cookie)
	done := err == nil && status == want
	if !done {
		defer time.Sleep(100 * time.Millisecond) // people do not hurry either
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !done {
		o.trouble++
	}
	standing := action == portal.MetricValueEdited && status == http.StatusUnprocessableEntity // the value was the same
	if err == nil && status < 500 && status != want && !standing {
		o.t.Errorf("%s %s answered %d, want %d", method, path, status, want)
	}
	if action == "" {
		return
	}
	if done {
		o.answered[action]++
	}
	if method == http.MethodGet || s.Action == portal.CallTranscriptExported {
		if mark = request; mark == "" {
			return // nobody knows what became of it, and it is known by nothing
		}
	}
	o.asked[action+" "+mark] = done
}

// sum is how many were answered.
func (o *office) sum() (n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, each := range o.answered {
		n += each
	}
	return n
}

// send asks without following.
func (s *server) send(method, path string, form url.Values, cookie string) (status int, request string, err error) {
	req, err := http.NewRequest(method, s.origin+path, strings.NewReader(form.Encode()))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Cookie", cookie)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	res, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	if _, err := io.Copy(io.Discard, res.Body); err != nil {
		return 0, "", err
	}
	return res.StatusCode, res.Header.Get("X-Request-Id"), nil
}

// compare looks for everything that was asked for in the log.
func (o *office) compare() {
	ctx := context.WithoutCancel(o.t.Context())
	c, err := o.run.center(ctx, "stress", false)
	if err != nil {
		o.t.Fatal(err)
	}
	defer c.close()
	log := c.portal.Log()
	if err := log.Seal(ctx); err != nil {
		o.t.Fatal(err)
	}
	found := o.recorded(ctx, log)
	lost, unanswered := 0, 0
	for known, answered := range o.asked {
		switch n := found[known]; {
		case answered && n == 0:
			if lost++; lost <= 10 {
				o.t.Errorf("%s was answered and is not on the record", known)
			}
		case n > 1:
			o.t.Errorf("%s is on the record %d times", known, n)
		case !answered && n == 1:
			unanswered++
		}
	}
	rows, err := number(ctx, c.db, `SELECT count(DISTINCT hostname) - count(*) FROM device WHERE team = $1`, o.team)
	if err != nil || rows != 0 {
		o.t.Errorf("%d devices are there twice (%v)", -rows, err)
	}
	faults, err := log.Check(ctx)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, f := range faults[:min(10, len(faults))] {
		o.t.Error(f)
	}
	o.t.Logf("in %s answered %v; %d requests were not, of which %d are on the record; %d lost, %d faults", *stress, o.answered, o.trouble, unanswered, lost, len(faults))
	for _, action := range []string{portal.CallViewed, portal.CallTranscriptExported, portal.MetricValueEdited, portal.DeviceAdded} {
		if o.answered[action] == 0 {
			o.t.Errorf("no %s was answered", action)
		}
	}
	if o.trouble == 0 {
		o.t.Error("nobody noticed that a server and the database were killed")
	}
}

// recorded counts the events by what they are known by.
func (o *office) recorded(ctx context.Context, log *audit.Log) map[string]int {
	found := map[string]int{}
	for page := (audit.Page{Limit: 1000}); ; {
		res, err := log.Search(ctx, o.team, audit.Filter{Outcome: anyOf(string(audit.OutcomeOK))}, page)
		if err != nil {
			o.t.Fatal(err)
		}
		for _, e := range res.Events {
			found[e.Action+" "+e.Context.Request]++
			if e.Reason != "" {
				found[e.Action+" "+e.Reason]++
			}
		}
		if page.Cursor = res.Older; page.Cursor == "" {
			return found
		}
	}
}
