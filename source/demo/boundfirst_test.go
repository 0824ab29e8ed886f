package demo_test

import (
	"testing"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/demo"
)

// Two destinations share one pool of ports, and a third one finds none: with the
// kernel's own tables each of them is known, without, as the tracing has it.
func TestWhoBindsFirstTakesThePortsOfAll(t *testing.T) {
	t.Parallel()
	for _, tables := range []bool{true, false} {
		h := newHost(t, demo.Options{Scenario: "bound-first", Step: 5 * time.Second})
		if !tables {
			h = h.WithoutTables()
		}
		fleet := model.NewFleet(model.Options{})
		var snaps [2]source.Moment
		var overviews [2]model.Overview
		const polls = 14
		for i := range polls + 1 {
			poll(t, h, &snaps[i%2])
			fleet.Update(&snaps[i%2], &overviews[i%2])
		}
		st := overviews[polls%2].States[0]
		full := 0
		for _, u := range st.TCP.Pressure.Tuples {
			if u.Used > 27_500 {
				full++
			}
			if to := u.Destination.String(); to == "10.0.9.20" && (u.Blocked < 27_000 || u.Live+u.TimeWait > 1000) {
				t.Errorf("tables %v: %s has %d live, %d in TIME_WAIT and %d blocked", tables, to, u.Live, u.TimeWait, u.Blocked)
			}
		}
		if full != 4 {
			t.Errorf("tables %v: %d destinations are full, want the two of the importer and those of the shop", tables, full)
		}
		f := finding(t, st, model.BoundFirst)
		if st.Processes[f.Process].Name != "importer" || f.Exact != tables || f.Count < 25_000 {
			t.Errorf("tables %v: %+v names %s", tables, f, st.Processes[f.Process].Name)
		}
		if by := st.Failures.By; len(by) == 0 || st.Failures.Recent == 0 {
			t.Errorf("tables %v: failures %+v", tables, st.Failures)
		}
	}
}
