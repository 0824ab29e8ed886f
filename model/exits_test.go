package model

import (
	"testing"
	"time"

	"ephtop/source"
)

func TestWhoHasEnded(t *testing.T) {
	t.Parallel()
	live := owned(socket(source.Established, "10.0.0.1:40000", db), 7, 0)
	wait := owned(socket(source.TimeWait, "10.0.0.1:40000", db), 7, source.NoProcess)
	ended := func(m *source.Moment, p source.Process) *source.Moment {
		m.Exited = append(m.Exited, p.Key())
		return m
	}
	never := -time.Second
	cases := []struct {
		name    string
		moments []*source.Moment
		after   time.Duration // the epoch
	}{
		{"not one that holds nothing", []*source.Moment{withProcesses(moment(0, live), java), moment(1, wait)}, never},
		{"one that is said to have", []*source.Moment{withProcesses(moment(0, live), java), ended(moment(1, wait), java), moment(9, wait)}, time.Second},
		{
			"not another with its number",
			[]*source.Moment{withProcesses(moment(0, live), java), ended(moment(1, wait), source.Process{PID: java.PID, Start: java.Start + 1})}, never,
		},
		{"one that an event named at the same moment", []*source.Moment{ended(withEvents(moment(2, wait), closed("10.0.0.1:40000", db, java)), java)}, 2 * time.Second},
		{
			"one that was gone before it could be looked up",
			[]*source.Moment{withEvents(moment(3, wait), closed("10.0.0.1:40000", db, source.Process{PID: 77, Name: "wget"}))}, 3 * time.Second,
		},
		{
			"not one that holds a socket again",
			[]*source.Moment{withProcesses(moment(0, live), java), ended(moment(1, wait), java), withProcesses(moment(2, live), java)}, never,
		},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			st := story(c.moments...)
			at, ok := st.Exit(st.Rows[0].Process)
			if st.Process(0) == nil || ok != (c.after >= 0) || ok && at.Sub(epoch) != c.after {
				t.Errorf("process %v ended %v at %v, want %v after the epoch", st.Process(0), ok, at, c.after)
			}
		})
	}
}
