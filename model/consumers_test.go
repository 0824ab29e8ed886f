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
