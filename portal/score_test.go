package portal_test

import (
	"slices"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/metric"
)

// scoreOf gives the score of a metric as the call's page shows it.
func (c *center) scoreOf(call, key string) (portal.Score, bool) {
	c.t.Helper()
	page, err := c.p.CallPage(c.t.Context(), c.ada, c.team, call)
	c.ok(err)
	i := slices.IndexFunc(page.Scores, func(s portal.Score) bool { return s.Metric.Key == key })
	if i < 0 {
		return portal.Score{}, false
	}
	return page.Scores[i], true
}

func TestScoresAreComputedFromTheTranscript(t *testing.T) {
	c := newCenter(t)
	untimed := newCall(1)
	for i := range untimed.Turns {
		untimed.Turns[i].Start, untimed.Turns[i].End = nil, nil
	}
	ids := c.imports(c.team, newCall(0), untimed)
	for i, call := range []int{0, 1} {
		page, err := c.p.CallPage(t.Context(), c.ada, c.team, ids[call])
		c.ok(err)
		turns := newCall(0).Turns
		if i == 1 {
			turns = untimed.Turns
		}
		if len(page.Scores) != len(metric.All()) {
			t.Fatalf("%d scores, want one for each of %d metrics", len(page.Scores), len(metric.All()))
		}
		for j, r := range metric.Compute(turns) {
			s := page.Scores[j]
			if s.Metric.Key != r.Key || s.Default != r.Value || s.Value != r.Value || s.Edited || s.Version != portal.NoVersion {
				t.Errorf("score %+v, want %+v", s, r)
			}
			if i == 1 && s.Metric.NeedsTimes && s.Default.Available() {
				t.Errorf("%s has the value %s without times", s.Metric.Key, s.Default)
			}
		}
	}
}

func TestEditAndResetValue(t *testing.T) {
	c := newCenter(t)
	id := c.calls(1)[0]
	ctx := t.Context()
	was, _ := c.scoreOf(id, "talk_share")

	events := c.expect(c.team, func() {
		_, err := c.p.EditValue(ctx, c.dana, c.team, id, "talk_share", "12.5", portal.NoVersion, "the recording lacks a minute")
		c.ok(err)
	}, "metric.value_edited ok "+id)
	first := events[0]
	if r := first.Related; len(r) != 1 || r[0] != (audit.Ref{Type: "metric", ID: "talk_share", Name: was.Metric.Name}) {
		t.Errorf("related %+v", r)
	}
	if first.Reason != "the recording lacks a minute" {
		t.Errorf("reason %q", first.Reason)
	}
	now, _ := c.scoreOf(id, "talk_share")
	if !now.Edited || now.Value.String() != "12.5" || now.Default != was.Default || now.Version != first.ID {
		t.Errorf("edited score %+v", now)
	}

	events = c.expect(c.team, func() {
		_, err := c.p.EditValue(ctx, c.dana, c.team, id, "talk_share", "13", first.ID, "")
		c.ok(err)
	}, "metric.value_edited ok "+id)
	if ch := events[0].Changes; len(ch) != 1 || ch[0].Field != "value" || ch[0].From.String() != "12.5" || ch[0].To.String() != "13.0" || ch[0].Prev != first.ID {
		t.Errorf("changes %+v", ch)
	}
	c.expect(c.team, func() {
		_, err := c.p.EditValue(ctx, c.dana, c.team, id, "talk_share", "14", first.ID, "")
		c.refused(err, audit.CodeConflict) // changed since
		_, err = c.p.ResetValue(ctx, c.dana, c.team, id, "talk_share", portal.NoVersion, "")
		c.refused(err, audit.CodeConflict)
	}, "metric.value_edited failed "+id, "metric.value_reset failed "+id)

	c.expect(c.team, func() {
		_, err := c.p.ResetValue(ctx, c.dana, c.team, id, "talk_share", events[0].ID, "")
		c.ok(err)
	}, "metric.value_reset ok "+id)
	now, _ = c.scoreOf(id, "talk_share")
	if now.Edited || now.Value != was.Default || now.Version == portal.NoVersion {
		t.Errorf("reset score %+v", now)
	}
	c.expect(c.team, func() {
		_, err := c.p.ResetValue(ctx, c.dana, c.team, id, "talk_share", "", "")
		c.refused(err, audit.CodeConflict)
	}, "metric.value_reset failed "+id)
}

func TestEditValueRefusesWhatIsNoChange(t *testing.T) {
	c := newCenter(t)
	id := c.calls(1)[0]
	was, _ := c.scoreOf(id, "talk_share")
	for _, value := range []string{was.Value.String(), " " + was.Value.String() + " ", "", "101", "-1", "12,5", "12.55", "NaN", "1e1", "many"} {
		c.expect(c.team, func() {
			_, err := c.p.EditValue(t.Context(), c.dana, c.team, id, "talk_share", value, "", "")
			c.refused(err, audit.CodeInvalid)
		})
	}
}

func TestEditValueThatWasNotAvailable(t *testing.T) {
	c := newCenter(t)
	call := newCall(0)
	call.Turns[0].Start, call.Turns[0].End = nil, nil
	id := c.imports(c.team, call)[0]
	if s, ok := c.scoreOf(id, "talk_share"); !ok || s.Value.Available() {
		t.Fatalf("score %+v", s)
	}
	_, err := c.p.EditValue(t.Context(), c.dana, c.team, id, "talk_share", "0", "", "")
	c.ok(err)
	if s, _ := c.scoreOf(id, "talk_share"); s.Value.String() != "0.0" || s.Default.Available() {
		t.Errorf("edited score %+v", s)
	}
	_, err = c.p.ResetValue(t.Context(), c.dana, c.team, id, "talk_share", "", "")
	c.ok(err)
	if s, _ := c.scoreOf(id, "talk_share"); s.Value.Available() {
		t.Errorf("reset score %+v", s)
	}
}

func TestEditSparesTheRedirect(t *testing.T) {
	c := newCenter(t)
	id := c.calls(1)[0]
	ctx := t.Context()
	_, err := c.p.ViewCall(ctx, c.dana, c.team, id)
	c.ok(err)
	for _, change := range []func() error{
		func() error { _, err := c.p.EditValue(ctx, c.dana, c.team, id, "talk_share", "1", "", ""); return err },
		func() error { _, err := c.p.ResetValue(ctx, c.dana, c.team, id, "talk_share", "", ""); return err },
	} {
		c.ok(change())
		c.f.Clock.Advance(time.Second)
		view := func() {
			_, err := c.p.ViewAfterEdit(ctx, c.dana, c.team, id)
			c.ok(err)
		}
		c.expect(c.team, view)
		c.expect(c.team, view, "call.viewed ok "+id)
	}
}

func TestWhoMayEdit(t *testing.T) {
	c := newCenter(t)
	id := c.calls(1)[0]
	ctx := t.Context()
	for _, by := range []portal.Caller{c.ada, c.sam} {
		c.expect(c.team, func() {
			_, err := c.p.EditValue(ctx, by, c.team, id, "talk_share", "1", "", "")
			c.refused(err, audit.CodeDenied)
			_, err = c.p.ResetValue(ctx, by, c.team, id, "talk_share", "", "")
			c.refused(err, audit.CodeDenied)
			_, err = c.p.SetMetric(ctx, by, c.team, "talk_share", false, "", "")
			c.refused(err, audit.CodeDenied)
		}, "metric.value_edited denied "+id, "metric.value_reset denied "+id, "metric.disabled denied talk_share")
	}
	c.expect(c.team, func() {
		_, err := c.p.EditValue(ctx, c.dana, c.team, id, "charm", "1", "", "")
		c.refused(err, audit.CodeNotFound)
		_, err = c.p.SetMetric(ctx, c.dana, c.team, "charm", true, "", "")
		c.refused(err, audit.CodeNotFound)
	}, "metric.value_edited denied "+id, "metric.enabled denied")
	_, err := c.p.DeleteCall(ctx, c.dana, c.team, id, "", "")
	c.ok(err)
	c.expect(c.team, func() {
		_, err := c.p.EditValue(ctx, c.dana, c.team, id, "talk_share", "1", "", "")
		c.refused(err, audit.CodeGone)
	}, "metric.value_edited failed "+id)
}

func TestSwitchMetric(t *testing.T) {
	c := newCenter(t)
	id := c.calls(1)[0]
	ctx := t.Context()
	_, err := c.p.EditValue(ctx, c.dana, c.team, id, "talk_share", "1", "", "")
	c.ok(err)
	setting := func(team string, by portal.Caller) portal.TeamMetric {
		all, err := c.p.Metrics(ctx, by, team)
		c.ok(err)
		i := slices.IndexFunc(all, func(m portal.TeamMetric) bool { return m.Key == "talk_share" })
		if i < 0 || len(all) != len(metric.All()) {
			t.Fatalf("metrics %+v", all)
		}
		return all[i]
	}
	if m := setting(c.team, c.ada); !m.Enabled || m.Version != portal.NoVersion {
		t.Errorf("metric %+v", m)
	}
	events := c.expect(c.team, func() {
		_, err := c.p.SetMetric(ctx, c.dana, c.team, "talk_share", false, portal.NoVersion, "nobody reads it")
		c.ok(err)
	}, "metric.disabled ok talk_share")
	if events[0].Object.Name != setting(c.team, c.ada).Name || events[0].Reason != "nobody reads it" {
		t.Errorf("event %+v", events[0])
	}
	if m := setting(c.team, c.ada); m.Enabled || m.Version != events[0].ID {
		t.Errorf("metric %+v", m)
	}
	if !setting(c.other, c.eve).Enabled {
		t.Error("the other team's metric went off as well")
	}
	if _, shown := c.scoreOf(id, "talk_share"); shown {
		t.Error("a metric that is off is shown on a call")
	}
	c.expect(c.team, func() {
		_, err := c.p.EditValue(ctx, c.dana, c.team, id, "talk_share", "2", "", "")
		c.refused(err, audit.CodeConflict)
		_, err = c.p.ResetValue(ctx, c.dana, c.team, id, "talk_share", "", "")
		c.refused(err, audit.CodeConflict)
		_, err = c.p.SetMetric(ctx, c.dana, c.team, "talk_share", false, "", "")
		c.refused(err, audit.CodeConflict)
		_, err = c.p.SetMetric(ctx, c.dana, c.team, "talk_share", true, portal.NoVersion, "")
		c.refused(err, audit.CodeConflict)
	}, "metric.value_edited failed "+id, "metric.value_reset failed "+id, "metric.disabled failed talk_share", "metric.enabled failed talk_share")
	c.expect(c.team, func() {
		_, err := c.p.SetMetric(ctx, c.dana, c.team, "talk_share", true, events[0].ID, "")
		c.ok(err)
	}, "metric.enabled ok talk_share")
	if s, _ := c.scoreOf(id, "talk_share"); !s.Edited || s.Value.String() != "1.0" {
		t.Errorf("the value did not stay: %+v", s)
	}
	c.expect(c.team, func() {
		_, err := c.p.Metrics(ctx, c.sam, c.team)
		c.refused(err, audit.CodeDenied)
		_, err = c.p.Metrics(ctx, c.eve, c.team)
		c.refused(err, audit.CodeNotFound)
	}, "access.refused denied", "access.refused denied")
	c.expect(c.team, func() {
		_, err := c.p.SetMetric(ctx, c.eve, c.team, "talk_share", false, "", "")
		c.refused(err, audit.CodeNotFound)
	}, "metric.disabled denied talk_share")
}
