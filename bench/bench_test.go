package bench

import (
	"flag"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var (
	events = flag.Int("events", 20_000, "events in the log that is searched")
	rounds = flag.Int("rounds", 7, "rounds of each comparison")
)

// program builds the program.
func program(tb testing.TB) string {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "onrecord")
	if out, err := exec.Command("go", "build", "-o", path, "onrecord/cmd/onrecord").CombinedOutput(); err != nil {
		tb.Fatalf("building the program: %v\n%s", err, out)
	}
	return path
}

// BenchmarkRun is "onrecord bench": its rows as metrics.
func BenchmarkRun(b *testing.B) {
	for _, name := range Names() {
		b.Run(name, func(b *testing.B) {
			o := Options{DSN: "sqlite:" + b.TempDir(), Events: *events, Rounds: *rounds, Only: []string{name}}
			if name == "memory" {
				o.Program = program(b)
			}
			o.Report = func(row Row) {
				of := strings.ReplaceAll(row.Name, " ", "-")
				b.ReportMetric(row.Ratio, of+"-×")
				b.ReportMetric(row.Ours, of+"-"+row.Unit)
			}
			for b.Loop() {
				if err := Run(b.Context(), o); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(0, "ns/op")
		})
	}
}
