package recording_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/demo"
	"ephtop/source/race"
	"ephtop/source/recording/anonymize"
)

// translated are moments of a host whose SNAT runs out of ports, and recovers.
func translated(t *testing.T) []*source.Moment {
	t.Helper()
	host, err := demo.New(demo.Options{Scenario: "snat", Step: 18 * time.Second})
	if err != nil {
		t.Fatal(err)
	}
	var moments []*source.Moment
	for range 9 {
		var m source.Moment
		if err := host.Poll(t.Context(), &m); err != nil {
			t.Fatal(err)
		}
		moments = append(moments, &m)
	}
	return moments
}

// natFigures are what the model says of translated ports, with or without names.
func natFigures(moments []*source.Moment, names bool) (figures [][]string) {
	fleet := model.NewFleet(model.Options{})
	for _, m := range moments {
		var o model.Overview
		fleet.Update(m, &o)
		var list []string
		note := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
		for i := range o.NATs {
			s := &o.NATs[i]
			note("%v, %+v, drops for %v, entries %d of %d, %+v", s.Level, s.Rates, s.Drops, s.NAT.Entries, s.NAT.Max, s.NAT.Counters)
			for _, p := range s.Pools {
				note("pool to port %d: %v, %d of %d, %d evictable, %d unreplied, %.3f lost", p.RemotePort, p.Level, p.Used, p.Capacity(), p.Evictable, p.Unreplied, p.Loss)
				if names {
					note("from %v to %v", p.Address, p.Remote)
				}
				for _, h := range p.Holders {
					note("%d ports, %v, process %v, namespace %v", h.Ports, h.Tier, h.Process != source.NoProcess, h.State >= 0)
					if names && h.Process != source.NoProcess {
						note("by %s in %s", o.Processes[h.Process].Name, o.States[h.State].Snapshot.Scope.Name)
					}
				}
			}
		}
		for i := range o.Findings {
			if f := &o.Findings[i]; f.NAT != nil {
				note("%v %v: %d of %d", f.Problem, f.Level, f.Count, f.Of)
			}
		}
		figures = append(figures, list)
	}
	return figures
}

// A recording holds all of it: what is replayed is what was seen.
func TestTranslatedPortsAreReplayed(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine computes all of it: it runs without the race detector")
	}
	t.Parallel()
	live := translated(t)
	recorded := record(t, live)
	replayed, _ := readAll(t, recorded)
	if len(replayed) != len(live) {
		t.Fatalf("%d moments, want %d", len(replayed), len(live))
	}
	levels := make(map[model.Level]bool)
	for i := range live {
		if d := cmp.Diff(live[i].NATs, replayed[i].NATs); d != "" {
			t.Errorf("moment %d: %s", i, d)
		}
	}
	if d := cmp.Diff(natFigures(live, true), natFigures(replayed, true)); d != "" {
		t.Error(d)
	}
	fleet := model.NewFleet(model.Options{})
	for _, m := range replayed {
		var o model.Overview
		fleet.Update(m, &o)
		levels[o.NATs[0].Level] = true
	}
	if len(levels) < 4 {
		t.Errorf("the story has the levels %v only", levels)
	}
}

// Without names, an address is the same one in a pool, in its flows and in sockets,
// so that whose the ports are is still told, and none of the originals is left.
func TestTranslatedPortsWithoutNames(t *testing.T) {
	if race.Enabled {
		t.Skip("one goroutine computes all of it: it runs without the race detector")
	}
	t.Parallel()
	named, nameless := translated(t), translated(t)
	a, err := anonymize.NewAnonymizer()
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range nameless {
		if err := a.Apply(m); err != nil {
			t.Fatal(err)
		}
	}
	if d := cmp.Diff(natFigures(named, false), natFigures(nameless, false)); d != "" {
		t.Error(d)
	}
	for i, m := range nameless {
		if d := cmp.Diff(joined(named[i]), joined(m)); d != "" {
			t.Errorf("moment %d: flows that are sockets: %s", i, d)
		}
		for _, p := range m.NATs[0].Pools {
			for _, f := range p.Flows {
				if f.Remote != p.Remote || f.RemotePort != p.RemotePort {
					t.Fatalf("moment %d: a flow to %v in the pool to %v", i, f.Remote, p.Remote)
				}
			}
			for _, was := range named[i].NATs[0].Pools {
				if p.Address == was.Address || p.Remote == was.Remote {
					t.Errorf("moment %d: %v to %v is left", i, p.Address, p.Remote)
				}
			}
		}
	}
}

// joined counts the flows of each pool that are sockets.
func joined(m *source.Moment) (counts []int) {
	sockets := make(map[source.Tuple]bool)
	for i := range m.Room {
		sockets[m.Room[i].Tuple()] = true
	}
	for _, p := range m.NATs[0].Pools {
		n := 0
		for _, f := range p.Flows {
			if sockets[f] {
				n++
			}
		}
		counts = append(counts, n)
	}
	return counts
}
