package evidence

import "ephtop/source"

// unboundSNATPorts is how many ports the kernel picks from when a rule names
// none and the source port was not privileged: 1024-65535
// (nf_nat_l4proto_unique_tuple).
const unboundSNATPorts = 64512

func newSNAT(address string, masquerade bool, ports source.PortRange) *source.SNATRule {
	s := &source.SNATRule{Address: address, Masquerade: masquerade, Ports: ports, PortCount: unboundSNATPorts}
	if ports != (source.PortRange{}) {
		s.PortCount = ports.Count()
	}
	return s
}

// maxRules bounds each list of rules in a Firewall.
const maxRules = 20

// judgeFirewall makes the report of a rule set.
func judgeFirewall(rs *ruleset, rng source.PortRange) source.Firewall {
	f := source.Firewall{Status: read("")}
	for _, c := range rs.chains {
		f.Rules += c.count
		for i := range c.rules {
			r := &c.rules[i]
			switch {
			case r.verdict == notrack && len(f.NoTrack) < maxRules:
				f.NoTrack = append(f.NoTrack, c.describe(r))
			case r.snat != nil && len(f.SNAT) < maxRules:
				s := *r.snat
				s.FirewallRule = c.describe(r)
				f.SNAT = append(f.SNAT, s)
			}
		}
	}
	for _, hook := range []string{"prerouting", "input"} {
		for _, c := range rs.base(hook) {
			f.Policies = append(f.Policies, source.ChainPolicy{Chain: c.label, Hook: hook, Policy: policyName(c.drops)})
		}
	}
	lists := newLists()
	for _, family := range []string{"ipv4", "ipv6"} {
		for _, protocol := range []string{"tcp", "udp"} {
			j := judge{rs: rs, lists: lists, budget: maxVisits}
			f.Returns = append(f.Returns, j.returns(family, protocol, rng))
			if j.budget <= 0 {
				f.Reason = "the rules are too many or too deeply nested to follow them all"
			}
		}
	}
	f.PortDrops, f.Exceptions, f.Unjudged = lists.portDrops, lists.exceptions.rules, lists.unjudged.rules
	return f
}

func policyName(drops bool) string {
	if drops {
		return "drop"
	}
	return "accept"
}
