package model

import (
	"testing"

	"ephtop/source"
)

// The range begins at an even port, so connect() tries even ports first and
// bind(0) odd ones.
func TestSuspectedOfBeingBoundFirst(t *testing.T) {
	t.Parallel()
	odd := connections(10, source.Established, "10.0.0.1", 40001, 2, db)
	wait := connections(10, source.TimeWait, "127.0.0.1", 40001, 2, "127.0.0.1:80")
	elsewhere := socket(source.Established, "10.0.0.1:40000", "10.0.9.3:80")
	cases := []struct {
		name       string
		sockets    []source.Socket
		parity     bool
		suspected  int
		own, other int // used towards db and the other destination
	}{
		{"ports of the second half", odd, true, 10, 10, 11},
		{"ports of the first half", connections(10, source.Established, "10.0.0.1", 40002, 2, db), true, 0, 10, 1},
		{
			"a crowded first half drives connect() into the second",
			append(connections(40, source.Established, "10.0.0.1", 40002, 2, db), odd...), true, 0, 50, 1,
		},
		{
			"after a crowded time both halves empty alike",
			append(connections(20, source.Established, "10.0.0.1", 40002, 2, db), odd...), true, 0, 30, 1,
		},
		{
			"more of the second half than of the first",
			append(connections(8, source.Established, "10.0.0.1", 40022, 2, db), odd...), true, 10, 18, 11,
		},
		{"a bound socket is blocked for certain", connections(10, source.Bound, "10.0.0.1", 40001, 2, ""), true, 0, 0, 11},
		{"other systems have no halves", odd, false, 0, 10, 1},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s := moment(0, append(c.sockets, elsewhere)...)
			s.Snapshots[0].Settings.Parity = c.parity
			st := update(s)
			own := 0
			if tu := tuple(st, "10.0.0.1", db); tu != nil {
				own = tu.Used
			}
			rest := tuple(st, "10.0.0.1", "10.0.9.3:80").Used
			if got := st.TCP.Pressure.Suspected; got != c.suspected || own != c.own || rest != c.other {
				t.Errorf("suspected %d, used %d and %d; want %d, %d and %d", got, own, rest, c.suspected, c.own, c.other)
			}
		})
	}
	t.Run("TIME_WAIT of a bound socket is not reusable", func(t *testing.T) {
		got := &story(moment(0), moment(1, wait...)).TCP.Pressure.Tuples[0]
		if got.Reusable != 0 || got.TimeWait != 10 || got.Suspected != 0 {
			t.Errorf("reusable %d, TIME_WAIT %d, suspected of others %d; want 0, 10, 0", got.Reusable, got.TimeWait, got.Suspected)
		}
	})
	t.Run("seen from its beginning, a port of the second half was bound", func(t *testing.T) {
		plain := connections(20, source.Established, "10.0.0.1", 40002, 2, db)
		st := story(moment(0, plain...), moment(1, append(plain, odd...)...))
		if got := st.TCP.Pressure.Suspected; got != 10 {
			t.Errorf("suspected %d, want 10", got)
		}
	})
	t.Run("TIME_WAIT of whatever age, in the second half alone", func(t *testing.T) {
		if got := update(moment(0, wait...)).TCP.Pressure.Suspected; got != 10 {
			t.Errorf("suspected %d, want 10", got)
		}
	})
	t.Run("a crowded time is forgotten", func(t *testing.T) {
		st := story(
			moment(0, append(connections(45, source.Established, "10.0.0.1", 40002, 2, db), odd...)...),
			moment(1), moment(2, odd...))
		if got := st.TCP.Pressure.Suspected; got != 10 {
			t.Errorf("suspected %d, want 10", got)
		}
	})
	t.Run("a range of the other parity changes nothing that was judged", func(t *testing.T) {
		plain := connections(20, source.Established, "10.0.0.1", 40002, 2, db)
		later := moment(1, plain...)
		later.Snapshots[0].Settings.Range.Low--
		if got := story(moment(0, plain...), later).TCP.Pressure.Suspected; got != 0 {
			t.Errorf("suspected %d, want 0", got)
		}
	})
	t.Run("nor does one that only we are told", func(t *testing.T) {
		m := moment(0, connections(20, source.Established, "10.0.0.1", 40002, 2, db)...)
		m.Snapshots[0].Settings.PickLow = m.Snapshots[0].Settings.Range.Low
		m.Snapshots[0].Settings.Range.Low--
		if got := update(m).TCP.Pressure.Suspected; got != 0 {
			t.Errorf("suspected %d, want 0", got)
		}
	})
	t.Run("a tuple that was crowded once is not suspected later", func(t *testing.T) {
		st := story(
			moment(0, append(connections(45, source.Established, "10.0.0.1", 40002, 2, db), odd...)...),
			moment(1, odd...))
		if got := st.TCP.Pressure.Suspected; got != 0 {
			t.Errorf("suspected %d, want 0", got)
		}
	})
}

// A process that binds for one destination and crowds another without is
// suspected of the first only.
func TestACrowdOfOneThatBindsIsNoSuspect(t *testing.T) {
	t.Parallel()
	owned := func(list []source.Socket) []source.Socket {
		for i := range list {
			list[i].Process = 0
		}
		return list
	}
	bound := owned(connections(5, source.Established, "10.0.0.1", 40001, 2, cache))
	first := owned(connections(50, source.Established, "10.0.0.1", 40000, 2, db))
	rest := owned(connections(20, source.Established, "10.0.0.1", 40011, 2, db))
	st := story(
		withProcesses(moment(0, bound...), java),
		withProcesses(moment(1, append(bound, first...)...), java),
		withProcesses(moment(2, append(append(bound, first...), rest...)...), java))
	if got := st.TCP.Pressure.Suspected; got != 5 {
		t.Errorf("suspected %d, want 5", got)
	}
}
