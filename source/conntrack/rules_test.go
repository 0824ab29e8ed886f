package conntrack

import (
	"net/netip"
	"testing"

	"ephtop/source"
)

// The ports of a pool are those of the rule that shows in what is used of them.
func TestPortsOfAPool(t *testing.T) {
	t.Parallel()
	address := netip.MustParseAddr("203.0.113.7")
	to := func(address string, low, high uint16) source.SNATRule {
		return source.SNATRule{Address: address, Ports: source.PortRange{Low: low, High: high}}
	}
	one, all := to("203.0.113.7", 40000, 40019), source.SNATRule{}
	used := func(low, n, step int) (ports []taken) {
		for i := range n {
			ports = append(ports, taken{port: uint16(low + i*step)})
		}
		return ports
	}
	const nothing = 0
	for _, c := range []struct {
		name        string
		rules       []source.SNATRule
		used        []taken
		want, least int
	}{
		{"no rule is known", nil, used(40000, 5, 1), nothing, 64512},
		{"the address", []source.SNATRule{one}, used(40000, 5, 1), 20, 20},
		{"another address", []source.SNATRule{to("203.0.113.8", 40000, 40019)}, used(40000, 5, 1), nothing, 20},
		{"among several", []source.SNATRule{to("203.0.113.1-203.0.113.9", 1001, 1100)}, used(1001, 5, 1), 100, 100},
		{"not among them", []source.SNATRule{to("203.0.113.1-203.0.113.6", 1001, 1100)}, used(1001, 5, 1), nothing, 100},
		{"a network", []source.SNATRule{to("203.0.113.0/29", 1001, 1100)}, used(1001, 5, 1), 100, 100},
		{"another network", []source.SNATRule{to("203.0.113.8/29", 1001, 1100)}, used(1001, 5, 1), nothing, 100},
		{"another family", []source.SNATRule{to("::-ffff::", 1001, 1100)}, used(1001, 5, 1), nothing, 100},
		{"the interface's", []source.SNATRule{all}, used(1024, 5, 1), 64512, 64512},
		{"what no one can read", []source.SNATRule{to("ip saddr map @pool", 1001, 1100)}, used(1001, 5, 1), 100, 100},
		{"a range upside down", []source.SNATRule{to("", 1100, 1001)}, used(1001, 5, 1), 64512, 64512},
		{"the narrow one of two", []source.SNATRule{all, one}, used(40000, 20, 1), 20, 20},
		{"the wide one, whose ports stand everywhere", []source.SNATRule{all, one}, used(1024, 40000, 1), 64512, 20},
		{"the wide one, of every other port", []source.SNATRule{all, one}, used(1024, 32000, 2), 64512, 20},
		{"one block of several, the fullest", []source.SNATRule{to("", 1024, 2047), to("", 2048, 2147), to("", 4096, 5119)}, used(2000, 148, 1), 100, 100},
	} {
		rules := parseRules(c.rules)
		got := nothing
		if r := ruleOf(rules, address, c.used); r != nil {
			got = r.span.Count()
		}
		if got != c.want {
			t.Errorf("%s: %d ports, want %d", c.name, got, c.want)
		}
		if got := smallest(rules); got != c.least {
			t.Errorf("%s: the smallest pool has %d ports, want %d", c.name, got, c.least)
		}
	}
}

// Of clients that have ports of their own each has a pool, which counts its ports.
func TestBlocksOfPorts(t *testing.T) {
	t.Parallel()
	rules := parseRules([]source.SNATRule{
		{Ports: source.PortRange{Low: 1024, High: 2047}}, {Ports: source.PortRange{Low: 2048, High: 3071}}, {Ports: source.PortRange{Low: 1024, High: 2047}},
	})
	if len(rules) != 2 {
		t.Fatalf("%+v", rules)
	}
	var counted tally
	counted.reset()
	entries := func() (n int) {
		for port := uint16(1024); port < 3072; port++ {
			if port >= 2048 && port%4 == 0 { // the second has three quarters of its own
				continue
			}
			if port < 2048 && port%2 == 0 { // the first a half
				continue
			}
			n++
			counted.add(&flow{reply: source.Tuple{Proto: source.TCP, RemotePort: port}, original: source.Tuple{LocalPort: port}, status: statusSNAT})
		}
		return n
	}
	n := entries()
	for range 2 { // and where all are counted anew
		pools := counted.give(n, rules)
		if len(pools) != 1 || pools[0].Used != 768 || pools[0].Ports != 1024 || pools[0].Unreplied != 768 || len(pools[0].Flows) != maxFlows {
			t.Fatalf("%+v", pools)
		}
		for _, f := range pools[0].Flows {
			if f.LocalPort < 2048 {
				t.Errorf("a flow of the other client: %v", f)
			}
		}
		counted.recount()
		entries()
		n = 0
	}
}

// FuzzRules has no address that a tool writes crash us, or give ports that can't be.
func FuzzRules(f *testing.F) {
	for _, address := range []string{"", "203.0.113.7", "203.0.113.1-203.0.113.9", "203.0.113.0/29", "2001:db8::1-2001:db8::9", "fe80::1%eth0/64", "::/0", "a-b-c"} {
		f.Add(address, uint16(40000), uint16(40019))
	}
	f.Fuzz(func(t *testing.T, address string, low, high uint16) {
		rules := parseRules([]source.SNATRule{{Address: address, Ports: source.PortRange{Low: low, High: high}}})
		if n := smallest(rules); n < 1 || n > 1<<16 {
			t.Errorf("%d ports", n)
		}
		for _, a := range []string{"203.0.113.7", "2001:db8::7"} {
			if r := ruleOf(rules, netip.MustParseAddr(a), []taken{{port: low}}); r != nil && r.span.Low > r.span.High {
				t.Errorf("%+v", r)
			}
		}
	})
}
