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
	"ephtop/source/procfs"
)

// What the first poll of a doctor tells of translated ports, its last one tells too: that
// a namespace got its cookie meanwhile makes no other of it, and those that were looked at
// lately are no gap.
func TestTranslatedPortsAreTold(t *testing.T) {
	if testing.Short() {
		t.Skip("nft takes longer than it may where a machine is emulated")
	}
	for _, kind := range []string{Tables, Sockdiag} {
		t.Run(kind, func(t *testing.T) {
			lab := fullPool(t)
			lab.Server.Track([]netlab.Tracked{{From: netip.MustParseAddrPort("10.1.1.1:1024"), To: netip.MustParseAddrPort("10.2.2.2:443"), State: 3}})
			router := procfs.Netns(unix.AT_FDCWD, lab.Router.Path())
			src := openInside(t, lab.Client, Options{Kind: kind, Once: true})
			for i := range 3 {
				m := poll(t, src)
				at := slices.IndexFunc(m.Limits, func(l source.Limit) bool { return l.Code == source.LimitNAT })
				switch {
				case at >= 0 && i == 0:
					t.Skipf("not seen here: %s", m.Limits[at].Detail)
				case at >= 0:
					t.Errorf("poll %d: %s", i, m.Limits[at].Detail)
				}
				if !slices.ContainsFunc(m.NATs, func(n source.NAT) bool { return n.Netns == router && len(n.Pools) > 0 && n.Pools[0].Used == 20 }) {
					t.Errorf("poll %d: %+v", i, m.NATs)
				}
			}
		})
	}
}

// Whoever holds the ports of a pool that is full is looked at, however few these are of
// its own range.
func TestWhoHoldsTranslatedPorts(t *testing.T) {
	if testing.Short() {
		t.Skip("nft takes longer than it may where a machine is emulated")
	}
	for _, kind := range []string{Tables, Sockdiag} {
		t.Run(kind, func(t *testing.T) {
			lab := fullPool(t)
			lab.Client.Child(t, exec.Command("cat"))
			client := procfs.Netns(unix.AT_FDCWD, lab.Client.Path())
			src := openInside(t, netlab.New(t, ""), Options{Kind: kind, Once: true})
			m := poll(t, src)
			if !slices.ContainsFunc(m.NATs, func(n source.NAT) bool { return len(n.Pools) > 0 && n.Pools[0].Used == 20 }) {
				t.Skipf("not seen here: %v", m.Limits)
			}
			at := slices.IndexFunc(m.Snapshots, func(s source.Snapshot) bool { return s.Scope.Netns == client })
			if at < 0 || len(m.Snapshots[at].Sockets) < 20 {
				t.Errorf("the client's namespace was not looked at: %v", m.Quiet)
			}
		})
	}
}

// On a slow host the namespace that translates is not looked at last, a minute later.
func TestFirstLooksAreNotPutOff(t *testing.T) {
	const slow = 200 * time.Millisecond
	if got := rest(slow, 3); got > time.Second {
		t.Errorf("%v with 3 that were never looked at", got)
	}
	if got := rest(slow, 0); got != turnShare*slow {
		t.Errorf("%v where all were looked at", got)
	}
}
