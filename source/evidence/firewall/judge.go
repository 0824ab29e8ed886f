package firewall

import (
	"slices"

	"ephtop/source"
)

const (
	// maxDepth is how deep jumps are followed; nft allows 16 itself.
	maxDepth = 16
	// maxVisits bounds the rules that are looked at for one family and protocol.
	maxVisits = 1_000_000
	// maxRules bounds each list of rules in a report.
	maxRules = 20
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
	rs     *ruleset
	spans  []source.PortRange
	packet packet
	visits int
	fate   fate

	exceptions, unjudged []source.FirewallRule
	drops                []drop
}

// fate is what became of a packet in one base chain. Maybe says that a rule
// which fits only some packets did it.
type fate struct {
	accepted, refused           bool
	maybeAccepted, maybeRefused bool
	unclear                     bool
	stateful                    bool // accepted by a rule on the state
	untracked, maybeUntracked   bool
}

func newJudge(rs *ruleset, rng source.PortRange) *judge {
	j := &judge{rs: rs}
	cuts := append([]int{int(rng.Low), int(rng.High) + 1}, rs.cuts...)
	cuts = slices.DeleteFunc(cuts, func(c int) bool { return c < int(rng.Low) || c > int(rng.High)+1 })
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	for i := range len(cuts) - 1 {
		j.spans = append(j.spans, source.PortRange{Low: uint16(cuts[i]), High: uint16(cuts[i+1] - 1)})
	}
	return j
}

// returns judges the ports of the range for one family and protocol.
func (j *judge) returns(family, protocol string) source.ReturnTraffic {
	r := source.ReturnTraffic{Family: family, Protocol: protocol, Stateful: true}
	j.visits = 0
	for _, span := range j.spans {
		j.packet = packet{v6: family == "ipv6", protocol: protocol, port: span.Low}
		f := j.follow()
		switch {
		case f.refused:
			r.Refused = extend(r.Refused, span)
		case f.unclear:
			r.Unclear = extend(r.Unclear, span)
		default:
			r.Accepted = extend(r.Accepted, span)
		}
		r.Stateful = r.Stateful && f.accepted && f.stateful
		if f.untracked {
			r.Untracked = extend(r.Untracked, span)
		}
	}
	return r
}

// extend adds a span behind the others.
func extend(list []source.PortRange, span source.PortRange) []source.PortRange {
	if n := len(list); n > 0 && int(list[n-1].High)+1 == int(span.Low) {
		list[n-1].High = span.High
		return list
	}
	return append(list, span)
}

// follow takes the packet through all base chains: each must accept it.
func (j *judge) follow() fate {
	all := fate{unclear: j.rs.unread}
	take := func(c *chain) {
		f := j.base(c)
		all.refused = all.refused || f.refused
		all.unclear = all.unclear || f.unclear
		all.stateful = all.stateful || f.stateful
		all.untracked = all.untracked || f.untracked
		all.maybeUntracked = all.maybeUntracked || f.maybeUntracked
	}
	j.packet.state = untracked
	chains := j.rs.base("prerouting")
	early := 0
	for ; early < len(chains) && chains[early].priority < conntrackPriority; early++ {
		take(chains[early])
	}
	switch {
	case all.untracked:
	case all.maybeUntracked:
		j.packet.state = 0
	default:
		j.packet.state = established
	}
	wasUntracked := all.untracked
	for _, c := range append(chains[early:], j.rs.base("input")...) {
		take(c)
	}
	all.accepted, all.untracked = !all.refused && !all.unclear, wasUntracked
	return all
}

// base follows the packet through a chain that the kernel asks, to its policy.
func (j *judge) base(c *chain) fate {
	if j.packet.v6 && !c.v6 || !j.packet.v6 && !c.v4 {
		return fate{accepted: true}
	}
	j.fate = fate{}
	if j.walk(c, way{}) {
		j.fate.refused, j.fate.accepted = c.drops, !c.drops
	}
	f := j.fate
	f.unclear = f.unclear || f.refused && f.maybeAccepted || f.accepted && f.maybeRefused
	f.refused = f.refused && !f.unclear
	return f
}

// way is how packets came to a chain.
type way struct {
	partial         bool // others that are undecided did not
	few             bool // only those of some peers did
	onState, onPort bool // by a rule on these
	depth           int
}

// walk follows packets through a chain, notes their fate, and reports whether
// some go on in the chain that jumped here.
func (j *judge) walk(c *chain, on way) (back bool) {
	for i := range c.rules {
		r := &c.rules[i]
		if j.visits++; j.visits > maxVisits || on.depth > maxDepth {
			j.fate.unclear = true
			return true
		}
		a := r.fits(j.packet)
		if a == never || r.verdict == goOn {
			// "ct state != established return; accept" is on the state as well.
			on.onState = on.onState || r.verdict == giveBack && r.onState
			continue
		}
		here := way{
			on.partial || back || a != always, on.few || a == few,
			on.onState || r.onState, on.onPort || r.onPort, on.depth + 1,
		}
		if a != always && r.verdict != giveBack && (r.verdict != refuse || !here.few) {
			add(&j.unjudged, c.describe(r))
		}
		stays := j.rule(c, r, here, &back)
		if !stays && a == always {
			return back
		}
	}
	return true
}

// rule does what a rule says with the packets that fit. It reports whether some
// go on with the next rule, and sets back where some leave the chain.
func (j *judge) rule(c *chain, r *rule, here way, back *bool) (stays bool) {
	f := &j.fate
	switch r.verdict {
	case accept:
		f.accepted = f.accepted || !here.partial
		f.maybeAccepted = f.maybeAccepted || here.partial
		f.stateful = f.stateful || !here.partial && here.onState
	case refuse:
		f.refused = f.refused || !here.partial
		f.maybeRefused = f.maybeRefused || here.partial && !here.few
		if here.few {
			add(&j.exceptions, c.describe(r))
		}
		if here.onPort {
			j.drop(c.describe(r))
		}
	case other:
		f.unclear = true
		add(&j.unjudged, c.describe(r))
	case notrack:
		f.untracked = f.untracked || !here.partial
		f.maybeUntracked = f.maybeUntracked || here.partial
		return true
	case giveBack:
		*back = true
	case jump, jumpAway:
		target := j.rs.byKey[c.scope+" "+r.target]
		if target == nil {
			f.unclear = true
			add(&j.unjudged, c.describe(r))
			return true
		}
		returned := j.walk(target, here)
		if r.verdict == jump {
			return returned
		}
		*back = *back || returned
	}
	return false
}

// drop is a rule on named ports that refuses some of them.
type drop struct {
	source.FirewallRule
	ports source.PortSet // the first of each span
}

func (j *judge) drop(r source.FirewallRule) {
	i := slices.IndexFunc(j.drops, func(d drop) bool { return d.FirewallRule == r })
	if i < 0 {
		if i = len(j.drops); i == maxRules {
			return
		}
		j.drops = append(j.drops, drop{FirewallRule: r})
	}
	j.drops[i].ports.Add(j.packet.port)
}

// portDrops are the rules that refuse named ports, each with those.
func (j *judge) portDrops() []source.PortDrop {
	var drops []source.PortDrop
	for i := range j.drops {
		d := source.PortDrop{FirewallRule: j.drops[i].FirewallRule}
		for _, span := range j.spans {
			if j.drops[i].ports.Has(span.Low) {
				d.Ports = extend(d.Ports, span)
			}
		}
		drops = append(drops, d)
	}
	return drops
}

// add adds a rule to a list, once.
func add(list *[]source.FirewallRule, r source.FirewallRule) {
	if len(*list) < maxRules && !slices.Contains(*list, r) {
		*list = append(*list, r)
	}
}
