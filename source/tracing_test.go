package source

import "testing"

func TestTracing(t *testing.T) {
	t.Parallel()
	var tr Tracing
	stands := func(want TraceState, why string, pending bool) {
		t.Helper()
		if state, said := tr.State(); state != want || said != why || tr.Pending() != pending {
			t.Errorf("state %d, %q, pending %v; want %d, %q, %v", state, said, tr.Pending(), want, why, pending)
		}
	}
	takes := func(want bool) {
		t.Helper()
		if got := tr.Take(); got != want {
			t.Errorf("the poll takes %v, want %v", got, want)
		}
	}
	stands(TraceNone, "", false)
	tr.Want(true)
	stands(TraceNone, "", true)
	takes(true)
	tr.Settle(TraceRefused, "no right")
	stands(TraceRefused, "no right", false)
	takes(false) // what was refused is not tried at each poll
	if !tr.Toggle() {
		t.Error("what was refused is not wanted again")
	}
	takes(true)
	tr.Settle(TraceOn, "")
	stands(TraceOn, "", false)
	if tr.Toggle() || !tr.Toggle() {
		t.Error("a wish that no poll has taken is not taken back")
	}
	takes(true)
	if tr.Toggle() {
		t.Error("what is on is not turned off")
	}
	tr.Settle(TraceOn, "") // by the poll that has begun before
	stands(TraceOn, "", true)
	takes(false)
	tr.Settle(TraceOff, "")
	stands(TraceOff, "", false)
	tr.Want(true)
	takes(true)
	tr.Settle(TraceStopped, "too much")
	stands(TraceStopped, "too much", false)
	if !tr.Toggle() {
		t.Error("what has stopped is not begun again")
	}
}
