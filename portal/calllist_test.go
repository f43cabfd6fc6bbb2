package portal_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/transcript"
)

// manyCalls imports calls that differ in everything a list can be narrowed by.
func manyCalls(c *center, n int) []transcript.Call {
	var all []transcript.Call
	for i := range n {
		call := newCall(i)
		call.StartedAt = time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(i*7919%n) * time.Hour)
		call.Agent = []string{"Agnes Ash", "ÉLODIE Straße", "automated"}[i%3]
		call.Direction = []string{transcript.Inbound, transcript.Outbound}[i/3%2]
		all = append(all, call)
	}
	c.imports(c.team, all...)
	return all
}

// walkList turns every page of a list forward, then every page back, and
// checks that both see the same calls. It gives their source ids.
func walkList(c *center, f portal.CallFilter, limit int) []string {
	c.t.Helper()
	ctx := c.t.Context()
	var forward, back []string
	page := audit.Page{Limit: limit}
	var last portal.CallList
	for {
		list, err := c.p.Calls(ctx, c.ada, c.team, f, page)
		c.ok(err)
		if !list.Complete {
			c.t.Fatalf("list is not complete: %+v", list)
		}
		for _, call := range list.Calls {
			forward = append(forward, call.SourceID)
		}
		last = list
		if list.Next == "" {
			break
		}
		page = audit.Page{Limit: limit, Cursor: list.Next}
	}
	for i := len(last.Calls) - 1; i >= 0; i-- {
		back = append(back, last.Calls[i].SourceID)
	}
	for last.Back != "" {
		list, err := c.p.Calls(ctx, c.ada, c.team, f, audit.Page{Limit: limit, Cursor: last.Back, Newer: true})
		c.ok(err)
		for i := len(list.Calls) - 1; i >= 0; i-- {
			back = append(back, list.Calls[i].SourceID)
		}
		last = list
	}
	slices.Reverse(back)
	if !slices.Equal(forward, back) {
		c.t.Fatalf("forward %v\nback %v", forward, back)
	}
	return forward
}

func TestCallListFiltersAndPages(t *testing.T) {
	c := newCenter(t)
	all := manyCalls(c, 60)
	day := func(d int) time.Time { return time.Date(2026, 2, d, 0, 0, 0, 0, time.UTC) }
	for name, f := range map[string]portal.CallFilter{
		"all":                  {},
		"oldest first":         {Oldest: true},
		"direction":            {Direction: transcript.Outbound},
		"agent":                {Agent: "automated"},
		"agent and text":       {Agent: "automated", Text: "rec-001"},
		"text in another case": {Text: "élodie STRASSE"},
		"source id":            {Text: "REC-0042"},
		"dates":                {After: day(2), Before: day(3)},
		"dates, oldest":        {After: day(2).Add(time.Hour), Before: day(3), Oldest: true, Direction: transcript.Inbound},
		"no such agent":        {Agent: "nobody"},
		"not in turns":         {Text: secretWord},
	} {
		c.run(name, func(t *testing.T) {
			var want []transcript.Call
			for _, call := range all {
				if matchesFilter(call, f) {
					want = append(want, call)
				}
			}
			slices.SortFunc(want, func(a, b transcript.Call) int { return b.StartedAt.Compare(a.StartedAt) })
			if f.Oldest {
				slices.Reverse(want)
			}
			var ids []string
			for _, call := range want {
				ids = append(ids, call.SourceID)
			}
			for _, limit := range []int{1, 7, 20, 60, 1000} {
				if got := walkList(c, f, limit); !slices.Equal(got, ids) {
					t.Errorf("pages of %d: %v\nwant %v", limit, got, ids)
				}
			}
		})
	}
}

// matchesFilter says independently of the program which calls a filter means.
func matchesFilter(call transcript.Call, f portal.CallFilter) bool {
	fold := func(s string) string { return strings.ReplaceAll(strings.ToLower(s), "ß", "ss") }
	for _, w := range strings.Fields(f.Text) {
		if !strings.Contains(fold(call.Customer+"\n"+call.Agent+"\n"+call.SourceID), fold(w)) {
			return false
		}
	}
	return (f.Direction == "" || call.Direction == f.Direction) && (f.Agent == "" || call.Agent == f.Agent) &&
		!call.StartedAt.Before(f.After) && (f.Before.IsZero() || call.StartedAt.Before(f.Before))
}

func TestDeletedCallsAreListedByDeletion(t *testing.T) {
	c := newCenter(t)
	ids := c.calls(5)
	for _, i := range []int{3, 0, 4} {
		c.f.Clock.Advance(time.Minute)
		_, err := c.p.DeleteCall(t.Context(), c.dana, c.team, ids[i], "", fmt.Sprintf("reason %d", i))
		c.ok(err)
	}
	for _, limit := range []int{1, 2, 50} {
		if got := walkList(c, portal.CallFilter{Deleted: true}, limit); !slices.Equal(got, []string{"rec-0004", "rec-0000", "rec-0003"}) {
			t.Errorf("deleted, pages of %d: %v", limit, got)
		}
	}
	if got := walkList(c, portal.CallFilter{}, 50); !slices.Equal(got, []string{"rec-0002", "rec-0001"}) {
		t.Errorf("not deleted: %v", got)
	}
	list, err := c.p.Calls(t.Context(), c.dana, c.team, portal.CallFilter{Deleted: true}, audit.Page{})
	c.ok(err)
	if d := list.Calls[0].Deletion; d == nil || d.By.Name != "Dana Cruz" || d.Reason != "reason 4" {
		t.Errorf("deletion %+v", d)
	}
	n, err := c.p.DeletedCalls(t.Context(), c.ada, c.team)
	c.ok(err)
	if n != 3 {
		t.Errorf("%d deleted calls, want 3", n)
	}
}

func TestCallListByDevice(t *testing.T) {
	c := newCenter(t)
	desk, err := c.p.AddDevice(t.Context(), c.dana, c.team, "Front-Desk", "")
	c.ok(err)
	call, other, unknown := newCall(0), newCall(1), newCall(2)
	call.Device, unknown.Device = "front-desk", "attic"
	c.imports(c.team, call, other, unknown)
	list, err := c.p.Calls(t.Context(), c.dana, c.team, portal.CallFilter{Device: desk.ID}, audit.Page{})
	c.ok(err)
	if len(list.Calls) != 1 || list.Calls[0].SourceID != call.SourceID || list.Calls[0].Device != "Front-Desk" {
		t.Errorf("calls of the device: %+v", list.Calls)
	}
	list, err = c.p.Calls(t.Context(), c.dana, c.team, portal.CallFilter{Text: unknown.SourceID}, audit.Page{})
	c.ok(err)
	if len(list.Calls) != 1 || list.Calls[0].Device != "attic" || list.Calls[0].DeviceID != "" {
		t.Errorf("call of a device the team does not have: %+v", list.Calls)
	}
}

func TestCallAgents(t *testing.T) {
	c := newCenter(t)
	if names, err := c.p.CallAgents(t.Context(), c.dana, c.team); err != nil || len(names) != 0 {
		t.Errorf("agents of no calls: %v, %v", names, err)
	}
	manyCalls(c, 9)
	names, err := c.p.CallAgents(t.Context(), c.dana, c.team)
	c.ok(err)
	if !slices.Equal(names, []string{"Agnes Ash", "automated", "ÉLODIE Straße"}) {
		t.Errorf("agents %q", names)
	}
}

func TestCallListRefusals(t *testing.T) {
	c := newCenter(t)
	ctx := t.Context()
	lists := func(by portal.Caller, team string) []error {
		_, calls := c.p.Calls(ctx, by, team, portal.CallFilter{}, audit.Page{})
		_, agents := c.p.CallAgents(ctx, by, team)
		_, deleted := c.p.DeletedCalls(ctx, by, team)
		return []error{calls, agents, deleted}
	}
	refused := []string{"access.refused denied", "access.refused denied", "access.refused denied"}
	c.expect(c.team, func() {
		for _, err := range lists(c.sam, c.team) {
			c.refused(err, audit.CodeDenied)
		}
	}, refused...)
	c.expect(c.team, func() {
		for _, err := range lists(c.eve, c.team) {
			c.refused(err, audit.CodeNotFound)
		}
	}, refused...)
	c.expect(c.team, func() {
		for name, try := range map[string]struct {
			f    portal.CallFilter
			page audit.Page
		}{
			"limit":     {page: audit.Page{Limit: 1001}},
			"negative":  {page: audit.Page{Limit: -1}},
			"cursor":    {page: audit.Page{Cursor: "call_x"}},
			"deleted":   {portal.CallFilter{Deleted: true}, audit.Page{Cursor: audit.NewID("call", time.Now())}},
			"direction": {f: portal.CallFilter{Direction: "sideways"}},
			"dates":     {f: portal.CallFilter{After: time.Unix(9, 0), Before: time.Unix(9, 0)}},
		} {
			if _, err := c.p.Calls(ctx, c.dana, c.team, try.f, try.page); audit.CodeOf(err) != audit.CodeInvalid {
				t.Errorf("%s: error %v", name, err)
			}
		}
	})
}
