package firewall

import (
	"slices"

	"ephtop/source"
)

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

// judged judges a rule set. Its lists name what matters to TCP first.
func judged(rs *ruleset, rng source.PortRange) source.Firewall {
	f := source.Firewall{Status: source.Status{Outcome: source.OutcomeRead}}
	j := newJudge(rs, rng)
	for _, family := range []string{"ipv4", "ipv6"} {
		for _, protocol := range []string{"tcp", "udp"} {
			f.Returns = append(f.Returns, j.returns(family, protocol))
			if j.visits > maxVisits {
				f.Reason = "the rules are too many or too deeply nested to follow them all"
			}
			rs.each(func(_ *rule, as source.FirewallRule) { j.list(&f, as) })
		}
	}
	for _, hook := range []string{"prerouting", "input"} {
		for _, c := range rs.base(hook) {
			policy := "accept"
			if c.drops {
				policy = "drop"
			}
			f.Policies = append(f.Policies, source.ChainPolicy{Chain: c.label, Hook: hook, Policy: policy})
		}
	}
	rs.each(func(r *rule, as source.FirewallRule) {
		add(&f.NoTrack, as, r.verdict == notrack)
		if r.snat != nil && len(f.SNAT) < maxRules {
			s := *r.snat
			s.FirewallRule = as
			f.SNAT = append(f.SNAT, s)
		}
	})
	for _, c := range rs.chains {
		f.Rules += c.count
	}
	return f
}

// each calls do for every rule.
func (rs *ruleset) each(do func(*rule, source.FirewallRule)) {
	for _, c := range rs.chains {
		for i := range c.rules {
			do(&c.rules[i], c.describe(&c.rules[i]))
		}
	}
}

func add(list *[]source.FirewallRule, r source.FirewallRule, belongs bool) {
	if belongs && len(*list) < maxRules && !slices.Contains(*list, r) {
		*list = append(*list, r)
	}
}

// list puts a rule into the lists that it belongs to.
func (j *judge) list(f *source.Firewall, r source.FirewallRule) {
	add(&f.Exceptions, r, j.exceptions[r])
	add(&f.Unjudged, r, j.unjudged[r])
	spans := j.drops[r]
	if spans == nil {
		return
	}
	i := slices.IndexFunc(f.PortDrops, func(d source.PortDrop) bool { return d.FirewallRule == r })
	if i < 0 {
		if i = len(f.PortDrops); i == maxRules {
			return
		}
		f.PortDrops = append(f.PortDrops, source.PortDrop{FirewallRule: r})
	}
	f.PortDrops[i].Ports = nil
	for n, span := range j.spans {
		if spans[n] {
			f.PortDrops[i].Ports = extend(f.PortDrops[i].Ports, span)
		}
	}
}
