package audittest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"onrecord/audit"
)

// byID renders an event as its id alone.
func byID(b []byte, e *audit.Event) ([]byte, error) { return append(append(b, e.ID...), '\n'), nil }

// Exported gives the ids of an export, in its order.
func (s *Shop) Exported(f audit.Filter, size int64) []string {
	s.T.Helper()
	var ids []string
	last := 0.0
	for b, err := range s.Log.Export(s.T.Context(), "shop_1", f, size, byID) {
		if err != nil {
			s.T.Fatalf("exporting %q: %v", f, err)
		}
		if n := strings.Count(string(b.Bytes), "\n"); n != b.Events {
			s.T.Errorf("a batch of %d events says it has %d", n, b.Events)
		}
		if b.Done < last || b.Done > 1 {
			s.T.Errorf("the share that is done goes from %v to %v", last, b.Done)
		}
		last = b.Done
		ids = append(ids, strings.Fields(string(b.Bytes))...)
	}
	return ids
}

func (s *Shop) size() int64 {
	s.T.Helper()
	size, err := s.Log.Size(s.T.Context(), "shop_1")
	if err != nil {
		s.T.Fatal(err)
	}
	return size
}

// exportsRepeat wants the same export again after more was recorded, also by a
// process whose clock is behind, and nothing of other logs.
func exportsRepeat(t *testing.T, s *Shop) {
	history(s)
	other := Intent("order.viewed", "o1")
	other.Log = "shop_2"
	s.Note(other)
	filters := []audit.Filter{{}, {Action: audit.Values{Any: []string{"order.viewed"}}}, {Via: audit.Values{Any: []string{"web"}}}, {After: s.Clock.Now().Add(-100 * time.Hour)}}
	size := s.size()
	var want [][]string
	for _, f := range filters {
		ids := s.Exported(f, size)
		var found []string
		for _, e := range s.All(f) {
			found = append(found, e.ID)
		}
		equal(t, fmt.Sprintf("an export of %q", f), ids, found)
		want = append(want, ids)
	}
	late := s.Open(audit.WithClock(func() time.Time { return s.Clock.Now().Add(-20 * time.Hour) }))
	defer late.Close()
	in := Intent("order.viewed", "o1")
	in.Context.Via = "web"
	for range 3 {
		if _, err := late.Note(t.Context(), in); err != nil {
			t.Fatal(err)
		}
		s.Note(in)
	}
	for i, f := range filters {
		equal(t, fmt.Sprintf("the export of %q again", f), s.Exported(f, size), want[i])
	}
	if got, want := len(s.Exported(audit.Filter{}, s.size())), len(want[0])+6; got != want {
		t.Errorf("a new export has %d events, not %d", got, want)
	}
	if got := s.Exported(audit.Filter{}, 0); got != nil {
		t.Errorf("an export of nothing has %d events", len(got))
	}
}

// exportsEnd wants an export to end when its reader does, and every event to be
// whole.
func exportsEnd(t *testing.T, s *Shop) {
	history(s)
	size := s.size()
	ctx, stop := context.WithCancel(t.Context())
	stop()
	for _, err := range s.Log.Export(ctx, "shop_1", audit.Filter{}, size, byID) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("an export whose reader has gone gives %v", err)
		}
	}
	broken := errors.New("broken")
	seen := 0
	for _, err := range s.Log.Export(t.Context(), "shop_1", audit.Filter{}, size, func(b []byte, e *audit.Event) ([]byte, error) { return b, broken }) {
		if seen++; !errors.Is(err, broken) {
			t.Errorf("an export that cannot be written gives %v", err)
		}
	}
	if seen != 1 {
		t.Errorf("it went on %d times", seen)
	}
	for range s.Log.Export(t.Context(), "shop_1", audit.Filter{}, size, byID) {
		break // and nothing of it is left running: the race detector and the database's closing would tell
	}
	upsideDown := audit.Filter{After: s.Clock.Now(), Before: s.Clock.Now().Add(-time.Hour)}
	for _, err := range s.Log.Export(t.Context(), "shop_1", upsideDown, size, byID) {
		if audit.CodeOf(err) != audit.CodeInvalid {
			t.Errorf("a range upside down gives %v", err)
		}
	}
	var got []string
	for b, err := range s.Log.Export(t.Context(), "shop_1", audit.Filter{}, size, func(b []byte, e *audit.Event) ([]byte, error) {
		line, err := json.Marshal(e)
		return append(append(b, line...), '\n'), err
	}) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.Split(strings.TrimSpace(string(b.Bytes)), "\n")...)
	}
	var want []string
	for _, e := range s.All(audit.Filter{}) {
		line, err := json.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		want = append(want, string(line))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d exported events are not the %d that are found", len(got), len(want))
	}
}
