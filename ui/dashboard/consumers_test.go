package dashboard

import (
	"slices"
	"testing"

	"ephtop/model"
	"ephtop/source"
)

func TestMergeConsumers(t *testing.T) {
	t.Parallel()
	st := &model.State{Processes: []source.Process{{PID: 1, Start: 5}, {PID: 2, Start: 6}}}
	st.TCP.Consumers[model.ByProcess] = []model.Consumer{
		{Process: 0, Tier: model.OwnerObserved, Ports: 10, Sockets: 12, Rate: 1, Most: model.TupleKey{Port: 443}},
		{Process: 0, Tier: model.OwnerInferred, Ports: 4, Sockets: 4},
	}
	st.UDP.Consumers[model.ByProcess] = []model.Consumer{
		{Process: 1, Tier: model.OwnerObserved, Ports: 30, Sockets: 30},
		{Process: 0, Tier: model.OwnerObserved, Ports: 11, Sockets: 11, Rate: 2, Most: model.TupleKey{Port: 53},
			States: model.StateCounts{source.Bound: 11}},
	}
	want := []model.Consumer{
		{Process: 1, Tier: model.OwnerObserved, Ports: 30, Sockets: 30},
		{Process: 0, Tier: model.OwnerObserved, Ports: 21, Sockets: 23, Rate: 3, Most: model.TupleKey{Port: 53},
			States: model.StateCounts{source.Bound: 11}},
		{Process: 0, Tier: model.OwnerInferred, Ports: 4, Sockets: 4},
	}
	if got := mergeConsumers(nil, st, model.ByProcess); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if st.TCP.Consumers[model.ByProcess][0].Ports != 10 {
		t.Error("the state was changed")
	}
}

func TestMergeConsumersByName(t *testing.T) {
	t.Parallel()
	st := new(model.State)
	st.TCP.Consumers[model.ByUnit] = []model.Consumer{
		{Process: source.NoProcess, Name: "ssh.service", Ports: 3}, {Process: source.NoProcess, Name: "nginx.service", Ports: 2},
	}
	st.UDP.Consumers[model.ByUnit] = []model.Consumer{{Process: source.NoProcess, Name: "nginx.service", Ports: 5}}
	want := []model.Consumer{
		{Process: source.NoProcess, Name: "nginx.service", Ports: 7}, {Process: source.NoProcess, Name: "ssh.service", Ports: 3},
	}
	if got := mergeConsumers(nil, st, model.ByUnit); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
