package conntrack

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
)

// routed opens a Reader of a router with rules of nft of which each pool has 20 ports.
func routed(t *testing.T, rules string) (*netlab.Routed, *Reader) {
	t.Helper()
	lab := netlab.NewRouted(t, rules)
	r := openIn(t, lab.Router)
	r.SetRules([]source.SNATRule{{PortCount: 20, Ports: source.PortRange{Low: 40000, High: 40019}}})
	r.Warn = 1
	return lab, r
}

// fullPools counts the pools whose 20 ports are all used.
func fullPools(n *source.NAT) (full int) {
	for i := range n.Pools {
		if p := &n.Pools[i]; p.Used == 20 && p.Loss == 1 {
			full++
		}
	}
	return full
}

// summary tells pools in few words.
func summary(n *source.NAT) string {
	var b strings.Builder
	for i := range n.Pools {
		p := &n.Pools[i]
		fmt.Fprintf(&b, "%v → %v:%d %v %d, ", p.Address, p.Remote, p.RemotePort, p.Proto, p.Used)
	}
	return fmt.Sprintf("%d entries, %+v, %s", n.Entries, n.Counters, &b)
}

// from gives the ends of new connections of one client, one port after the other.
func from(client string) func() (netip.AddrPort, uint32) {
	port := uint16(20000)
	return func() (netip.AddrPort, uint32) {
		port++
		return netip.AddrPortFrom(netip.MustParseAddr(client), port), uint32(port)
	}
}

// Ports of IPv6 are counted as those of IPv4 are.
func TestIPv6(t *testing.T) {
	lab, r := routed(t, `table ip6 nat { chain post { type nat hook postrouting priority srcnat; oifname "r1" meta l4proto tcp masquerade to :40000-40019; }; }`)
	lab.Client.Output("ip", "addr", "add", "fd91::2/64", "dev", "c0", "nodad")
	lab.Router.Output("ip", "addr", "add", "fd91::1/64", "dev", "r0", "nodad")
	lab.Router.Output("ip", "addr", "add", "fd92::1/64", "dev", "r1", "nodad")
	lab.Server.Output("ip", "addr", "add", "fd92::2/64", "dev", "s0", "nodad")
	lab.Client.Output("ip", "-6", "route", "add", "default", "via", "fd91::1")
	lab.Router.Sysctl("net.ipv6.conf.all.forwarding", "1")
	to := "[fd92::2]:443"
	lab.Server.Listen(to)
	if n, err := lab.Client.Fill(to, 20); err != nil || n != 20 {
		t.Fatal(n, err)
	}
	n := read(t, r, Turn)
	if len(n.Pools) != 1 || fullPools(&n) != 1 || n.Pools[0].Address.String() != "fd92::1" || n.Pools[0].Remote.String() != "fd92::2" ||
		n.Pools[0].Flows[0].Local.String() != "fd91::2" {
		t.Error(summary(&n))
	}
}

// Of several addresses the kernel picks one by client and destination, and no other
// when its ports run out: there are as many pools as addresses, and one is full.
func TestSeveralAddresses(t *testing.T) {
	lab, r := routed(t, netlab.SNATRules("snat to 10.92.0.1-10.92.0.4:40000-40019"))
	lab.Router.Output("ip", "neigh", "add", "10.92.0.3", "lladdr", "02:00:00:00:00:03", "dev", "r1")
	lab.Client.SYNs(26, mute, from("10.91.0.2"))
	n := read(t, r, Turn)
	if len(n.Pools) != 1 || fullPools(&n) != 1 || n.Counters.InsertFailed != 6 {
		t.Error(summary(&n))
	}
	for _, client := range []string{"10.91.0.3", "10.91.0.4", "10.91.0.5", "10.91.0.6", "10.91.0.7", "10.91.0.8"} {
		lab.Client.SYNs(26, mute, from(client))
	}
	if n = read(t, r, Focus); len(n.Pools) < 2 || len(n.Pools) > 4 || n.Entries != 20*fullPools(&n) && len(n.Pools) == fullPools(&n) {
		t.Error(summary(&n))
	}
}

// What is translated at its destination alone holds no port of a pool; a client that
// comes back to its own side by the router's address holds one of the inner address.
func TestForwardedPorts(t *testing.T) {
	lab, r := routed(t, `table ip nat {
		chain pre { type nat hook prerouting priority dstnat; ip daddr 10.92.0.1 tcp dport 8080 dnat to 10.91.0.2:80; }
		chain post { type nat hook postrouting priority srcnat; oifname "r0" ip saddr 10.91.0.0/24 masquerade; }
	}`)
	r.SetRules(nil)
	lab.Client.Listen("10.91.0.2:80")
	for range 5 {
		if _, err := lab.Server.Connect("10.92.0.1:8080"); err != nil {
			t.Fatal(err)
		}
	}
	if n := read(t, r, Focus); n.Entries != 5 || len(n.Pools) != 0 {
		t.Errorf("forwarded to the inside: %s", summary(&n))
	}
	for range 3 {
		if _, err := lab.Client.Connect("10.92.0.1:8080"); err != nil {
			t.Fatal(err)
		}
	}
	n := read(t, r, Focus)
	if len(n.Pools) != 1 || n.Pools[0].Used != 3 || n.Pools[0].Address.String() != "10.91.0.1" || n.Pools[0].Remote.String() != "10.91.0.2" || n.Pools[0].RemotePort != 80 {
		t.Errorf("and back to the inside: %s", summary(&n))
	}
}

// Zones have ports of their own, if they are of both directions.
func TestZones(t *testing.T) {
	for _, c := range []struct {
		zone  string
		pools int
	}{{"ct zone set 5", 2}, {"ct original zone set 5", 1}, {"ct reply zone set 5", 2}} {
		t.Run(c.zone, func(t *testing.T) {
			lab, r := routed(t, netlab.SNATRules("snat to "+netlab.NATAddress+":40000-40019")+
				"table ip zones { chain pre { type filter hook prerouting priority raw; ip saddr 10.91.0.3 "+c.zone+"; }; }\n")
			lab.Router.Output("ip", "neigh", "add", "10.92.0.3", "lladdr", "02:00:00:00:00:03", "dev", "r1")
			lab.Client.SYNs(20, mute, from("10.91.0.2"))
			lab.Client.SYNs(20, mute, from("10.91.0.3"))
			if n := read(t, r, Focus); len(n.Pools) != c.pools || fullPools(&n) != c.pools || n.Counters.InsertFailed != uint64(40-20*c.pools) {
				t.Error(summary(&n))
			}
		})
	}
}

// A destination's answers come from one address and port, so that each has ports of
// its own.
func TestPortsAreSharedByDestinations(t *testing.T) {
	lab, r := routed(t, netlab.SNATRules("snat to "+netlab.NATAddress+":40000-40019"))
	lab.Router.Output("ip", "neigh", "add", "10.92.0.3", "lladdr", "02:00:00:00:00:03", "dev", "r1")
	for _, port := range []uint16{443, 444, 445} {
		lab.Client.SYNs(21, netip.AddrPortFrom(mute.Addr(), port), from("10.91.0.2"))
	}
	if n := read(t, r, Turn); len(n.Pools) != 3 || fullPools(&n) != 3 || n.Entries != 60 || n.Counters.InsertFailed != 3 {
		t.Error(summary(&n))
	}
}

// Clients with a port below 1024 are given another one of those, which are not of the
// usual ports: they fill no pool.
func TestPrivilegedPorts(t *testing.T) {
	lab, r := routed(t, netlab.SNATRules("masquerade"))
	lab.Router.Output("ip", "neigh", "add", "10.92.0.3", "lladdr", "02:00:00:00:00:03", "dev", "r1")
	port := uint16(1010)
	next := func() (netip.AddrPort, uint32) {
		port++
		return netip.AddrPortFrom(netip.MustParseAddr("10.91.0.2"), port), 1
	}
	r.SetRules(nil)
	lab.Client.SYNs(20, mute, next) // from 1011 to 1030
	if n := read(t, r, Focus); n.Entries != 20 || len(n.Pools) != 1 || n.Pools[0].Used != 7 {
		t.Error(summary(&n))
	}
	r.SetRules([]source.SNATRule{{Ports: source.PortRange{Low: 1000, High: 1099}}})
	if n := read(t, r, Focus); len(n.Pools) != 1 || n.Pools[0].Used != 20 || n.Pools[0].Ports != 100 {
		t.Error(summary(&n))
	}
}

// What has no ports is no part of a pool.
func TestPing(t *testing.T) {
	lab, r := routed(t, `table ip nat { chain post { type nat hook postrouting priority srcnat; oifname "r1" masquerade; }; }`)
	lab.Client.Must(func() error {
		fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.IPPROTO_ICMP)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		echo := []byte{8, 0, 0xf7, 0xfd, 0, 1, 0, 1} // type, code, checksum, id, sequence
		return unix.Sendto(fd, echo, 0, &unix.SockaddrInet4{Addr: [4]byte{10, 92, 0, 2}})
	})
	if n := read(t, r, Focus); n.Entries != 1 || len(n.Pools) != 0 {
		t.Error(summary(&n))
	}
}
