package advice_test

import (
	"testing"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

func TestHowToLearnWhose(t *testing.T) {
	t.Parallel()
	closed := model.TupleUse{Process: source.NoProcess, TimeWait: 900, Live: 10, Used: 910, Free: 90}
	live, owned, few := closed, closed, closed
	live.Live, live.TimeWait = 900, 10
	owned.Process = 0
	few.Used, few.Free = 1, 999
	hidden := source.Limit{Code: source.LimitHidden, Detail: "12 CAP_SYS_PTRACE CAP_DAC_READ_SEARCH"}
	sandbox := source.Limit{Code: source.LimitHidden, Detail: "12"}
	inside := source.Limit{Code: source.LimitOtherPIDs}
	others := source.Limit{Code: source.LimitOthersSockets}
	for _, c := range []struct {
		name     string
		use      model.TupleUse
		os       string
		traced   bool
		canTrace bool
		limits   []source.Limit
		want     string
	}{
		{"closes can be traced", closed, "linux", false, true, nil, "t traces closes"},
		{"closes are traced, and these were before", closed, "linux", true, false, nil, "older than tracing"},
		{"nothing can be traced here", closed, "linux", false, false, nil, "--trace would tell"},
		{"nor on another system", closed, "darwin", false, false, nil, ""},
		{"processes are hidden", closed, "linux", false, false, []source.Limit{hidden}, "run as root to see"},
		{"those of live connections too", live, "linux", true, false, []source.Limit{hidden}, "run as root to see"},
		{"sockets are", live, "darwin", false, false, []source.Limit{others}, "run as root to see"},
		{"in a sandbox no right helps", live, "linux", false, false, []source.Limit{sandbox}, ""},
		{"in a container", live, "linux", false, false, []source.Limit{inside}, "run on the host to see"},
		{"no trace tells whose live ones are", live, "linux", false, true, nil, ""},
		{"whose they are is known", owned, "linux", false, true, nil, ""},
		{"they are too few to matter", few, "linux", false, true, nil, ""},
	} {
		st := &model.State{Moment: &source.Moment{OS: c.os, Traced: c.traced, Limits: c.limits}}
		st.TCP.Pressure.Tuples = []model.TupleUse{c.use}
		if got := advice.HowToLearn(st, c.canTrace); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
