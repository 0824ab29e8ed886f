package demo

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"ephtop/source"
)

// clients connects so many hosts through a router, each from its ports in no order,
// until a share of the pool is used.
type clients struct {
	*router
	ports [][]int
	next  int
}

func newClients(low, ports, hosts int) *clients {
	c := &clients{router: newRouter(natAddress, low, ports, rand.New(rand.NewPCG(1, 2)))}
	order := rand.New(rand.NewPCG(3, 4))
	for range hosts {
		c.ports = append(c.ports, order.Perm(source.UnboundNATPorts))
	}
	return c
}

func (c *clients) connect() bool {
	host, n := c.next%len(c.ports), c.next/len(c.ports)
	c.next++
	return c.open(source.Tuple{
		Local: source.Addr4([4]byte{172, 18, 0, byte(2 + host)}), LocalPort: uint16(1024 + c.ports[host][n]),
		Remote: addr("93.184.216.34"), RemotePort: 443, Proto: source.TCP,
	})
}

// fill connects until so many parts of a thousand are used, and gives the share of
// the last of them that was lost.
func (c *clients) fill(perMille int) float64 {
	const width = 4
	tried, lost := 0, 0
	for len(c.entries) < c.router.ports*perMille/1000 {
		close := len(c.entries) >= c.router.ports*(perMille-width)/1000
		if ok := c.connect(); close {
			tried++
			if !ok {
				lost++
			}
		}
	}
	return float64(lost) / float64(max(tried, 1))
}

// What was measured on Linux 6.18, within a factor of two.
func TestARouterLosesConnectionsAsItFills(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ low, ports, hosts int }{{1024, source.UnboundNATPorts, 3}, {natLow, natPorts, 2}} {
		r := newClients(c.low, c.ports, c.hosts)
		for _, w := range []struct {
			perMille int
			want     float64
		}{{600, 0}, {850, 0}, {980, 0.22}, {990, 0.40}} {
			if got := r.fill(w.perMille); got < w.want/2 || got > 2*w.want {
				t.Errorf("%d ports, %d ‰ used: %.3f lost, want about %.2f", c.ports, w.perMille, got, w.want)
			}
		}
		if r.counters.InsertFailed == 0 || r.counters.InsertFailed != r.counters.Drop {
			t.Errorf("%d ports: %+v", c.ports, r.counters)
		}
	}
}

// A port is found 248 times taken before a connection is dropped, of which the last
// tries of each round are not counted.
func TestAFullRouterDropsWhatComes(t *testing.T) {
	t.Parallel()
	r := newClients(40000, 256, 2)
	for len(r.entries) < r.router.ports {
		r.connect()
	}
	before := r.counters
	for range 100 {
		if r.connect() {
			t.Fatal("a port was found where there is none")
		}
	}
	found, dropped := r.counters.Found-before.Found, r.counters.Drop-before.Drop
	if dropped != 100 || found < 100*(96+32) || found > 100*(96+32+1) {
		t.Errorf("%d dropped, %d found taken", dropped, found)
	}
}

// What is over gives way, and the connection of each port once.
func TestWhatIsOverGivesWay(t *testing.T) {
	t.Parallel()
	r := newClients(40000, 256, 2)
	for len(r.entries) < r.router.ports {
		r.connect()
	}
	for flow := range r.entries {
		r.answered(flow)
		r.end(flow)
	}
	for range 100 {
		if !r.connect() {
			t.Fatal("nothing gave way")
		}
	}
	p := r.nat(source.Scope{}).Pools[0]
	if p.Used != 256 || p.Evictable != 156 || p.Unreplied != 100 {
		t.Errorf("%+v", p)
	}
}

// Each flow of a pool is a socket of a container, and so are most ports of the pool:
// live, or in TIME_WAIT, which ends at the router a minute later.
func TestTheFlowsOfAPoolAreSockets(t *testing.T) {
	t.Parallel()
	h, err := New(Options{Scenario: "snat", Step: 30 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 7 {
		var m source.Moment
		if err := h.Poll(context.Background(), &m); err != nil {
			t.Fatal(err)
		}
		sockets := make(map[source.Tuple]bool)
		for i := range m.Room {
			sockets[m.Room[i].Tuple()] = true
		}
		entries, lone := 0, 0
		for _, p := range m.NATs[0].Pools {
			entries += p.Used
			if len(p.Flows) == 0 || len(p.Flows) > 256 || p.Used > natPorts || p.Evictable+p.Unreplied > p.Used {
				t.Errorf("poll %d: %d flows of %+v", i, len(p.Flows), p)
			}
			for _, f := range p.Flows {
				if !sockets[f] {
					lone++
				}
			}
		}
		if m.NATs[0].Entries != entries {
			t.Errorf("poll %d: %d entries, %d in pools", i, m.NATs[0].Entries, entries)
		}
		late := time.Duration(i)*30*time.Second >= sharing+60*time.Second
		if lone > 64 && !late || lone == 0 && late {
			t.Errorf("poll %d: %d flows have no socket", i, lone)
		}
	}
}
