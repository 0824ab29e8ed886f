package model

import (
	"testing"

	"ephtop/source"
)

// unplaced is an event of which at most the namespace of the thread is known.
func unplaced(e source.Event, netns uint64) source.Event {
	e.ByThread, e.Netns = true, netns
	return e
}

// Failures of which only the thread's namespace is known, or not even that, are
// counted where no port is left, and nowhere else.
func TestFailuresThatNobodyPlaces(t *testing.T) {
	t.Parallel()
	event := failed(0, db, java)
	for _, c := range []struct {
		name  string
		used  []int // ports of 100 in use, in namespace 1, 2, …
		netns uint64
		want  []int // failures
	}{
		{"a dead thread, ports are free", []int{0}, 0, []int{0}},
		{"a dead thread, ports are free in both", []int{3, 50}, 0, []int{0, 0}},
		{"a dead thread, none is free in one", []int{3, 100}, 0, []int{0, 60}},
		{"a dead thread, none is free in both", []int{100, 100}, 0, []int{0, 0}},
		{"a dead thread, none is free here", []int{100}, 0, []int{60}},
		{"a thread of here, ports are free", []int{20}, 1, []int{0}},
		{"a thread of here, nearly none is free", []int{97}, 1, []int{60}},
		{"a thread of the other, ports are free there", []int{100, 20}, 2, []int{0, 0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var events []source.Event
			for range 60 {
				events = append(events, unplaced(event, c.netns))
			}
			f := newFleet()
			f.tell(withEvents(full(0, c.used...), events...))
			left := 60
			for i, want := range c.want {
				st := f.of(uint64(i + 1))
				left -= want
				if st.Failures.Count != want || (st.Level == LevelExhausted) != (want > 0 || c.used[i] == 100) {
					t.Errorf("namespace %d: %d failures, level %v; want %d", i+1, st.Failures.Count, st.Level, want)
				}
			}
			if n := f.of(1).Failures.Unplaced; n != left {
				t.Errorf("%d failures unplaced, want %d", n, left)
			}
		})
	}
}

// A close on loopback by a thread that has ended may be another namespace's, of
// the same four-tuple; on an address of the host's own it is not.
func TestClosesThatNobodyPlaces(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, local, remote string
		netns               uint64
		spaces              int
		tier                Tier
	}{
		{"loopback", "127.0.0.1:40050", "127.0.0.1:900", 0, 1, OwnerUnknown},
		{"loopback of IPv6", "[::1]:40050", "[::1]:900", 0, 1, OwnerUnknown},
		{"an address of its own", "10.0.0.1:40050", db, 0, 1, OwnerTraced},
		{"an address, several namespaces", "10.0.0.1:40050", db, 0, 2, OwnerUnknown},
		{"a thread of here", "127.0.0.1:40050", "127.0.0.1:900", 1, 1, OwnerTraced},
		{"a thread of another", "127.0.0.1:40050", "127.0.0.1:900", 2, 2, OwnerUnknown},
		{"a thread of one that is not looked at", "127.0.0.1:40050", "127.0.0.1:900", 9, 1, OwnerUnknown},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newFleet()
			m := withEvents(full(0, make([]int, c.spaces)...), unplaced(closed(c.local, c.remote, curl), c.netns))
			m.Snapshots[0].Sockets = []source.Socket{socket(source.TimeWait, c.local, c.remote)}
			f.tell(m)
			if tier := f.of(1).Rows[0].Tier; tier != c.tier {
				t.Errorf("tier %v, want %v", tier, c.tier)
			}
		})
	}
}

// What the kernel's own threads do is nobody's.
func TestKernelThreadsOwnNothing(t *testing.T) {
	t.Parallel()
	none := source.Process{}
	bound := closed("10.0.0.1:40000", db, none)
	bound.Kind = source.BoundFirst
	st := story(withEvents(moment(0, socket(source.TimeWait, "10.0.0.1:40002", db), socket(source.Established, "10.0.0.1:40000", db)),
		closed("10.0.0.1:40002", db, none), bound))
	for i, r := range st.Rows {
		if r.Process != source.NoProcess || r.Tier != OwnerUnknown {
			t.Errorf("row %d: process %d, %v", i, r.Process, r.Tier)
		}
	}
	if !st.Rows[1].Blocking {
		t.Error("a port that was bound first is not blocked")
	}
	st = story(withProcesses(moment(0, owned(socket(source.Established, "10.0.0.1:40000", db), 7, 0)), java),
		withEvents(moment(1, owned(socket(source.TimeWait, "10.0.0.1:40000", db), 7, source.NoProcess)), closed("10.0.0.1:40000", db, none)))
	if p := st.Process(0); p == nil || p.Name != "java" || st.Rows[0].Tier != OwnerObserved {
		t.Errorf("owner %+v %v, want java, observed", p, st.Rows[0].Tier)
	}
}
