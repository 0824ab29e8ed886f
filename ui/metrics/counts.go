package metrics

import (
	"slices"
	"time"

	"ephtop/model"
	"ephtop/source"
)

// longestGap is the longest time between two polls of which the level is told:
// where they were farther apart, nobody looked.
const longestGap = 15 * time.Second

// counts are what only grows.
type counts struct {
	polls, failed, lost, waits, failures int
	levels                               [model.LevelExhausted + 1]time.Duration
	traced                               bool // the last poll

	keeps      bool // recordings of trouble
	recordings int
	recording  string // path of the last one
}

// add counts a poll so long after the one before. The level that it finds counts
// for the time since then: so that the counter moves with the very poll that
// finds trouble, and a trouble that one poll saw counts once, as the connects that
// failed in that time do. Of one namespace, what failed in others does not count.
func (c *counts) add(o *model.Overview, passed time.Duration, one bool) {
	m := o.Moment
	c.polls++
	c.lost += m.LostEvents
	c.traced = m.Traced
	if passed <= longestGap {
		c.levels[o.Level] += passed
	}
	for i := range m.Events {
		if e := &m.Events[i]; e.Kind == source.ConnectFailed && e.Tuple.Proto == source.TCP && (!one || seen(o, e.Netns)) {
			c.failures++
		}
	}
	for _, st := range o.States {
		c.waits += begun(st)
	}
}

// seen reports whether an event's namespace was looked at. Where the event does not
// tell, it may have been.
func seen(o *model.Overview, netns uint64) bool {
	return netns == 0 || slices.ContainsFunc(o.States, func(st *model.State) bool { return st.Snapshot.Scope.Netns == netns })
}

// begun counts the TIME_WAIT that began since the look before, by the time that
// they have left, where it is known how much there was.
func begun(st *model.State) int {
	wait := st.Snapshot.Settings.TimeWait
	if wait == 0 || st.Elapsed == 0 {
		return 0
	}
	n, since := 0, wait-st.Elapsed
	for i := range st.Snapshot.Sockets {
		s := &st.Snapshot.Sockets[i]
		if s.State == source.TimeWait && s.Timer == source.TimerTimeWait && time.Duration(s.Expires)*time.Millisecond > since {
			n++
		}
	}
	return n
}

func (c *counts) render(p *pen) {
	p.counter("polls_total", "Looks at the host, those that failed among them.", float64(c.polls))
	p.counter("poll_failures_total", "Looks at the host that failed.", float64(c.failed))
	p.counter("trace_lost_events_total", "Events that the kernel told and that had no room, so that counts of events are the least that there were.", float64(c.lost))
	p.counter("time_wait_started_total", "TIME_WAIT seen to begin, of all namespaces that are looked at.", float64(c.waits))
	for l, d := range c.levels {
		p.counter("level_seconds_total", "Time that the host was at each level, as far as polls were no more than 15 s apart.", d.Seconds(), "level", model.Level(l).String())
	}
	if c.keeps {
		p.counter("flight_recordings_total", "Recordings of trouble that were begun; absent where none are kept.", float64(c.recordings))
	}
	if c.recording != "" {
		p.gauge("flight_recording_info", "1, with the name of the last recording of trouble.", 1, "file", label(c.recording))
	}
	if c.traced {
		p.counter("connect_failures_total", "TCP connects that failed for want of a port, in the namespaces asked for, as the kernel told. Absent where it is not traced.", float64(c.failures))
	}
}
