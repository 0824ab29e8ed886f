package model

import (
	"fmt"
	"testing"

	"ephtop/source"
)

// What has no rows counts as what has: in the states, for its destination and in
// the pool.
func TestRestCountsAsRows(t *testing.T) {
	t.Parallel()
	settings := source.Settings{
		Range: source.PortRange{Low: 40000, High: 41999}, TimeWait: 60e9, ReuseTimeWait: 1, ReuseDelay: 1e9, Timestamps: 1, Parity: true,
	}
	var rows []source.Socket
	for i := range 500 {
		s := socket(source.Established, fmt.Sprintf("10.0.0.1:%d", 40000+i*74%2000), db)
		if i >= 50 {
			s = socket(source.TimeWait, fmt.Sprintf("10.0.0.1:%d", 40000+i*74%2000), db)
			s.Timer, s.Expires, s.Stamps = source.TimerTimeWait, uint32(i%7)*9500, source.StampsBoth
		}
		rows = append(rows, s)
	}
	look := func(r *source.Ration) *State {
		var c source.Counter
		m := &source.Moment{Snapshots: []source.Snapshot{{Settings: settings, BlockedKnown: true}}}
		r.Begin()
		c.Begin(&settings)
		for i := range rows {
			if r.Keep(&rows[i], &c) {
				m.Room = append(m.Room, rows[i])
			}
		}
		m.Snapshots[0].Sockets = m.Room
		c.Give(&m.Snapshots[0])
		o := new(Overview)
		NewFleet(Options{}).Update(m, o)
		return o.States[0]
	}
	all, some := look(source.NewRation(0)), look(source.NewRation(400))
	if len(some.Rows) >= len(all.Rows) {
		t.Fatalf("%d rows of %d", len(some.Rows), len(all.Rows))
	}
	if all.TCP.States != some.TCP.States {
		t.Errorf("states are %v, want %v", some.TCP.States, all.TCP.States)
	}
	got, want := some.TCP.Pressure, all.TCP.Pressure
	if got.InUse != want.InUse || got.Live != want.Live || got.TimeWait != want.TimeWait || got.Level != want.Level || got.PoolLevel != want.PoolLevel {
		t.Errorf("the pool is %d, %d live, %d in TIME_WAIT, %v; want %d, %d, %d, %v",
			got.InUse, got.Live, got.TimeWait, got.Level, want.InUse, want.Live, want.TimeWait, want.Level)
	}
	g, w := got.Tuples[0], want.Tuples[0]
	g.Process, w.Process = 0, 0
	if g != w {
		t.Errorf("the tuple is\n%+v, want\n%+v", g, w)
	}
}
