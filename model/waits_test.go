package model

import (
	"testing"
	"time"

	"ephtop/source"
)

// importer is a moment of an importer that bound its sockets before it
// connected them, rate a second, and that has closed them between two ages in
// seconds or still has so many, beside a client of another destination that holds
// 20 ports. known says that the kernel's tables tell which ports are blocked.
func importer(second float64, rate float64, from, to, live int, known bool) *source.Moment {
	m := settingsOf(moment(second, churning(rate, from, to, "10.0.0.1", "10.0.9.9:80")...), ports(2000))
	s := &m.Snapshots[0]
	s.Sockets = append(s.Sockets, spread(live, source.Established, "10.0.0.1", "10.0.9.9:80")...)
	for i := range s.Sockets {
		s.Sockets[i].LocalPort = uint16(20001 + 2*i) // bind() takes the second half first
	}
	s.BlockedKnown = known
	for i := range s.Sockets {
		if known {
			s.Blocked = append(s.Blocked, s.Sockets[i].LocalPort)
		}
	}
	for i, k := range spread(20, source.Established, "10.0.0.1", db) {
		k.LocalPort = uint16(20000 + 2*i)
		s.Sockets = append(s.Sockets, k)
	}
	return m
}

// Ports that are blocked for everyone come and go as any: in TIME_WAIT for as
// long as that lasts, else as they grow or fall.
func TestOutlookOfBlockedPorts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		young, old func(second int) int // between which 15 a second were closed
		live       func(second int) int
		want       Trend
		in         time.Duration
		plateau    int
		inTheBegin bool // and so from the first look on
	}{
		{"in TIME_WAIT, and no more come", from(20, 1), from(60, 0), from(0, 0), TrendDrains, 31 * time.Second, 20, true},
		{"in TIME_WAIT, and as many come", from(0, 0), from(60, 0), from(0, 0), TrendSteady, 0, 920, true},
		{"in TIME_WAIT, and more and more come", from(0, 0), from(10, 1), from(0, 0), TrendLevelsOff, 41 * time.Second, 920, true},
		{"held, and fewer and fewer", from(0, 0), from(0, 0), from(800, -50), TrendDrains, 7 * time.Second, 20, false},
		{"held, and more and more", from(0, 0), from(0, 0), from(300, 50), TrendFull, 25 * time.Second, 2000, false},
		{"held, as many as ever", from(0, 0), from(0, 0), from(300, 0), TrendSteady, 0, 320, false},
	} {
		for _, known := range []bool{true, false} {
			host := newTeller()
			for i := range 10 {
				st := host.tell(importer(float64(i), 15, c.young(i), c.old(i), c.live(i), known))
				if i < 9 && !(c.inTheBegin && i == 0) || !known && c.want == TrendDrains && c.inTheBegin { // nothing tells what these were
					continue
				}
				o := tuple(st, "10.0.0.1", db).Outlook
				in := c.in + time.Duration(9-i)*time.Second
				if c.in == 0 {
					in = 0
				}
				if o.Trend != c.want || !about(o.In.Seconds(), in.Seconds()) || !about(float64(o.Plateau), float64(c.plateau)) {
					t.Errorf("%s, known %v, look %d: %v in %v to %d at %v/s, want %v in %v to %d", c.name, known, i, o.Trend, o.In, o.Plateau, o.Rate, c.want, in, c.plateau)
				}
			}
		}
	}
}

// from is a number that begins with a first one and changes by step each second.
func from(first, step int) func(second int) int {
	return func(second int) int { return first + step*second }
}
