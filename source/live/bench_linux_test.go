package live

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/netlab"
)

func TestMain(m *testing.M) {
	netlab.Main()
	os.Exit(m.Run())
}

// floor receives the dumps of all sockets and throws them away: what no
// program can beat.
type floor struct {
	fd  int
	buf []byte
	seq uint32
}

func openFloor(b *testing.B, h *netlab.Host) *floor {
	f := &floor{buf: make([]byte, 64<<10)}
	h.Must(func() (err error) {
		f.fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
		return err
	})
	b.Cleanup(func() { unix.Close(f.fd) })
	return f
}

// run takes all three dumps: TCP of both families, UDP of each.
func (f *floor) run(b *testing.B) {
	for _, r := range [...]struct {
		kind          uint16
		family, proto uint8
		size, states  int // of the request, and where its states stand
	}{{18, unix.AF_UNSPEC, 0, 76, 68}, {20, unix.AF_INET, unix.IPPROTO_UDP, 72, 20}, {20, unix.AF_INET6, unix.IPPROTO_UDP, 72, 20}} {
		f.seq++
		m := make([]byte, r.size)
		binary.NativeEndian.PutUint32(m, uint32(r.size))
		binary.NativeEndian.PutUint16(m[4:], r.kind)
		binary.NativeEndian.PutUint16(m[6:], unix.NLM_F_REQUEST|unix.NLM_F_DUMP)
		binary.NativeEndian.PutUint32(m[8:], f.seq)
		m[16], m[17] = r.family, r.proto
		binary.NativeEndian.PutUint32(m[r.states:], 1<<14-2)
		if err := unix.Sendto(f.fd, m, 0, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
			b.Fatal(err)
		}
		f.drain(b)
	}
}

func (f *floor) drain(b *testing.B) {
	for {
		n, err := unix.Read(f.fd, f.buf)
		if err != nil {
			b.Fatal(err)
		}
		switch binary.NativeEndian.Uint16(f.buf[4:]) {
		case unix.NLMSG_DONE:
			return
		case unix.NLMSG_ERROR:
			b.Fatalf("the kernel refuses the dump: % x", f.buf[:n])
		}
	}
}

// crowd is a host with so many sockets, half of each pair a client's.
type crowd struct {
	host    *netlab.Host
	holders []*netlab.Holder
}

// newCrowd makes live sockets in 32 processes, and TIME_WAIT ones.
func newCrowd(b *testing.B, live, timeWait int) *crowd {
	c := &crowd{host: netlab.New(b, "1024 65535")}
	c.host.Sysctl("net.ipv4.tcp_max_tw_buckets", "1000000")
	for i := range 32 {
		c.holders = append(c.holders, c.host.Hold(fmt.Sprintf("127.0.1.%d:80", i+1), live/64))
	}
	for i := 0; timeWait > 0; i++ {
		to := fmt.Sprintf("127.0.2.%d:80", i+1)
		n := min(timeWait, 25000) // below the half of the range, where connect() gets slow
		timeWait -= n
		if err := c.host.TimeWait(c.host.Listen(to), to, n); err != nil {
			b.Fatal(err)
		}
	}
	return c
}

func (c *crowd) churn(n int) {
	for _, p := range c.holders {
		p.Begin(n / len(c.holders))
	}
	for _, p := range c.holders {
		p.End()
	}
}

func (c *crowd) open(b *testing.B) source.Source {
	var src source.Source
	c.host.Must(func() (err error) {
		src, err = Open(Options{Kind: Sockdiag})
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
				benchmarkPoll(b, newCrowd(b, size.live, size.timeWait), churn)
			})
		}
	}
}

// benchmarkPoll takes the floor, a poll and a model update in turn, so that
// the ratios hold while the machine's speed drifts.
func benchmarkPoll(b *testing.B, c *crowd, churn int) {
	f, src := openFloor(b, c.host), c.open(b)
	tracker := model.NewTracker(model.Options{})
	var snap source.Snapshot
	var st model.State
	var floors, polls, updates time.Duration
	unowned := 0
	turn := func() {
		if churn > 0 {
			c.churn(churn)
		}
		start := time.Now()
		f.run(b)
		floors += time.Since(start)
		c.host.Must(func() error {
			start = time.Now()
			err := src.Poll(context.Background(), &snap)
			polls += time.Since(start)
			return err
		})
		start = time.Now()
		tracker.Update(&snap, &st)
		updates += time.Since(start)
		for i := range snap.Sockets {
			if s := &snap.Sockets[i]; s.HasOwner() && s.Process == source.NoProcess {
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
	b.ReportMetric(float64(len(snap.Sockets)), "sockets")
	b.ReportMetric(float64(floors.Microseconds())/float64(b.N)/1000, "floor-ms")
	b.ReportMetric(float64(polls)/float64(floors), "poll-x-floor")
	b.ReportMetric(float64(updates)/float64(floors), "model-x-floor")
	b.ReportMetric(float64(unowned)/float64(b.N), "unowned")
	if churn == 0 {
		b.ReportMetric(float64(ssTime(b, c.host))*float64(b.N)/float64(polls), "ss-x-poll")
	}
}

// ssTime is how long `ss -tanp` takes, the best of three.
func ssTime(b *testing.B, h *netlab.Host) time.Duration {
	if _, err := exec.LookPath("ss"); err != nil {
		b.Logf("no ss to compare with: %v", err)
		return 0
	}
	best := time.Duration(1<<63 - 1)
	for range 3 {
		start := time.Now()
		h.Output("ss", "-tanp")
		best = min(best, time.Since(start))
	}
	return best
}
