package conntrack

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"ephtop/source"
	"ephtop/source/netlab"
)

// These are what kernels differ in: they are run on several.

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

// Each change of the rules of nf_tables makes another generation of the namespace's own,
// and reading them makes none.
func TestGenerationOfTheKernel(t *testing.T) {
	lab := netlab.NewRouted(t, netlab.SNATRules("masquerade"))
	r, elsewhere := openIn(t, lab.Router), openIn(t, lab.Client)
	generation := func(r *Reader) uint32 {
		t.Helper()
		g, err := r.Generation(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return g
	}
	before, other := generation(r), generation(elsewhere)
	lab.Router.Output("nft", "-j", "list", "ruleset")
	read(t, r, Turn)
	if now := generation(r); now != before {
		t.Errorf("generation %d after reading, %d before", now, before)
	}
	lab.Router.Output("nft", "add", "rule", "ip", "nat", "post", "masquerade")
	if now := generation(r); now == before {
		t.Errorf("generation %d before and after a change", now)
	}
	if now := generation(elsewhere); now != other {
		t.Errorf("generation %d in another namespace, %d before", now, other)
	}
}
