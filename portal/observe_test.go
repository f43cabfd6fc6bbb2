package portal_test

import (
	"maps"
	"sync"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/database/dbtest"
	"onrecord/portal"
	"onrecord/portal/portaltest"
)

// Figures count every event, refusals too, and each record and search once.
func TestObserver(t *testing.T) {
	f := portaltest.New(t)
	var mu sync.Mutex
	events, records, searches := map[string]int{}, 0, 0
	p, err := portal.Open(ctx, dbtest.Open(t, f.DSN), portal.WithClock(f.Clock.Now), portal.WithObserver(audit.Observer{
		Event: func(action string, outcome audit.Outcome) {
			mu.Lock()
			defer mu.Unlock()
			events[action+" "+string(outcome)]++
		},
		Record: func(took time.Duration) {
			if took <= 0 {
				t.Errorf("a record took %v", took)
			}
			records++
		},
		Search: func(time.Duration) { searches++ },
	}))
	check(t, err)
	must(p.AddDevice(ctx, f.Dana, f.Alpha, "desk-1", ""))
	_, err = p.AddDevice(ctx, f.Agnes, f.Alpha, "desk-2", "")
	refused(t, err, audit.CodeDenied)
	_, err = p.AddDevice(ctx, f.Dana, f.Alpha, "desk-1", "")
	refused(t, err, audit.CodeConflict)
	must(p.SearchLog(ctx, f.Dana, f.Alpha, audit.Filter{}, audit.Page{}))
	check(t, p.Close())
	want := map[string]int{"device.added ok": 1, "device.added denied": 1, "device.added failed": 1, "audit_log.viewed ok": 1}
	if !maps.Equal(events, want) || records != 2 || searches != 1 {
		t.Errorf("told of %v, %d records and %d searches", events, records, searches)
	}
}
