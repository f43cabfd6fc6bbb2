package portal_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal"
	"onrecord/portal/transcript"
)

func TestImportCarriesEveryInitialValue(t *testing.T) {
	c := newCenter(t)
	call := newCall(7)
	call.Topic = "lamps"
	var told []portal.Imported
	events := c.expect(c.team, func() {
		counts, err := c.p.Import(t.Context(), c.operator, c.team, source(call), func(i portal.Imported) { told = append(told, i) })
		c.ok(err)
		if counts != (portal.ImportCounts{New: 1}) {
			t.Errorf("counts %+v", counts)
		}
	}, "call.imported ok "+audit.ForeignID("call", call.StartedAt, c.team, "calls", call.SourceID))
	if len(told) != 1 || told[0].Event != events[0].ID || told[0].Place != call.Place || told[0].SourceID != call.SourceID {
		t.Errorf("told %+v", told)
	}
	got := map[string]string{}
	for _, ch := range events[0].Changes {
		got[ch.On.Type+" "+ch.Field] = ch.To.String()
		if !ch.From.IsZero() {
			t.Errorf("%s was %s before it existed", ch.Field, ch.From)
		}
	}
	want := map[string]string{
		"call source_id": "rec-0007", "call customer": "+1 555 0007", "call agent": "Agnes Ash", "call user_id": c.sam.ID,
		"call direction": "inbound", "call topic": "lamps", "call started_at": fmt.Sprint(call.StartedAt.UnixMicro()),
		"call duration_ms": "7000", "call turns": "3", "call timed": "1",
	}
	for field, value := range want {
		if got[field] != value {
			t.Errorf("%s in the event: %q, want %q", field, got[field], value)
		}
	}
	for _, digest := range []string{"transcript turns", "call content"} {
		if got[digest] == "" || strings.Contains(got[digest], secretWord) {
			t.Errorf("%s in the event: %q, want a digest", digest, got[digest])
		}
	}
}

func TestImportAgainAddsNothing(t *testing.T) {
	c := newCenter(t)
	var calls []transcript.Call
	for i := range 200 {
		calls = append(calls, newCall(i))
	}
	ids := c.imports(c.team, calls...)
	c.expect(c.team, func() {
		n := 0
		counts, err := c.p.Import(t.Context(), c.dana, c.team, source(calls...), func(i portal.Imported) {
			if !i.Same || i.ID != ids[n] || i.Place != calls[n].Place {
				t.Errorf("call %d: %+v", n, i)
			}
			n++
		})
		c.ok(err)
		if counts != (portal.ImportCounts{Same: 200}) {
			t.Errorf("counts %+v", counts)
		}
	})
	// Another team may hold the same recording: its ids are its own.
	for _, id := range c.imports(c.other, calls[:3]...) {
		if id == ids[0] || id == ids[1] || id == ids[2] {
			t.Errorf("%s is the id of a call in two teams", id)
		}
	}
}

func TestImportRefusesOtherContentAndGoesOn(t *testing.T) {
	c := newCenter(t)
	ids := c.calls(2)
	moved, changed, fresh := newCall(0), newCall(1), newCall(2)
	moved.StartedAt = moved.StartedAt.Add(time.Second) // another time is another content, not another call
	changed.Turns[0].Text = "something else"
	var errs []error
	c.expectAnyOrder(c.team, func() {
		counts, err := c.p.Import(t.Context(), c.operator, c.team, source(moved, changed, fresh), func(i portal.Imported) { errs = append(errs, i.Err) })
		c.ok(err)
		if counts != (portal.ImportCounts{New: 1, Refused: 2}) {
			t.Errorf("counts %+v", counts)
		}
	},
		"call.imported failed "+audit.ForeignID("call", moved.StartedAt, c.team, "calls", moved.SourceID),
		"call.imported failed "+ids[1],
		"call.imported ok "+audit.ForeignID("call", fresh.StartedAt, c.team, "calls", fresh.SourceID))
	for i, id := range ids {
		if c.refused(errs[i], audit.CodeConflict); !strings.Contains(errs[i].Error(), id) {
			t.Errorf("error %q does not name %s", errs[i], id)
		}
	}
}

func TestImportTakesTheFirstOfDuplicates(t *testing.T) {
	c := newCenter(t)
	first, again, other := newCall(0), newCall(0), newCall(0)
	other.Customer = "somebody else"
	var got []string
	counts, err := c.p.Import(t.Context(), c.operator, c.team, source(first, again, other), func(i portal.Imported) {
		got = append(got, fmt.Sprintf("%t %s", i.Same, audit.CodeOf(i.Err)))
	})
	c.ok(err)
	if counts != (portal.ImportCounts{New: 1, Same: 1, Refused: 1}) || strings.Join(got, "; ") != "false ; true ; false conflict" {
		t.Errorf("%+v: %v", counts, got)
	}
}

func TestImportNamesWhatCannotBeReadAndGoesOn(t *testing.T) {
	c := newCenter(t)
	const file = `{"id":"a","started_at":"2026-11-20T08:00:00Z","agent":"Agnes Ash","customer":"x","direction":"inbound","turns":[]}
{"id":"b","started_at":"2026-11-20T08:00:00Z","agent":null,"customer":"x","direction":"inbound","turns":[]}
{"id":"c","started_at":"2026-11-20T08:00:00Z","agent":"Agnes Ash","customer":"x","direction":"inbound","turns":[{"speaker":"agent","text":"<script>alert(1)</script>"}]}
{"id":"d","started`
	var errs []string
	counts, err := c.p.Import(t.Context(), c.operator, c.team, transcript.Open(strings.NewReader(file), "calls.jsonl", transcript.Options{}), func(i portal.Imported) {
		if i.Err != nil {
			errs = append(errs, i.Place+" "+i.Err.Error())
		}
	})
	c.ok(err)
	if counts != (portal.ImportCounts{New: 2, Refused: 2}) || len(errs) != 2 ||
		!strings.HasPrefix(errs[0], "calls.jsonl:2 ") || !strings.Contains(errs[0], "--agent") || !strings.HasPrefix(errs[1], "calls.jsonl:4 ") {
		t.Errorf("%+v %q", counts, errs)
	}
}

func TestImportStopsWhereTheInputBreaks(t *testing.T) {
	c := newCenter(t)
	broken := errors.New("the cable is out")
	calls := func(yield func(transcript.Call, error) bool) {
		for i := range 3 {
			if !yield(newCall(i), nil) {
				return
			}
		}
		yield(transcript.Call{}, broken)
	}
	counts, err := c.p.Import(t.Context(), c.operator, c.team, calls, nil)
	if !errors.Is(err, broken) || counts.New != 3 {
		t.Errorf("%+v, %v", counts, err)
	}
	if n := len(walkList(c, portal.CallFilter{}, 50)); n != 3 {
		t.Errorf("%d calls arrived, want 3", n)
	}
}

func TestImportStopsWhenCancelled(t *testing.T) {
	c := newCenter(t)
	ctx, cancel := context.WithCancel(t.Context())
	endless := func(yield func(transcript.Call, error) bool) {
		for i := 0; yield(newCall(i), nil); i++ {
		}
	}
	told := 0
	counts, err := c.p.Import(ctx, c.operator, c.team, endless, func(portal.Imported) {
		if told++; told == 100 {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) || counts.New < 100 {
		t.Errorf("%+v, %v", counts, err)
	}
}

func TestImportNeedsAnAdmin(t *testing.T) {
	c := newCenter(t)
	for _, try := range []struct {
		by   portal.Caller
		code audit.Code
	}{{c.ada, audit.CodeDenied}, {c.sam, audit.CodeDenied}, {c.eve, audit.CodeNotFound}} {
		c.expect(c.team, func() {
			_, err := c.p.Import(t.Context(), try.by, c.team, source(newCall(0)), nil)
			c.refused(err, try.code)
		}, "call.imported denied")
	}
}

// TestTranscriptStandsInTheTranscriptAlone looks for a word of the transcripts
// in every column of every table, after everything that touches a transcript.
func TestTranscriptStandsInTheTranscriptAlone(t *testing.T) {
	c := newCenter(t)
	ctx := t.Context()
	id := c.calls(3)[0]
	changed := newCall(0)
	changed.Turns[1].Text = secretWord + " again"
	_, err := c.p.Import(ctx, c.operator, c.team, source(changed), nil)
	c.ok(err)
	_, err = c.p.ViewCall(ctx, c.dana, c.team, id)
	c.ok(err)
	for _, f := range portal.TranscriptFormats {
		_, err = c.p.ExportTranscript(ctx, c.dana, c.team, id, f.ID)
		c.ok(err)
	}
	_, err = c.p.DeleteCall(ctx, c.dana, c.team, id, "", "")
	c.ok(err)
	found := map[string]int{}
	for _, at := range columnsWith(c.t, c.f, secretWord) {
		found[at]++
	}
	if len(found) != 1 || found["transcript.turns"] != 1 {
		t.Errorf("the transcript's text stands in %v", found)
	}
	// Nor is it in the file anywhere else: not in an index either.
	for _, e := range c.events(c.team) {
		b, err := e.MarshalJSON()
		c.ok(err)
		if strings.Contains(string(b), secretWord) {
			t.Errorf("event %s holds the transcript: %s", e.ID, b)
		}
	}
	res, err := c.p.Log().Search(ctx, c.team, audit.Filter{Text: audit.Values{Any: []string{secretWord}}}, audit.Page{})
	c.ok(err)
	if len(res.Events) != 0 {
		t.Errorf("the log's words find the transcript in %d events", len(res.Events))
	}
}

// TestServeGetsItsTurnDuringImport changes a call through a second handle of
// the same file, as another process would, while an import runs.
func TestServeGetsItsTurnDuringImport(t *testing.T) {
	c := newCenter(t)
	id := c.calls(1)[0]
	db, err := database.Open(t.Context(), c.f.DSN)
	c.ok(err)
	defer db.Close()
	serve, err := portal.Open(t.Context(), db)
	c.ok(err)
	defer serve.Close()
	done := make(chan error, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		endless := func(yield func(transcript.Call, error) bool) {
			for i := 1; yield(newCall(i), nil); i++ {
			}
		}
		_, err := c.p.Import(ctx, c.operator, c.team, endless, nil)
		done <- err
	}()
	var slowest time.Duration
	for range 20 {
		begin := time.Now()
		_, err := serve.ViewCall(t.Context(), c.dana, c.team, id)
		c.ok(err)
		slowest = max(slowest, time.Since(begin))
	}
	stop()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("the import ended with %v", err)
	}
	t.Logf("slowest of 20 changes beside an import: %v", slowest)
	if slowest > 5*time.Second {
		t.Errorf("a change beside an import took %v", slowest)
	}
}

// TestImportRealCalls goes over calls of real telephones where they are at hand.
func TestImportRealCalls(t *testing.T) {
	files, _ := filepath.Glob("../../shared/data/calls/*-calls.jsonl")
	c := newCenter(t)
	for _, name := range files {
		f, err := os.Open(name)
		c.ok(err)
		defer f.Close()
		counts, err := c.p.Import(t.Context(), c.operator, c.team, transcript.Open(f, name, transcript.Options{}), func(i portal.Imported) {
			if i.Err != nil {
				t.Errorf("%v", i.Err)
			}
		})
		c.ok(err)
		t.Logf("%s: %+v", filepath.Base(name), counts)
	}
}

func BenchmarkImport(b *testing.B) {
	c := newCenter(b)
	calls := func(yield func(transcript.Call, error) bool) {
		for i := range b.N {
			if !yield(newCall(i), nil) {
				return
			}
		}
	}
	b.ResetTimer()
	counts, err := c.p.Import(b.Context(), c.operator, c.team, calls, nil)
	b.StopTimer()
	c.ok(err)
	if counts.New != b.N {
		b.Fatalf("%+v", counts)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
}

// A call that names a device of the team is the last that was heard of it.
func TestImportSeesDevices(t *testing.T) {
	c := newCenter(t)
	device, err := c.p.AddDevice(t.Context(), c.dana, c.team, "Desk-7", "")
	c.ok(err)
	late, early := newCall(9), newCall(3)
	late.Device, early.Device = "desk-7", "desk-7"
	c.imports(c.team, late, early)
	page, err := c.p.Device(t.Context(), c.dana, c.team, device.ID)
	c.ok(err)
	if !page.Seen.Equal(late.StartedAt) {
		t.Errorf("the device was seen %s, want the start of the later call, %s", page.Seen, late.StartedAt)
	}
}
