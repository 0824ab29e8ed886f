package conntrack

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/netlab"
	"ephtop/source/race"
)

// mute is a host behind the router that answers nothing.
var mute = netip.MustParseAddrPort("10.92.0.3:443")

// openMute opens a Reader of a router that translates as an action of nft says, to
// so many ports from 1024 on, with a mute host behind it.
func openMute(t *testing.T, action string, ports int) (*netlab.Routed, *Reader) {
	t.Helper()
	lab := netlab.NewRouted(t, netlab.SNATRules(action))
	lab.Router.Output("ip", "neigh", "add", mute.Addr().String(), "lladdr", "02:00:00:00:00:03", "dev", "r1")
	lab.Router.Sysctl("net.netfilter.nf_conntrack_tcp_timeout_syn_sent", "3600") // they are to last, on a slow machine too
	r := openIn(t, lab.Router)
	r.SetRules([]source.SNATRule{{Address: netlab.NATAddress, PortCount: ports, Ports: source.PortRange{Low: 1024, High: uint16(1023 + ports)}}})
	r.Warn = 1
	return lab, r
}

// briefly reports whether tests are to do less.
func briefly() bool { return testing.Short() || race.Enabled }

// clients gives ends of new connections: any port of any of the clients.
func clients() (netip.AddrPort, uint32) {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 91, 0, byte(2 + rand.IntN(200))}), uint16(1024+rand.IntN(64512))), rand.Uint32()
}

// theOne gives the pool that there is, of which all ports were looked at, and how many
// connections got no entry.
func theOne(t *testing.T, r *Reader) (p source.NATPool, failed uint64) {
	t.Helper()
	r.whole.took, r.whole.at = 0, r.whole.at.Add(-wholeEvery)
	n := read(t, r, Turn)
	if len(n.Pools) != 1 {
		t.Fatalf("%+v", n)
	}
	return n.Pools[0], n.Counters.InsertFailed
}

// measured compares what the search comes to with what the kernel does, in so many
// steps of new connections. As these take ports, the share is that between the two
// ends of a step. It gives how many packets were lost, and how many were to be.
func measured(t *testing.T, lab *netlab.Routed, r *Reader, steps, sent int) (lost, want float64) {
	t.Helper()
	before, failed := theOne(t, r)
	for range steps {
		lab.Client.SYNs(sent, mute, clients)
		after, now := theOne(t, r)
		if !before.LossKnown || !after.LossKnown {
			t.Fatalf("not all ports were looked at: %+v, %+v", before, after)
		}
		lost += float64(now - failed)
		want += float64(sent) * (before.Loss + after.Loss) / 2
		before, failed = after, now
	}
	t.Logf("%.1f %% of %d used: %v of %d packets lost, %.1f expected", 100*before.Share(), before.Ports, lost, steps*sent, want)
	return lost, want
}

// agrees fails the test where two counts are further apart than a factor of two
// and what is chance.
func agrees(t *testing.T, lost, want float64) {
	t.Helper()
	if slack := 4 * math.Sqrt(max(lost, want)); lost > 2*want+slack || 2*lost+slack < want {
		t.Errorf("%v packets lost, %.1f expected", lost, want)
	}
}

// fill has connections come until so many entries are there.
func fill(t *testing.T, lab *netlab.Routed, r *Reader, entries int) {
	t.Helper()
	for range 100 {
		have, err := r.Entries()
		if err != nil {
			t.Fatal(err)
		}
		if have >= entries {
			return
		}
		lab.Client.SYNs(entries-have, mute, clients)
	}
	t.Fatalf("%d connections don't come about", entries)
}

// Connections are lost before the last port is used, since the kernel gives up its
// search: where they came one after the other, from about 88 % on. A small range is
// searched whole. Early is the share that may be lost at 85 %, which the fewer ports
// there are, the more is chance: in 20,000 pools of 1,000, each filled by the search
// computed, the median was 0, one in 40 was above 0.1 %, and the largest 0.71 %.
func TestLossOfAPoolThatFills(t *testing.T) {
	for _, c := range []struct {
		action string
		ports  int
		early  float64
	}{
		{"snat to " + netlab.NATAddress + ":1024-1123", 100, 0},
		{"snat to " + netlab.NATAddress + ":1024-2023", 1000, 0.02},
		{"snat to " + netlab.NATAddress + ":1024-11023", 10_000, 0.002},
		{"masquerade", source.UnboundNATPorts, 0.001},
	} {
		t.Run(c.action, func(t *testing.T) {
			if briefly() && c.ports > 1000 {
				t.Skip("takes long where a machine is emulated, or the race detector watches")
			}
			lab, r := openMute(t, c.action, c.ports)
			lost, want := 0.0, 0.0
			for _, percent := range []int{85, 90, 93, 96, 98, 99} {
				fill(t, lab, r, c.ports*percent/100)
				p, _ := theOne(t, r)
				if percent == 85 && p.Loss > c.early || c.ports <= maxTries && p.Used < p.Ports && p.Loss > 0 {
					t.Errorf("at %d %%, %d of %d used: loss %v", percent, p.Used, p.Ports, p.Loss)
				}
				l, w := measured(t, lab, r, 2, max(1, c.ports/200))
				lost, want = lost+l, want+w
				agrees(t, l, w)
			}
			agrees(t, lost, want)
		})
	}
}

// Where connections come and go, the ports in use stand apart, and few are lost.
func TestLossOfAPoolWithChurn(t *testing.T) {
	if briefly() {
		t.Skip("10,000 entries take long where a machine is emulated, or the race detector watches")
	}
	const ports = 10_000
	lab, r := openMute(t, "snat to "+netlab.NATAddress+":1024-11023", ports)
	lab.Router.Track(someOf(ports, ports*98/100, established))
	p, _ := theOne(t, r)
	if p.Used != 9800 || p.Loss < 0.001 || p.Loss > 0.03 { // 0.98 to the power of 248 is 0.0067
		t.Errorf("%d used, loss %v", p.Used, p.Loss)
	}
	lost, want := measured(t, lab, r, 10, 20)
	agrees(t, lost, want)
}

// someOf are connections that hold so many of the ports from 1024 on, any of them.
func someOf(ports, n int, state uint8) (list []netlab.Tracked) {
	address := netip.MustParseAddr(netlab.NATAddress)
	for _, i := range rand.Perm(ports)[:n] {
		client := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 1, 1, 1}), uint16(1024+i))
		list = append(list, netlab.Tracked{From: client, To: mute, As: netip.AddrPortFrom(address, client.Port()), State: state})
	}
	return list
}

// The ports of connections that are over are all used, and new connections find one
// all the same: each gives way to every other one, and they try many.
func TestLossOfAPoolOfTimeWait(t *testing.T) {
	const ports = 200
	lab, r := openMute(t, "snat to "+netlab.NATAddress+":1024-1223", ports)
	to := netlab.ServerAddress + ":443"
	listener := lab.Server.Listen(to)
	var ends [][2]int // all at once, else the last take the ports of the first
	for range ports {
		client, err := lab.Client.Connect(to)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, [2]int{client, lab.Server.Accept(listener)})
	}
	for _, pair := range ends {
		lab.Client.Close(pair[0])
		lab.Server.Close(pair[1])
	}
	var p source.NATPool
	for range 50 { // the last packets are under way
		if p, _ = theOne(t, r); p.Evictable == ports {
			break
		}
		time.Sleep(20 * time.Millisecond)
	}
	p, failed := theOne(t, r)
	if !r.tally.evicts {
		if p.Used != ports || p.Evictable != 0 || p.Loss != 1 {
			t.Errorf("%d of %d evictable, loss %v, of a kernel that evicts none", p.Evictable, p.Used, p.Loss)
		}
		return
	}
	if p.Used != ports || p.Evictable != ports || p.Loss > 1e-9 {
		t.Errorf("%d of %d evictable, loss %v", p.Evictable, p.Used, p.Loss)
	}
	lab.Server.Output("ip", "addr", "del", netlab.ServerAddress+"/24", "dev", "s0") // it answers no more
	lab.Router.Output("ip", "neigh", "replace", netlab.ServerAddress, "lladdr", "02:00:00:00:00:04", "dev", "r1")
	lab.Client.SYNs(60, netip.MustParseAddrPort(to), clients)
	if p, now := theOne(t, r); now != failed || p.Evictable != ports-60 || p.Used != ports {
		t.Errorf("of 60 new connections %d lost, then %d of %d evictable", now-failed, p.Evictable, p.Used)
	}
}
