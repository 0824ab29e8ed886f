package demo_test

import (
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/demo"
)

// BenchmarkPoll is the cost of one simulated second once a scenario has
// unfolded.
func BenchmarkPoll(b *testing.B) {
	for _, s := range demo.Scenarios() {
		b.Run(s.Name, func(b *testing.B) {
			h := newHost(b, demo.Options{Scenario: s.Name, Skip: 60 * time.Second})
			var snap source.Moment
			poll(b, h, &snap)
			b.ReportAllocs()
			for b.Loop() {
				poll(b, h, &snap)
			}
			b.ReportMetric(float64(len(snap.Snapshots[0].Sockets)), "sockets")
		})
	}
}
