package bench

import (
	"context"
	"fmt"
	"iter"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"onrecord/audit"
	"onrecord/database"
	"onrecord/portal"
	"onrecord/portal/store"
	"onrecord/portal/transcript"
)

const importedCalls = 1000

// calls makes calls of 24 turns each; round keeps their ids apart.
func calls(round int) iter.Seq2[transcript.Call, error] {
	return func(yield func(transcript.Call, error) bool) {
		for i := range importedCalls {
			c := transcript.Call{
				Place: fmt.Sprint("bench:", i), SourceID: fmt.Sprintf("bench-%d-%d", round, i), StartedAt: time.Date(2026, 3, 1, 9, 0, i, 0, time.UTC),
				Agent: fmt.Sprint("Agent ", i%20), Customer: fmt.Sprintf("+1 555 %07d", i), Direction: transcript.Inbound,
			}
			for turn := range 24 {
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

// BenchmarkImport compares importing calls (parsed already; with computing all
// metrics, the event of each call, and its index) with inserting the same rows
// into the same tables, 64 calls a commit, without guards, metrics or events.
func BenchmarkImport(b *testing.B) {
	ctx := context.Background()
	db, err := database.Open(ctx, "sqlite:"+filepath.Join(b.TempDir(), "import.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { db.Close() })
	if _, err := portal.Migrate(ctx, db); err != nil {
		b.Fatal(err)
	}
	p, err := portal.Open(ctx, db)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { p.Close() })
	by := portal.Caller{Actor: audit.Actor{Type: audit.ActorOperator, Name: "bench"}, Context: audit.Context{Via: "cli"}}
	team, err := p.Setup(ctx, by, portal.NewTeam{Organization: "Bench", Team: "Bench", Email: "bench@example.com", AdminName: "Bench"})
	if err != nil {
		b.Fatal(err)
	}
	bare, err := database.Open(ctx, "sqlite:"+filepath.Join(b.TempDir(), "bare.db"))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { bare.Close() })
	if _, err := bare.Migrate(ctx, store.Schema(bare.Dialect())); err != nil {
		b.Fatal(err)
	}
	round := 0
	ours := func() {
		round++
		counts, err := p.Import(ctx, by, team.Team, calls(round), nil)
		if err != nil || counts.New != importedCalls {
			b.Fatalf("imported %+v: %v", counts, err)
		}
	}
	ours()
	rows := map[string][][]any{}
	for _, table := range []string{"call", "transcript", "score_default"} {
		rows[table] = rowsOf(b, db, table)
	}
	limit := func() {
		round++
		insertRows(b, bare, rows, round)
	}
	compare(b, ours, limit, importedCalls)
}

func rowsOf(b *testing.B, db *database.DB, table string) [][]any {
	rows, err := db.QueryContext(b.Context(), "SELECT * FROM "+table+" ORDER BY 1, 2")
	if err != nil {
		b.Fatal(err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		b.Fatal(err)
	}
	var all [][]any
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			b.Fatal(err)
		}
		all = append(all, values)
	}
	if err := rows.Err(); err != nil {
		b.Fatal(err)
	}
	return all
}

// insertRows writes the rows of all calls under new ids, 64 calls a commit.
func insertRows(b *testing.B, db *database.DB, rows map[string][][]any, round int) {
	ctx := context.Background()
	const batch = 64
	for from := 0; from < importedCalls; from += batch {
		err := db.Write(ctx, func(tx *database.Tx) error {
			for table, all := range rows {
				each := len(all) / importedCalls
				text := "INSERT INTO " + table + " VALUES (" + strings.TrimSuffix(strings.Repeat("?, ", len(all[0])), ", ") + ")"
				for _, row := range all[from*each : min(from+batch, importedCalls)*each] {
					args := append([]any{}, row...)
					args[1] = fmt.Sprint(args[1], "/", round)
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
			b.Fatal(err)
		}
	}
}
