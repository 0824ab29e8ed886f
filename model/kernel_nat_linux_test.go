package model_test

import (
	"math"
	"math/rand/v2"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/live"
	"ephtop/source/netlab"
)

// natLab is a router before a host that answers nothing.
type natLab struct {
	*testing.T
	*netlab.Routed
	to netip.AddrPort
}

func newNATLab(t *testing.T, action string) *natLab {
	t.Helper()
	l := &natLab{t, netlab.NewRouted(t, netlab.SNATRules(action)), netip.MustParseAddrPort("10.92.0.3:443")}
	l.Router.Output("ip", "neigh", "add", l.to.Addr().String(), "lladdr", "02:00:00:00:00:03", "dev", "r1")
	l.Router.Sysctl("net.netfilter.nf_conntrack_tcp_timeout_syn_sent", "3600") // they are to last, on a slow machine too
	return l
}

// send has n connections begin, each from any port of any of 200 clients.
func (l *natLab) send(n int) {
	l.Helper()
	l.Client.SYNs(n, l.to, func() (netip.AddrPort, uint32) {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 91, 0, byte(2 + rand.IntN(200))}), uint16(1024+rand.IntN(64512))), rand.Uint32()
	})
}

// fill has connections begin until so many are there.
func (l *natLab) fill(n int) {
	l.Helper()
	for range 100 {
		have, err := strconv.Atoi(strings.TrimSpace(l.Router.Output("cat", "/proc/sys/net/netfilter/nf_conntrack_count")))
		if err != nil {
			l.Fatal(err)
		}
		if have >= n {
			return
		}
		l.send(n - have)
	}
	l.Fatalf("%d connections don't come about", n)
}

// look looks at the router alone, as if for the first time.
func (l *natLab) look() (*model.NATState, []model.Finding) {
	l.Helper()
	src := openInside(l.T, l.Client, live.Options{Kind: live.Sockdiag, Netns: l.Router.Path(), Once: true})
	var m source.Moment
	var o model.Overview
	if err := src.Poll(l.Context(), &m); err != nil {
		l.Fatal(err)
	}
	model.NewFleet(model.Options{}).Update(&m, &o)
	for _, limit := range m.Limits {
		if limit.Code == source.LimitNAT {
			l.Skipf("translated ports are not seen here: %s", limit.Detail)
		}
	}
	if len(o.NATs) == 0 && len(o.States) == 1 {
		l.Skip("connection tracking is not there, or does not answer")
	}
	if len(o.NATs) != 1 || len(o.NATs[0].Pools) != 1 || o.NATs[0].State != 0 {
		l.Fatalf("%+v", o.NATs)
	}
	return &o.NATs[0], o.Findings
}

// The model knows how many connections find no port, and says so from where on that
// is to be felt: between 85 and 90 % of a pool that fills.
func TestKernelNATLoss(t *testing.T) {
	if sampled() {
		t.Skip("60,000 connections take long where a machine is emulated, or the race detector watches")
	}
	t.Parallel()
	l := newNATLab(t, "masquerade")
	const ports = source.UnboundNATPorts
	for _, c := range []struct {
		percent int
		finding bool
	}{{85, false}, {90, true}, {93, true}, {96, true}, {98, true}} {
		l.fill(ports * c.percent / 100)
		before, findings := l.look()
		pool := &before.Pools[0]
		found := false
		for _, f := range findings {
			found = found || f.Problem == model.NATLoss
		}
		if got := int(pool.Percent()); got != c.percent && got+1 != c.percent || found != c.finding {
			t.Errorf("at %d %%, want %d %%: loss of %.2f %%, and that it is said is %t", got, c.percent, 100*pool.Loss, found)
		}
		const sent = 600
		l.send(sent)
		after, _ := l.look()
		lost := float64(after.NAT.Counters.InsertFailed - before.NAT.Counters.InsertFailed)
		want := sent * (pool.Loss + after.Pools[0].Loss) / 2
		t.Logf("%.1f %%: %v of %d packets lost, %.1f expected", pool.Percent(), lost, sent, want)
		if slack := 4 * math.Sqrt(max(lost, want, 1)); lost > 2*want+slack || 2*lost+slack < want {
			t.Errorf("at %d %%: %v of %d packets lost, %.1f expected", c.percent, lost, sent, want)
		}
	}
}
