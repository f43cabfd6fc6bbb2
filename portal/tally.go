package portal

import (
	"context"
	"slices"
	"strings"
	"sync"
	"time"

	"onrecord/audit"
)

// Tally is what an export will hold, counted before it is sent.
type Tally struct {
	Events      int64
	Actions     []ActionCount // the most frequent first
	First, Last time.Time     // of the events; zero if there are none
}

// ActionCount is how often an action occurs.
type ActionCount struct {
	Action string
	Events int64
}

// Tally counts what the export holds. Like the export it gives the same
// whenever it is asked.
//
// Cost: that of the export itself, without the writing. Errors: those of
// [audit.Log.Export].
func (x *LogExport) Tally(ctx context.Context) (Tally, error) {
	var t Tally
	var mu sync.Mutex // batches are counted beside each other
	byAction := map[string]int64{}
	for _, err := range x.portal.log.Export(ctx, x.team, x.Query, x.Size, func(b []byte, e *audit.Event) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		t.Events++
		byAction[e.Action]++
		if t.First.IsZero() || e.Time.Before(t.First) {
			t.First = e.Time
		}
		if e.Time.After(t.Last) {
			t.Last = e.Time
		}
		return b, nil
	}) {
		if err != nil {
			return Tally{}, err
		}
	}
	for action, n := range byAction {
		t.Actions = append(t.Actions, ActionCount{action, n})
	}
	slices.SortFunc(t.Actions, func(a, b ActionCount) int {
		if a.Events != b.Events {
			return int(b.Events - a.Events)
		}
		return strings.Compare(a.Action, b.Action)
	})
	return t, nil
}

// Sealed tells how far the log of the export is sealed, with its newest
// checkpoint.
func (x *LogExport) Sealed(ctx context.Context) (audit.SealState, error) {
	return x.portal.log.SealState(ctx, x.team)
}
