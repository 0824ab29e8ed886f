package model

import (
	"fmt"
	"testing"

	"ephtop/source"
)

// Failures of an hour ago have no part in today's.
func TestFailuresLeaveTheCounts(t *testing.T) {
	t.Parallel()
	host := newTeller()
	var old []source.Event
	for range 100 {
		old = append(old, failed(0, "10.0.9.3:80", java))
	}
	host.tell(withEvents(moment(0), old...))
	for i := 1; i <= 60; i++ {
		host.tell(withEvents(moment(float64(60 * i))))
	}
	st := host.tell(withEvents(moment(3601), failed(3601, db, curl)))
	if by := st.Failures.By; len(by) != 1 || by[0].Count != 1 || by[0].Process.Name != "curl" {
		t.Errorf("failures by destination %+v, want the one of now", by)
	}
	if st.Failures.Count != 101 {
		t.Errorf("%d failures since the start, want 101", st.Failures.Count)
	}
	if f := find(st, ConnectsFail); f == nil || f.Tuple.Port != 5432 {
		t.Errorf("finding %+v, want one about the destination of now", f)
	}
}

// Of failures that go on, those of more than five minutes ago leave the count.
func TestFailuresAreCountedByTheMinute(t *testing.T) {
	t.Parallel()
	host := newTeller()
	var st *State
	for i := range 20 {
		at := float64(60 * i)
		st = host.tell(withEvents(moment(at), failed(at, db, java)))
	}
	if n := st.Failures.By[0].Count; n != 6 {
		t.Errorf("%d failures counted, want those of the present minute and of the five before", n)
	}
}

// However many pairs failed before, the one that fails now is listed.
func TestManyPairsMakeRoomForTheNext(t *testing.T) {
	t.Parallel()
	host := newTeller()
	for i := range 4 {
		var events []source.Event
		for j := range 100 {
			events = append(events, failed(float64(i), fmt.Sprintf("10.0.%d.%d:80", i, j), java))
		}
		host.tell(withEvents(moment(float64(i)), events...))
	}
	now := withEvents(moment(5), failed(5, db, curl), failed(5, db, curl))
	st := host.tell(now)
	if by := st.Failures.By; len(by) != maxFailures || by[0].Process.Name != "curl" || by[0].Count != 2 {
		t.Errorf("%d pairs, first %+v; want %d, and curl first", len(by), by[0], maxFailures)
	}
}
