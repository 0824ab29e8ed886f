package model

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// two is a moment of two namespaces that share a process.
func two(seconds float64, first, second []source.Socket) *source.Moment {
	m := moment(seconds, first...)
	m.Processes = []source.Process{java, curl}
	m.Snapshots[0].Scope = source.Scope{Netns: 1, Name: "host", Kind: source.ScopeHost}
	other := m.Snapshots[0]
	other.Scope, other.Sockets = source.Scope{Netns: 2, Name: "api", Kind: source.ScopeContainer}, second
	m.Snapshots = append(m.Snapshots, other)
	return m
}

func TestFleetPutsTheWorstNamespaceFirst(t *testing.T) {
	t.Parallel()
	few := connections(10, source.Established, "10.0.0.1", 40000, 1, db)
	many := connections(85, source.Established, "10.0.0.1", 40000, 1, db)
	f := NewFleet(Options{})
	var o Overview
	f.Update(two(0, few, many), &o)
	if len(o.States) != 2 || o.States[0].Snapshot.Scope.Name != "api" || o.Level != LevelCritical {
		t.Fatalf("first %+v, level %v; want api, critical", o.States[0].Snapshot.Scope, o.Level)
	}
	if o.Findings[0].Problem != TupleFull || o.Findings[0].State != 0 {
		t.Errorf("first finding %+v, want that of the worst namespace", o.Findings[0])
	}
	f.Update(two(1, many, few), &o)
	if o.States[0].Snapshot.Scope.Name != "host" || o.States[0].Elapsed != time.Second {
		t.Errorf("first %+v after %v, want host", o.States[0].Snapshot.Scope, o.States[0].Elapsed)
	}
}

// The same four-tuple in two namespaces is two connections with two owners.
func TestNamespacesHaveTheirOwnPast(t *testing.T) {
	t.Parallel()
	at := func(process int32, cookie uint64) []source.Socket {
		return []source.Socket{owned(socket(source.Established, "10.0.0.1:40000", db), cookie, process)}
	}
	wait := func(cookie uint64) []source.Socket {
		s := socket(source.TimeWait, "10.0.0.1:40000", db)
		s.Cookie = cookie
		return []source.Socket{s}
	}
	f := NewFleet(Options{})
	var o Overview
	f.Update(two(0, at(0, 1), at(1, 2)), &o)
	f.Update(two(1, wait(1), wait(2)), &o)
	for _, st := range o.States {
		want := map[string]string{"host": "java", "api": "curl"}[st.Snapshot.Scope.Name]
		if p := st.Process(0); p == nil || p.Name != want {
			t.Errorf("%s: TIME_WAIT of %+v, want %s", st.Snapshot.Scope.Name, p, want)
		}
	}
}

// An event belongs to the namespace that it names, and to nobody if that is
// not looked at, or if it names none and there are several.
func TestEventsGoToTheirNamespace(t *testing.T) {
	t.Parallel()
	in := func(netns uint64) source.Event {
		e := failed(0, db, java)
		e.Netns = netns
		return e
	}
	f := NewFleet(Options{})
	var o Overview
	f.Update(withEvents(two(0, nil, nil), in(2), in(2), in(7), in(0)), &o)
	for _, st := range o.States {
		want := map[string]int{"host": 0, "api": 2}[st.Snapshot.Scope.Name]
		if st.Failures.Count != want {
			t.Errorf("%s: %d failures, want %d", st.Snapshot.Scope.Name, st.Failures.Count, want)
		}
	}
}

func TestANamespaceThatIsGoneIsForgotten(t *testing.T) {
	t.Parallel()
	f := NewFleet(Options{})
	var o Overview
	f.Update(two(0, nil, connections(10, source.Established, "10.0.0.1", 40000, 1, db)), &o)
	m := two(1, nil, nil)
	m.Snapshots = m.Snapshots[:1]
	f.Update(m, &o)
	if len(o.States) != 1 || len(f.trackers) != 1 {
		t.Errorf("%d states, %d trackers; want one of each", len(o.States), len(f.trackers))
	}
	// One that comes back is new: nothing of before counts.
	f.Update(two(2, nil, nil), &o)
	for _, st := range o.States {
		if st.Snapshot.Scope.Name == "api" && (st.Elapsed != 0 || len(st.History) != 1) {
			t.Errorf("elapsed %v, %d samples; want a fresh start", st.Elapsed, len(st.History))
		}
	}
}

// A change of the wall clock makes no socket older or younger.
func TestAgesDoNotFollowTheWallClock(t *testing.T) {
	t.Parallel()
	for name, step := range map[string]time.Duration{"set forward": time.Hour, "set back": -time.Hour} {
		host := newTeller()
		s := owned(socket(source.Established, "10.0.0.1:40000", db), 1, source.NoProcess)
		m := moment(0, s)
		m.Mono = time.Second
		host.tell(m)
		m = moment(10, s)
		m.Time, m.Mono = m.Time.Add(step), 11*time.Second
		if st := host.tell(m); st.Age(0) != 10*time.Second || st.Elapsed != 10*time.Second {
			t.Errorf("%s: age %v after %v, want 10 s", name, st.Age(0), st.Elapsed)
		}
	}
}

// Every number that a state shows is that of a state whose history is not
// written to any more, though the fleet goes on.
func TestAStateKeepsItsHistory(t *testing.T) {
	t.Parallel()
	f := NewFleet(Options{})
	var shown, next Overview
	for i := range 700 {
		f.Update(moment(float64(i)), &shown)
	}
	before, hour := slices.Clone(shown.States[0].History), slices.Clone(shown.States[0].Hour)
	for i := range 700 {
		f.Update(moment(float64(700+i)), &next)
	}
	for i, s := range shown.States[0].History {
		if s != before[i] {
			t.Fatalf("sample %d became %+v, and was %+v", i, s, before[i])
		}
	}
	if !slices.Equal(shown.States[0].Hour, hour) {
		t.Errorf("the hour became %+v, and was %+v", shown.States[0].Hour, hour)
	}
}

// A recording may hold a moment of which no namespace was seen. There is a
// state to show all the same, and the next moment is as good as any.
func TestAMomentOfNoNamespace(t *testing.T) {
	t.Parallel()
	f := NewFleet(Options{})
	var o Overview
	f.Update(&source.Moment{Time: epoch, Events: []source.Event{failed(0, db, java)}}, &o)
	if len(o.States) != 1 || len(o.States[0].Rows) != 0 || o.States[0].Snapshot == nil {
		t.Fatalf("states %+v, want one of nothing", o.States)
	}
	f.Update(two(1, nil, connections(85, source.Established, "10.0.0.1", 40000, 1, db)), &o)
	if len(o.States) != 2 || o.Level != LevelCritical {
		t.Errorf("%d states, level %v; want 2, critical", len(o.States), o.Level)
	}
}

// Who looks once is told the same as at the first of many looks.
func TestOnce(t *testing.T) {
	t.Parallel()
	m := busyHost(5000)
	m.Events = append(m.Events, closed("10.0.0.1:32768", "10.0.9.0:5000", source.Process{PID: 7, Name: "curl"}))
	var once, first Overview
	NewFleet(Options{Once: true}).Update(m, &once)
	NewFleet(Options{}).Update(m, &first)
	a, b := once.States[0], first.States[0]
	if diff := cmp.Diff(b.Rows, a.Rows); diff != "" {
		t.Errorf("rows (-of the first look, +of the only one):\n%s", diff)
	}
	if diff := cmp.Diff(b.TCP.Pressure.Tuples, a.TCP.Pressure.Tuples); diff != "" {
		t.Errorf("destinations (-of the first look, +of the only one):\n%s", diff)
	}
	if diff := cmp.Diff(b.Processes, a.Processes); diff != "" {
		t.Errorf("processes (-of the first look, +of the only one):\n%s", diff)
	}
}
