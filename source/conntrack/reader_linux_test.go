package conntrack

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
)

// openIn opens a Reader of a host's namespace.
func openIn(t *testing.T, h *netlab.Host) *Reader {
	t.Helper()
	r, err := Open(h.Do)
	if errors.Is(err, ErrAbsent) || err == nil && !Answers() {
		t.Skipf("connection tracking is not there: %v", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// twenty are rules that name 20 ports.
var twenty = []source.SNATRule{{Address: netlab.NATAddress, PortCount: 20, Ports: source.PortRange{Low: 40000, High: 40019}}}

func read(t *testing.T, r *Reader, want Want) source.NAT {
	t.Helper()
	n, err := r.Read(t.Context(), time.Now(), want)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// UDP has pools of its own, and a host that answers nothing leaves entries without
// a reply.
func TestUDP(t *testing.T) {
	lab := netlab.NewRouted(t, netlab.SNATRules("snat to "+netlab.NATAddress+":40000-40019"))
	r := openIn(t, lab.Router)
	r.SetRules(twenty)
	r.Warn = 10
	for range 5 {
		fd, err := lab.Client.ConnectUDP(netlab.ServerAddress + ":53")
		if err != nil {
			t.Fatal(err)
		}
		lab.Client.Must(func() error { _, err := unix.Write(fd, []byte("?")); return err })
	}
	n := read(t, r, Turn)
	if len(n.Pools) != 1 || n.Pools[0].Proto != source.UDP || n.Pools[0].Used != 5 || n.Pools[0].Unreplied != 5 {
		t.Errorf("%+v", n)
	}
}

// The router's own connections from the translated address share its ports, as far as
// they are those of the rule.
func TestOwnConnectionsShareThePorts(t *testing.T) {
	lab := netlab.NewRouted(t, netlab.SNATRules("ip saddr 10.91.0.0/24 snat to "+netlab.NATAddress+":40000-40019"))
	r := openIn(t, lab.Router)
	r.Warn = 10
	lab.Router.Sysctl("net.ipv4.ip_local_port_range", "50001 50010")
	to := netlab.ServerAddress + ":443"
	lab.Server.Listen(to)
	if n, err := lab.Client.Fill(to, 3); err != nil || n != 3 {
		t.Fatal(n, err)
	}
	for range 4 {
		if _, err := lab.Router.Connect(to); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := lab.Router.ConnectFrom(netlab.NATAddress+":50000", to); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		rules []source.SNATRule
		used  int
	}{{nil, 8}, {twenty, 3}} {
		r.SetRules(c.rules)
		if n := read(t, r, Focus); len(n.Pools) != 1 || n.Pools[0].Used != c.used {
			t.Errorf("%d rules: %s", len(c.rules), summary(&n))
		}
	}
}

// established is TCP_CONNTRACK_ESTABLISHED.
const established = 3

// flows makes n connections from one address, translated to another, over so many
// destinations. Every fourth is in TIME_WAIT.
func flows(n, destinations int, first byte) (list []netlab.Tracked) {
	client, nat := netip.AddrFrom4([4]byte{10, 1, first, 1}), netip.AddrFrom4([4]byte{203, 0, 113, 7})
	for i := range n {
		d := i % destinations
		to := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 2, first, byte(d)}), 443)
		port := uint16(1024 + i/destinations)
		state := uint8(established)
		if i%4 == 0 {
			state = tcpTimeWait
		}
		list = append(list, netlab.Tracked{From: netip.AddrPortFrom(client, port), To: to, As: netip.AddrPortFrom(nat, port), State: state})
	}
	return list
}

// A healthy router is not dumped, one that translates much is sampled, and where a
// pool is half full all entries are counted.
func TestSample(t *testing.T) {
	if briefly() {
		t.Skip("100,000 entries take long where a machine is emulated, or the race detector watches")
	}
	h := netlab.New(t, "")
	r := openIn(t, h)
	r.SetRules(nil)
	r.Warn = 60
	h.Track(flows(30_000, 200, 0))
	if n := read(t, r, Turn); n.Entries != 30_000 || n.Seen != 0 || len(n.Pools) != 0 {
		t.Errorf("%d entries of which none can be near its end: %+v", n.Entries, n)
	}
	h.Track(flows(30_000, 200, 1))
	r.SetRules(nil)
	n := read(t, r, Turn)
	if n.Seen < wholeEntries || n.Seen > wholeEntries+1000 || len(n.Pools) != maxPools {
		t.Fatalf("%d entries seen, %d pools", n.Seen, len(n.Pools))
	}
	for _, p := range n.Pools {
		if p.Used < 50 || p.Used > 600 { // 150 each
			t.Errorf("%+v", p)
		}
	}
	h.Track(flows(40_000, 1, 2))
	r.SetRules(nil) // else the looks before were too dear for another one so soon
	n = read(t, r, Turn)
	if n.Seen != 100_000 || len(n.Pools) == 0 || n.Pools[0].Used != 40_000 || n.Pools[0].Evictable != 10_000 || len(n.Pools[0].Flows) != maxFlows {
		n.Pools = n.Pools[:min(1, len(n.Pools))]
		t.Errorf("%+v", n)
	}
}

// However long it takes to see all entries, what was seen of them does not hold for long
// when they become more: a pool that fills is followed.
func TestWhatWasSeenHolds(t *testing.T) {
	t.Parallel()
	const took = 700 * time.Millisecond // of a host that is busy
	for _, c := range []struct {
		seen, entries int
		ago, took     time.Duration
		want          bool
	}{
		{40_000, 40_000, 34 * time.Second, took, true}, {40_000, 40_000, 36 * time.Second, took, false},
		{40_000, 41_000, 34 * time.Second, took, true},
		{40_000, 43_000, 6 * time.Second, took, true}, {40_000, 43_000, 8 * time.Second, took, false},
		{43_000, 40_000, 6 * time.Second, took, true}, {43_000, 40_000, 8 * time.Second, took, false},
		{40_000, 43_000, 4 * time.Second, time.Millisecond, true},
		{63_400, 63_800, 8 * time.Second, took, true}, {63_400, 64_100, 8 * time.Second, took, false}, // of 64,512
		{64_512, 64_800, 8 * time.Second, took, true}, {64_512, 64_100, 8 * time.Second, took, false},
		{40_000, 60_000, time.Second, took, false}, {5_040, 40_000, time.Second, took, false},
	} {
		now := time.Now()
		r := Reader{whole: look{now.Add(-c.ago), c.took}, last: source.NAT{Seen: c.seen, Entries: c.entries, Pools: []source.NATPool{{Used: c.seen}}}}
		if got := r.holds(now); got != c.want {
			t.Errorf("%d entries seen %v ago, now %d: %v", c.seen, c.ago, c.entries, got)
		}
	}
}

// BenchmarkRead compares polls of a busy router, once a second, and a look at it, with
// a dump of all its entries.
func BenchmarkRead(b *testing.B) {
	h := netlab.New(b, "")
	r, err := Open(h.Do)
	if err != nil {
		b.Skip(err)
	}
	defer r.Close()
	r.Warn = 60
	for i := range 5 {
		h.Track(flows(40_000, 200, byte(i)))
	}
	const polls = 10 // of which one in some looks
	var polled, dumps time.Duration
	now, looks := time.Now(), 0
	for b.Loop() {
		start := time.Now()
		for range polls {
			at := r.looked.at
			if _, err := r.Read(b.Context(), now, Turn); err != nil {
				b.Fatal(err)
			}
			if r.looked.at != at {
				looks++
			}
			now = now.Add(time.Second)
		}
		began := time.Now()
		polled += began.Sub(start)
		if _, err := r.dump(b.Context(), 0, r.tally.recount); err != nil {
			b.Fatal(err)
		}
		dumps += time.Since(began)
	}
	b.ReportMetric(polled.Seconds()*1000/float64(b.N*polls), "poll-ms")
	b.ReportMetric(float64(looks)/float64(b.N*polls), "looks/poll")
	b.ReportMetric(polled.Seconds()/polls/dumps.Seconds(), "poll-x-dump")
}

// That a namespace has ended says nothing of connection tracking: those of others are
// asked on.
func TestNamespaceThatEnded(t *testing.T) {
	ended := func(func() error) error { return fmt.Errorf("enter a namespace: %w", os.ErrNotExist) }
	if r, err := Open(ended); err == nil || errors.Is(err, ErrAbsent) {
		t.Errorf("%v, %v", r, err)
	}
}
