package dashboard

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/model"
	"ephtop/source"
)

func TestStateLines(t *testing.T) {
	t.Parallel()
	counts := model.StateCounts{
		source.Established: 50, source.TimeWait: 90, source.SynSent: 3, source.CloseWait: 70, source.Listen: 10,
	}
	for _, test := range []struct {
		name   string
		height int
		want   []source.State
	}{
		{"room for all: in the order of life", 5,
			[]source.State{source.SynSent, source.Established, source.CloseWait, source.TimeWait, source.Listen}},
		{"room for three: the largest first, both parts in the order of life", 3,
			[]source.State{source.Established, source.CloseWait, source.TimeWait, source.SynSent, source.Listen}},
		{"not shown", 0,
			[]source.State{source.SynSent, source.Established, source.CloseWait, source.TimeWait, source.Listen}},
	} {
		t.Run(test.name, func(t *testing.T) {
			var got []source.State
			for _, l := range stateLines(nil, &counts, test.height) {
				got = append(got, l.state)
				if l.count != counts[l.state] {
					t.Errorf("%v counts %d, want %d", l.state, l.count, counts[l.state])
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

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
