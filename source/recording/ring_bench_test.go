package recording_test

import (
	"fmt"
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

// BenchmarkRing measures a full moment and those before it, what a minute takes,
// and what the Ring holds beside what is recorded.
func BenchmarkRing(b *testing.B) {
	for _, c := range crowds {
		b.Run(fmt.Sprintf("sockets=%d/churn=%d/queues=%d", c.sockets, c.churn, c.queues), func(b *testing.B) {
			h := newHost(1, c.sockets)
			h.second(0, 0) // leaves its lists no room
			var m source.Moment
			var full, next time.Duration
			var size int64
			var held, allocated uint64
			for b.Loop() {
				before := heap().HeapAlloc
				r, err := recording.NewRing(time.Hour, 1<<30)
				if err != nil {
					b.Fatal(err)
				}
				write := func() time.Duration {
					h.moment(&m)
					began := time.Now()
					if err := r.Write(&m); err != nil {
						b.Fatal(err)
					}
					return time.Since(began)
				}
				write()
				for range recording.FullEvery - 1 {
					h.second(c.churn, c.queues)
					next += write()
				}
				_, size = r.Copy()
				total := heap().TotalAlloc
				full += write()
				allocated = heap().TotalAlloc - total
				m = source.Moment{}
				file, all := r.Copy()
				held = heap().HeapAlloc - before - uint64(all)
				runtime.KeepAlive(file)
				runtime.KeepAlive(r)
			}
			b.ReportMetric(float64(full.Milliseconds())/float64(b.N), "ms/full")
			b.ReportMetric(float64(next.Milliseconds())/float64(recording.FullEvery-1)/float64(b.N), "ms/next")
			b.ReportMetric(float64(size)/1e6, "MB/minute")
			b.ReportMetric(float64(held)/float64(c.sockets), "B/socket")
			b.ReportMetric(float64(allocated)/1e6, "MB/full")
		})
	}
}

// heap is what is alive, and what was allocated.
func heap() (s runtime.MemStats) {
	runtime.GC()
	runtime.ReadMemStats(&s)
	return s
}
