package recording_test

import (
	"fmt"
	"io"
	"runtime"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/recording"
)

// crowds are what a Ring is measured with: how many sockets, and how many change
// each second.
var crowds = []struct {
	sockets, churn, queues int
}{
	{36_000, 360, 0}, {36_000, 0, 2000}, {209_000, 2090, 0}, {209_000, 0, 2000}, {500_000, 10_000, 0},
}

// second lets a second pass, in which the queues of so many sockets change too.
func (h *host) second(changes, queues int) {
	h.step(changes)
	for range queues {
		h.sockets[h.pick(source.Established)].SendQueue = h.rand.Uint32N(70000)
	}
}

// BenchmarkRing measures the full moment and one of the others, what a minute
// takes, and what the Ring holds beside what is recorded.
func BenchmarkRing(b *testing.B) {
	for _, c := range crowds {
		b.Run(fmt.Sprintf("sockets=%d/churn=%d/queues=%d", c.sockets, c.churn, c.queues), func(b *testing.B) {
			h := newHost(1, c.sockets)
			var m source.Moment
			var full, next time.Duration
			size, held := int64(0), uint64(0)
			for b.Loop() {
				before := heap()
				r, err := recording.NewRing(time.Hour, 1<<30)
				if err != nil {
					b.Fatal(err)
				}
				for n := range 60 {
					h.moment(&m)
					began := time.Now()
					if err := r.Write(&m); err != nil {
						b.Fatal(err)
					}
					if n == 0 {
						full += time.Since(began)
					} else {
						next += time.Since(began)
					}
					h.second(c.churn, c.queues)
				}
				var file io.ReaderAt
				file, size = r.Copy()
				m = source.Moment{}
				held = heap() - before - uint64(size)
				runtime.KeepAlive(r)
				runtime.KeepAlive(file)
			}
			b.ReportMetric(full.Seconds()*1000/float64(b.N), "ms/full")
			b.ReportMetric(next.Seconds()*1000/59/float64(b.N), "ms/next")
			b.ReportMetric(float64(size)/1e6, "MB/minute")
			b.ReportMetric(float64(held)/float64(c.sockets), "B/socket")
		})
	}
}

// heap is what is alive.
func heap() uint64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return s.HeapAlloc
}
