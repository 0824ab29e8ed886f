package paint

import (
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
			for _, l := range StateLines(nil, &counts, test.height) {
				got = append(got, l.State)
				if l.Count != counts[l.State] {
					t.Errorf("%v counts %d, want %d", l.State, l.Count, counts[l.State])
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}
