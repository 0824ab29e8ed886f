package model

import (
	"fmt"
	"testing"

	"ephtop/source"
)

// A resolver picks its ports itself, so what it holds of the range is no alarm,
// but where nothing is left.
func TestOwnUDPPorts(t *testing.T) {
	t.Parallel()
	udp := func(n, from, step int, remote string) []source.Socket {
		list := connections(n, source.Bound, "10.0.0.1", from, step, remote)
		for i := range list {
			list[i].Proto, list[i].Process = source.UDP, 0
		}
		return list
	}
	for _, test := range []struct {
		name    string
		sockets []source.Socket
		own     int
		level   Level
	}{
		{"inside and outside", append(udp(90, 40000, 1, "10.0.9.9:53"), udp(100, 20000, 7, "10.0.9.9:53")...), 190, LevelOK},
		{"not connected", append(udp(90, 40000, 1, ""), udp(60, 50000, 3, "")...), 150, LevelOK},
		{"all of the range", append(udp(100, 40000, 1, ""), udp(60, 50000, 3, "")...), 160, LevelExhausted},
		{"inside only", udp(90, 40000, 1, "10.0.9.9:53"), 0, LevelCritical},
		{"few outside", append(udp(90, 40000, 1, ""), udp(10, 50000, 3, "")...), 0, LevelCritical},
		{"to another service", append(udp(90, 40000, 1, "10.0.9.9:123"), udp(100, 20000, 7, "10.0.9.9:123")...), 0, LevelCritical},
	} {
		t.Run(test.name, func(t *testing.T) {
			p := &update(withProcesses(moment(0, test.sockets...), java)).UDP.Pressure
			own := 0
			for _, u := range p.Tuples {
				if own += u.Used; u.Pool != PoolOwnUDP || u.Level != LevelOK {
					t.Errorf("%+v", u)
				}
			}
			if own != test.own || p.Level != test.level {
				t.Errorf("%d own ports, %v; want %d, %v", own, p.Level, test.own, test.level)
			}
			if h := p.Headline(); h.Scope != ScopePool {
				t.Errorf("headline %s", fmt.Sprint(h))
			}
		})
	}
}
