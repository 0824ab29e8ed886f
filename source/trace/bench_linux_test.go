package trace

import (
	"strconv"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
)

// BenchmarkTrace tells what share of one CPU a Tracer takes while another
// process closes 2,000 connections a second.
func BenchmarkTrace(b *testing.B) {
	const seconds, rate = 2, 2000
	for b.Loop() {
		h := netlab.New(b, "")
		h.Listen("127.0.0.1:80")
		t := openIn(b, h)
		var events []source.Event
		before, began := cpuTime(b), time.Now()
		startChild(b, h, "churn", "127.0.0.1:80", strconv.Itoa(seconds*rate), strconv.Itoa(rate)).rest()
		events, lost, err := t.Drain(events)
		if err != nil || lost > 0 {
			b.Fatalf("%d events lost, error %v", lost, err)
		}
		took := time.Since(began)
		b.ReportMetric(float64(cpuTime(b)-before)/float64(took)*100, "%CPU")
		b.ReportMetric(float64(len(events))/took.Seconds(), "events/s")
		b.ReportMetric(float64(t.resolver.pass)/took.Seconds(), "passes/s")
		t.Close()
	}
}

func cpuTime(b *testing.B) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
