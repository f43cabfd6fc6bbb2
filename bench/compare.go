// Package bench holds the benchmarks that README quotes: each is a ratio
// between two ways of doing a thing, measured side by side in one run.
package bench

import (
	"slices"
	"testing"
	"time"
)

const rounds = 7

// compare runs ours and the limit in turn, several rounds, and reports the
// median of the rounds' ratios and each side's median time an operation.
func compare(b *testing.B, ours, limit func(), operations int) {
	b.Helper()
	ours()
	limit()
	var ratios, a, z []float64
	for b.Loop() {
		for round := range rounds {
			var took [2]float64
			for turn := range 2 {
				side := (turn + round) % 2
				start := time.Now()
				if side == 0 {
					ours()
				} else {
					limit()
				}
				took[side] = float64(time.Since(start)) / float64(operations)
			}
			ratios = append(ratios, took[0]/took[1])
			a, z = append(a, took[0]), append(z, took[1])
		}
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(median(ratios), "×limit")
	b.ReportMetric(median(a)/1000, "µs/ours")
	b.ReportMetric(median(z)/1000, "µs/limit")
}

func median(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/2]
}
