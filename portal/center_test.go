package portal_test

import (
	"fmt"
	"iter"
	"slices"
	"strings"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/portaltest"
	"onrecord/portal/transcript"
)

// center is the fixture of portaltest, as the tests of calls, scores and the
// log use it: its people sit at browsers of their own.
type center struct {
	t testing.TB
	p *portal.Portal
	f *portaltest.Fixture

	team, other string        // ids of the teams Alpha and Beta
	operator    portal.Caller // on the command line
	dana        portal.Caller // Admin of Alpha
	ada         portal.Caller // Auditor of Alpha
	sam         portal.Caller // Agent of Alpha
	eve         portal.Caller // Admin of Beta
}

func newCenter(t testing.TB) *center {
	t.Helper()
	f := portaltest.New(t)
	c := &center{t: t, p: f.Portal, f: f, team: f.Alpha, other: f.Beta, operator: f.Operator}
	c.dana, c.ada, c.sam, c.eve = c.browser(f.Dana), c.browser(f.Audrey), c.browser(f.Agnes), c.browser(f.Bea)
	return c
}

// browser is somebody in a browser session of their own.
func (c *center) browser(who portal.Caller) portal.Caller {
	who.Session, who.Request = audit.NewID("ses", c.f.Clock.Now()), audit.NewID("req", c.f.Clock.Now())
	return who
}

func (c *center) add(role portal.Role, email, name string) portal.Caller {
	c.t.Helper()
	return c.browser(c.f.Add(c.t, c.dana, c.team, email, name, role))
}

// run is a test within the test.
func (c *center) run(name string, test func(t *testing.T)) {
	outer := c.t.(*testing.T)
	outer.Run(name, func(t *testing.T) {
		c.t = t
		defer func() { c.t = outer }()
		test(t)
	})
}

// events gives the whole log of a team, newest first.
func (c *center) events(team string) []audit.Event {
	c.t.Helper()
	var all []audit.Event
	page := audit.Page{Limit: 1000}
	for {
		res, err := c.p.Log().Search(c.t.Context(), team, audit.Filter{}, page)
		if err != nil {
			c.t.Fatal(err)
		}
		all = append(all, res.Events...)
		if res.Older == "" {
			return all
		}
		page.Cursor = res.Older
	}
}

// expect runs do and compares the events it caused in the team's log, oldest
// first, each as "action outcome object"; nothing else may be there, nor
// anything new in another log. It gives the events.
func (c *center) expect(team string, do func(), want ...string) []audit.Event {
	c.t.Helper()
	caused, got := c.caused(team, do)
	if !slices.Equal(got, want) {
		c.t.Fatalf("events:\n  %s\nwant:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
	return caused
}

// expectAnyOrder is expect for what happens at the same time.
func (c *center) expectAnyOrder(team string, do func(), want ...string) {
	c.t.Helper()
	_, got := c.caused(team, do)
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		c.t.Fatalf("events:\n  %s\nwant, in any order:\n  %s", strings.Join(got, "\n  "), strings.Join(want, "\n  "))
	}
}

func (c *center) caused(team string, do func()) (caused []audit.Event, got []string) {
	c.t.Helper()
	logs := []string{c.p.Organization(), c.team, c.other}
	before := map[string]bool{}
	for _, log := range logs {
		for _, e := range c.events(log) {
			before[e.ID] = true
		}
	}
	do()
	for _, log := range logs {
		for _, e := range slices.Backward(c.events(log)) {
			if before[e.ID] {
				continue
			}
			caused = append(caused, e)
			if line := brief(e); log == team {
				got = append(got, line)
			} else {
				got = append(got, "in "+log+": "+line)
			}
		}
	}
	return caused, got
}

func brief(e audit.Event) string {
	object := ""
	if e.Object != nil {
		object = " " + e.Object.ID
	}
	return e.Action + " " + string(e.Outcome) + object
}

// refused fails the test unless err has the code.
func (c *center) refused(err error, code audit.Code) {
	c.t.Helper()
	if audit.CodeOf(err) != code {
		c.t.Fatalf("error %q (%s), want %s", err, audit.CodeOf(err), code)
	}
}

func (c *center) ok(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func ms(n int) *time.Duration { d := time.Duration(n) * time.Millisecond; return &d }

// secretWord stands in every transcript of the tests and may stand nowhere
// else.
const secretWord = "xylophonic"

func newCall(n int) transcript.Call {
	return transcript.Call{
		Place: fmt.Sprintf("calls.jsonl:%d", n+1), SourceID: fmt.Sprintf("rec-%04d", n),
		StartedAt: time.Date(2026, 2, 20, 8, 0, n, 0, time.UTC), Agent: "Agnes Ash", Customer: fmt.Sprintf("+1 555 %04d", n),
		Direction: transcript.Inbound, Turns: []transcript.Turn{
			{Speaker: transcript.Agent, Start: ms(0), End: ms(1800), Text: "hello how may i help you"},
			{Speaker: transcript.Customer, Start: ms(2000), End: ms(5000), Text: "my " + secretWord + " lamp is broken"},
			{Speaker: transcript.Agent, Start: ms(5200), End: ms(7000), Text: "is there anything else"},
		},
	}
}

func source(calls ...transcript.Call) iter.Seq2[transcript.Call, error] {
	return func(yield func(transcript.Call, error) bool) {
		for _, c := range calls {
			if !yield(c, nil) {
				return
			}
		}
	}
}

// calls imports n calls into the team and gives their ids, oldest first.
func (c *center) calls(n int) []string {
	c.t.Helper()
	var all []transcript.Call
	for i := range n {
		all = append(all, newCall(i))
	}
	return c.imports(c.team, all...)
}

func (c *center) imports(team string, calls ...transcript.Call) []string {
	c.t.Helper()
	var ids []string
	counts, err := c.p.Import(c.t.Context(), c.operator, team, source(calls...), func(i portal.Imported) { ids = append(ids, i.ID) })
	if err != nil || counts.New != len(calls) {
		c.t.Fatalf("importing: %+v, %v", counts, err)
	}
	return ids
}
