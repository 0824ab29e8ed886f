package conntrack

import (
	"net/netip"
	"strings"

	"ephtop/source"
)

// smallest is how many ports the smallest pool of these rules has.
func smallest(rules []source.SNATRule) int {
	ports := source.UnboundNATPorts
	for i := range rules {
		ports = min(ports, rules[i].PortCount)
	}
	return max(1, ports)
}

// ruleOf is the rule of a pool of an address: the one that gives it the fewest
// ports, of those that give as many as are used, or the one that gives most. Which
// rule a packet met is not known. It is empty where no rule is known that gives the
// address.
func ruleOf(rules []source.SNATRule, address source.Addr, used int) (rule source.SNATRule) {
	for i := range rules {
		r := &rules[i]
		if !gives(r, address) {
			continue
		}
		if have := rule.PortCount; have < used && r.PortCount > have || r.PortCount >= used && r.PortCount < have {
			rule = *r
		}
	}
	return rule
}

// gives reports whether a rule may translate to an address: it may be one that only
// the interface or a map knows.
func gives(r *source.SNATRule, address source.Addr) bool {
	low, high, isRange := strings.Cut(r.Address, "-")
	from, err := netip.ParseAddr(low)
	if err != nil {
		if p, err := netip.ParsePrefix(r.Address); err == nil {
			return p.Contains(address.Netip())
		}
		return true
	}
	to := from
	if isRange {
		if to, err = netip.ParseAddr(high); err != nil {
			return true
		}
	}
	a := address.Netip()
	return a.Compare(from) >= 0 && a.Compare(to) <= 0
}
