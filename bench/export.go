package bench

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"runtime"
	"time"

	"onrecord/audit"
	"onrecord/portal"
)

// exports compares the export of a whole log as CSV, each event verified,
// decoded and digested, with a bare sequential read of the rows that it is made
// of, and the memory that it takes with that of a tenth of it.
func (r *run) exports(ctx context.Context) error {
	c, err := r.filled(ctx)
	if err != nil {
		return err
	}
	for _, format := range []string{"csv", "jsonl"} {
		var done portal.LogExported
		ours := func() (err error) {
			done, err = c.export(ctx, format, 1, nil)
			return err
		}
		got, err := r.compare(ctx, "export/"+format, r.Events, ours, func() error { return c.bareRows(ctx) }, nil)
		if err != nil {
			return err
		}
		w := got.row("export/"+format, "an event exported as "+format, "a bare sequential read of its rows").atMost(2)
		w.Note = fmt.Sprintf("%s events, %d MB", count(int(done.Events)), done.Bytes/1_000_000)
		r.report(w)
	}
	return r.exportMemory(ctx, c)
}

func (r *run) exportMemory(ctx context.Context, c *center) error {
	var most [2]float64
	for i, share := range []int64{1, 10} {
		r.progress("export/memory", i, 2)
		var err error
		if most[i], err = r.peak(func() error { _, err := c.export(ctx, "csv", share, nil); return err }); err != nil {
			return err
		}
	}
	r.report(Row{
		Name: "export/memory", What: "most memory of an export of " + count(r.Events) + " events", Against: "that of a tenth of them",
		Ours: most[0], Theirs: most[1], Ratio: most[0] / most[1], Unit: "MiB",
	})
	return nil
}

// export sends the first leaves of the log, a share of them, to nobody.
func (c *center) export(ctx context.Context, format string, share int64, told func(portal.LogExported, float64)) (portal.LogExported, error) {
	by, err := c.portal.Operator(ctx, "bench@localhost")
	if err != nil {
		return portal.LogExported{}, err
	}
	x, err := c.portal.ExportLog(ctx, by, c.team, audit.Filter{}, portal.ExportOptions{Format: format})
	if err != nil {
		return portal.LogExported{}, err
	}
	x.Size /= share
	return x.Send(ctx, io.Discard, 0, told)
}

// bareRows reads every row of the log once, in the order in which it is kept.
func (c *center) bareRows(ctx context.Context) error {
	for _, query := range []string{
		`SELECT n, id, body FROM audit_event WHERE log = $1`,
		`SELECT n, salt, part FROM audit_part WHERE log = $1`,
	} {
		if err := bareRead(ctx, c, query); err != nil {
			return err
		}
	}
	return nil
}

func bareRead(ctx context.Context, c *center, query string) error {
	rows, err := c.db.QueryContext(ctx, query, c.team)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var n int64
		var a, b sql.RawBytes
		if err := rows.Scan(&n, &a, &b); err != nil {
			return err
		}
	}
	return rows.Err()
}

// peak is the most memory of the heap in use while something runs, in MiB.
func (r *run) peak(do func() error) (float64, error) {
	runtime.GC()
	var now runtime.MemStats
	runtime.ReadMemStats(&now)
	most := now.HeapInuse
	ended := make(chan error, 1)
	go func() { ended <- do() }()
	for tick := time.NewTicker(10 * time.Millisecond); ; {
		select {
		case err := <-ended:
			tick.Stop()
			return float64(most) / (1 << 20), err
		case <-tick.C:
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapInuse)
		}
	}
}
