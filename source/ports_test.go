package source

import "testing"

// numbers lists the ports of a set one by one.
func numbers(p *PortSet) []int {
	var list []int
	for port := range 1 << 16 {
		if p.Has(uint16(port)) {
			list = append(list, port)
		}
	}
	return list
}

func TestPortSet(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name string
		do   func(p *PortSet)
		want []int
	}{
		{"nothing", func(*PortSet) {}, nil},
		{"one port, twice", func(p *PortSet) { p.Add(443); p.Add(443) }, []int{443}},
		{"the ends", func(p *PortSet) { p.Add(0); p.Add(65535) }, []int{0, 65535}},
		{"taken out again", func(p *PortSet) { p.Add(63); p.Add(64); p.Remove(63); p.Remove(7) }, []int{64}},
		{"a range across words", func(p *PortSet) { p.AddRange(PortRange{62, 65}) }, []int{62, 63, 64, 65}},
		{"a range at the top", func(p *PortSet) { p.AddRange(PortRange{65534, 65535}) }, []int{65534, 65535}},
		{"a range that is upside down", func(p *PortSet) { p.AddRange(PortRange{65, 62}); p.AddRange(PortRange{9, 7}) }, nil},
		{"a hole", func(p *PortSet) { p.AddRange(PortRange{100, 200}); p.RemoveRange(PortRange{101, 199}) }, []int{100, 200}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var p PortSet
			c.do(&p)
			got := numbers(&p)
			if len(got) != len(c.want) || p.Len() != len(c.want) {
				t.Fatalf("ports %v, Len %d, want %v", got, p.Len(), c.want)
			}
			for i := range got {
				if got[i] != c.want[i] {
					t.Fatalf("ports %v, want %v", got, c.want)
				}
			}
		})
	}
}

func TestUsablePorts(t *testing.T) {
	t.Parallel()
	type ranges = []PortRange
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
			set := Settings{Range: PortRange{Low: c.low, High: c.top}, Reserved: c.reserved}
			var p PortSet
			p.Add(7) // is forgotten
			p.SetUsable(&set)
			for port := range 1 << 16 {
				want := c.low > 0 && set.Range.Contains(uint16(port)) && !set.IsReserved(uint16(port))
				if p.Has(uint16(port)) != want || set.Ephemeral(uint16(port)) != want {
					t.Fatalf("port %d in the set: %v, ephemeral: %v, want %v", port, p.Has(uint16(port)), set.Ephemeral(uint16(port)), want)
				}
			}
		})
	}
}
