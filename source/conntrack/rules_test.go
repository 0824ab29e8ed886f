package conntrack

import (
	"testing"

	"ephtop/source"
)

func TestPortsOfAPool(t *testing.T) {
	t.Parallel()
	address := source.Addr4([4]byte{203, 0, 113, 7})
	rule := func(address string, ports int) source.SNATRule {
		return source.SNATRule{Address: address, PortCount: ports}
	}
	for _, c := range []struct {
		name        string
		rules       []source.SNATRule
		used        int
		want, least int
	}{
		{"no rule is known", nil, 5, 0, source.UnboundNATPorts},
		{"the address", []source.SNATRule{rule("203.0.113.7", 20)}, 5, 20, 20},
		{"another address", []source.SNATRule{rule("203.0.113.8", 20)}, 5, 0, 20},
		{"among several", []source.SNATRule{rule("203.0.113.1-203.0.113.9", 100)}, 5, 100, 100},
		{"not among them", []source.SNATRule{rule("203.0.113.1-203.0.113.6", 100)}, 5, 0, 100},
		{"a network", []source.SNATRule{rule("203.0.113.0/29", 100)}, 5, 100, 100},
		{"another family", []source.SNATRule{rule("::-ffff::", 100)}, 5, 0, 100},
		{"the interface's", []source.SNATRule{rule("", source.UnboundNATPorts)}, 5, source.UnboundNATPorts, source.UnboundNATPorts},
		{"a map", []source.SNATRule{rule("ip saddr map @pool", 100)}, 5, 100, 100},
		{"the tighter of two", []source.SNATRule{rule("", source.UnboundNATPorts), rule("203.0.113.7", 20)}, 20, 20, 20},
		{"the wider, of which more are used", []source.SNATRule{rule("", source.UnboundNATPorts), rule("203.0.113.7", 20)}, 21, source.UnboundNATPorts, 20},
		{"more than any gives", []source.SNATRule{rule("", 30), rule("203.0.113.7", 20)}, 31, 30, 20},
	} {
		if got := ruleOf(c.rules, address, c.used).PortCount; got != c.want {
			t.Errorf("%s: %d ports, want %d", c.name, got, c.want)
		}
		if got := smallest(c.rules); got != c.least {
			t.Errorf("%s: the smallest pool has %d ports, want %d", c.name, got, c.least)
		}
	}
}
