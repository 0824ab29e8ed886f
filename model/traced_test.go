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
		{
			"not a worker of the kernel, where another was seen", []*source.Moment{
				withProcesses(moment(0, owned(socket(source.Established, "10.0.0.1:40000", db), 7, 0)), curl),
				withEvents(moment(1, wait), closed("10.0.0.1:40000", db, source.Process{PID: 9, Start: 3, Name: "kworker/u8:2-events"})),
			}, "curl", OwnerObserved,
		},
		{
			"not a worker of the kernel at all",
			[]*source.Moment{withEvents(moment(0, wait), closed("10.0.0.1:40000", db, source.Process{PID: 9, Start: 3, Name: "kworker/0:1"}))}, "", OwnerUnknown,
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
	if n := len(host.fleet.trackers[scopeKey{}].ownership.closed); n > tracedLooks+1 {
		t.Errorf("%d closes wait, want at most %d", n, tracedLooks+1)
	}
}

// boundFirst is the event of a connect on a socket that was bound.
func boundFirst(local, remote string, p source.Process) source.Event {
	e := closed(local, remote, p)
	e.Kind = source.BoundFirst
	return e
}

// A dump shows a socket that was bound first as any other. The kernel's word
// makes it certain, until its TIME_WAIT is over.
func TestBoundFirstIsCertainWhereItIsTold(t *testing.T) {
	t.Parallel()
	// Ports of the first half, of which parity tells nothing.
	live := socket(source.Established, "10.0.0.1:40000", db)
	wait := with(socket(source.TimeWait, "10.0.0.1:40000", db), func(s *source.Socket) { s.Expires = 40000 })
	other := socket(source.Established, "10.0.0.1:40002", cache)
	event := boundFirst("10.0.0.1:40000", db, java)
	cases := []struct {
		name    string
		moments []*source.Moment
		certain bool
	}{
		{"in the same moment", []*source.Moment{withEvents(moment(0)), withEvents(moment(1, live, other), event)}, true},
		{"told before the socket is seen", []*source.Moment{withEvents(moment(0), event), withEvents(moment(1, live, other))}, true},
		{"told after the socket is seen", []*source.Moment{withEvents(moment(0)), withEvents(moment(1, live, other)), withEvents(moment(2, live, other), event)}, true},
		{"seen in TIME_WAIT only", []*source.Moment{withEvents(moment(0)), withEvents(moment(60, wait, other), event)}, true},
		{"for as long as it lasts", []*source.Moment{withEvents(moment(0, live, other), event), withEvents(moment(1, live, other)), withEvents(moment(30, wait, other))}, true},
		{"not for one that is there since long", []*source.Moment{withEvents(moment(0, live, other)), withEvents(moment(1, live, other)), withEvents(moment(2, live, other), event)}, false},
		{"not for another four-tuple", []*source.Moment{withEvents(moment(0, live, other), boundFirst("10.0.0.1:40000", cache, java))}, false},
		{
			"not for the next socket of the four-tuple", []*source.Moment{
				withEvents(moment(0, wait, other), event),
				withEvents(moment(70, live, other)),
			}, false,
		},
	}
	for _, c := range cases {
		st := story(c.moments...)
		p, own, rest := &st.TCP.Pressure, freeOf(st, db), freeOf(st, cache)
		want := []free{{Used: 1, Free: 99}, {Used: 1, Free: 99}}
		if c.certain {
			want[1] = free{2, 98, 1, 1, 0}
		}
		if st.Rows[0].Blocking != c.certain || st.Rows[1].Blocking || p.Blocked != one(c.certain) || p.BlockedKnown != p.Blocked || own != want[0] || rest != want[1] {
			t.Errorf("%s: blocking %v, %d blocked, %d known, own %+v, other %+v; want %v, %+v", c.name, st.Rows[0].Blocking, p.Blocked, p.BlockedKnown, own, rest,
				c.certain, want)
		}
		if owner := st.Process(0); c.certain && (owner == nil || owner.Name != "java" || st.Rows[0].Tier != OwnerTraced) {
			t.Errorf("%s: owner %+v %v, want java, traced", c.name, owner, st.Rows[0].Tier)
		}
	}
}

// Who was seen with the socket is asked before who was told to have connected it.
func TestBoundFirstTakesNoOwnerAway(t *testing.T) {
	t.Parallel()
	live := owned(socket(source.Established, "10.0.0.1:40000", db), 1, 0)
	st := story(withProcesses(withEvents(moment(0, live), boundFirst("10.0.0.1:40000", db, java)), curl))
	if p := st.Process(0); p.Name != "curl" || st.Rows[0].Tier != OwnerObserved {
		t.Errorf("owner %+v %v, want curl, observed", p, st.Rows[0].Tier)
	}
}

// The finding counts what is certain apart from what is suspected.
func TestFindingOfToldAndSuspected(t *testing.T) {
	t.Parallel()
	list := append(connections(8, source.Established, "10.0.0.1", 40000, 2, db), connections(9, source.Established, "10.0.0.1", 40001, 2, db)...)
	var events []source.Event
	for i := range 8 {
		events = append(events, boundFirst(source.AddrPort(list[i].Local, list[i].LocalPort), db, java))
	}
	f := find(update(withEvents(moment(0, list...), events...)), BoundFirst)
	if f == nil || f.Count != 8 || f.Suspected != 9 || f.Exact {
		t.Errorf("%+v, want 8 for certain and 9 suspected", f)
	}
}
