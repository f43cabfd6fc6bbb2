package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"

	"onrecord/bench"
)

type benchCommand struct {
	DB        string   `default:"sqlite:" placeholder:"DSN" help:"Where databases are made, and removed again: sqlite:FOLDER (sqlite: alone is the folder for temporary files), or postgres://…, a server where the role may make databases. A disk in memory flatters everything that waits for a disk."`
	Events    int      `default:"100000" placeholder:"N" help:"Events in the log that is searched. Unless told, ${default}."`
	Rounds    int      `default:"7" placeholder:"N" help:"Rounds of each comparison; their median counts. Unless told, ${default}."`
	Only      []string `placeholder:"NAME,…" help:"Measure only these: change, ingest, import, search, words, export, page, size, memory."`
	Keep      bool     `help:"Leave the filled log where it is, for the next run with --keep."`
	SkipCheck bool     `help:"Do not derive the logs again at the end."`
	Format    string   `default:"auto" enum:"auto,table,json" placeholder:"FORMAT" help:"table or json (one object a line, the first is the machine). Unless told, a table on a terminal and json elsewhere."`
}

// Help is shown under the flags.
func (benchCommand) Help() string {
	return `Measures what being on the record costs. Each figure is a ratio between two ways of doing a thing, side by side in one run, in alternating order; the median of the rounds counts. The load is made from what real audit logs look like. At the end every log that was made is derived again from its raw rows; exit status 1 says that one is wrong.

    onrecord bench
    onrecord bench --events 1000000 --format table
    onrecord bench --events 1000 --rounds 1 --only change,search
    onrecord bench --db postgres://bench@localhost/postgres`
}

// Run measures.
func (b *benchCommand) Run(ctx context.Context, c *console) error {
	program, err := os.Executable()
	if err != nil {
		return fmt.Errorf("finding the program itself: %w", err)
	}
	show := newRowWriter(c, b.Format)
	if err := show.begin(bench.ThisMachine(), b); err != nil {
		return err
	}
	bar := &steps{c: c}
	err = bench.Run(ctx, bench.Options{
		DSN: b.DB, Keep: b.Keep, Events: b.Events, Rounds: b.Rounds, Only: b.Only, SkipCheck: b.SkipCheck, Program: program,
		Progress: bar.show,
		Report: func(row bench.Row) {
			bar.clear()
			show.row(row)
		},
	})
	bar.clear()
	return errors.Join(err, show.end()) // what was measured is shown whatever happened then
}

// rowWriter writes the rows of a run.
type rowWriter interface {
	begin(bench.Machine, *benchCommand) error
	row(bench.Row)
	end() error
}

func newRowWriter(c *console, format string) rowWriter {
	if format == "table" || format == "auto" && isTerminal(c.out) {
		return &rowTable{out: tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0), head: c.out}
	}
	return &rowLines{lines: json.NewEncoder(c.out)}
}

// rowLines writes one object a line as rows come.
type rowLines struct {
	lines *json.Encoder
	err   error
}

func (w *rowLines) begin(m bench.Machine, b *benchCommand) error {
	return w.lines.Encode(struct {
		bench.Machine
		Database string `json:"database"`
		Events   int    `json:"events"`
		Rounds   int    `json:"rounds"`
	}{m, scheme(b.DB), b.Events, b.Rounds})
}

func (w *rowLines) row(row bench.Row) {
	if err := w.lines.Encode(row); err != nil && w.err == nil {
		w.err = err
	}
}

func (w *rowLines) end() error { return w.err }

// scheme is what a database is, without where it is.
func scheme(dsn string) string {
	name, _, _ := strings.Cut(dsn, ":")
	return name
}

// rowTable writes columns for people, once all rows are there.
type rowTable struct {
	head io.Writer
	out  *tabwriter.Writer
}

func (w *rowTable) begin(m bench.Machine, b *benchCommand) error {
	_, err := fmt.Fprintf(w.head, "%s, %d cores of %s, %s; %s, %d events, medians of %d rounds in alternating order\n\n", m.System, m.Cores, m.Processor, m.Go, scheme(b.DB), b.Events, b.Rounds)
	fmt.Fprintln(w.out, "measured\tratio\tgoal\t\tours\tagainst\tnote")
	return err
}

func (w *rowTable) row(r bench.Row) {
	ratio, verdict := "", ""
	if r.Ratio > 0 {
		ratio = fmt.Sprintf("%.2f×", r.Ratio)
	}
	if r.Met != nil {
		verdict = map[bool]string{true: "met", false: "missed"}[*r.Met]
	}
	fmt.Fprintf(w.out, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Name, ratio, r.Goal, verdict, amount(r.Ours, r.Unit), amount(r.Theirs, r.Unit), r.Note)
}

// amount is a value with three digits or so.
func amount(v float64, unit string) string {
	switch {
	case v == 0:
		return ""
	case v >= 100:
		return fmt.Sprintf("%.0f %s", v, unit)
	}
	return fmt.Sprintf("%.3g %s", v, unit)
}

func (w *rowTable) end() error { return w.out.Flush() }

// steps shows on a terminal how far a run has come.
type steps struct {
	c    *console
	bar  *progressbar.ProgressBar
	what string
}

func (s *steps) show(what string, done, total int) {
	if !isTerminal(s.c.err) {
		return
	}
	if s.bar == nil || s.what != what {
		s.clear()
		s.what = what
		s.bar = progressbar.NewOptions(total,
			progressbar.OptionSetWriter(s.c.err), progressbar.OptionSetDescription(what), progressbar.OptionShowCount(),
			progressbar.OptionThrottle(100*time.Millisecond), progressbar.OptionClearOnFinish())
	}
	s.bar.Set(done) // can fail only in drawing
}

// clear makes room for a line of text.
func (s *steps) clear() {
	if s.bar != nil {
		s.bar.Clear()
		s.bar = nil
	}
}
