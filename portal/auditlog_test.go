package portal_test

import (
	"slices"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
)

func TestReadingTheLogIsOnTheRecordOncePerSessionFilterAndHour(t *testing.T) {
	c := newCenter(t)
	ctx := t.Context()
	c.f.Clock.Advance(time.Hour - time.Duration(c.f.Clock.Now().Minute())*time.Minute)
	deletions := audit.Filter{Action: audit.Values{Any: []string{"call.deleted"}}}
	read := func(by portal.Caller, f audit.Filter) func() {
		return func() {
			_, err := c.p.SearchLog(ctx, by, c.team, f, audit.Page{})
			c.ok(err)
		}
	}
	const viewed = "audit_log.viewed ok"
	c.expect(c.team, read(c.ada, audit.Filter{}), viewed)
	c.expect(c.team, read(c.ada, audit.Filter{}))
	events := c.expect(c.team, read(c.ada, deletions), viewed)
	if got := events[0].Data["query"]; got != "action:call.deleted" {
		t.Errorf("query in the event: %q", got)
	}
	c.expect(c.team, read(c.dana, deletions), viewed)
	c.expect(c.team, read(c.dana, deletions))
	c.f.Clock.Advance(time.Hour)
	c.expect(c.team, read(c.ada, deletions), viewed)
	c.expect(c.team, read(c.ada, deletions))
	// Without a session, as from the command line, each reading counts.
	c.expect(c.team, read(c.operator, deletions), viewed)
	c.expect(c.team, read(c.operator, deletions), viewed)

	res, err := c.p.SearchLog(ctx, c.ada, c.team, audit.Filter{Action: audit.Values{Any: []string{"audit_log.viewed"}}}, audit.Page{Limit: 1})
	c.ok(err)
	if len(res.Events) != 1 || res.Events[0].Data["query"] != "action:audit_log.viewed" {
		t.Errorf("the reading itself is not what it finds first: %+v", res.Events)
	}
	page, err := c.p.SearchLog(ctx, c.ada, c.team, audit.Filter{Action: audit.Values{Any: []string{"audit_log.viewed"}}}, audit.Page{Limit: 1, Cursor: res.Older})
	c.ok(err)
	if len(page.Events) != 1 || page.Events[0].ID == res.Events[0].ID {
		t.Errorf("second page %+v", page.Events)
	}
}

func TestWhoMayReadTheLog(t *testing.T) {
	c := newCenter(t)
	ctx := t.Context()
	own := c.events(c.team)[0].ID
	for name, read := range map[string]func(by portal.Caller, team string) error{
		"search": func(by portal.Caller, team string) error {
			_, err := c.p.SearchLog(ctx, by, team, audit.Filter{}, audit.Page{})
			return err
		},
		"totals": func(by portal.Caller, team string) error { _, err := c.p.LogTotals(ctx, by, team); return err },
		"names": func(by portal.Caller, team string) error {
			_, err := c.p.LogNames(ctx, by, team, audit.NameQuery{Text: "dana"})
			return err
		},
		"event": func(by portal.Caller, team string) error { _, err := c.p.LogEvent(ctx, by, team, own); return err },
		"history": func(by portal.Caller, team string) error {
			_, err := c.p.History(ctx, by, team, audit.Ref{Type: "user", ID: c.dana.ID}, audit.Page{})
			return err
		},
	} {
		c.run(name, func(t *testing.T) {
			c.f.Clock.Advance(time.Hour)
			c.expect(c.team, func() { c.refused(read(c.sam, c.team), audit.CodeDenied) }, "audit_log.viewed denied")
			c.expect(c.team, func() { c.refused(read(c.eve, c.team), audit.CodeNotFound) }, "audit_log.viewed denied")
			c.expect(c.p.Organization(), func() {
				c.refused(read(c.dana, c.p.Organization()), audit.CodeNotFound)
				c.refused(read(c.dana, "team_nowhere"), audit.CodeNotFound)
			}, "audit_log.viewed denied", "audit_log.viewed denied")
			for _, by := range []portal.Caller{c.dana, c.ada, c.operator} {
				c.ok(read(by, c.team))
			}
		})
	}
	c.expect(c.p.Organization(), func() {
		res, err := c.p.SearchLog(ctx, c.operator, c.p.Organization(), audit.Filter{}, audit.Page{})
		c.ok(err)
		if len(res.Events) == 0 {
			t.Error("the organization's log is empty")
		}
	}, "audit_log.viewed ok")
}

func TestLogOnAPlanWithoutIt(t *testing.T) {
	c := newCenter(t)
	ctx := t.Context()
	own := c.events(c.team)[0].ID
	_, err := c.p.ChangePlan(ctx, c.operator, c.team, portal.PlanCore, "")
	c.ok(err)
	c.expect(c.team, func() {
		for _, err := range []error{
			second(c.p.SearchLog(ctx, c.dana, c.team, audit.Filter{}, audit.Page{})),
			second(c.p.LogTotals(ctx, c.dana, c.team)),
			second(c.p.LogNames(ctx, c.dana, c.team, audit.NameQuery{})),
			second(c.p.LogEvent(ctx, c.dana, c.team, own)),
			second(c.p.History(ctx, c.ada, c.team, audit.Ref{Type: "user", ID: c.dana.ID}, audit.Page{})),
		} {
			e, ok := err.(*audit.Error)
			if !ok || e.Code != audit.CodeDenied || e.Field != "plan" {
				t.Errorf("error %v", err)
			}
		}
	})
	id := ""
	c.expect(c.team, func() { id = c.calls(1)[0] }, "call.imported ok "+"call_"+suffixOf(c, newCall(0).SourceID))
	c.expect(c.team, func() { c.ok(second(c.p.ViewCall(ctx, c.dana, c.team, id))) }, "call.viewed ok "+id)
	_, err = c.p.ChangePlan(ctx, c.operator, c.team, portal.PlanCallCenterAI, "")
	c.ok(err)
	res, err := c.p.SearchLog(ctx, c.dana, c.team, audit.Filter{Action: audit.Values{Any: []string{"call.viewed"}}}, audit.Page{})
	c.ok(err)
	if len(res.Events) != 1 {
		t.Errorf("%d openings were recorded while the plan had no log, want 1", len(res.Events))
	}
}

func second[T any](_ T, err error) error { return err }

func suffixOf(c *center, source string) string {
	return audit.ForeignID("call", newCall(0).StartedAt, c.team, "calls", source)[len("call_"):]
}

func TestLogEvent(t *testing.T) {
	c := newCenter(t)
	ctx := t.Context()
	mine, theirs := c.events(c.team)[0], c.events(c.other)[0]
	var e audit.Event
	events := c.expect(c.team, func() {
		var err error
		e, err = c.p.LogEvent(ctx, c.ada, c.team, mine.ID)
		c.ok(err)
	}, "audit_log.viewed ok")
	if e.ID != mine.ID || events[0].Data["event"] != mine.ID {
		t.Errorf("read %s, recorded %v", e.ID, events[0].Data)
	}
	c.expect(c.team, func() { c.ok(second(c.p.LogEvent(ctx, c.ada, c.team, mine.ID))) })
	c.expect(c.team, func() {
		for _, id := range []string{theirs.ID, "evt_nothing", audit.NewID("evt", c.f.Clock.Now())} {
			c.refused(second(c.p.LogEvent(ctx, c.ada, c.team, id)), audit.CodeNotFound)
		}
	}, "audit_log.viewed denied", "audit_log.viewed denied", "audit_log.viewed denied")
}

func TestHistory(t *testing.T) {
	c := newCenter(t)
	ctx := t.Context()
	ids := c.calls(2)
	c.ok(second(c.p.ViewCall(ctx, c.dana, c.team, ids[0])))
	c.ok(second(c.p.EditValue(ctx, c.dana, c.team, ids[0], "talk_share", "1", "", "")))
	c.ok(second(c.p.DeleteCall(ctx, c.dana, c.team, ids[0], "", "")))
	c.ok(second(c.p.ViewCall(ctx, c.dana, c.team, ids[1])))
	actions := func(ref audit.Ref) []string {
		res, err := c.p.History(ctx, c.ada, c.team, ref, audit.Page{})
		c.ok(err)
		var all []string
		for _, e := range res.Events {
			all = append(all, e.Action)
		}
		return all
	}
	events := c.expect(c.team, func() {
		got := actions(audit.Ref{Type: "call", ID: ids[0]})
		if !slices.Equal(got, []string{"call.deleted", "metric.value_edited", "call.viewed", "call.imported"}) {
			t.Errorf("history of a deleted call: %v", got)
		}
	}, "audit_log.viewed ok")
	if got := events[0].Data["query"]; got != "object:"+ids[0] {
		t.Errorf("query in the event: %q", got)
	}
	if got := actions(audit.Ref{Type: "metric", ID: "talk_share"}); !slices.Equal(got, []string{"metric.value_edited"}) {
		t.Errorf("history of a metric: %v", got)
	}
	for _, ref := range []audit.Ref{
		{Type: "user", ID: c.eve.ID}, {Type: "call", ID: c.imports(c.other, newCall(0))[0]}, {Type: "metric", ID: "charm"},
		{Type: "team", ID: c.other}, {Type: "score", ID: ids[0]}, {},
	} {
		c.expect(c.team, func() {
			c.refused(second(c.p.History(ctx, c.ada, c.team, ref, audit.Page{})), audit.CodeNotFound)
		}, "audit_log.viewed denied")
	}
}

func TestTotalsCountEveryEvent(t *testing.T) {
	c := newCenter(t)
	c.calls(3)
	want := map[string]int64{}
	for _, e := range c.events(c.team) {
		want[e.Action]++
	}
	c.expect(c.team, func() {
		got, err := c.p.LogTotals(t.Context(), c.ada, c.team)
		c.ok(err)
		for action, n := range want {
			if got[action] != n {
				t.Errorf("%s: %d, want %d", action, got[action], n)
			}
		}
		if len(got) != len(want) {
			t.Errorf("totals %v, want %v", got, want)
		}
	})
}

func TestWhere(t *testing.T) {
	c := newCenter(t)
	ctx := t.Context()
	calls := c.calls(2)
	c.ok(second(c.p.DeleteCall(ctx, c.dana, c.team, calls[0], "", "")))
	here := c.f.AddDevice(t, c.dana, c.team, "desk-1")
	moved := c.f.AddDevice(t, c.dana, c.team, "desk-2")
	c.ok(second(c.p.MoveDevice(ctx, c.f.Bo, c.team, moved.ID, c.other, "", "")))
	c.ok(second(c.p.DeleteUser(ctx, c.dana, c.team, c.sam.ID, "", "")))
	for _, want := range []struct {
		ref   audit.Ref
		place portal.Place
	}{
		{audit.Ref{Type: "call", ID: calls[0]}, portal.Place{State: portal.Deleted}},
		{audit.Ref{Type: "call", ID: calls[1]}, portal.Place{State: portal.Here}},
		{audit.Ref{Type: "call", ID: audit.NewID("call", time.Now())}, portal.Place{}},
		{audit.Ref{Type: "device", ID: here.ID}, portal.Place{State: portal.Here}},
		{audit.Ref{Type: "device", ID: moved.ID}, portal.Place{State: portal.Moved, Team: c.other}},
		{audit.Ref{Type: "user", ID: c.sam.ID}, portal.Place{State: portal.Deleted}},
		{audit.Ref{Type: "user", ID: c.dana.ID}, portal.Place{State: portal.Here}},
		{audit.Ref{Type: "user", ID: c.eve.ID}, portal.Place{}},
		{audit.Ref{Type: "metric", ID: "talk_share"}, portal.Place{State: portal.Here}},
		{audit.Ref{Type: "metric", ID: "charm"}, portal.Place{}},
		{audit.Ref{Type: "team", ID: c.team}, portal.Place{State: portal.Here}},
		{audit.Ref{Type: "team", ID: c.other}, portal.Place{}},
		{audit.Ref{Type: "operator", ID: "alice@host"}, portal.Place{}},
	} {
		places, err := c.p.Where(ctx, c.team, want.ref)
		c.ok(err)
		if got, told := places[want.ref.ID]; !told || got != want.place {
			t.Errorf("%+v is at %+v (%t), want %+v", want.ref, got, told, want.place)
		}
	}
}
