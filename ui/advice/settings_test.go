package advice_test

import (
	"strings"
	"testing"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

// The rate that a narrow range bears is not said of what can take over a
// TIME_WAIT, and none is not called a rate.
func TestWhatANarrowRangeBears(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		reuse, blocked int
		want           string
	}{
		{0, 0, "no more than 1.6 closes/s for good."},
		{1, 0, "no more than 1.6 closes/s for good where connect() can't take over a TIME_WAIT."},
		{2, 0, "no more than 1.6 closes/s for good where connect() can't take over a TIME_WAIT."},
		{2, 40, "no more than 1 close/s for good where connect() can't take over a TIME_WAIT."},
		{2, 100, "no more connections than there are ports."},
	} {
		st := with(host(), settings(func(s *source.Settings) { s.ReuseTimeWait = test.reuse }))
		st.TCP.Pressure.Usable, st.TCP.Pressure.Blocked = 100, test.blocked
		f := model.Finding{Problem: model.NarrowRange, Process: none, Count: 100, Of: 28232}
		if a := advice.Of(st, &f); !strings.HasSuffix(a.Why, test.want) {
			t.Errorf("%+v: %s", test, a.Why)
		}
	}
}

// A title ends with a whole port.
func TestTheTitleOfListenersNamesWholePorts(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 2, 3, 4, 6, 7, 35, 28000} {
		f := model.Finding{Problem: model.ListenerInRange, Process: java, Tier: model.OwnerObserved}
		for i := range n {
			f.Ports = append(f.Ports, 32768+uint16(i))
		}
		if a := advice.Of(host(), &f); strings.Contains(a.Title, "…") {
			t.Errorf("%d ports: %s", n, a.Title)
		}
	}
}
