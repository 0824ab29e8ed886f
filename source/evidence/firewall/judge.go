package firewall

import (
	"cmp"
	"slices"

	"ephtop/source"
)

const (
	// maxDepth is how deep jumps are followed; nft allows 16 itself.
	maxDepth = 16
	// maxVisits bounds the rules that are looked at.
	maxVisits = 4_000_000
	// maxRules bounds each list of rules in a report.
	maxRules = 20
	// maxSNAT bounds the rules that translate sources.
	maxSNAT = 256
	// conntrackPriority is where connection tracking sits among the chains of
	// prerouting (NF_IP_PRI_CONNTRACK).
	conntrackPriority = -200
)

// judge follows one packet after the other through the rules. Where no
// condition on ports changes its answer from one port to the next, the first of
// them speaks for all: the range is cut into spans, and each is asked once.
//
//	32768            40000    40009             60999
//	  |-- one packet --|-- one --|---- one ------|     "tcp dport 40000-40008 drop"
type judge struct {
	*source.Firewall
	rs     *ruleset
	base   []*chain // those that the kernel asks, in its order
	span   source.PortRange
	packet packet
	visits int
	// early says that connection tracking has not seen the packet yet; notrack
	// how many of its like a rule keeps from it.
	early   bool
	notrack answer
	// refusers are the chains that refuse the packet.
	refusers []source.Refuser
}

// outcome is what becomes of packets, all that may be together.
type outcome int

const (
	accepted outcome = 1 << iota
	refused
	unclear
	stateful // accepted for certain, by a rule on the state
	returned // go on in the chain that jumped here
	next     // go on with the next rule
)

// judged judges a rule set.
func judged(rs *ruleset, rng source.PortRange) source.Firewall {
	f := source.Firewall{Status: source.Status{Outcome: source.OutcomeRead}}
	j := judge{Firewall: &f, rs: rs}
	for _, hook := range []string{"prerouting", "input"} {
		from := len(j.base)
		for _, c := range rs.chains {
			if c.hook == hook {
				j.base = append(j.base, c)
			}
		}
		slices.SortStableFunc(j.base[from:], func(a, b *chain) int { return cmp.Compare(a.priority, b.priority) })
	}
	j.returns(rng)
	if j.visits > maxVisits {
		f.Reason = "the rules are too many or too deeply nested to follow them all"
	}
	for _, c := range j.base {
		policy := map[bool]string{false: "accept", true: "drop"}[c.drops]
		f.Policies = append(f.Policies, source.ChainPolicy{Chain: c.label, Hook: c.hook, Policy: policy})
	}
	for _, c := range rs.chains {
		f.Rules += c.count
		for i := range c.rules {
			r := &c.rules[i]
			if r.verdict == notrack {
				add(&f.NoTrack, c.describe(r))
			}
		}
	}
	f.SNAT = rs.snat(maxRules)
	f.Forwards = rs.forwards(rng)
	return f
}

// snat gives the rules that translate sources, not more than most.
func (rs *ruleset) snat(most int) (list []source.SNATRule) {
	for _, c := range rs.chains {
		for i := range c.rules {
			r := &c.rules[i]
			for _, one := range r.snat[:min(len(r.snat), most-len(list))] {
				one.FirewallRule = c.describe(r)
				list = append(list, one)
			}
		}
	}
	return list
}

// returns judges the ports of the range for each family and protocol.
func (j *judge) returns(rng source.PortRange) {
	for _, family := range []string{"ipv4", "ipv6"} {
		for _, protocol := range []string{"tcp", "udp"} {
			j.Returns = append(j.Returns, source.ReturnTraffic{Family: family, Protocol: protocol, Stateful: true})
		}
	}
	cuts := append([]int{int(rng.Low), int(rng.High) + 1}, j.rs.cuts...)
	cuts = slices.DeleteFunc(cuts, func(c int) bool { return c < int(rng.Low) || c > int(rng.High)+1 })
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	for i := range len(cuts) - 1 {
		j.span = source.PortRange{Low: uint16(cuts[i]), High: uint16(cuts[i+1] - 1)}
		for k := range j.Returns {
			r := &j.Returns[k]
			j.packet = packet{v6: r.Family == "ipv6", protocol: r.Protocol, port: j.span.Low}
			out := j.follow()
			switch {
			case out&refused != 0:
				extend(&r.Refused, j.span)
				for _, by := range j.refusers {
					add(&r.RefusedBy, by)
				}
			case out&unclear != 0:
				extend(&r.Unclear, j.span)
			default:
				extend(&r.Accepted, j.span)
			}
			r.Stateful = r.Stateful && out&(refused|unclear) == 0 && out&stateful != 0
			if j.notrack == always {
				extend(&r.Untracked, j.span)
			}
		}
	}
}

// extend adds a span that is not below the others.
func extend(list *[]source.PortRange, span source.PortRange) {
	if n := len(*list); n > 0 && int((*list)[n-1].High)+1 >= int(span.Low) {
		(*list)[n-1].High = span.High
		return
	}
	*list = append(*list, span)
}

// follow takes the packet through all base chains: each must accept it.
func (j *judge) follow() outcome {
	all := map[bool]outcome{true: unclear}[j.rs.unread]
	j.notrack, j.refusers = never, j.refusers[:0]
	for _, c := range j.base {
		if j.packet.v6 && !c.v6 || !j.packet.v6 && !c.v4 {
			continue
		}
		j.early = c.hook == "prerouting" && c.priority < conntrackPriority
		switch {
		case j.early:
			j.packet.state = ""
		case j.notrack == always:
			j.packet.state = "untracked"
		case j.notrack == never:
			j.packet.state = "established"
		}
		out := j.walk(c, way{})
		switch {
		case out&returned != 0 && c.drops:
			out |= refused
		case out&returned != 0:
			out |= accepted
		}
		if out&accepted != 0 && out&refused != 0 {
			out = out&^refused | unclear
		}
		if out&refused != 0 {
			j.refusers = append(j.refusers, source.Refuser{Chain: c.label, Early: j.early})
		}
		all |= out
	}
	return all
}

// way is how packets came to a chain.
type way struct {
	partial         bool // others that are undecided did not
	few             bool // only those of some peers did
	onState, onPort bool // by a rule on these
	depth           int
}

// walk follows packets through a chain.
func (j *judge) walk(c *chain, on way) (out outcome) {
	for i := range c.rules {
		r := &c.rules[i]
		if j.visits++; j.visits > maxVisits || on.depth > maxDepth {
			return out | unclear
		}
		a := r.fits(j.packet)
		if a == never || r.verdict == goOn {
			// "ct state != established return; accept" is on the state as well.
			on.onState = on.onState || r.verdict == giveBack && r.onState
			continue
		}
		here := way{
			on.partial || out&returned != 0 || a != always, on.few || a == few,
			on.onState || r.onState, on.onPort || r.onPort, on.depth + 1,
		}
		if a != always && r.verdict != giveBack && (r.verdict != refuse || !here.few) {
			add(&j.Unjudged, c.describe(r))
		}
		did := j.rule(c, r, here)
		out |= did &^ next
		if a == always && did&next == 0 {
			return out
		}
	}
	return out | returned
}

// rule does what a rule says with the packets that fit.
func (j *judge) rule(c *chain, r *rule, here way) outcome {
	target := j.rs.byName[chainName{c.scope, r.target}]
	switch {
	case r.verdict == accept && here.onState && !here.partial:
		return accepted | stateful
	case r.verdict == accept:
		return accepted
	case r.verdict == refuse:
		return j.refuse(c.describe(r), here)
	case r.verdict == giveBack:
		return returned
	case r.verdict == notrack:
		if j.early && here.partial {
			j.notrack = min(j.notrack, some)
		} else if j.early {
			j.notrack = always
		}
		return next
	case r.verdict == jump && target != nil:
		out := j.walk(target, here)
		if out&returned != 0 {
			out = out&^returned | next
		}
		return out
	case r.verdict == jumpAway && target != nil:
		return j.walk(target, here)
	}
	add(&j.Unjudged, c.describe(r))
	return unclear
}

// refuse notes a rule that drops or rejects. One that does so with a few peers
// is an exception.
func (j *judge) refuse(r source.FirewallRule, here way) outcome {
	if here.onPort {
		i := slices.IndexFunc(j.PortDrops, func(d source.PortDrop) bool { return d.FirewallRule == r })
		if i < 0 && len(j.PortDrops) < maxRules {
			i = len(j.PortDrops)
			j.PortDrops = append(j.PortDrops, source.PortDrop{FirewallRule: r})
		}
		if i >= 0 {
			extend(&j.PortDrops[i].Ports, j.span)
		}
	}
	if here.few {
		add(&j.Exceptions, r)
		return 0
	}
	return refused
}

// add adds to a list what is not in it yet, as far as there is room.
func add[T comparable](list *[]T, r T) {
	if len(*list) < maxRules && !slices.Contains(*list, r) {
		*list = append(*list, r)
	}
}
