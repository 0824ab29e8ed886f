package session

import (
	"fmt"
	"os"
	"runtime"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/live"
	"ephtop/source/netlab"
)

func TestMain(m *testing.M) {
	netlab.Main()
	os.Exit(m.Run())
}

// BenchmarkKeep says what keeping a moment costs beside the look at it, full
// moments in their share, what ten minutes of them take, and what they and who
// writes them do now.
func BenchmarkKeep(b *testing.B) {
	for _, size := range []struct{ sockets, churn int }{{300, 0}, {36000, 0}, {36000, 2000}} {
		b.Run(fmt.Sprintf("sockets=%d/churn=%d", size.sockets, size.churn), func(b *testing.B) {
			c := netlab.NewCrowd(b, size.sockets, 0)
			var src source.Source
			var err error
			c.Host.Must(func() error { src, err = live.Open(live.Options{Netns: live.OwnNetns}); return nil })
			if err != nil {
				b.Skip(err)
			}
			s, l := New(src, Options{}), new(Look)
			defer func() { s.Close() }()
			var looks, keeps time.Duration
			turn := func() {
				c.Churn(size.churn)
				c.Host.Must(func() error {
					start := time.Now()
					err := s.Look(b.Context(), l)
					looks += time.Since(start)
					return err
				})
				if s.keeper != nil {
					start := time.Now()
					<-s.keeper.done
					keeps += time.Since(start)
					s.keeper.next = time.Time{} // that was a second, or so
				}
			}
			turn()
			turn()
			heap := heapBytes()
			s.keeper = newKeeper()
			turn()
			looks, keeps = 0, 0
			b.ResetTimer()
			for range b.N {
				turn()
			}
			_, bytes := s.keeper.ring.Copy()
			b.ReportMetric(0, "ns/op")
			b.ReportMetric(float64(looks.Microseconds())/float64(b.N)/1000, "look-ms")
			b.ReportMetric(float64(keeps)/float64(looks), "keep-x-look")
			b.ReportMetric(float64(bytes)/float64(b.N+1)*600/(1<<20), "MB/10min")
			b.ReportMetric(float64(heapBytes()-heap)/(1<<20), "more-heap-MB")
			runtime.KeepAlive(s)
		})
	}
}

func heapBytes() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
