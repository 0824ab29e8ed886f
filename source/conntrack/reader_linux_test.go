package conntrack

import (
	"errors"
	"net/netip"
	"syscall"
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

// A rule that names 20 ports gives out 20: the next connections stay without an
// answer, and each of their packets is counted as one that got no entry.
func TestRangeOfARule(t *testing.T) {
	lab := netlab.NewRouted(t, netlab.SNATRules("snat to "+netlab.NATAddress+":40000-40019"))
	r := openIn(t, lab.Router)
	r.SetRules(twenty)
	r.Warn = 60
	if n := read(t, r, Turn); n.Entries != 0 || n.Pools != nil || n.Max == 0 {
		t.Errorf("nothing is translated yet: %+v", n)
	}
	to := netlab.ServerAddress + ":443"
	lab.Server.Listen(to)
	if n, err := lab.Client.Fill(to, 20); err != nil || n != 20 {
		t.Fatal(n, err)
	}
	n := read(t, r, Turn)
	if len(n.Pools) != 1 || n.Seen != 20 || n.Entries != 20 {
		t.Fatalf("%+v", n)
	}
	p := n.Pools[0]
	if p.Used != 20 || p.Evictable != 0 || p.Unreplied != 0 || p.Proto != source.TCP || p.RemotePort != 443 ||
		p.Address.String() != netlab.NATAddress || p.Remote.String() != netlab.ServerAddress || len(p.Flows) != 20 || p.Ports != 20 {
		t.Errorf("%+v", p)
	}
	for _, f := range p.Flows {
		if f.Local.String() != netlab.ClientAddress || f.Remote.String() != netlab.ServerAddress || f.LocalPort == 0 || f.RemotePort != 443 {
			t.Errorf("%v", f)
		}
	}
	if _, err := lab.Client.ConnectPending(to); err != nil && !errors.Is(err, syscall.EINPROGRESS) {
		t.Fatal(err)
	}
	after := read(t, r, Turn)
	if c := after.Counters; !c.Known || c.InsertFailed < 1 || c.Drop < 1 || c.InsertFailed != c.Drop {
		t.Errorf("%+v", c)
	}
}

// A connection in TIME_WAIT gives way to a new one whose sequence number is beyond
// its own, which is every other (nf_seq_has_advanced): the last few may stay. Its
// port is used, and counted apart.
func TestEvictable(t *testing.T) {
	lab := netlab.NewRouted(t, netlab.SNATRules("snat to "+netlab.NATAddress+":40000-40019"))
	r := openIn(t, lab.Router)
	r.SetRules(twenty)
	r.Warn = 60
	to := netlab.ServerAddress + ":443"
	listener := lab.Server.Listen(to)
	var pairs [][2]int
	for range 20 {
		fd, err := lab.Client.Connect(to)
		if err != nil {
			t.Fatal(err)
		}
		pairs = append(pairs, [2]int{fd, lab.Server.Accept(listener)})
	}
	for _, pair := range pairs {
		lab.Client.Close(pair[0])
		lab.Server.Close(pair[1])
	}
	evictable := 0
	if r.tally.evicts {
		evictable = 20
	}
	var p source.NATPool
	for range 50 { // the last packets are under way
		if n := read(t, r, Focus); len(n.Pools) == 1 {
			p = n.Pools[0]
		}
		if p.Evictable == evictable {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if p.Used != 20 || p.Evictable != evictable {
		t.Errorf("%d of %d used ports evictable, want %d", p.Evictable, p.Used, evictable)
	}
	for range 20 {
		if _, err := lab.Client.ConnectPending(to); err != nil && !errors.Is(err, syscall.EINPROGRESS) {
			t.Fatal(err)
		}
	}
	if evictable == 0 {
		if n := read(t, r, Focus); n.Pools[0].Unreplied != 0 || n.Counters.InsertFailed < 20 || n.Pools[0].Loss != 1 {
			t.Errorf("by a kernel that evicts none: %s", summary(&n))
		}
		return
	}
	for range 100 {
		if p = read(t, r, Focus).Pools[0]; p.Evictable <= 5 {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	if p.Used != 20 || p.Evictable > 5 {
		t.Errorf("after 20 new connections: %d of %d used ports evictable", p.Evictable, p.Used)
	}
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
	if testing.Short() {
		t.Skip("100,000 entries take long where a machine is emulated")
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

// BenchmarkRead compares a look at a busy router with a dump of all its entries.
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
	var looks, dumps time.Duration
	for b.Loop() {
		start := time.Now()
		if _, err := r.Read(b.Context(), start, Turn); err != nil {
			b.Fatal(err)
		}
		looked := time.Now()
		looks += looked.Sub(start)
		if _, err := r.dump(b.Context(), 0, r.tally.recount); err != nil {
			b.Fatal(err)
		}
		dumps += time.Since(looked)
	}
	b.ReportMetric(float64(looks.Microseconds())/float64(b.N)/1000, "look-ms")
	b.ReportMetric(float64(looks)/float64(dumps), "look-x-dump")
}
