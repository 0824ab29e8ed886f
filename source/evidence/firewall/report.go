package firewall

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

// judged judges a rule set.
func judged(rs *ruleset, rng source.PortRange) source.Firewall {
	f := source.Firewall{Status: source.Status{Outcome: source.OutcomeRead}}
	j := newJudge(rs, rng)
	for _, family := range []string{"ipv4", "ipv6"} {
		for _, protocol := range []string{"tcp", "udp"} {
			f.Returns = append(f.Returns, j.returns(family, protocol))
			if j.visits > maxVisits {
				f.Reason = "the rules are too many or too deeply nested to follow them all"
			}
		}
	}
	f.PortDrops, f.Exceptions, f.Unjudged = j.portDrops(), j.exceptions, j.unjudged
	for _, hook := range []string{"prerouting", "input"} {
		for _, c := range rs.base(hook) {
			policy := "accept"
			if c.drops {
				policy = "drop"
			}
			f.Policies = append(f.Policies, source.ChainPolicy{Chain: c.label, Hook: hook, Policy: policy})
		}
	}
	for _, c := range rs.chains {
		f.Rules += c.count
		for i := range c.rules {
			r := &c.rules[i]
			if r.verdict == notrack {
				add(&f.NoTrack, c.describe(r))
			}
			if r.snat != nil && len(f.SNAT) < maxRules {
				r.snat.FirewallRule = c.describe(r)
				f.SNAT = append(f.SNAT, *r.snat)
			}
		}
	}
	return f
}
