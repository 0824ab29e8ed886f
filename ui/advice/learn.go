package advice

import (
	"slices"
	"strings"

	"ephtop/model"
	"ephtop/source"
)

// worthAsking is the share of the range, in percent, from which it matters whose
// the ports are.
const worthAsking = 1

// HowToLearn says in a few words how to learn whose most of the ports to the
// worst destination are, or why nobody can; "" where that is known, does not
// matter, or nothing is to be said. canTrace says that the key t would trace
// closes.
func HowToLearn(st *model.State, canTrace bool) string {
	t := st.TCP.Pressure.Worst()
	if t == nil || t.Process != source.NoProcess || t.Percent() < worthAsking {
		return ""
	}
	closed := t.TimeWait >= t.Live
	switch {
	case closed && st.Moment.Traced:
		return "older than tracing"
	case closed && canTrace:
		return "t traces closes"
	case rightsWouldTell(st.Moment):
		return "run as root to see"
	case limited(st.Moment, source.LimitOtherPIDs):
		return "run on the host to see"
	case closed && st.Moment.OS == "linux":
		return "--trace would tell"
	}
	return ""
}

func limited(m *source.Moment, code source.LimitCode) bool {
	return slices.ContainsFunc(m.Limits, func(l source.Limit) bool { return l.Code == code })
}

// rightsWouldTell reports whether more rights would show whose sockets are.
func rightsWouldTell(m *source.Moment) bool {
	return slices.ContainsFunc(m.Limits, func(l source.Limit) bool {
		return l.Code == source.LimitOthersSockets || l.Code == source.LimitHidden && strings.Contains(l.Detail, "CAP_")
	})
}
