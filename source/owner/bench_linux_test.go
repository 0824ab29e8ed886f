package owner

import (
	"context"
	"fmt"
	"math/rand"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source"
)

// socketPool holds sockets in this process.
type socketPool struct {
	fds    []int
	inodes []uint32
}

func newSocketPool(t testing.TB, n int) *socketPool {
	t.Helper()
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if limit.Cur < uint64(n)+100 {
		t.Skipf("needs %d descriptors, ulimit -n gives %d", n+100, limit.Cur)
	}
	p := &socketPool{}
	t.Cleanup(func() {
		for _, fd := range p.fds {
			unix.Close(fd)
		}
	})
	for range n {
		fd, inode := newSocket(t)
		p.fds, p.inodes = append(p.fds, fd), append(p.inodes, inode)
	}
	return p
}

// churn closes n sockets here and there and opens as many, with a few more in
// between so that numbers change hands.
func (p *socketPool) churn(t testing.TB, n int, seed int64) {
	t.Helper()
	for _, i := range rand.New(rand.NewSource(seed)).Perm(len(p.fds))[:n] {
		early, _ := newSocket(t)
		unix.Close(p.fds[i])
		p.fds[i], p.inodes[i] = newSocket(t)
		unix.Close(early)
	}
}

func BenchmarkSteady(b *testing.B) {
	const holders = 50
	for _, n := range []int{300, 20_000, 36_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var inodes []uint32
			for range holders {
				fds := make([]int, n/holders)
				for i := range fds {
					fd, inode := newSocket(b)
					fds[i], inodes = fd, append(inodes, inode)
				}
				startHolder(b, "exec cat", fds...)
			}
			tracker := newTracker(b, "/proc")
			benchmark(b, tracker, func() []uint32 { return inodes })
		})
	}
}

func BenchmarkChurn(b *testing.B) {
	pool := newSocketPool(b, 18_000)
	tracker := newTracker(b, "/proc")
	seed := int64(0)
	benchmark(b, tracker, func() []uint32 {
		seed++
		pool.churn(b, 2000, seed)
		return pool.inodes
	})
}

// benchmark measures polls of dumps that change tells, after a first one.
func benchmark(b *testing.B, tracker *Tracker, change func() []uint32) {
	var processes []source.Process
	work := Report{}
	sockets := dump(change()...)
	assign := func() {
		var report Report
		var err error
		processes, report, err = tracker.Assign(context.Background(), sockets, processes[:0])
		if err != nil || report.Unowned > 0 {
			b.Fatalf("%d sockets without a process, error %v", report.Unowned, err)
		}
		work.Read += report.Read
	}
	for range 3 {
		assign()
	}
	work = Report{}
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		for i, inode := range change() {
			sockets[i].Inode = inode
		}
		b.StartTimer()
		assign()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(len(sockets)), "ns/socket")
	b.ReportMetric(float64(work.Read)/float64(b.N), "links/op")
}
