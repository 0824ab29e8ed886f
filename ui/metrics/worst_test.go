package metrics

import (
	"testing"
	"time"

	"ephtop/source"
)

// The worst is what the level is about: UDP where that is in more trouble than TCP.
func TestWorst(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name     string
		tcp, udp int // ports of 100
		want     map[string]string
	}{
		{"TCP", 70, 65, map[string]string{"level": "1", "worst_used_ports": "70", "worst_exhaustion_seconds": "+Inf"}},
		{"UDP", 30, 85, map[string]string{"level": "2", "worst_used_ports": "85", "worst_exhaustion_seconds": "+Inf", "worst_plateau_ports": "0", "worst_closes_per_second": "0"}},
		{"TCP, of which nothing is left", 100, 100, map[string]string{"level": "3", "worst_used_ports": "100", "worst_exhaustion_seconds": "0"}},
		{"UDP, of which nothing is left", 30, 100, map[string]string{"level": "3", "worst_used_ports": "100", "worst_exhaustion_seconds": "0", "worst_plateau_ports": "100"}},
		{"nothing", 0, 0, map[string]string{"level": "0", "worst_used_ports": "0", "worst_exhaustion_seconds": "+Inf"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			host := newSmall(DefaultOptions)
			for range 5 {
				host.next(5 * time.Second)
				for _, name := range []string{"a", "b"} { // two, so that namespaces have series
					scope := source.Scope{Name: name, Netns: uint64(name[0]), Kind: source.ScopeContainer}
					host.add(scope, map[byte]int{1: test.tcp})
					snap := &host.moment.Snapshots[len(host.moment.Snapshots)-1]
					for i := range test.udp {
						snap.Sockets = append(snap.Sockets, source.Socket{Proto: source.UDP, State: source.Bound, LocalPort: uint16(40000 + i), Process: source.NoProcess, Inode: uint32(1000 + i)})
					}
				}
				host.observe()
			}
			page := figures(gathered(t, host.Collector))
			for name, want := range test.want {
				if got := page[prefix+name]; got != want {
					t.Errorf("%s is %s, want %s", name, got, want)
				}
			}
			want := map[string]string{"70": "0.7", "85": "0.85", "100": "1", "0": ""}[test.want["worst_used_ports"]]
			if got := page[`ephtop_netns_worst_used_ratio{kind="container",netns="a"}`]; got != want {
				t.Errorf("of a namespace %q is used, want %q", got, want)
			}
		})
	}
}
