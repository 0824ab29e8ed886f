package model

import (
	"fmt"
	"testing"

	"ephtop/source"
)

// In a range with an odd number of ports connect() can't be counted on to find
// an end, where no other port is free.
func TestMissedEnds(t *testing.T) {
	t.Parallel()
	all := func(but ...uint16) (list []source.Socket) {
		for port := uint16(20000); port <= 20100; port++ {
			list = append(list, socket(source.Established, fmt.Sprintf("10.0.0.1:%d", port), db))
			for _, b := range but {
				if port == b {
					list = list[:len(list)-1]
				}
			}
		}
		return list
	}
	reserve := func(low, high uint16) func(*source.Settings) {
		return func(s *source.Settings) { s.Reserved = []source.PortRange{{Low: low, High: high}} }
	}
	cases := []struct {
		name         string
		n            int
		sockets      []source.Socket
		changes      []func(*source.Settings)
		free, missed int
	}{
		{"the low end is left", 101, all(20000), nil, 0, 1},
		{"the high end is left", 101, all(20100), nil, 0, 1},
		{"both ends are left", 101, all(20000, 20100), nil, 1, 1},
		{"another one is left", 101, all(20050), nil, 1, 0},
		{"one more than the end is left", 101, all(20000, 20001), nil, 2, 0},
		{"none is left", 101, all(), nil, 0, 0},
		{"an even number", 102, all(20000), nil, 2, 0},
		{"the low end is reserved", 101, all(20000), []func(*source.Settings){reserve(20000, 20000)}, 0, 0},
		{"the low end is reserved, the high one left", 101, all(20000, 20100), []func(*source.Settings){reserve(20000, 20000)}, 0, 1},
		{"another one is reserved", 101, all(20000, 20050), []func(*source.Settings){reserve(20050, 20050)}, 0, 1},
		{"a system without halves", 101, all(20000), []func(*source.Settings){func(s *source.Settings) { s.Parity = false }}, 1, 0},
		{"the high one of three", 3, all()[:1], nil, 1, 1},
		{"the low one of three", 3, all()[1:3], nil, 1, 0},
		{"the only port", 1, append(all()[50:51], socket(source.Bound, "10.0.0.1:20001", "")), nil, 1, 0},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var list []source.Socket
			for _, s := range c.sockets {
				if int(s.LocalPort) < 20000+c.n {
					list = append(list, s)
				}
			}
			st := update(settingsOf(moment(0, list...), append([]func(*source.Settings){ports(c.n)}, c.changes...)...))
			if len(list) == 0 {
				return
			}
			u := st.TCP.Pressure.Worst()
			if u.Free != c.free || u.Missed != c.missed || u.Used+u.Free+u.Missed != st.TCP.Pressure.Usable {
				t.Errorf("%d used, %d free, %d missed of %d; want %d free, %d missed", u.Used, u.Free, u.Missed, st.TCP.Pressure.Usable, c.free, c.missed)
			}
			if (u.Level == LevelExhausted) != (c.free == 0) || (u.Percent() == 100) != (c.free == 0) {
				t.Errorf("%v, %v %%", u.Level, u.Percent())
			}
		})
	}
}
