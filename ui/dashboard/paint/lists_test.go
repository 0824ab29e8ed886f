package paint

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/model"
	"ephtop/source"
)

// Connections that come and go take nobody's place.
func TestAvailableStaysInSight(t *testing.T) {
	t.Parallel()
	for height := 10; height < 60; height++ {
		var shown [2]bool
		for passing := range shown {
			v := sampleView(80, height)
			counts := v.State.TCP.States
			counts[source.SynSent] = passing
			v.ListStates(&counts)
			shown[passing] = strings.Contains(plain().Frame(v), "available ")
		}
		if shown[0] != shown[1] || !shown[0] && height >= 24 {
			t.Errorf("%d lines: what is available is shown: %v, with one SYN_SENT %v", height, shown[0], shown[1])
		}
	}
}

func TestListStates(t *testing.T) {
	t.Parallel()
	counts := model.StateCounts{
		source.Established: 50, source.TimeWait: 90, source.SynSent: 3, source.CloseWait: 70, source.Listen: 10, source.FinWait2: 60,
	}
	all := []source.State{
		source.SynSent, source.Established, source.CloseWait, source.FinWait2, source.TimeWait, source.Listen,
	}
	blocked := model.Finding{Problem: model.SynSent, Level: model.LevelWarning}
	for _, test := range []struct {
		name          string
		width, height int
		findings      []model.Finding
		want          []source.State
		warned        []source.State
	}{
		{"room for all: in the order of life", 120, 40, nil, all, nil},
		{
			"room for three beside what is available: the largest first, both parts in the order of life", 80, 24, nil,
			[]source.State{source.CloseWait, source.FinWait2, source.TimeWait, source.SynSent, source.Established, source.Listen}, nil,
		},
		{
			"what a finding is about before the largest", 80, 24, []model.Finding{blocked},
			[]source.State{source.SynSent, source.CloseWait, source.TimeWait, source.Established, source.FinWait2, source.Listen},
			[]source.State{source.SynSent},
		},
		{"not shown", 20, 5, nil, all, nil},
		{
			"each finding its states", 120, 40,
			[]model.Finding{blocked, {Problem: model.CloseWait, Level: model.LevelCritical}, {Problem: model.Orphans, Level: model.LevelWarning}}, all,
			[]source.State{source.SynSent, source.CloseWait, source.FinWait2},
		},
		{"of no weight, or of another namespace", 120, 40, []model.Finding{{Problem: model.Orphans}, {Problem: model.CloseWait, Level: model.LevelWarning, State: 1}}, all, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			st := sampleState(0)
			v := &View{Width: test.width, Height: test.height, State: st, Findings: test.findings}
			v.Overview = &model.Overview{States: []*model.State{st, sampleState(0)}}
			v.ListStates(&counts)
			var got, warned []source.State
			for _, l := range v.States {
				got = append(got, l.State)
				if l.Level > model.LevelOK {
					warned = append(warned, l.State)
				}
				if l.Count != counts[l.State] {
					t.Errorf("%v counts %d, want %d", l.State, l.Count, counts[l.State])
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(test.warned, warned); diff != "" {
				t.Error("warned:", diff)
			}
		})
	}
}
