package portal_test

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/portal"
	"onrecord/portal/transcript"
)

func TestViewCallIsOnTheRecordEachTime(t *testing.T) {
	c := newCenter(t)
	id := c.calls(1)[0]
	var open portal.OpenCall
	view := func() {
		var err error
		open, err = c.p.ViewCall(t.Context(), c.dana, c.team, id)
		c.ok(err)
	}
	events := c.expect(c.team, view, "call.viewed ok "+id)
	if len(open.Transcript) != 3 || !strings.Contains(open.Transcript[1].Text, secretWord) || open.Customer != "+1 555 0000" {
		t.Errorf("opened %+v", open)
	}
	if e := events[0]; e.Object.Name != "Call +1 555 0000" || e.Actor.ID != c.dana.ID || e.Context.Session != c.dana.Session {
		t.Errorf("event %+v", e)
	}
	c.expect(c.team, view, "call.viewed ok "+id)
}

func TestCallForAnAuditorHasNoTranscriptAndNoEvent(t *testing.T) {
	c := newCenter(t)
	id := c.calls(1)[0]
	c.expect(c.team, func() {
		page, err := c.p.CallPage(t.Context(), c.ada, c.team, id)
		c.ok(err)
		if page.ID != id || page.Agent != "Agnes Ash" || page.UserID != c.sam.ID || page.Turns != 3 || !page.Timed || page.Duration != 7*time.Second {
			t.Errorf("page %+v", page)
		}
	})
	c.expect(c.team, func() {
		_, err := c.p.ViewCall(t.Context(), c.ada, c.team, id)
		c.refused(err, audit.CodeDenied)
	}, "call.viewed denied "+id)
	c.expect(c.team, func() {
		_, err := c.p.CallPage(t.Context(), c.sam, c.team, id)
		c.refused(err, audit.CodeDenied)
	}, "call.viewed denied "+id)
}

func TestRedirectAfterOnesOwnChangeIsSparedOnce(t *testing.T) {
	c := newCenter(t)
	id := c.calls(1)[0]
	ctx := t.Context()
	after := func(by portal.Caller) func() {
		return func() {
			open, err := c.p.ViewAfterEdit(ctx, by, c.team, id)
			c.ok(err)
			if len(open.Transcript) != 3 {
				t.Errorf("opened %+v", open)
			}
		}
	}
	deleteAndRestore := func() {
		_, err := c.p.DeleteCall(ctx, c.dana, c.team, id, "", "")
		c.ok(err)
		_, err = c.p.RestoreCall(ctx, c.dana, c.team, id, "", "")
		c.ok(err)
	}
	viewed := "call.viewed ok " + id

	c.expect(c.team, after(c.dana), viewed) // nothing was changed
	deleteAndRestore()
	c.f.Clock.Advance(29 * time.Second)
	c.expect(c.team, after(c.dana))         // spared
	c.expect(c.team, after(c.dana), viewed) // a reload

	deleteAndRestore()
	c.f.Clock.Advance(31 * time.Second)
	c.expect(c.team, after(c.dana), viewed) // too late

	deleteAndRestore()
	elsewhere := c.dana
	elsewhere.Session = audit.NewID("ses", c.f.Clock.Now())
	c.expect(c.team, after(elsewhere), viewed) // another browser of hers
	c.expect(c.team, after(c.dana))            // this one still has its note

	deleteAndRestore()
	c.expect(c.team, func() {
		_, err := c.p.ViewCall(ctx, c.dana, c.team, id)
		c.ok(err)
	}, viewed)
	c.expect(c.team, after(c.dana), viewed) // opening it plainly voided the note
}

// TestOneChangeSparesOneOpening sends the redirect eight times at once.
func TestOneChangeSparesOneOpening(t *testing.T) {
	c := newCenter(t)
	id := c.calls(1)[0]
	ctx := t.Context()
	c.ok(second(c.p.ViewCall(ctx, c.dana, c.team, id)))
	c.ok(second(c.p.EditValue(ctx, c.dana, c.team, id, "talk_share", "1", "", "")))
	const times = 8
	c.expect(c.team, func() {
		var wait sync.WaitGroup
		errs := make([]error, times)
		for i := range times {
			wait.Go(func() { errs[i] = second(c.p.ViewAfterEdit(ctx, c.dana, c.team, id)) })
		}
		wait.Wait()
		c.ok(errors.Join(errs...))
	}, slices.Repeat([]string{"call.viewed ok " + id}, times-1)...)
}

func TestChangeWithoutOpeningSparesNothing(t *testing.T) {
	c := newCenter(t)
	id := c.calls(1)[0]
	_, err := c.p.DeleteCall(t.Context(), c.dana, c.team, id, "", "")
	c.ok(err)
	_, err = c.p.RestoreCall(t.Context(), c.dana, c.team, id, "", "")
	c.ok(err)
	c.expect(c.team, func() {
		_, err := c.p.ViewAfterEdit(t.Context(), c.dana, c.team, id)
		c.ok(err)
	}, "call.viewed ok "+id)
}

func TestSparedRedirectAsksForThePermissionAgain(t *testing.T) {
	c := newCenter(t)
	id := c.calls(1)[0]
	ctx := t.Context()
	bea := c.add(portal.Admin, "bea@example.com", "Bea Ott")
	_, err := c.p.ViewCall(ctx, bea, c.team, id)
	c.ok(err)
	_, err = c.p.DeleteCall(ctx, bea, c.team, id, "", "")
	c.ok(err)
	_, err = c.p.RestoreCall(ctx, bea, c.team, id, "", "")
	c.ok(err)
	_, err = c.p.ChangeRole(ctx, c.dana, c.team, bea.ID, portal.Auditor, "", "")
	c.ok(err)
	c.expect(c.team, func() {
		_, err := c.p.ViewAfterEdit(ctx, bea, c.team, id)
		c.refused(err, audit.CodeDenied)
	}, "call.viewed denied "+id)
}

func TestExportTranscript(t *testing.T) {
	c := newCenter(t)
	call := newCall(0)
	call.Topic, call.Device, call.EndedAt = "lamps", "front-desk", call.StartedAt.Add(8500*time.Millisecond)
	id := c.imports(c.team, call)[0]
	for _, f := range portal.TranscriptFormats {
		events := c.expect(c.team, func() {
			file, err := c.p.ExportTranscript(t.Context(), c.dana, c.team, id, f.ID)
			c.ok(err)
			if file.Name != id+"."+f.ID || file.ContentType != f.ContentType || !strings.Contains(string(file.Body), secretWord) {
				t.Errorf("%s: %+v", f.ID, file)
			}
			if f.ID == "txt" {
				return
			}
			for again, err := range transcript.Open(strings.NewReader(string(file.Body)), file.Name, transcript.Options{}) {
				c.ok(err)
				if transcript.Digest(again) != transcript.Digest(call) {
					t.Errorf("%s read again is another call: %+v", f.ID, again)
				}
			}
		}, "call.transcript_exported ok "+id)
		if got := events[0].Data["format"]; got != f.ID {
			t.Errorf("format in the event: %q, want %q", got, f.ID)
		}
	}
	c.expect(c.team, func() {
		_, err := c.p.ExportTranscript(t.Context(), c.dana, c.team, id, "pdf")
		c.refused(err, audit.CodeInvalid)
	})
	c.expect(c.team, func() {
		_, err := c.p.ExportTranscript(t.Context(), c.ada, c.team, id, "txt")
		c.refused(err, audit.CodeDenied)
	}, "call.transcript_exported denied "+id)
}

func TestDeleteAndRestoreCall(t *testing.T) {
	c := newCenter(t)
	id := c.calls(1)[0]
	ctx := t.Context()
	before, err := c.p.CallPage(ctx, c.dana, c.team, id)
	c.ok(err)

	c.expect(c.team, func() {
		_, err := c.p.DeleteCall(ctx, c.ada, c.team, id, "", "")
		c.refused(err, audit.CodeDenied)
	}, "call.deleted denied "+id)
	events := c.expect(c.team, func() {
		_, err := c.p.DeleteCall(ctx, c.dana, c.team, id, before.Version, "a test call")
		c.ok(err)
	}, "call.deleted ok "+id)
	if e := events[0]; e.Reason != "a test call" || len(e.Changes) != 1 || e.Changes[0].Field != "deleted_at" || e.Changes[0].Prev != before.Version {
		t.Errorf("event %+v", e)
	}
	c.expect(c.team, func() {
		_, err := c.p.DeleteCall(ctx, c.dana, c.team, id, "", "")
		c.refused(err, audit.CodeConflict)
		_, err = c.p.RestoreCall(ctx, c.dana, c.team, id, before.Version, "")
		c.refused(err, audit.CodeConflict)
	}, "call.deleted failed "+id, "call.restored failed "+id)
	c.expect(c.team, func() {
		gone, err := c.p.CallPage(ctx, c.ada, c.team, id)
		c.ok(err)
		if gone.Deleted.IsZero() || gone.Deletion == nil || gone.Deletion.By.Name != "Dana Cruz" || gone.Deletion.Reason != "a test call" || gone.Deletion.Event != events[0].ID {
			t.Errorf("deleted call %+v, %+v", gone, gone.Deletion)
		}
	})
	c.expect(c.team, func() {
		_, err := c.p.RestoreCall(ctx, c.dana, c.team, id, events[0].ID, "")
		c.ok(err)
		_, err = c.p.RestoreCall(ctx, c.dana, c.team, id, "", "")
		c.refused(err, audit.CodeConflict)
	}, "call.restored ok "+id, "call.restored failed "+id)
	after, err := c.p.CallPage(ctx, c.dana, c.team, id)
	c.ok(err)
	if !after.Deleted.IsZero() || after.Deletion != nil {
		t.Errorf("restored call %+v", after)
	}
	c.expect(c.team, func() {
		_, err := c.p.DeleteCall(ctx, c.dana, c.team, id, "", strings.Repeat("x", portal.MaxReason+1))
		c.refused(err, audit.CodeInvalid)
	})
}

func TestDeletedCallDisclosesNothing(t *testing.T) {
	c := newCenter(t)
	id := c.calls(1)[0]
	_, err := c.p.DeleteCall(t.Context(), c.dana, c.team, id, "", "")
	c.ok(err)
	events := c.expect(c.team, func() {
		open, err := c.p.ViewCall(t.Context(), c.dana, c.team, id)
		c.refused(err, audit.CodeGone)
		file, err := c.p.ExportTranscript(t.Context(), c.dana, c.team, id, "txt")
		c.refused(err, audit.CodeGone)
		if open.Transcript != nil || file.Body != nil {
			t.Error("a deleted call's transcript was given out")
		}
	}, "call.viewed failed "+id, "call.transcript_exported failed "+id)
	for _, e := range events {
		if e.Error != "conflict" {
			t.Errorf("error %q", e.Error)
		}
	}
}

// TestCallOfAnotherTeam tries every method on a call of Alpha as Beta's Admin,
// in both teams: she may learn nothing, and each try is on the record.
func TestCallOfAnotherTeam(t *testing.T) {
	c := newCenter(t)
	id := c.calls(1)[0]
	ctx := t.Context()
	tries := map[string]struct {
		action string
		do     func(by portal.Caller, team, call string) error
	}{
		"page": {"call.viewed", func(by portal.Caller, team, call string) error {
			_, err := c.p.CallPage(ctx, by, team, call)
			return err
		}},
		"view": {"call.viewed", func(by portal.Caller, team, call string) error {
			_, err := c.p.ViewCall(ctx, by, team, call)
			return err
		}},
		"after": {"call.viewed", func(by portal.Caller, team, call string) error {
			_, err := c.p.ViewAfterEdit(ctx, by, team, call)
			return err
		}},
		"export": {"call.transcript_exported", func(by portal.Caller, team, call string) error {
			_, err := c.p.ExportTranscript(ctx, by, team, call, "txt")
			return err
		}},
		"delete": {"call.deleted", func(by portal.Caller, team, call string) error {
			_, err := c.p.DeleteCall(ctx, by, team, call, "", "")
			return err
		}},
		"restore": {"call.restored", func(by portal.Caller, team, call string) error {
			_, err := c.p.RestoreCall(ctx, by, team, call, "", "")
			return err
		}},
		"edit": {"metric.value_edited", func(by portal.Caller, team, call string) error {
			_, err := c.p.EditValue(ctx, by, team, call, "talk_share", "1", "", "")
			return err
		}},
		"reset": {"metric.value_reset", func(by portal.Caller, team, call string) error {
			_, err := c.p.ResetValue(ctx, by, team, call, "talk_share", "", "")
			return err
		}},
	}
	for name, try := range tries {
		c.run(name, func(t *testing.T) {
			c.f.Clock.Advance(time.Hour) // refusals of one kind are merged beyond ten a minute
			c.expect(c.other, func() { c.refused(try.do(c.eve, c.other, id), audit.CodeNotFound) }, try.action+" denied "+id)
			c.expect(c.team, func() { c.refused(try.do(c.eve, c.team, id), audit.CodeNotFound) }, try.action+" denied "+id)
			events := c.expect(c.other, func() { c.refused(try.do(c.eve, c.other, "call_'; --"), audit.CodeNotFound) }, try.action+" denied")
			if got := events[0].Data["tried"]; got != "call call_'; --" {
				t.Errorf("tried %q", got)
			}
			c.expect(c.p.Organization(), func() {
				c.refused(try.do(c.eve, "team_nowhere", id), audit.CodeNotFound)
			}, try.action+" denied "+id)
		})
	}
}
