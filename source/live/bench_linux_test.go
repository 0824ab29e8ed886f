package live

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/netlab"
)

func TestMain(m *testing.M) {
	netlab.Main()
	if netns := os.Getenv(asPoller); netns != "" {
		os.Exit(tellLimits(netns))
	}
	os.Exit(m.Run())
}

// open opens the kernel's tables inside the namespace.
func open(b *testing.B, h *netlab.Host) source.Source {
	var src source.Source
	h.Must(func() (err error) {
		src, err = Open(Options{Kind: Sockdiag, Netns: OwnNetns})
		return err
	})
	b.Cleanup(func() { src.Close() })
	return src
}

// sizes are the hosts that the benchmarks look at.
var sizes = []struct{ live, timeWait int }{{300, 0}, {36000, 0}, {36000, 164000}}

func BenchmarkPoll(b *testing.B) {
	for _, size := range sizes {
		for _, churn := range []int{0, 2000} {
			if churn > size.live/2 {
				continue
			}
			b.Run(fmt.Sprintf("sockets=%d/churn=%d", size.live+size.timeWait, churn), func(b *testing.B) {
				benchmarkPoll(b, netlab.NewCrowd(b, size.live, size.timeWait), churn)
			})
		}
	}
}

// benchmarkPoll takes the floor, a poll and a model update in turn, so that
// the ratios hold while the machine's speed drifts.
func benchmarkPoll(b *testing.B, c *netlab.Crowd, churn int) {
	f, src := c.Host.Floor(), open(b, c.Host)
	fleet := model.NewFleet(model.Options{})
	var snap source.Moment
	var o model.Overview
	var floors, polls, updates time.Duration
	unowned := 0
	turn := func() {
		if churn > 0 {
			c.Churn(churn)
		}
		start := time.Now()
		if err := f.Run(); err != nil {
			b.Fatal(err)
		}
		floors += time.Since(start)
		c.Host.Must(func() error {
			start = time.Now()
			err := src.Poll(context.Background(), &snap)
			polls += time.Since(start)
			return err
		})
		start = time.Now()
		fleet.Update(&snap, &o)
		updates += time.Since(start)
		for i := range snap.Snapshots[0].Sockets {
			if s := &snap.Snapshots[0].Sockets[i]; s.HasOwner() && s.Process == source.NoProcess {
				unowned++
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
	b.ReportMetric(float64(len(snap.Snapshots[0].Sockets)), "sockets")
	b.ReportMetric(float64(floors.Microseconds())/float64(b.N)/1000, "floor-ms")
	b.ReportMetric(float64(polls)/float64(floors), "poll-x-floor")
	b.ReportMetric(float64(updates)/float64(floors), "model-x-floor")
	b.ReportMetric(float64(unowned)/float64(b.N), "unowned")
	if churn == 0 {
		b.ReportMetric(float64(c.Host.SSTime())*float64(b.N)/float64(polls), "ss-x-poll")
	}
}
