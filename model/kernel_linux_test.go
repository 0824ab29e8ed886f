package model_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/live"
	"ephtop/source/netlab"
	"ephtop/source/race"
)

// The tests in kernel_*_linux_test.go ask the kernel itself: in a network
// namespace with 100 ephemeral ports they call connect() and bind() until
// these fail, and hold what the model says at that moment against it.

// tooMany is more than any range of these tests can give.
const tooMany = 200

// sampled reports whether a part of the cases is to do: where tests are to be
// short, as on an emulated machine, which takes ten times as long for each, and
// with the race detector, which takes longer too, and which one host on which the
// same goroutines run tells as much as the next.
func sampled() bool { return testing.Short() || race.Enabled }

// some of n, a tenth, where a sample is to do.
func some(n int) int {
	if sampled() {
		return max(1, n/10)
	}
	return n
}

// leftOut reports whether a sample goes without a case, by its numbers among the
// cases and among the kinds of source: every second, so that each case is tried
// by one kind and each kind has cases.
func leftOut(test, kind int) bool { return sampled() && (test+kind)%2 != 0 }

// families are a destination in each way to write one. One of them is enough for
// the race detector.
func families() []string {
	all := []string{"127.0.0.1:80", "[::1]:80", "[::ffff:127.0.0.1]:80"}
	if race.Enabled {
		return all[:1]
	}
	return all
}

// lab is a host with 100 ephemeral ports, and what the model says of it.
type lab struct {
	*netlab.Host
	t     *testing.T
	src   source.Source
	fleet *model.Fleet
}

// newLab is a lab that is looked at by dumps.
func newLab(t *testing.T) *lab {
	t.Helper()
	return newLabOf(t, live.Sockdiag)
}

// newLabOf is a lab that a source of that kind looks at.
func newLabOf(t *testing.T, kind string) *lab {
	t.Helper()
	return newLabIn(t, kind, "40000 40099")
}

// newLabIn is newLabOf with another range, "LOW HIGH".
func newLabIn(t *testing.T, kind, ports string) *lab {
	t.Helper()
	l := &lab{Host: netlab.New(t, ports), t: t, fleet: model.NewFleet(model.Options{})}
	l.src = openInside(t, l.Host, live.Options{Kind: kind, Netns: live.OwnNetns})
	// An ACK that another processor brings late to a TIME_WAIT is answered, the
	// listener answers that with a reset, and a reset ends a TIME_WAIT (RFC 1337).
	l.Sysctl("net.ipv4.tcp_rfc1337", "1")
	return l
}

// openInside opens a source inside the namespace. The kernel's own tables can't
// be read everywhere.
func openInside(t *testing.T, h *netlab.Host, o live.Options) (src source.Source) {
	t.Helper()
	err := h.Do(func() (err error) { src, err = live.Open(o); return err })
	switch {
	case err != nil && o.Kind == live.Tables:
		t.Skip(err)
	case err != nil:
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

// look polls the namespace and says what that means.
func (l *lab) look() *model.State {
	l.t.Helper()
	snap := new(source.Moment)
	l.Must(func() error { return l.src.Poll(context.Background(), snap) })
	var o model.Overview
	l.fleet.Update(snap, &o)
	return o.States[0]
}

// opens must open n sockets.
func (l *lab) opens(n int, open func() (int, error)) {
	l.t.Helper()
	if got, err := netlab.Repeat(n, open); err != nil {
		l.t.Fatalf("the kernel refuses after %d of %d: %v", got, n, err)
	}
}

// gives must open n sockets, and then be refused for want of a port.
func (l *lab) gives(n int, refusal error, open func() (int, error)) {
	l.t.Helper()
	got, err := netlab.Repeat(tooMany, open)
	if got != n || !errors.Is(err, refusal) {
		l.t.Errorf("the kernel gives %d ports and says %v, want %d and %v", got, err, n, refusal)
	}
}

// connect calls connect() without bind().
func (l *lab) connect(to string) func() (int, error) {
	return func() (int, error) { return l.Connect(to) }
}

// bind calls bind() for a TCP socket.
func (l *lab) bind(addr string) func() (int, error) {
	return func() (int, error) { return l.Bind(addr) }
}

// needsBound skips the test where a dump lacks bound and unconnected sockets.
func (l *lab) needsBound(st *model.State) {
	if !st.Snapshot.BoundListed {
		l.t.Skipf("Linux %s does not list bound and unconnected sockets (6.8 does)", st.Moment.Kernel)
	}
}

// tuple finds what the model knows of a destination.
func tuple(st *model.State, key model.TupleKey) *model.TupleUse {
	for i := range st.TCP.Pressure.Tuples {
		if t := &st.TCP.Pressure.Tuples[i]; t.TupleKey == key {
			return t
		}
	}
	return nil
}

// towards makes the key of a destination such as "127.0.0.1:80".
func towards(src, dst string) model.TupleKey {
	to := netip.MustParseAddrPort(dst)
	return model.TupleKey{
		Source: source.AddrFrom(netip.MustParseAddr(src)), Destination: source.AddrFrom(to.Addr()), Port: to.Port(),
	}
}

// free is how many more connections the model allows towards a destination,
// also where none stands yet.
func free(st *model.State, key model.TupleKey) int {
	if t := tuple(st, key); t != nil {
		return t.Free
	}
	return st.TCP.Pressure.Usable - st.TCP.Pressure.Blocked
}

// bindable is how many more times the model allows bind(ip, 0): what is said
// of that address, or else of the wildcards that cover it.
func bindable(p *model.Pressure, ip string) int {
	left := p.Usable
	for _, pool := range p.BindPools {
		switch {
		case pool.Local == source.AddrFrom(netip.MustParseAddr(ip)):
			return pool.Free
		case pool.Local.IsWildcard():
			left = min(left, pool.Free)
		}
	}
	return left
}

func checkTuple(t *testing.T, st *model.State, want model.TupleUse) {
	t.Helper()
	got := tuple(st, want.TupleKey)
	if got == nil {
		t.Errorf("the model does not know the tuple %+v", want.TupleKey)
		return
	}
	want.Process, want.Tier, want.Outlook = got.Process, got.Tier, got.Outlook
	if diff := cmp.Diff(want, *got); diff != "" {
		t.Errorf("tuple (-want +got):\n%s", diff)
	}
}

func TestKernelFillsOneDestination(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.Listen("127.0.0.1:80")
	if got := free(l.look(), towards("127.0.0.1", "127.0.0.1:80")); got != 100 {
		t.Errorf("the model allows %d connections before the first, want 100", got)
	}
	l.gives(100, unix.EADDRNOTAVAIL, l.connect("127.0.0.1:80"))

	st := l.look()
	checkTuple(t, st, model.TupleUse{
		TupleKey: towards("127.0.0.1", "127.0.0.1:80"), Live: 100, Used: 100,
		FirstHalf: 50, FirstHalfSize: 50, Level: model.LevelExhausted,
	})
	want := model.Headline{
		Key: towards("127.0.0.1", "127.0.0.1:80"), Scope: model.ScopeTuple, Live: 100, Level: model.LevelExhausted,
	}
	if diff := cmp.Diff(want, st.TCP.Pressure.Headline()); diff != "" {
		t.Errorf("headline (-want +got):\n%s", diff)
	}
	if p := &st.TCP.Pressure; p.InUse != 100 || p.Usable != 100 || p.Live != 100 || p.TimeWait != 0 || p.Blocked != 0 {
		t.Errorf("pool: %d in use of %d, %d live, %d TIME_WAIT, %d blocked, want 100, 100, 100, 0, 0",
			p.InUse, p.Usable, p.Live, p.TimeWait, p.Blocked)
	}
	if st.Level != model.LevelExhausted {
		t.Errorf("level %v, want exhausted", st.Level)
	}
}

func TestKernelGivesEachTupleTheWholeRange(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name     string
		src, dst string
	}{
		{"another destination", "127.0.0.1", "127.0.0.2:80"},
		{"another destination port", "127.0.0.1", "127.0.0.1:81"},
		{"another source", "127.0.0.9", "127.0.0.1:80"},
		{"IPv6", "::1", "[::1]:80"},
	}
	l := newLab(t)
	for _, addr := range []string{"127.0.0.1:80", "127.0.0.2:80", "127.0.0.1:81", "[::1]:80"} {
		l.Listen(addr)
	}
	l.gives(100, unix.EADDRNOTAVAIL, l.connect("127.0.0.1:80"))
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			key := towards(tt.src, tt.dst)
			connect := l.connect(tt.dst)
			if tt.src == "127.0.0.9" {
				connect = func() (int, error) { return l.ConnectNoPort(tt.src+":0", tt.dst) }
			}
			if got := free(l.look(), key); got != 100 {
				t.Errorf("the model allows %d connections before the first, want 100", got)
			}
			l.opens(1, connect)
			st := l.look()
			checkTuple(t, st, model.TupleUse{
				TupleKey: key, Live: 1, Used: 1, Free: 99, FirstHalf: 1, FirstHalfSize: 50,
			})
			l.gives(99, unix.EADDRNOTAVAIL, connect)
			checkTuple(t, l.look(), model.TupleUse{
				TupleKey: key, Live: 100, Used: 100, FirstHalf: 50, FirstHalfSize: 50, Level: model.LevelExhausted,
			})
		})
	}
	if p := &l.look().TCP.Pressure; p.InUse != 100 {
		t.Errorf("500 connections hold %d distinct ports, want 100", p.InUse)
	}
}

// connect() goes through the ports of the low end's parity before it tries the
// others, bind(ip, 0) the other way round.
func TestKernelPrefersOneParity(t *testing.T) {
	t.Parallel()
	t.Run("connect", func(t *testing.T) {
		l := newLab(t)
		l.Listen("127.0.0.1:80")
		key := towards("127.0.0.1", "127.0.0.1:80")
		l.opens(49, l.connect("127.0.0.1:80"))
		if got := tuple(l.look(), key); got.FirstHalf != 49 {
			t.Errorf("after 49: %d of the first half, want 49", got.FirstHalf)
		}
		l.opens(1, l.connect("127.0.0.1:80"))
		if got := tuple(l.look(), key); got.FirstHalf != 50 {
			t.Errorf("after 50: %d of the first half, want 50", got.FirstHalf)
		}
		l.opens(1, l.connect("127.0.0.1:80"))
		if got := tuple(l.look(), key); got.FirstHalf != 50 || got.Used != 51 {
			t.Errorf("after 51: %d of the first half, %d used, want 50 and 51", got.FirstHalf, got.Used)
		}
	})
	t.Run("bind", func(t *testing.T) {
		l := newLab(t)
		l.Listen("127.0.0.1:80")
		l.opens(50, l.bind("127.0.0.1:0"))
		l.opens(1, l.connect("127.0.0.1:80"))
		st := l.look()
		l.needsBound(st)
		checkTuple(t, st, model.TupleUse{
			TupleKey: towards("127.0.0.1", "127.0.0.1:80"), Live: 1, Blocked: 50, Used: 51, Free: 49,
			FirstHalf: 1, FirstHalfSize: 50,
		})
	})
}

func TestKernelLeavesTheRest(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		take   func(*lab)
		bound  bool // the dump must list bound sockets
		usable int
		leaves int // to each destination
	}{
		{"50 bound sockets", func(l *lab) { l.opens(50, l.bind("127.0.0.1:0")) }, true, 100, 50},
		{"50 sockets bound to another address", func(l *lab) { l.opens(50, l.bind("127.0.0.9:0")) }, true, 100, 50},
		{"100 bound sockets", func(l *lab) { l.opens(100, l.bind("127.0.0.1:0")) }, true, 100, 0},
		{"10 reserved ports", func(l *lab) { l.Sysctl("net.ipv4.ip_local_reserved_ports", "40000-40004,40010,40096-40099,50000") }, false, 90, 90},
		{"20 listeners in the range", func(l *lab) {
			for port := range 20 {
				l.Listen(fmt.Sprintf("127.0.0.1:%d", 40040+port))
			}
		}, false, 100, 80},
		{"10 listeners on reserved ports", func(l *lab) {
			l.Sysctl("net.ipv4.ip_local_reserved_ports", "40040-40049")
			for port := range 10 {
				l.Listen(fmt.Sprintf("127.0.0.1:%d", 40040+port))
			}
		}, false, 90, 90},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t)
			l.Listen("127.0.0.1:80")
			l.Listen("127.0.0.2:80")
			tt.take(l)
			st := l.look()
			if tt.bound {
				l.needsBound(st)
			}
			if st.TCP.Pressure.Usable != tt.usable {
				t.Errorf("%d usable ports, want %d", st.TCP.Pressure.Usable, tt.usable)
			}
			for _, to := range []string{"127.0.0.1:80", "127.0.0.2:80"} {
				key := towards("127.0.0.1", to)
				if got := free(st, key); got != tt.leaves {
					t.Errorf("the model leaves %d to %s, want %d", got, to, tt.leaves)
				}
				l.gives(tt.leaves, unix.EADDRNOTAVAIL, l.connect(to))
				if got := free(l.look(), key); got != 0 {
					t.Errorf("the model leaves %d to %s when connect fails", got, to)
				}
			}
		})
	}
}

// A v4-mapped IPv6 socket is on the same four-tuples as an IPv4 socket.
func TestKernelSharesTuplesWithMappedIPv6(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.Listen("127.0.0.1:80")
	l.opens(40, l.connect("127.0.0.1:80"))
	l.opens(40, l.connect("[::ffff:127.0.0.1]:80"))
	key := towards("127.0.0.1", "127.0.0.1:80")
	checkTuple(t, l.look(), model.TupleUse{
		TupleKey: key, Live: 80, Used: 80, Free: 20, FirstHalf: 50, FirstHalfSize: 50, Level: model.LevelCritical,
	})
	l.gives(20, unix.EADDRNOTAVAIL, l.connect("[::ffff:127.0.0.1]:80"))
	l.gives(0, unix.EADDRNOTAVAIL, l.connect("127.0.0.1:80"))
	if got := free(l.look(), key); got != 0 {
		t.Errorf("the model leaves %d when connect fails", got)
	}
}
