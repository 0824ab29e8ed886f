package model

import (
	"slices"
	"testing"

	"ephtop/source"
)

// behindOwn is a moment of a host whose rule has 20 ports: two containers lead through
// it to a server, and hold so many of them; the others of their connects wait.
func behindOwn(seconds float64, first, second, waiting int) *source.Moment {
	m := moment(seconds)
	m.Snapshots[0].Scope.Netns = 1
	pool := natPool(first+second, 0)
	pool.Ports = 20
	for i, held := range [...]int{first, second} {
		ip := [...]string{"172.18.0.2", "172.18.0.3"}[i]
		live := connections(held, source.Established, ip, 40000, 1, "93.184.216.34:443")
		for _, s := range live {
			pool.Flows = append(pool.Flows, s.Tuple())
		}
		silent := connections(waiting, source.SynSent, ip, 40050, 1, "93.184.216.34:443")
		silent = append(silent, connections(waiting, source.SynSent, ip, 40080, 1, "10.9.9.9:80")...)
		for i := range silent {
			silent[i].Retransmits = 3
		}
		k := source.Snapshot{Scope: source.Scope{Netns: uint64(2 + i)}, Settings: testSettings(), Sockets: append(live, silent...)}
		m.Snapshots = append(m.Snapshots, k)
	}
	m.NATs = []source.NAT{{Netns: 1, Entries: first + second, Seen: first + second, Max: 1 << 18, Pools: []source.NATPool{pool}}}
	return m
}

// silences are the destinations of unanswered connects of a namespace, each with
// whether a pool was named for it.
func silentTo(o *Overview, netns uint64) map[string]bool {
	named := make(map[string]bool)
	for _, st := range o.States {
		for i := range st.Findings {
			if f := &st.Findings[i]; f.Problem == SynSent && st.Snapshot.Scope.Netns == netns {
				named[f.Tuple.To()] = f.NATPool != nil && f.NAT != nil && f.NATPool.Remote == f.Tuple.Destination && f.NAT.Scope.Netns == 1
			}
		}
	}
	return named
}

// Connects that get no port of a full pool are laid to it, also those of who holds none
// of its ports; connects to elsewhere, and those past a pool that has some, are not.
func TestConnectsBehindAFullPool(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name          string
		first, second int
		want          bool
	}{
		{"full, of both", 12, 8, true},
		{"full, of the first alone", 20, 0, true},
		{"not full", 12, 5, false},
	} {
		w := newTeller()
		w.tell(behindOwn(0, c.first, c.second, 4))
		for netns := uint64(2); netns <= 3; netns++ {
			got := silentTo(&w.overview, netns)
			if len(got) != 2 || got["93.184.216.34:443"] != c.want || got["10.9.9.9:80"] {
				t.Errorf("%s: namespace %d: %v", c.name, netns, got)
			}
		}
	}
}

// Connects that stay without an answer are laid to a table of connection tracking that
// is full: of their own namespace, and of the host that passes them on.
func TestConnectsBehindAFullTable(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		netns uint64 // whose table it is, and of what kind that is
		kind  source.ScopeKind
		room  int
		want  [2]bool // of the namespaces 2 and 3
	}{
		{"of the host", 1, source.ScopeHost, 0, [2]bool{true, true}},
		{"its own", 2, source.ScopeContainer, 0, [2]bool{true, false}},
		{"of another container", 1, source.ScopeContainer, 0, [2]bool{false, false}},
		{"with room", 1, source.ScopeHost, 100_000, [2]bool{false, false}},
	} {
		w := newTeller()
		m := behindOwn(0, 0, 0, 4)
		m.Snapshots[c.netns-1].Scope.Kind = c.kind
		m.NATs = []source.NAT{{Netns: c.netns, Entries: 262_140 - c.room, Max: 262_144}}
		w.tell(m)
		for i, want := range c.want {
			for _, st := range w.overview.States {
				for _, f := range st.Findings {
					if f.Problem == SynSent && st.Snapshot.Scope.Netns == uint64(2+i) && (f.NAT != nil) != want {
						t.Errorf("%s: namespace %d: %+v", c.name, 2+i, f.NAT)
					}
				}
			}
			if silent := len(silentTo(&w.overview, uint64(2+i))); silent != 2 {
				t.Errorf("%s: namespace %d: %d destinations", c.name, 2+i, silent)
			}
		}
	}
}

// What ends first is told where a finding counts ports of the range, and not where the
// range itself is nearer to its end.
func TestRangeBehindAPool(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		live, more int // of the range, and of the pool in all
		want       bool
	}{
		{"the pool ends first", 75, 60_000, true},
		{"the range ends first", 95, 40_000, false},
		{"nothing is known of a pool that is ample", 75, 10_000, false},
	} {
		m := moment(0)
		m.Snapshots[0].Scope.Netns = 1
		live := connections(c.live, source.Established, "172.18.0.2", 40000, 1, "93.184.216.34:443")
		pool := natPool(c.more, 0, live[0].Tuple(), live[1].Tuple())
		m.Snapshots = append(m.Snapshots, source.Snapshot{Scope: source.Scope{Netns: 2}, Settings: testSettings(), Sockets: live})
		m.NATs = []source.NAT{{Netns: 1, Entries: c.more, Seen: c.more, Max: 1 << 18, Pools: []source.NATPool{pool}}}
		w := newTeller()
		w.tell(m)
		i := slices.IndexFunc(w.overview.Findings, func(f Finding) bool { return f.Problem == TupleFull })
		if i < 0 {
			t.Fatalf("%s: %+v", c.name, w.overview.Findings)
		}
		if f := &w.overview.Findings[i]; (f.NATPool != nil) != c.want {
			t.Errorf("%s: %+v", c.name, f.NATPool)
		}
	}
}

// So it is with a NAT on the way that was told of.
func TestRangeBehindANATOnTheWay(t *testing.T) {
	t.Parallel()
	for ports, want := range map[int]bool{80: true, 100: true, 200: false} {
		w := tellWay(ports)
		w.tell(moment(0, connections(75, source.Established, "10.0.0.9", 40000, 1, farAway)...))
		st := w.overview.States[0]
		i := slices.IndexFunc(st.Findings, func(f Finding) bool { return f.Problem == TupleFull })
		if i < 0 || (st.Findings[i].Way != nil) != want {
			t.Errorf("of %d: %+v", ports, st.Findings)
		}
	}
}

// What may have been freed raises no more than a warning, unless connects get no answer
// meanwhile.
func TestWayLevelOfWhatMayBeFreed(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		live, opening, timeWait int
		want                    Level
	}{{3, 0, 30, LevelWarning}, {3, 6, 30, LevelCritical}, {3, 17, 0, LevelWarning}, {17, 0, 3, LevelCritical}} {
		silent := connections(c.opening, source.SynSent, "10.0.0.9", 40030, 1, farAway)
		for i := range silent {
			silent[i].Retransmits = 3
		}
		w := tellWay(20)
		w.tell(moment(0, slices.Concat(connections(c.live, source.Established, "10.0.0.9", 40000, 1, farAway), silent,
			connections(c.timeWait, source.TimeWait, "10.0.0.9", 40060, 1, farAway))...))
		if p := &w.overview.Ways[0]; p.Level != c.want || p.Certain() != c.live {
			t.Errorf("%+v: %v, %d for certain", c, p.Level, p.Certain())
		}
	}
}
