package live

import (
	"net/netip"
	"os/exec"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
	"ephtop/source/netns"
	"ephtop/source/procfs"
)

// natOf polls until a namespace is told to have a pool of ports that is as wanted.
func natOf(t *testing.T, src source.Source, netns uint64, want func(*source.NATPool) bool) *source.NATPool {
	t.Helper()
	var last []source.NAT
	for range 1500 {
		m := poll(t, src)
		for _, l := range m.Limits {
			if l.Code == source.LimitNAT {
				t.Skipf("not seen here: %s", l.Detail)
			}
		}
		for _, n := range m.NATs {
			if n.Netns == netns && len(n.Pools) > 0 && want(&n.Pools[0]) {
				return &n.Pools[0]
			}
		}
		last = m.NATs
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatalf("%+v", last)
	return nil
}

// fullPool makes a router that has given out all 20 ports of its rule, and has a
// process, by which its namespace is known.
func fullPool(t *testing.T) *netlab.Routed {
	t.Helper()
	lab := netlab.NewRouted(t, netlab.SNATRules("snat to "+netlab.NATAddress+":40000-40019"))
	to := netlab.ServerAddress + ":443"
	lab.Server.Listen(to)
	if n, err := lab.Client.Fill(to, 20); err != nil || n != 20 {
		t.Fatal(n, err)
	}
	lab.Router.Child(t, exec.Command("cat"))
	return lab
}

// A router in another namespace is asked which ports it gave out, and its rules how
// many there are.
func TestTranslatedPorts(t *testing.T) {
	if testing.Short() {
		t.Skip("nft takes longer than it may where a machine is emulated")
	}
	for _, kind := range []string{Tables, Sockdiag} {
		t.Run(kind, func(t *testing.T) {
			lab := fullPool(t)
			src := openInside(t, lab.Client, Options{Kind: kind})
			router := procfs.Netns(unix.AT_FDCWD, lab.Router.Path())
			p := natOf(t, src, router, func(p *source.NATPool) bool { return p.Ports > 0 })
			if p.Used != 20 || p.Ports != 20 || p.Share() != 1 || p.RemotePort != 443 || len(p.Flows) != 20 {
				t.Errorf("%+v", p)
			}
		})
	}
}

// The rules are those of whatever translates: what a pool has is read from them.
func TestRulesOfAllKinds(t *testing.T) {
	if testing.Short() {
		t.Skip("what tools write is the same on all kernels")
	}
	const empty = "table ip none { }\n"
	for _, c := range []struct {
		name, rules string
		run         []string
	}{
		{"masquerade", netlab.SNATRules("masquerade to :40000-40019"), nil},
		{"at random", netlab.SNATRules("snat to " + netlab.NATAddress + ":40000-40019 fully-random"), nil},
		{"several addresses", netlab.SNATRules("snat to 10.92.0.8-10.92.0.9:40000-40019"), []string{"sh", "-c", "ip addr add 10.92.0.8/24 dev r1 && ip addr add 10.92.0.9/24 dev r1"}},
		{"a map of addresses and ports", netlab.SNATRules("snat ip to ip saddr map { 10.91.0.2 : 10.92.0.1 . 40000-40019, 10.91.0.3 : 10.92.0.1 . 40100-40199 }"), nil},
		{"ports for each client", netlab.SNATRules("ip saddr 10.91.0.3 snat to 10.92.0.1:40100-40199; oifname \"r1\" meta l4proto tcp snat to 10.92.0.1:40000-40019"), nil},
		{"iptables", empty, []string{"iptables-nft", "-t", "nat", "-A", "POSTROUTING", "-o", "r1", "-p", "tcp", "-j", "SNAT", "--to-source", netlab.NATAddress + ":40000-40019"}},
		{"old iptables", empty, []string{"iptables-legacy", "-t", "nat", "-A", "POSTROUTING", "-o", "r1", "-p", "tcp", "-j", "MASQUERADE", "--to-ports", "40000-40019"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			lab := netlab.NewRouted(t, c.rules)
			if c.run != nil {
				if _, err := exec.LookPath(c.run[0]); err != nil {
					t.Skip(err)
				}
				lab.Router.Output(c.run[0], c.run[1:]...)
			}
			to := netlab.ServerAddress + ":443"
			lab.Server.Listen(to)
			if n, err := lab.Client.Fill(to, 15); err != nil || n != 15 {
				t.Fatal(n, err)
			}
			src := openInside(t, lab.Client, Options{Kind: Sockdiag, Netns: lab.Router.Path()})
			router := procfs.Netns(unix.AT_FDCWD, lab.Router.Path())
			if p := natOf(t, src, router, func(p *source.NATPool) bool { return p.Ports > 0 }); p.Used != 15 || p.Ports != 20 {
				t.Errorf("%d of %d ports used", p.Used, p.Ports)
			}
		})
	}
}

// Namespaces that track connections and translate none take turns; one that begins
// to is found.
func TestTurns(t *testing.T) {
	if testing.Short() {
		t.Skip("whose turn it is is the same on all kernels")
	}
	names := netns.New("")
	defer names.Close()
	src := new(plan).newTranslators(names, 0)
	defer src.close()
	hosts := make(map[uint64]*netlab.Host)
	track := func(h *netlab.Host, as netip.Addr) {
		var list []netlab.Tracked
		for i := range uint16(10) {
			one := netlab.Tracked{From: netip.AddrPortFrom(netip.MustParseAddr("10.1.1.1"), 1024+i), To: netip.MustParseAddrPort("10.2.2.2:443"), State: 3}
			if as.IsValid() {
				one.From, one.As = netip.AddrPortFrom(netip.MustParseAddr("10.1.1.2"), 1024+i), netip.AddrPortFrom(as, 1024+i)
			}
			list = append(list, one)
		}
		h.Track(list)
	}
	var begins *netlab.Host
	for range 4 {
		begins = netlab.New(t, "")
		begins.Child(t, exec.Command("cat"))
		track(begins, netip.Addr{})
		hosts[procfs.Netns(unix.AT_FDCWD, begins.Path())] = begins
	}
	// until polls until something holds.
	until := func(what string, holds func(*source.Moment) bool) {
		t.Helper()
		for range 1000 {
			var m source.Moment
			list, err := names.Update(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if err := src.poll(t.Context(), &m, list); err != nil {
				t.Fatal(err)
			}
			if src.absent {
				t.Skip("connection tracking is not there")
			}
			if holds(&m) {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		t.Fatal("never: " + what)
	}
	until("all were looked at", func(*source.Moment) bool {
		for netns := range hosts {
			s := src.spaces[netns]
			if s == nil || s.reader == nil {
				return false
			}
			if at, _ := s.reader.Looked(); at.IsZero() {
				return false
			}
		}
		return true
	})
	track(begins, netip.MustParseAddr("203.0.113.7"))
	until("the one that begins is found", func(m *source.Moment) bool {
		for i := range m.NATs {
			// Its rules being known, so few entries prove that no pool is near its end.
			if n := &m.NATs[i]; hosts[n.Netns] == begins && n.Entries == 20 && src.spaces[n.Netns].reader.Translates() {
				return true
			}
		}
		return false
	})
}

// withheld are ways into namespaces of which those beside the polls are closed at first.
type withheld struct {
	doors
	open chan struct{}
}

func (w withheld) Away(n *netns.Namespace) func(func() error) error {
	away := w.doors.Away(n)
	return func(f func() error) error {
		<-w.open
		return away(f)
	}
}

// A namespace that somebody looks at is seen to translate with the next poll, and while
// its rules were never told nobody is told that many ports are free.
func TestRulesThatAreNotToldYet(t *testing.T) {
	names := netns.New("")
	defer names.Close()
	h := netlab.New(t, "")
	h.Child(t, exec.Command("cat"))
	w := withheld{names, make(chan struct{})}
	src := new(plan).newTranslators(w, procfs.Netns(unix.AT_FDCWD, h.Path()))
	defer src.close()
	poll := func() *source.Moment {
		m := new(source.Moment)
		list, err := names.Update(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if err := src.poll(t.Context(), m, list); err != nil {
			t.Fatal(err)
		}
		if src.absent {
			t.Skip("connection tracking is not there")
		}
		return m
	}
	if m := poll(); len(m.NATs) != 0 {
		t.Fatalf("nothing is tracked: %+v", m.NATs)
	}
	h.Track([]netlab.Tracked{{
		From: netip.MustParseAddrPort("10.1.1.2:1024"), To: netip.MustParseAddrPort("10.2.2.2:443"), As: netip.MustParseAddrPort("203.0.113.7:1024"), State: 3,
	}})
	limited := func(m *source.Moment) bool {
		return slices.ContainsFunc(m.Limits, func(l source.Limit) bool { return l.Code == source.LimitNAT })
	}
	if m := poll(); len(m.NATs) != 1 || len(m.NATs[0].Pools) != 0 || !limited(m) {
		t.Errorf("before the rules are told: %+v, %+v", m.NATs, m.Limits)
	}
	close(w.open)
	m := poll()
	for range 100 {
		if !limited(m) {
			break
		}
		m = poll()
	}
	if len(m.NATs) != 1 || m.NATs[0].Entries != 1 || limited(m) {
		t.Errorf("when they are: %+v, %+v", m.NATs, m.Limits)
	}
}
