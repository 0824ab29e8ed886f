package conntrack

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"ephtop/source"
)

// usual are the ports that are given out where a rule names none.
var usual = source.PortRange{Low: 1024, High: 65535}

// rule is one that translates: to some addresses, and to some ports.
type rule struct {
	from, to netip.Addr // not valid where only the interface or a map knows
	span     source.PortRange
	bound    bool // span is of the rule, and not the usual one
}

// parseRules reads rules. Those that give the same are one.
func parseRules(list []source.SNATRule) (rules []rule) {
	for i := range list {
		s := &list[i]
		r := rule{span: usual}
		if s.Ports != (source.PortRange{}) && s.Ports.Low <= s.Ports.High {
			r.span, r.bound = s.Ports, true
		}
		low, high, isRange := strings.Cut(s.Address, "-")
		if !isRange {
			high = low
		}
		from, err1 := netip.ParseAddr(low)
		to, err2 := netip.ParseAddr(high)
		if p, err := netip.ParsePrefix(s.Address); err == nil {
			from, to = p.Masked().Addr(), last(p)
		} else if err1 != nil || err2 != nil {
			from, to = netip.Addr{}, netip.Addr{}
		}
		if r.from, r.to = from, to; !slices.Contains(rules, r) {
			rules = append(rules, r)
		}
	}
	return rules
}

// last is the highest address of a network.
func last(p netip.Prefix) netip.Addr {
	b := p.Masked().Addr().AsSlice()
	for i := p.Bits(); i < 8*len(b); i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	a, _ := netip.AddrFromSlice(b)
	return a
}

// gives reports whether the rule may translate to an address.
func (r *rule) gives(a netip.Addr) bool {
	return !r.from.IsValid() || a.Compare(r.from) >= 0 && a.Compare(r.to) <= 0
}

// smallest is how many ports the smallest pool of these rules has.
func smallest(rules []rule) int {
	ports := usual.Count()
	for i := range rules {
		ports = min(ports, rules[i].span.Count())
	}
	return ports
}

// ruleOf is the rule of a pool of an address, of which some ports are in use, rising:
// the one of whose ports the largest part is. Which rule a packet met is not known, so
// one that names ports has to show in them where another may have given them too: they
// are used at least twice as densely as others. Nil where no rule is known that gives
// the address.
func ruleOf(rules []rule, address netip.Addr, ports []taken) (best *rule) {
	var share float64
	var unbound *rule
	for i := range rules {
		r := &rules[i]
		switch {
		case !r.gives(address):
		case !r.bound:
			unbound = r
		default:
			if s := float64(len(within(ports, r.span))) / float64(r.span.Count()); best == nil || s > share {
				best, share = r, s
			}
		}
	}
	if best == nil || unbound == nil {
		return cmp.Or(best, unbound)
	}
	n := best.span.Count()
	outside := float64(len(ports)-len(within(ports, best.span))) / float64(max(1, unbound.span.Count()-n))
	if share < 2*outside {
		return unbound
	}
	return best
}

// within gives those of rising ports that are of a range.
func within(ports []taken, span source.PortRange) []taken {
	index := func(port int) int {
		i, _ := slices.BinarySearchFunc(ports, port, func(t taken, port int) int { return cmp.Compare(int(t.port), port) })
		return i
	}
	return ports[index(int(span.Low)):index(int(span.High)+1)]
}
