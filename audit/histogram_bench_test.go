package audit

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"onrecord/database"
)

// BenchmarkHistogram counts a log of 2 million events over two years, 24 hours
// a day and of 30 actions: its ready-made counts, which are all that is read.
func BenchmarkHistogram(b *testing.B) {
	ctx := b.Context()
	db, err := database.Open(ctx, "sqlite:"+filepath.Join(b.TempDir(), "counts.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	if _, err := Migrate(ctx, db, nil); err != nil {
		b.Fatal(err)
	}
	log, err := Open(ctx, db, MustCatalogue(Action{ID: "a.done", Label: "Done", Group: "A", Doc: "Done."}), nil)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { log.Close() })
	start := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	err = db.Write(ctx, func(tx *database.Tx) error {
		for h := range 2 * 365 * 24 {
			for action := range 4 {
				at := start.Add(time.Duration(h) * time.Hour).UnixMicro()
				for span, at := range map[string]int64{spanHour: at, spanDay: at - at%microsOfDay} {
					if _, err := tx.ExecContext(ctx, `INSERT INTO audit_count (log, span, at, action, events) VALUES ($1, $2, $3, $4, $5)
						ON CONFLICT (log, span, at, action) DO UPDATE SET events = audit_count.events + excluded.events`,
						"log_1", span, at, fmt.Sprintf("a.done_%d", (h*4+action)%30), 28); err != nil {
						return err
					}
				}
			}
		}
		return nil
	})
	if err != nil {
		b.Fatal(err)
	}
	for name, f := range map[string]Filter{
		"everything": {After: start},
		"a month":    {After: start.AddDate(1, 0, 0), Before: start.AddDate(1, 1, 0)},
		"two days":   {After: start.AddDate(1, 0, 0), Before: start.AddDate(1, 0, 2)},
		"one action": {After: start, Action: Values{Any: []string{"a.done_7"}}},
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				h, err := log.Histogram(ctx, "log_1", f, HistogramQuery{Now: start.AddDate(2, 0, 0)})
				if err != nil || !h.Complete || h.Events == 0 {
					b.Fatalf("%d events, complete %v, %v", h.Events, h.Complete, err)
				}
			}
		})
	}
}
