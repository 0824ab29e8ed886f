package model

import (
	"testing"

	"ephtop/source"
)

func TestUsablePorts(t *testing.T) {
	type ranges = []source.PortRange
	cases := []struct {
		name     string
		low, top uint16
		reserved ranges
	}{
		{"default", 32768, 60999, nil},
		{"all", 1, 65535, nil},
		{"one port", 40000, 40000, nil},
		{"across words, reserved at both ends and outside", 40001, 40200, ranges{{Low: 39000, High: 40010}, {Low: 40100, High: 40100}, {Low: 40199, High: 65535}}},
		{"nothing is left", 40000, 40099, ranges{{Low: 40000, High: 40099}}},
		{"no range", 0, 0, nil},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			set := source.Settings{Range: source.PortRange{Low: c.low, High: c.top}, Reserved: c.reserved}
			var p portSet
			p.setUsable(&set)
			for port := range 1 << 16 {
				want := c.low > 0 && set.Range.Contains(uint16(port)) && !set.IsReserved(uint16(port))
				if p.has(uint16(port)) != want {
					t.Fatalf("port %d usable: %v, want %v", port, !want, want)
				}
			}
		})
	}
}
