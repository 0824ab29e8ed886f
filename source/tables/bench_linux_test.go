//go:build amd64 || arm64

package tables

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
)

// BenchmarkWalk takes the floor, the dumps of all namespaces thrown away, and a
// walk in turn, so that the ratio holds while the machine's speed drifts.
func BenchmarkWalk(b *testing.B) {
	for _, size := range []struct{ namespaces, sockets int }{{1, 300}, {1, 36000}, {100, 360}, {300, 20}} {
		b.Run(fmt.Sprintf("%dx%d", size.namespaces, size.sockets), func(b *testing.B) {
			floor := crowds(b, size.namespaces, size.sockets)
			for _, v := range variants {
				b.Run(v.name, func(b *testing.B) { benchmarkWalk(b, engine(b, v), floor) })
			}
		})
	}
}

// crowds opens sockets in namespaces, and returns what dumps them all.
func crowds(b *testing.B, namespaces, sockets int) func() error {
	if namespaces == 1 {
		return netlab.NewCrowd(b, sockets, 0).Host.Floor().Run
	}
	floors := make([]*netlab.Floor, namespaces)
	for i := range floors {
		h := netlab.New(b, "")
		h.Listen("127.0.0.1:80")
		if _, err := h.Fill("127.0.0.1:80", sockets/2); err != nil {
			b.Fatal(err)
		}
		floors[i] = h.Floor()
	}
	return func() error {
		for _, f := range floors {
			if err := f.Run(); err != nil {
				return err
			}
		}
		return nil
	}
}

func benchmarkWalk(b *testing.B, e *Engine, floor func() error) {
	var m source.Moment
	var floors, walks, longest time.Duration
	turn := func() {
		start := time.Now()
		if err := floor(); err != nil {
			b.Fatal(err)
		}
		floors += time.Since(start)
		start = time.Now()
		m.Reset()
		report, err := e.Walk(context.Background(), 0, &m)
		if err != nil {
			b.Fatal(err)
		}
		walks += time.Since(start)
		longest = max(longest, report.Longest)
	}
	turn()
	turn()
	floors, walks = 0, 0
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		turn()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(m.Room)), "sockets")
	b.ReportMetric(float64(floors.Microseconds())/float64(b.N)/1000, "floor-ms")
	b.ReportMetric(float64(walks)/float64(floors), "walk-x-floor")
	b.ReportMetric(float64(longest.Microseconds())/1000, "longest-ms")
}

func BenchmarkOwners(b *testing.B) {
	c := netlab.NewCrowd(b, 36000, 0)
	for _, v := range variants {
		b.Run(v.name, func(b *testing.B) {
			e := engine(b, v)
			floor := c.Host.Floor()
			var floors, owners time.Duration
			n := 0
			for range b.N {
				start := time.Now()
				if err := floor.Run(); err != nil {
					b.Fatal(err)
				}
				floors += time.Since(start)
				start = time.Now()
				n = 0
				if err := e.Owners(nil, func(int32, int32, uint32) { n++ }); err != nil {
					b.Fatal(err)
				}
				owners += time.Since(start)
			}
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(n), "descriptors")
			b.ReportMetric(float64(owners)/float64(floors), "owners-x-floor")
		})
	}
}

// BenchmarkLoad loads and tests, as each start does.
func BenchmarkLoad(b *testing.B) {
	cpu := func() time.Duration {
		var u unix.Rusage
		unix.Getrusage(unix.RUSAGE_SELF, &u)
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	for _, v := range variants {
		b.Run(v.name, func(b *testing.B) {
			start := cpu()
			for range b.N {
				e, err := load(v, btf.NewCache())
				if err != nil {
					b.Fatal(err)
				}
				e.Close()
			}
			b.ReportMetric(float64((cpu()-start).Microseconds())/1000/float64(b.N), "cpu-ms")
		})
	}
}

// BenchmarkEvents says what an event costs: the programs, by the kernel's own
// count, which makes them dearer; and us, to read it.
func BenchmarkEvents(b *testing.B) {
	for _, v := range variants {
		b.Run(v.name, func(b *testing.B) {
			stats, err := ebpf.EnableStats(uint32(unix.BPF_STATS_RUN_TIME))
			if err != nil {
				b.Skip(err)
			}
			defer stats.Close()
			events, err := engine(b, v).Trace()
			if err != nil {
				b.Fatal(err)
			}
			defer events.Close()
			h := netlab.New(b, "")
			h.Sysctl("net.ipv4.tcp_max_tw_buckets", "1000") // so that no port is wanted in vain
			l := h.Listen("127.0.0.1:80")
			before, spent := runTime(b, events), events.Spent()
			told := 0
			for b.Loop() {
				if err := h.TimeWait(l, "127.0.0.1:80", 1000); err != nil {
					b.Fatal(err)
				}
				all, lost, err := events.Drain(nil)
				if err != nil || lost > 0 {
					b.Fatal(lost, err)
				}
				told += len(all)
			}
			read := events.Spent() - spent - time.Duration(told)*eventCost
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(runTime(b, events)-before)/float64(told), "program-ns/event")
			b.ReportMetric(float64(read)/float64(told), "read-ns/event")
		})
	}
}

// runTime is how long the programs have run so far.
func runTime(b *testing.B, events *Events) (sum time.Duration) {
	for _, l := range events.links {
		info, err := l.Info()
		if err != nil {
			b.Fatal(err)
		}
		p, err := ebpf.NewProgramFromID(info.Program)
		if err != nil {
			b.Fatal(err)
		}
		s, err := p.Stats()
		if err != nil {
			b.Fatal(err)
		}
		sum += s.Runtime
		p.Close()
	}
	return sum
}
