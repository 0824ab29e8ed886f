package evidence

import (
	"slices"

	"ephtop/source"
)

const (
	// maxDepth is how deep jumps are followed; nft allows 16 itself.
	maxDepth = 16
	// maxVisits bounds the rules that are looked at for one judgement.
	maxVisits = 200_000
	// conntrackPriority is where connection tracking sits among the chains of
	// prerouting (NF_IP_PRI_CONNTRACK).
	conntrackPriority = -200
)

// judge follows return traffic of one family and protocol through the rules.
// All ports of the range go through together, as sets.
type judge struct {
	rs     *ruleset
	packet packet
	wanted portSet // the ephemeral range
	lists  *lists
	budget int // rules that may still be looked at
	fate   fate
}

// fate is what became of ports in one base chain.
type fate struct {
	accepted, refused portSet
	stateful          portSet // of accepted: by a rule on the state
	// maybeAccepted and maybeRefused met a rule that fits only some packets.
	maybeAccepted, maybeRefused portSet
	unclear                     portSet
	untracked, maybeUntracked   portSet
}

// frame is one chain being followed.
type frame struct {
	ports portSet // still to be decided
	// outer are ports for which not every undecided packet came here, and soft
	// those for which some may have gone back since.
	outer, soft portSet
	// few says that only packets of some peers came here.
	few             bool
	byState, byPort bool // a rule on the way here was on these
	depth           int
	out             portSet // goes on in the chain that jumped here
}

// returns judges the ports of a range.
func (j *judge) returns(family, protocol string, rng source.PortRange) source.ReturnTraffic {
	j.packet = packet{v6: family == "ipv6", proto: protoTCP}
	if protocol == "udp" {
		j.packet.proto = protoUDP
	}
	j.wanted = portSet{rng}
	var early, late []*chain
	for _, c := range j.rs.base("prerouting") {
		if c.priority < conntrackPriority {
			early = append(early, c)
		} else {
			late = append(late, c)
		}
	}
	late = append(late, j.rs.base("input")...)

	total := fate{accepted: j.wanted}
	j.packet.state = ctUntracked
	for _, c := range early {
		total.follow(j.base(c, j.wanted))
	}
	untracked := total.untracked
	unsure := total.maybeUntracked.minus(untracked)
	groups := []struct {
		state ctState
		ports portSet
	}{
		{ctEstablished, j.wanted.minus(untracked).minus(unsure)},
		{ctUntracked, untracked},
		{ctUnknown, unsure},
	}
	for _, c := range late {
		var f fate
		for _, g := range groups {
			if !g.ports.empty() {
				j.packet.state = g.state
				f.add(j.base(c, g.ports))
			}
		}
		total.follow(f)
	}
	return source.ReturnTraffic{
		Family: family, Protocol: protocol,
		Accepted: total.accepted, Refused: total.refused, Unclear: total.unclear,
		Stateful:  j.wanted.minus(total.stateful.and(total.accepted)).empty(),
		Untracked: untracked,
	}
}

// add takes in the fate of other ports in the same chain.
func (f *fate) add(g fate) {
	f.accepted = f.accepted.or(g.accepted)
	f.refused = f.refused.or(g.refused)
	f.unclear = f.unclear.or(g.unclear)
	f.stateful = f.stateful.or(g.stateful)
	f.untracked = f.untracked.or(g.untracked)
	f.maybeUntracked = f.maybeUntracked.or(g.maybeUntracked)
}

// follow takes in the fate of all ports in the next chain: a packet must be
// accepted by each.
func (f *fate) follow(next fate) {
	f.refused = f.refused.or(next.refused)
	f.unclear = f.unclear.or(next.unclear).minus(f.refused)
	f.accepted = f.accepted.and(next.accepted).minus(f.unclear)
	f.stateful = f.stateful.or(next.stateful)
	f.untracked = f.untracked.or(next.untracked)
	f.maybeUntracked = f.maybeUntracked.or(next.maybeUntracked)
}

// base follows ports through a chain that the kernel asks, to its policy.
func (j *judge) base(c *chain, ports portSet) fate {
	if j.packet.v6 && !c.v6 || !j.packet.v6 && !c.v4 {
		return fate{accepted: ports}
	}
	j.fate = fate{}
	rest := j.walk(c, frame{ports: ports})
	f := j.fate
	if c.drops {
		f.refused = f.refused.or(rest)
	} else {
		f.accepted = f.accepted.or(rest)
	}
	f.unclear = f.unclear.or(f.refused.and(f.maybeAccepted)).or(f.accepted.and(f.maybeRefused))
	f.accepted, f.refused = f.accepted.minus(f.unclear), f.refused.minus(f.unclear)
	return f
}

// walk follows the ports of a frame through a chain, notes their fate, and
// returns those that go on in the chain that jumped here.
func (j *judge) walk(c *chain, f frame) portSet {
	for i := range c.rules {
		if f.ports.empty() {
			break
		}
		if j.budget--; j.budget < 0 || f.depth > maxDepth {
			j.fate.unclear = j.fate.unclear.or(f.ports)
			break
		}
		j.rule(c, &c.rules[i], &f)
	}
	return f.out.or(f.ports)
}

func (j *judge) rule(c *chain, r *rule, f *frame) {
	if r.verdict == goOn {
		return
	}
	ports, a, byState, byPort := r.fits(j.packet)
	ports = ports.and(f.ports)
	if a == never || ports.empty() {
		// "ct state != established return; accept" is on the state as well.
		f.byState = f.byState || r.verdict == giveBack && r.onState()
		return
	}
	byState, byPort = byState || f.byState, byPort || f.byPort
	fewHere := f.few || a == few
	if a != always && r.verdict != giveBack && (r.verdict != refuse || !fewHere) {
		j.lists.unjudged.add(c.describe(r))
	}
	// left are ports of which every packet here fits, and sure those of which
	// every packet does that is still undecided.
	left := ports
	if a != always {
		left = nil
	}
	sure := left.minus(f.outer).minus(f.soft)
	unsure := ports.minus(sure)

	switch r.verdict {
	case accept:
		j.fate.accepted = j.fate.accepted.or(sure)
		if byState {
			j.fate.stateful = j.fate.stateful.or(sure)
		}
		j.fate.maybeAccepted = j.fate.maybeAccepted.or(unsure)
		f.leave(left)
	case refuse:
		j.fate.refused = j.fate.refused.or(sure)
		if !fewHere {
			j.fate.maybeRefused = j.fate.maybeRefused.or(unsure)
		} else {
			j.lists.exceptions.add(c.describe(r))
		}
		if byPort {
			j.lists.drop(c.describe(r), ports)
		}
		f.leave(left)
	case other:
		j.fate.unclear = j.fate.unclear.or(ports)
		j.lists.unjudged.add(c.describe(r))
		f.leave(left)
	case notrack:
		j.fate.untracked = j.fate.untracked.or(sure)
		j.fate.maybeUntracked = j.fate.maybeUntracked.or(unsure)
	case giveBack:
		f.goBack(ports, left)
	case jump, jumpAway:
		j.jump(c, r, f, frame{
			ports: ports, outer: unsure, few: fewHere, byState: byState, byPort: byPort, depth: f.depth + 1,
		}, left)
	}
}

// jump follows ports into another chain.
func (j *judge) jump(c *chain, r *rule, f *frame, into frame, left portSet) {
	target := j.rs.byKey[c.scope+" "+r.target]
	if target == nil {
		j.fate.unclear = j.fate.unclear.or(into.ports)
		j.lists.unjudged.add(c.describe(r))
		return
	}
	back := j.walk(target, into)
	if r.verdict == jumpAway {
		f.goBack(back, left)
		return
	}
	// What went there for certain and did not come back is decided.
	f.leave(left.minus(back))
}

// leave takes out ports of which every packet here was decided.
func (f *frame) leave(ports portSet) { f.ports = f.ports.minus(ports) }

// goBack lets ports go on in the chain before, and takes out those of which no
// packet stays here.
func (f *frame) goBack(ports, left portSet) {
	f.out = f.out.or(ports)
	f.leave(left)
	f.soft = f.soft.or(ports.minus(left))
}

// lists gathers the rules that a judgement names, each once.
type lists struct {
	exceptions, unjudged ruleList
	portDrops            []source.PortDrop
}

func newLists() *lists { return new(lists) }

type ruleList struct{ rules []source.FirewallRule }

func (l *ruleList) add(r source.FirewallRule) {
	if len(l.rules) < maxRules && !slices.Contains(l.rules, r) {
		l.rules = append(l.rules, r)
	}
}

func (l *lists) drop(r source.FirewallRule, ports portSet) {
	for i := range l.portDrops {
		if d := &l.portDrops[i]; d.FirewallRule == r {
			d.Ports = portSet(d.Ports).or(ports)
			return
		}
	}
	if len(l.portDrops) < maxRules {
		l.portDrops = append(l.portDrops, source.PortDrop{FirewallRule: r, Ports: ports})
	}
}
