package bench

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"onrecord/database"
	"onrecord/portal/store"
	"onrecord/portal/transcript"
)

// ingest compares recording many events with inserting what was recorded into
// the table that a searchable log would have without this engine, 64 rows a
// statement, 256 a commit.
func (r *run) ingest(ctx context.Context) (err error) {
	n := r.portion(10, 10_000)
	c, err := r.center(ctx, "ingest", false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	small := &run{Options: r.Options, places: r.places}
	small.Progress = nil
	ours := func() error {
		have, _, err := c.state(ctx)
		small.Events = have + n
		return errors.Join(err, small.fill(ctx, c))
	}
	if err := ours(); err != nil {
		return err
	}
	rows, err := eventRows(ctx, c)
	if err != nil {
		return err
	}
	bare, bareDSN, err := r.places.open(ctx, "ingest-bare", false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.Close()) }()
	if err := write(ctx, bare, append([]string{bareTable(bare.Dialect())}, bareIndexes...)...); err != nil {
		return err
	}
	round := int64(0)
	theirs := func() error {
		round++
		return insertEvents(ctx, bare, rows, round*int64(len(rows)), c.team)
	}
	got, err := r.compare(ctx, "ingest", n, ours, theirs, nil)
	if err != nil {
		return err
	}
	row := got.row("ingest", "recording events as fast as they go, sealed and indexed", "the same events by batched inserts into one table with an index for each filter")
	row.Ratio, row.Note = 1/got.ratio, fmt.Sprintf("ratio of the rates; %.0f events a second", 1e9/got.ours)
	r.report(row.atLeast(0.6))
	if bare.Dialect().Name != database.SQLite.Name {
		copying := func() error {
			round++
			return copyEvents(ctx, bareDSN, rows, round*int64(len(rows)))
		}
		if got, err = r.compare(ctx, "ingest against COPY", n, ours, copying, nil); err != nil {
			return err
		}
		row := got.row("ingest against COPY", row.What, "the same events by COPY into that table")
		row.Ratio, row.Note = 1/got.ratio, "ratio of the rates"
		r.report(row.atLeast(0.6))
	}
	return r.check(ctx, c.portal.Log())
}

// copyEvents inserts rows under new numbers by the way of PostgreSQL that is
// made for it.
func copyEvents(ctx context.Context, dsn string, rows [][]any, from int64) (err error) {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	columns := []string{"n", "log", "id", "actor", "action", "object", "body", "who", "what"}
	_, err = conn.CopyFrom(ctx, pgx.Identifier{"bare_event"}, columns, pgx.CopyFromSlice(len(rows), func(i int) ([]any, error) {
		return append([]any{from + int64(i)}, rows[i][1:]...), nil
	}))
	return err
}

// eventRows reads what the log holds, as rows of the bare table.
func eventRows(ctx context.Context, c *center) ([][]any, error) {
	rows, err := c.db.QueryContext(ctx, bareSelect(c.db.Dialect()), c.team, 0)
	if err != nil {
		return nil, err
	}
	return scanAll(rows)
}

// insertEvents inserts rows under new numbers.
func insertEvents(ctx context.Context, db *database.DB, rows [][]any, from int64, team string) error {
	const batch, commit = 64, 256
	for at := 0; at < len(rows); at += commit {
		err := db.Write(ctx, func(tx *database.Tx) error {
			for i := at; i < min(at+commit, len(rows)); i += batch {
				part := rows[i:min(i+batch, len(rows), at+commit)]
				var args []any
				for j, row := range part {
					args = append(append(args, from+int64(i+j)), row[1:]...)
				}
				if _, err := tx.ExecContext(ctx, "INSERT INTO bare_event VALUES "+tuples(len(part), len(rows[0])), args...); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// tuples writes placeholders for some rows: ($1, $2), ($3, $4).
func tuples(rows, columns int) string {
	var b strings.Builder
	for i := range rows * columns {
		switch {
		case i == 0:
			b.WriteString("(")
		case i%columns == 0:
			b.WriteString("), (")
		default:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "$%d", i+1)
	}
	return b.String() + ")"
}

// turnsPerCall is what a call of a few minutes has.
const turnsPerCall = 24

// calls makes calls; round keeps their ids apart.
func calls(round, count int) iter.Seq2[transcript.Call, error] {
	return func(yield func(transcript.Call, error) bool) {
		for i := range count {
			c := transcript.Call{
				Place: fmt.Sprint("bench:", i), SourceID: fmt.Sprintf("bench-%d-%d", round, i), StartedAt: time.Date(2026, 3, 1, 9, 0, i, 0, time.UTC),
				Agent: fmt.Sprint("Agent ", i%20), Customer: fmt.Sprintf("+1 555 %07d", i), Direction: transcript.Inbound,
			}
			for turn := range turnsPerCall {
				start, end := time.Duration(turn)*5*time.Second, time.Duration(turn)*5*time.Second+4*time.Second
				speaker := transcript.Agent
				if turn%2 == 1 {
					speaker = transcript.Customer
				}
				c.Turns = append(c.Turns, transcript.Turn{Speaker: speaker, Start: &start, End: &end, Text: "Thank you for waiting, I have found your order now; is there anything else?"})
			}
			if !yield(c, nil) {
				return
			}
		}
	}
}

// imports compares importing calls (parsed already; with computing all metrics,
// the event of each call, and its index) with inserting the same rows into the
// same tables, 64 calls a commit, without guards, metrics or events.
func (r *run) imports(ctx context.Context) (err error) {
	n := r.portion(50, 1000)
	c, err := r.center(ctx, "import", false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.close()) }()
	bare, _, err := r.places.open(ctx, "import-bare", false)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, bare.Close()) }()
	if _, err := bare.Migrate(ctx, store.Schema(bare.Dialect())); err != nil {
		return err
	}
	round := 0
	ours := func() error {
		round++
		return c.importCalls(ctx, round, n)
	}
	if err := ours(); err != nil {
		return err
	}
	tables := map[string][][]any{}
	for _, table := range []string{"call", "transcript", "score_default"} {
		if tables[table], err = rowsOf(ctx, c.db, table); err != nil {
			return err
		}
	}
	theirs := func() error {
		round++
		return insertCalls(ctx, bare, tables, n, round)
	}
	got, err := r.compare(ctx, "import", n, ours, theirs, func() error { return c.portal.Log().Seal(ctx) })
	if err != nil {
		return err
	}
	row := got.row("import", fmt.Sprintf("importing a call of %d turns: metrics, event, index", turnsPerCall), "inserting the same rows, 64 calls a commit")
	row.Note = fmt.Sprintf("%.0f calls a second", 1e9/got.ours)
	r.report(row)
	return r.check(ctx, c.portal.Log())
}

func (c *center) importCalls(ctx context.Context, round, n int) error {
	counts, err := c.portal.Import(ctx, operator, c.team, calls(round, n), nil)
	if err == nil && counts.New != n {
		err = fmt.Errorf("of %d calls arrived %+v", n, counts)
	}
	return err
}

func rowsOf(ctx context.Context, db *database.DB, table string) ([][]any, error) {
	rows, err := db.QueryContext(ctx, "SELECT * FROM "+table+" ORDER BY 1, 2")
	if err != nil {
		return nil, err
	}
	return scanAll(rows)
}

// insertCalls writes the rows of all calls under new ids.
func insertCalls(ctx context.Context, db *database.DB, tables map[string][][]any, n, round int) error {
	const batch = 64
	for from := 0; from < n; from += batch {
		err := db.Write(ctx, func(tx *database.Tx) error {
			for _, table := range []string{"call", "transcript", "score_default"} {
				all := tables[table]
				each := len(all) / n
				text := "INSERT INTO " + table + " VALUES " + tuples(1, len(all[0]))
				for _, row := range all[from*each : min(from+batch, n)*each] {
					args := append([]any{}, row...)
					args[1] = fmt.Sprint(args[1], "/", round) // the id, in every one of them
					if table == "call" {
						args[2] = fmt.Sprint(args[2], "/", round)
					}
					if _, err := tx.ExecContext(ctx, text, args...); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
