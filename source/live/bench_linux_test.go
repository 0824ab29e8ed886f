package live

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/netlab"
	"ephtop/source/procfs"
)

func TestMain(m *testing.M) {
	netlab.Main()
	if what := os.Getenv(asPoller); what != "" {
		os.Exit(tellLimits(what))
	}
	if rate := os.Getenv(asClient); rate != "" {
		os.Exit(beClient(rate))
	}
	os.Exit(m.Run())
}

// open opens a source inside the namespace.
func open(b testing.TB, h *netlab.Host, kind string) source.Source {
	var src source.Source
	var err error
	o := Options{Kind: kind}
	if kind == Sockdiag {
		o.Netns = OwnNetns
	}
	h.Must(func() error { src, err = Open(o); return nil })
	if err != nil {
		b.Skip(err)
	}
	b.Cleanup(func() { src.Close() })
	return src
}

// sizes are the hosts that the benchmarks look at.
var sizes = []struct{ live, timeWait int }{{300, 0}, {36000, 0}, {36000, 164000}}

func BenchmarkPoll(b *testing.B) {
	for _, kind := range []string{Tables, Sockdiag} {
		for _, size := range sizes {
			for _, churn := range []int{0, 2000} {
				if churn > size.live/2 {
					continue
				}
				b.Run(fmt.Sprintf("%s/sockets=%d/churn=%d", kind, size.live+size.timeWait, churn), func(b *testing.B) {
					c := netlab.NewCrowd(b, size.live, size.timeWait)
					benchmarkPoll(b, kind, []*netlab.Host{c.Host}, func() { c.Churn(churn) })
				})
			}
		}
	}
}

// BenchmarkNamespaces polls a host of many namespaces, beside a dump of each.
func BenchmarkNamespaces(b *testing.B) {
	for _, size := range []struct{ namespaces, sockets int }{{100, 360}, {300, 20}} {
		b.Run(fmt.Sprintf("%dx%d", size.namespaces, size.sockets), func(b *testing.B) {
			hosts := make([]*netlab.Host, size.namespaces)
			for i := range hosts {
				hosts[i] = netlab.New(b, "")
				hosts[i].Listen("127.0.0.1:80")
				if _, err := hosts[i].Fill("127.0.0.1:80", (size.sockets-1)/2); err != nil {
					b.Fatal(err)
				}
			}
			benchmarkPoll(b, Tables, hosts, func() {})
		})
	}
}

// benchmarkPoll takes the floor of all hosts, a poll and a model update in
// turn, so that the ratios hold while the machine's speed drifts.
func benchmarkPoll(b *testing.B, kind string, hosts []*netlab.Host, change func()) {
	floor := make([]*netlab.Floor, len(hosts))
	mine := make(map[uint64]bool)
	for i, h := range hosts {
		floor[i] = h.Floor()
		mine[procfs.Netns(unix.AT_FDCWD, h.Path())] = true
	}
	src := open(b, hosts[0], kind)
	fleet := model.NewFleet(model.Options{})
	var m source.Moment
	var o model.Overview
	var floors, polls, updates time.Duration
	sockets, unowned := 0, 0
	turn := func() {
		change()
		start := time.Now()
		for _, f := range floor {
			if err := f.Run(); err != nil {
				b.Fatal(err)
			}
		}
		floors += time.Since(start)
		hosts[0].Must(func() error {
			start = time.Now()
			err := src.Poll(context.Background(), &m)
			polls += time.Since(start)
			return err
		})
		start = time.Now()
		fleet.Update(&m, &o)
		updates += time.Since(start)
		sockets = 0
		for i := range m.Snapshots {
			s := &m.Snapshots[i]
			if !mine[s.Scope.Netns] {
				continue
			}
			sockets += len(s.Sockets)
			for j := range s.Sockets {
				if k := &s.Sockets[j]; k.HasOwner() && k.Process == source.NoProcess {
					unowned++
				}
			}
		}
	}
	turn()
	turn()
	floors, polls, updates, unowned = 0, 0, 0, 0
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		turn()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(sockets), "sockets")
	b.ReportMetric(float64(floors.Microseconds())/float64(b.N)/1000, "floor-ms")
	b.ReportMetric(float64(polls)/float64(floors), "poll-x-floor")
	b.ReportMetric(float64(updates)/float64(floors), "model-x-floor")
	b.ReportMetric(float64(unowned)/float64(b.N), "unowned")
	if len(hosts) == 1 {
		b.ReportMetric(float64(hosts[0].SSTime())*float64(b.N)/float64(polls), "ss-x-poll")
	}
}
