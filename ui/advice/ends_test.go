package advice_test

import (
	"slices"
	"strings"
	"testing"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

// What ends first is named in order, with figures and with what helps.
func TestWhatEndsFirst(t *testing.T) {
	t.Parallel()
	st := with(host(), towards(database, 10000, 8068, 8000))
	for _, test := range []struct {
		open, limit int
		order       []string
		next        string
	}{
		{960, 1024, []string{"descriptors of api (pid 3120): 960 of 1,024 · 94 %", "ports to 10.0.9.2:5432: 18,068 of 28,232 · 64 %", "TIME_WAIT that"}, "LimitNOFILE=65536"},
		{64, 64, []string{"descriptors of api (pid 3120): 64 of 64 · 100 %", "ports to"}, "ulimit -n 65536"},
		{96000, 100000, []string{"descriptors of api (pid 3120): 96,000 of 100,000 · 96 %"}, "nofile=200000"},
		{100, 1024, []string{"ports to 10.0.9.2:5432", "descriptors of api (pid 3120): 100 of 1,024"}, "nothing to do"},
	} {
		ev := &source.Evidence{Resources: source.Resources{
			Status: source.Status{Outcome: source.OutcomeRead}, Descriptors: []source.Descriptors{{PID: 3120, Name: "api", Open: test.open, Limit: test.limit}},
		}}
		items := advice.Checklist(st, ev, advice.Sample{Polls: 1})
		item := items[slices.IndexFunc(items, func(i advice.Item) bool { return i.Topic == model.TopicEnds })]
		rest := item.Seen[0]
		for _, want := range test.order {
			_, after, ok := strings.Cut(rest, want)
			if !ok {
				t.Errorf("%d of %d: %q is not next in %q", test.open, test.limit, want, item.Seen[0])
			}
			rest = after
		}
		if next := strings.Join(item.Next, "\n"); !strings.Contains(next, test.next) {
			t.Errorf("%d of %d: next is %q, want %q", test.open, test.limit, next, test.next)
		}
	}
}

// A program that is told by its file alone is told, with its cure.
func TestAGoProgramIsToldByItsFile(t *testing.T) {
	t.Parallel()
	st := with(host(), towards(tuple("10.0.0.9", "10.0.9.7:443"), 41, 3641, 3500))
	st.Churn = []model.Churn{{Tuple: tuple("10.0.0.9", "10.0.9.7:443"), Process: java, Tier: model.OwnerObserved, CloseRate: 60, TimeWait: 3600}}
	ev := &source.Evidence{Resources: source.Resources{Descriptors: []source.Descriptors{{PID: 3120, Name: "api", Runtime: "go1.26.0"}}}}
	for _, item := range advice.Checklist(st, ev, advice.Sample{Polls: 1}) {
		if item.Topic == model.TopicPooling && !strings.Contains(item.Next[0], "MaxIdleConnsPerHost") {
			t.Errorf("next is %q, want the cure of a Go program first", item.Next)
		}
	}
}
