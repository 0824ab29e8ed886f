package netlab

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os/exec"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Crowd is a host with many sockets, for benchmarks.
type Crowd struct {
	Host    *Host
	holders []*Holder
	waits   waits
}

// NewCrowd makes so many live sockets, both ends of connections that 32
// processes hold, and so many clients in TIME_WAIT, which last a minute from the
// last Renew on.
func NewCrowd(b testing.TB, live, timeWait int) *Crowd {
	b.Helper()
	c := &Crowd{Host: New(b, "1024 65535")}
	c.Host.Sysctl("net.ipv4.tcp_max_tw_buckets", "2000000")
	c.Host.Sysctl("net.ipv4.tcp_rfc1337", "1")
	c.Host.Sysctl("net.ipv4.tcp_tw_reuse", "0") // else connect() takes ports of those that are a second old
	const processes = 32
	for i := range processes {
		c.holders = append(c.holders, c.Host.Hold(fmt.Sprintf("127.0.1.%d:80", i+1), live/2/processes))
	}
	c.Host.Must(c.waits.open)
	c.Host.keep(c.waits.raw)
	for i := 0; timeWait > 0; i++ {
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 2, byte(i + 1)}), 80)
		n := min(timeWait, 25000) // below the half of the range, where connect() gets slow
		timeWait -= n
		listener := c.Host.Listen(to.String())
		c.Host.Must(func() (err error) {
			for range n {
				err = cmp.Or(err, c.waits.add(listener, to))
			}
			return err
		})
	}
	c.Renew()
	c.Host.Sysctl("net.ipv4.tcp_tw_reuse", "2")
	return c
}

// Scatter makes n more clients in TIME_WAIT, each with a destination of its own.
func (c *Crowd) Scatter(n int) {
	c.Host.t.Helper()
	listener := c.Host.Listen("0.0.0.0:81")
	c.Host.Must(func() (err error) {
		for i := range n {
			to := netip.AddrFrom4([4]byte{127, 1 + byte(i>>16), byte(i >> 8), byte(i)})
			err = cmp.Or(err, c.waits.add(listener, netip.AddrPortFrom(to, 81)))
		}
		return err
	})
	c.Renew()
}

// Renew has the minute of the clients in TIME_WAIT begin anew.
func (c *Crowd) Renew() {
	c.Host.t.Helper()
	c.Host.Must(c.waits.renew)
}

// Churn replaces n connections by new ones.
func (c *Crowd) Churn(n int) {
	for i, p := range c.holders {
		p.Begin((n + i) / len(c.holders)) // which add up to n
	}
	for _, p := range c.holders {
		p.End()
	}
}

// Floor receives the dumps of all sockets and throws them away: what no
// program that uses sock_diag can beat.
type Floor struct {
	fd  int
	buf []byte
	seq uint32
}

// Floor opens a netlink socket inside the namespace. It is closed when the
// test ends.
func (h *Host) Floor() *Floor {
	h.t.Helper()
	f := &Floor{buf: make([]byte, 64<<10)}
	h.Must(func() (err error) {
		f.fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_SOCK_DIAG)
		return err
	})
	h.keep(f.fd)
	return f
}

// Run takes all three dumps: TCP of both families, UDP of each.
func (f *Floor) Run() error {
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
			return fmt.Errorf("ask for a dump: %w", err)
		}
		if err := f.drain(); err != nil {
			return err
		}
	}
	return nil
}

func (f *Floor) drain() error {
	for {
		n, err := unix.Read(f.fd, f.buf)
		if err != nil {
			return fmt.Errorf("receive a dump: %w", err)
		}
		switch binary.NativeEndian.Uint16(f.buf[4:]) {
		case unix.NLMSG_DONE:
			return nil
		case unix.NLMSG_ERROR:
			return fmt.Errorf("the kernel refuses the dump: % x", f.buf[:n])
		}
	}
}

// SSTime is how long `ss -tanp` takes inside the namespace, the best of three;
// 0 where there is no ss.
func (h *Host) SSTime() time.Duration {
	h.t.Helper()
	if _, err := exec.LookPath("ss"); err != nil {
		h.t.Logf("no ss to compare with: %v", err)
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
