package bench

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"onrecord/audit"
)

// Options say what is measured and how large.
type Options struct {
	// DSN says where databases are made: "sqlite:FOLDER", or "postgres://…",
	// a server on which its role may make databases. Whatever a run makes
	// there it removes again.
	DSN string
	// Keep leaves the filled log where it is. The next run with Keep takes it
	// from there and adds what it lacks.
	Keep      bool
	Events    int      // in the log that is searched
	Rounds    int      // of each comparison
	Only      []string // names of measurements; all unless set
	SkipCheck bool     // do not derive the logs again at the end
	// Program is the path of the program itself, for the memory of its server.
	Program string
	// Progress is told how far the work has come, or nil.
	Progress func(what string, done, total int)
	// Report is given each row as it is measured.
	Report func(Row)
}

// Row is one comparison.
type Row struct {
	Name    string  `json:"name"`
	What    string  `json:"what"`
	Against string  `json:"against,omitempty"`
	Ratio   float64 `json:"ratio,omitempty"` // of ours to theirs
	Goal    string  `json:"goal,omitempty"`  // what the ratio should be
	Met     *bool   `json:"met,omitempty"`
	Ours    float64 `json:"ours"` // the median of the rounds
	Theirs  float64 `json:"theirs,omitempty"`
	Unit    string  `json:"unit"`
	Note    string  `json:"note,omitempty"`
}

// atMost and atLeast set what the ratio should be.
func (w Row) atMost(goal float64) Row {
	met := w.Ratio <= goal
	w.Goal, w.Met = fmt.Sprintf("≤ %g", goal), &met
	return w
}

func (w Row) atLeast(goal float64) Row {
	met := w.Ratio >= goal
	w.Goal, w.Met = fmt.Sprintf("≥ %g", goal), &met
	return w
}

// measurement makes some rows.
type measurement struct {
	name string
	run  func(*run, context.Context) error
}

// measurements stand in the order in which they run.
var measurements = []measurement{
	{"change", (*run).changes},
	{"ingest", (*run).ingest},
	{"import", (*run).imports},
	{"search", (*run).searches},
	{"words", (*run).words},
	{"export", (*run).exports},
	{"page", (*run).pages},
	{"size", (*run).sizes},
	{"memory", (*run).memory},
}

// Names are the names of all measurements.
func Names() []string {
	var names []string
	for _, m := range measurements {
		names = append(names, m.name)
	}
	return names
}

// run is one run of the measurements.
type run struct {
	Options
	places places
	kept   *center // the filled log, once something needs it
}

// ErrFaults is wrapped by what [Run] returns when a log that it made is not
// what its events say.
var ErrFaults = errors.New("the log is wrong")

// Run measures. Every log that it made is derived again before it returns.
func Run(ctx context.Context, o Options) (err error) {
	if o.Events < 1 || o.Rounds < 1 {
		return audit.Invalid("events", "%d events and %d rounds: both must be 1 or more", o.Events, o.Rounds)
	}
	for _, name := range o.Only {
		if !slices.Contains(Names(), name) {
			return audit.Invalid("only", "%q is not measured: name one of %s", name, strings.Join(Names(), ", "))
		}
	}
	r := &run{Options: o}
	if r.places, err = newPlaces(o); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, r.places.close()) }()
	defer func() { err = errors.Join(err, r.kept.close()) }()
	for _, m := range measurements {
		if len(o.Only) > 0 && !slices.Contains(o.Only, m.name) {
			continue
		}
		if err := m.run(r, ctx); err != nil {
			return fmt.Errorf("measuring %s: %w", m.name, err)
		}
	}
	if r.kept == nil {
		return nil
	}
	return r.check(ctx, r.kept.portal.Log())
}

// check derives a log again.
func (r *run) check(ctx context.Context, log *audit.Log) error {
	if r.SkipCheck {
		return nil
	}
	r.progress("deriving the log again", 0, 1)
	faults, err := log.Check(ctx)
	if err != nil {
		return err
	}
	if len(faults) > 0 {
		return fmt.Errorf("%w in %d places, first: %s", ErrFaults, len(faults), faults[0])
	}
	return nil
}

func (r *run) progress(what string, done, total int) {
	if r.Progress != nil {
		r.Progress(what, done, total)
	}
}

func (r *run) report(row Row) {
	if r.Report != nil {
		r.Report(row)
	}
}

// portion is a part of the number of events, within bounds: small runs are for
// tests.
func (r *run) portion(of, most int) int { return max(16, min(most, r.Events/of)) }

// pair is what a comparison gave: medians of the rounds, in nanoseconds an
// operation, and of the rounds' ratios.
type pair struct{ ours, theirs, ratio float64 }

// row reports the pair in microseconds.
func (p pair) row(name, what, against string) Row {
	return Row{Name: name, What: what, Against: against, Ratio: p.ratio, Ours: p.ours / 1000, Theirs: p.theirs / 1000, Unit: "µs"}
}

// compare runs two ways of doing a number of operations in turn, several
// rounds, beginning with another one each time. rest runs after ours, outside
// the time, so that what ours left to be done later does not fall on theirs.
func (r *run) compare(ctx context.Context, what string, operations int, ours, theirs, rest func() error) (pair, error) {
	var all [2][]float64
	var ratios []float64
	for round := range r.Rounds + 1 { // the first one warms up
		r.progress(what, round, r.Rounds+1)
		var took [2]float64
		for turn := range 2 {
			side := (turn + round) % 2
			if err := ctx.Err(); err != nil {
				return pair{}, err
			}
			start := time.Now()
			if err := [2]func() error{ours, theirs}[side](); err != nil {
				return pair{}, err
			}
			took[side] = float64(time.Since(start)) / float64(operations)
			if side == 0 && rest != nil {
				if err := rest(); err != nil {
					return pair{}, err
				}
			}
		}
		if round == 0 {
			continue
		}
		all[0], all[1] = append(all[0], took[0]), append(all[1], took[1])
		ratios = append(ratios, took[0]/took[1])
	}
	return pair{median(all[0]), median(all[1]), median(ratios)}, nil
}

func median(v []float64) float64 { return quantile(v, 0.5) }

// quantile sorts the values.
func quantile(v []float64, q float64) float64 {
	slices.Sort(v)
	return v[min(int(q*float64(len(v))), len(v)-1)]
}
