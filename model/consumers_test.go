package model

import (
	"slices"
	"testing"

	"ephtop/source"
)

func TestConsumersOfBothProtocolsAreAddedUp(t *testing.T) {
	t.Parallel()
	st := &State{Processes: []source.Process{{PID: 1, Start: 5}, {PID: 2, Start: 6}}}
	st.TCP.Consumers[ByProcess] = []Consumer{
		{Process: 0, Tier: OwnerInferred, Ports: 10, Likely: 10, Sockets: 12, Rate: 1, Most: TupleKey{Port: 443}},
	}
	st.UDP.Consumers[ByProcess] = []Consumer{
		{Process: 1, Tier: OwnerObserved, Ports: 30, Sockets: 30},
		{Process: 0, Tier: OwnerObserved, Ports: 11, Sockets: 11, Rate: 2, Most: TupleKey{Port: 53}, States: StateCounts{source.Bound: 11}},
	}
	st.TCP.Consumers[ByUnit] = []Consumer{
		{Process: source.NoProcess, Name: "ssh.service", Ports: 3}, {Process: source.NoProcess, Name: "nginx.service", Ports: 2},
	}
	st.UDP.Consumers[ByUnit] = []Consumer{{Process: source.NoProcess, Name: "nginx.service", Ports: 5}}
	want := map[Grouping][]Consumer{
		ByProcess: {
			{Process: 1, Tier: OwnerObserved, Ports: 30, Sockets: 30},
			{Process: 0, Tier: OwnerObserved, Ports: 21, Likely: 10, Sockets: 23, Rate: 3, Most: TupleKey{Port: 53}, States: StateCounts{source.Bound: 11}},
		},
		ByUnit: {
			{Process: source.NoProcess, Name: "nginx.service", Ports: 7}, {Process: source.NoProcess, Name: "ssh.service", Ports: 3},
		},
	}
	for by, list := range want {
		if got := st.AppendConsumers(nil, by, source.TCP, source.UDP); !slices.Equal(got, list) {
			t.Errorf("by %v: got %+v, want %+v", by, got, list)
		}
	}
	if st.TCP.Consumers[ByProcess][0].Ports != 10 {
		t.Error("the state was changed")
	}
}

// Whose a port is that was there before may be found out; the one has not grown
// by that, nor has the other shrunk.
func TestWhatIsFoundOutIsNoGrowth(t *testing.T) {
	t.Parallel()
	host := newTeller()
	var st *State
	for second := range 8 {
		list := spread(100+10*second, source.TimeWait, "10.0.0.1", db)
		for i := range list {
			list[i].Cookie = uint64(i + 1)
			if second >= 3 && i < 90 || i >= 100 {
				list[i].Process = 0
			}
		}
		st = host.tell(withProcesses(place(settingsOf(moment(float64(second), list...), ports(2000))), java))
		for _, g := range []Grouping{ByProcess, ByUser} {
			for _, c := range st.TCP.Consumers[g] {
				if c.Tier == OwnerUnknown && c.Rate != 0 || c.Rate > 10 {
					t.Errorf("second %d, by %v: %+.1f ports/s of %d", second, g, c.Rate, c.Ports)
				}
			}
		}
	}
	if c := st.TCP.Consumers[ByProcess][0]; c.Ports != 160 || c.Rate < 5 {
		t.Errorf("java holds %d ports, %+.1f/s, want 160 and 10/s", c.Ports, c.Rate)
	}
}
