package demo

import (
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"ephtop/source"
)

// bench is a kernel of 100 ports with one process, and what the tests do with it.
type bench struct {
	*kernel
	t *testing.T
	p *process
}

func newBench(t *testing.T, change func(*source.Settings)) *bench {
	t.Helper()
	set := smallSettings()
	if change != nil {
		change(&set)
	}
	b := &bench{newKernel(set, defaultStart, rand.New(rand.NewPCG(1, 2))), t, &process{}}
	b.p.PID, b.p.Name = 100, "app"
	return b
}

var (
	here    = addr("10.0.0.1")
	alsoUs  = addr("10.0.0.2")
	there   = addr("10.0.9.2")
	farAway = addr("10.0.9.3")
	here6   = addr("2001:db8::7")
	there6  = addr("2001:db8::1")
)

// connects counts how often connect() succeeds until it fails for want of a
// port.
func (b *bench) connects(from, to source.Addr, port uint16) int {
	b.t.Helper()
	for n := 0; ; n++ {
		if _, err := b.connect(b.p, from, to, port); err != nil {
			if !errors.Is(err, errNoPort) {
				b.t.Fatalf("connect fails with %v, want %v", err, errNoPort)
			}
			return n
		}
	}
}

// binds counts how often bind(ip, 0) succeeds.
func (b *bench) binds(local source.Addr) int {
	b.t.Helper()
	for n := 0; ; n++ {
		if _, err := b.bind(b.p, local, 0); err != nil {
			if !errors.Is(err, errInUse) {
				b.t.Fatalf("bind fails with %v, want %v", err, errInUse)
			}
			return n
		}
	}
}

// must does something to each of 100 new sockets.
func (b *bench) must(open func(i int) (*socket, error), then func(*socket)) {
	b.t.Helper()
	for i := range 100 {
		s, err := open(i)
		if err != nil {
			b.t.Fatalf("socket %d: %v", i, err)
		}
		if then != nil {
			then(s)
		}
	}
}

func (b *bench) dial(int) (*socket, error) { return b.connect(b.p, here, there, 80) }

func (b *bench) bindAndDial(int) (*socket, error) {
	s, err := b.bind(b.p, here, 0)
	if err == nil {
		err = b.connectBound(s, there, 80)
	}
	return s, err
}

// connectBound connects a socket that was bound before.
func (b *bench) connectBound(s *socket, to source.Addr, port uint16) error {
	key := source.Tuple{Local: s.Local, Remote: to, LocalPort: s.LocalPort, RemotePort: port, Proto: source.TCP}
	if b.connected[key] != nil {
		return errInUse
	}
	s.Remote, s.RemotePort, s.tuple = to, port, b.tuple(tupleKey{s.Local, to, port})
	b.join(s)
	b.sendSYN(s)
	return nil
}

func (b *bench) closeLater(s *socket) { b.after(time.Second, func() { b.close(s) }) }

// in counts the sockets in a state.
func (b *bench) in(state source.State) int {
	n := 0
	for _, s := range b.table {
		if s.State == state {
			n++
		}
	}
	return n
}

// TestWhoBlocksWhom is the table of who keeps a port from whom: holders of all
// 100 ports, and what the calls find that come after.
func TestWhoBlocksWhom(t *testing.T) {
	t.Parallel()
	type calls struct{ same, other, bind int }
	tests := []struct {
		name string
		hold func(b *bench)
		want calls
	}{
		{"A: connected without bind", func(b *bench) {
			b.must(b.dial, nil)
			b.run(time.Second)
		}, calls{0, 100, 0}},
		{"B: TIME_WAIT of A", func(b *bench) {
			b.must(b.dial, b.closeLater)
			b.run(3 * time.Second)
			if n := b.in(source.TimeWait); n != 100 {
				b.t.Fatalf("%d in TIME_WAIT, want 100", n)
			}
		}, calls{0, 100, 0}},
		{"C: bound, then connected", func(b *bench) {
			b.must(b.bindAndDial, nil)
			b.run(time.Second)
		}, calls{0, 0, 0}},
		{"D: TIME_WAIT of C", func(b *bench) {
			b.settings.ReuseTimeWait = 1
			b.must(b.bindAndDial, b.closeLater)
			b.run(10 * time.Second)
			if n := b.in(source.TimeWait); n != 100 {
				b.t.Fatalf("%d in TIME_WAIT, want 100", n)
			}
		}, calls{0, 0, 0}},
		{"E: bound, not connected", func(b *bench) {
			b.must(func(int) (*socket, error) { return b.bind(b.p, here, 0) }, nil)
		}, calls{0, 0, 0}},
		{"F: listener in the range", func(b *bench) {
			b.must(func(i int) (*socket, error) { return b.listen(b.p, here, uint16(40000+i), 16) }, nil)
		}, calls{0, 0, 0}},
		{"F: accepted from a listener that is gone", func(b *bench) {
			b.must(func(i int) (*socket, error) { return b.listen(b.p, here, uint16(40000+i), 16) }, func(l *socket) {
				b.arrive(l, here, there, 5000)
				b.after(time.Second, func() { b.close(l) })
			})
			b.run(2 * time.Second)
		}, calls{0, 0, 0}},
		{"G: the server's side, its port outside the range", func(b *bench) {
			l, err := b.listen(b.p, here, 443, 16)
			if err != nil {
				b.t.Fatal(err)
			}
			for i := range 100 {
				b.arrive(l, here, there, uint16(40000+i))
			}
			b.run(time.Second)
		}, calls{100, 100, 100}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fresh := func() *bench {
				b := newBench(t, nil)
				tt.hold(b)
				return b
			}
			// Each on its own, for what one call takes is not there for the next.
			got := calls{fresh().connects(here, there, 80), fresh().connects(here, farAway, 80), fresh().binds(here)}
			if got != tt.want {
				t.Errorf("connect to the same, to another destination, bind: %v, want %v", got, tt.want)
			}
			if other := fresh().connects(here6, there6, 80); other != tt.want.other {
				t.Errorf("%d connects over IPv6, want %d", other, tt.want.other)
			}
			if other := fresh().connects(alsoUs, there, 80); other != tt.want.other {
				t.Errorf("%d connects from another address, want %d", other, tt.want.other)
			}
			if other := fresh().connects(here, there, 81); other != tt.want.other {
				t.Errorf("%d connects to another port, want %d", other, tt.want.other)
			}
		})
	}
}

func TestEachDestinationHasTheWholeRange(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	for _, to := range []source.Addr{there, farAway} {
		for _, port := range []uint16{80, 443} {
			if n := b.connects(here, to, port); n != 100 {
				t.Errorf("%d connects to %v port %d, want 100", n, to, port)
			}
		}
	}
}

func TestBoundSocketsLeaveTheRest(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	for range 50 {
		if _, err := b.bind(b.p, here, 0); err != nil {
			t.Fatal(err)
		}
	}
	if n := b.connects(here, there, 80); n != 50 {
		t.Errorf("%d connects, want 50", n)
	}
	if n := b.connects(here, farAway, 80); n != 50 {
		t.Errorf("%d connects to another destination, want 50", n)
	}
}

func TestReservedPortsAreNeverPicked(t *testing.T) {
	t.Parallel()
	b := newBench(t, func(s *source.Settings) { s.Reserved = []source.PortRange{{Low: 40020, High: 40029}} })
	if n := b.connects(here, there, 80); n != 90 {
		t.Errorf("%d connects, want 90", n)
	}
	if n := b.binds(alsoUs); n != 90 {
		t.Errorf("%d binds, want 90", n)
	}
	for _, s := range b.table {
		if b.settings.IsReserved(s.LocalPort) {
			t.Errorf("port %d is reserved", s.LocalPort)
		}
	}
}

func TestConnectAndBindPreferDifferentHalves(t *testing.T) {
	t.Parallel()
	for _, low := range []uint16{40000, 40001} {
		b := newBench(t, func(s *source.Settings) { s.Range = source.PortRange{Low: low, High: low + 99} })
		for i := range 100 {
			s, err := b.connect(b.p, here, there, 80)
			if err != nil {
				t.Fatal(err)
			}
			if first := s.LocalPort&1 == low&1; first != (i < 50) {
				t.Errorf("range from %d: connect %d took port %d", low, i, s.LocalPort)
			}
		}
		for i := range 100 {
			s, err := b.bind(b.p, alsoUs, 0)
			if err != nil {
				t.Fatal(err)
			}
			if first := s.LocalPort&1 == low&1; first != (i >= 50) {
				t.Errorf("range from %d: bind %d took port %d", low, i, s.LocalPort)
			}
		}
	}
}

func TestWildcardsTakeFromEveryAddress(t *testing.T) {
	t.Parallel()
	tests := []struct {
		held, asked string
		want        int
	}{
		{"0.0.0.0", "10.0.0.1", 90},
		{"0.0.0.0", "2001:db8::7", 100},
		{"::", "10.0.0.1", 90},
		{"::", "2001:db8::7", 90},
		{"10.0.0.1", "10.0.0.2", 100},
		{"10.0.0.1", "0.0.0.0", 90},
		{"10.0.0.1", "::", 90},
	}
	for _, tt := range tests {
		t.Run(tt.held+" then "+tt.asked, func(t *testing.T) {
			b := newBench(t, nil)
			for range 10 {
				if _, err := b.bind(b.p, addr(tt.held), 0); err != nil {
					t.Fatal(err)
				}
			}
			if got := b.binds(addr(tt.asked)); got != tt.want {
				t.Errorf("%d binds, want %d", got, tt.want)
			}
		})
	}
}

func TestUDPIsAPoolOfItsOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	for i := range 100 {
		if _, err := b.connectUDP(b.p, here, source.Addr4([4]byte{10, 0, 9, byte(i)}), 53); err != nil {
			t.Fatalf("socket %d: %v", i, err)
		}
	}
	if _, err := b.connectUDP(b.p, here, addr("10.0.8.1"), 53); !errors.Is(err, errInUse) {
		t.Errorf("the 101st fails with %v, want %v", err, errInUse)
	}
	if _, err := b.connectUDP(b.p, alsoUs, addr("10.0.8.1"), 53); err != nil {
		t.Errorf("from another address: %v", err)
	}
	if n := b.connects(here, there, 80); n != 100 {
		t.Errorf("%d TCP connects, want 100", n)
	}
}

func TestOneProcessHasOnlySoManyFiles(t *testing.T) {
	t.Parallel()
	b := newBench(t, nil)
	b.p.files = 3
	for range 3 {
		if _, err := b.connect(b.p, here, there, 80); err != nil {
			t.Fatal(err)
		}
	}
	_, err := b.connect(b.p, here, there, 80)
	if !errors.Is(err, errTooManyFiles) {
		t.Errorf("the fourth fails with %v, want %v", err, errTooManyFiles)
	}
	b.close(b.table[0])
	if _, err := b.connect(b.p, here, there, 80); err != nil {
		t.Errorf("after a close: %v", err)
	}
}
