package model

import (
	"testing"
	"time"

	"ephtop/source"
)

// closed is the event of a close that leaves a TIME_WAIT.
func closed(local, remote string, p source.Process) source.Event {
	s := socket(source.TimeWait, local, remote)
	return source.Event{Kind: source.Closed, Tuple: s.Tuple(), Process: p}
}

// failed is the event of a connect that found no port.
func failed(seconds float64, remote string, p source.Process) source.Event {
	a, port := endpoint(remote)
	return source.Event{
		Kind: source.ConnectFailed, Time: epoch.Add(time.Duration(seconds * float64(time.Second))),
		Tuple: source.Tuple{Proto: source.TCP, Remote: a, RemotePort: port}, Process: p,
	}
}

func withEvents(s *source.Moment, events ...source.Event) *source.Moment {
	s.Traced, s.Events = true, events
	return s
}

func TestTracedOwner(t *testing.T) {
	t.Parallel()
	wait := owned(socket(source.TimeWait, "10.0.0.1:40000", db), 7, source.NoProcess)
	event := closed("10.0.0.1:40000", db, java)
	cases := []struct {
		name    string
		moments []*source.Moment
		owner   string
		tier    Tier
	}{
		{"in the same moment", []*source.Moment{withEvents(moment(0, wait), event)}, "java", OwnerTraced},
		{"in the moment after", []*source.Moment{withEvents(moment(0), event), withEvents(moment(1, wait))}, "java", OwnerTraced},
		{"for as long as it lasts", []*source.Moment{withEvents(moment(0, wait), event), withEvents(moment(1, wait)), withEvents(moment(59, wait))}, "java", OwnerTraced},
		{
			"through FIN_WAIT2", []*source.Moment{
				withEvents(moment(0, owned(with(socket(source.FinWait2, "10.0.0.1:40000", db), func(s *source.Socket) { s.Inode = 0 }), 7, source.NoProcess)), event),
				withEvents(moment(20, wait)),
			}, "java", OwnerTraced,
		},
		{"not for another four-tuple", []*source.Moment{withEvents(moment(0, wait), closed("10.0.0.1:40002", db, java))}, "", OwnerUnknown},
		{
			"not long after the close", []*source.Moment{
				withEvents(moment(0), event), withEvents(moment(1)), withEvents(moment(2)), withEvents(moment(3)), withEvents(moment(90, wait)),
			}, "", OwnerUnknown,
		},
		{
			"the closer, not who was seen before", []*source.Moment{
				withProcesses(moment(0, owned(socket(source.Established, "10.0.0.1:40000", db), 7, 0)), curl),
				withEvents(moment(1, wait), event),
			}, "java", OwnerTraced,
		},
		{
			"not a closer that could not be looked up, where another was seen", []*source.Moment{
				withProcesses(moment(0, owned(socket(source.Established, "10.0.0.1:40000", db), 7, 0)), curl),
				withEvents(moment(1, wait), closed("10.0.0.1:40000", db, source.Process{PID: 77, Name: "thread"})),
			}, "curl", OwnerObserved,
		},
		{
			"one that could not be looked up is better than none",
			[]*source.Moment{withEvents(moment(0, wait), closed("10.0.0.1:40000", db, source.Process{PID: 77, Name: "wget"}))},
			"wget", OwnerTraced,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			st := story(c.moments...)
			name := ""
			if p := st.Process(0); p != nil {
				name = p.Name
			}
			if name != c.owner || st.Rows[0].Tier != c.tier {
				t.Errorf("owner %q %v, want %q %v", name, st.Rows[0].Tier, c.owner, c.tier)
			}
		})
	}
}

func TestFailedConnects(t *testing.T) {
	t.Parallel()
	st := story(
		withEvents(moment(0), failed(0, db, java), failed(0, db, java), failed(0, "10.0.9.3:80", java)),
		withEvents(moment(1), failed(1, db, curl)))
	f := st.Failures
	if !f.Observed || f.Count != 4 || f.Recent != 4 || len(f.By) != 3 || f.By[0].Count != 2 || f.By[0].Process.Name != "java" {
		t.Errorf("%+v; want 4 in 3 groups, java's 2 to the database first", f)
	}
	if st.Level != LevelExhausted {
		t.Errorf("level %v while connects fail, want exhausted", st.Level)
	}
	st = story(withEvents(moment(0), failed(0, db, java)), withEvents(moment(30)))
	if st.Level != LevelOK || st.Failures.Count != 1 || st.Failures.Recent != 0 {
		t.Errorf("half a minute later: level %v, %+v; want ok, 1 in all, none recent", st.Level, st.Failures)
	}
	if f := story(moment(0)).Failures; f.Observed || f.Count != 0 {
		t.Errorf("not traced: %+v, want not observed", f)
	}
}

// What waits for its TIME_WAIT in vain is forgotten.
func TestTracedMemoryIsBounded(t *testing.T) {
	t.Parallel()
	host := newTeller()
	for i := range 20 {
		e := closed("10.0.0.1:40000", db, java)
		e.Tuple.LocalPort += uint16(i)
		host.tell(withEvents(moment(float64(i)), e))
	}
	if n := len(host.fleet.trackers[scopeKey{}].ownership.traced); n > tracedLooks+1 {
		t.Errorf("%d closes wait, want at most %d", n, tracedLooks+1)
	}
}
