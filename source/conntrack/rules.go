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

// portsOf is how many ports a pool of an address has: by the rule that gives it the
// fewest, of those that give as many as are used. Which rule a packet met is not
// known. 0 where no rule is known that gives the address.
func portsOf(rules []source.SNATRule, address source.Addr, used int) int {
	ports, most := 0, 0
	for i := range rules {
		n := rules[i].PortCount
		if !gives(&rules[i], address) {
			continue
		}
		if most = max(most, n); n >= used && (ports == 0 || n < ports) {
			ports = n
		}
	}
	if ports == 0 {
		return most
	}
	return ports
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
