package firewall

import (
	"cmp"
	"slices"
	"strings"

	"ephtop/source"
)

// ruleset is what nft and iptables have in common, as far as answers from other
// hosts are concerned.
type ruleset struct {
	chains []*chain // in the order of the tool
	byKey  map[string]*chain
	// cuts are the ports from which on some condition may say something else.
	cuts []int
	// unread says that there are tables that could not be read.
	unread bool
}

// chain is a list of rules. One with a hook is asked by the kernel, the others
// by jumps.
type chain struct {
	scope, name string // unique together, and jumps stay inside a scope
	label       string // for people: "inet filter input"
	v4, v6      bool
	hook        string // "" for a chain that is only jumped to
	nat         bool   // asked for the first packet of a connection only
	priority    int
	drops       bool // the policy
	rules       []rule
	count       int // rules as the tool counts them
}

// verdict is what a rule does with a packet that fits.
type verdict int

const (
	goOn verdict = iota
	accept
	refuse // drop and reject
	jump
	jumpAway // goto
	giveBack // return
	notrack
	other // handed to something that can't be judged here
)

type rule struct {
	conds           []cond // all must fit
	onState, onPort bool   // some condition is on these
	verdict         verdict
	target          string // of jump and jumpAway: the name of a chain in the scope
	snat            *source.SNATRule
	text            string
}

func newRuleset() *ruleset { return &ruleset{byKey: make(map[string]*chain)} }

func (c *chain) describe(r *rule) source.FirewallRule {
	return source.FirewallRule{Chain: c.label, Text: r.text}
}

// add adds a chain, unless there is one by that name in its scope.
func (rs *ruleset) add(c *chain) {
	if key := c.scope + " " + c.name; rs.byKey[key] == nil {
		rs.byKey[key] = c
		rs.chains = append(rs.chains, c)
	}
}

// remove takes out the chains of a scope.
func (rs *ruleset) remove(scope string) {
	rs.chains = slices.DeleteFunc(rs.chains, func(c *chain) bool {
		if c.scope == scope {
			delete(rs.byKey, c.scope+" "+c.name)
		}
		return c.scope == scope
	})
}

// base lists the chains that the kernel asks at a hook for packets of a
// connection that stands, by priority.
func (rs *ruleset) base(hook string) []*chain {
	var found []*chain
	for _, c := range rs.chains {
		if c.hook == hook && !c.nat {
			found = append(found, c)
		}
	}
	slices.SortStableFunc(found, func(a, b *chain) int { return cmp.Compare(a.priority, b.priority) })
	return found
}

// answer says which of the packets in question a condition fits.
type answer int

const (
	never answer = iota
	few          // those of some peers
	some
	always
)

// state is what connection tracking says of a packet; zero is not known.
type state int

const (
	invalid state = 1 << iota
	established
	related
	fresh // "new"
	untracked
)

var states = map[string]state{
	"invalid": invalid, "established": established, "related": related, "new": fresh, "untracked": untracked,
}

// packet is an answer in question: what other hosts send to an ephemeral port
// of this one.
type packet struct {
	v6       bool
	protocol string // "tcp", "udp"
	port     uint16
	state    state
}

// cond is one condition of a rule.
type cond func(packet) answer

// fits says which packets like p the rule fits.
func (r *rule) fits(p packet) answer {
	a := always
	for _, c := range r.conds {
		a = min(a, c(p))
	}
	return a
}

func (r *rule) when(c cond) { r.conds = append(r.conds, c) }

// whenFixed is a condition with one answer for all packets in question.
func (r *rule) whenFixed(neg bool, a answer) { r.when(func(packet) answer { return unless(neg, a) }) }

// unless turns an answer round where neg is set. What is not a few is many.
func unless(neg bool, a answer) answer {
	switch {
	case !neg:
		return a
	case a == never:
		return always
	case a == always:
		return never
	}
	return some
}

func yes(b bool) answer {
	if b {
		return always
	}
	return never
}

func (r *rule) whenProtocol(neg bool, names ...string) {
	tcp := slices.Contains(names, "tcp") || slices.Contains(names, "6")
	udp := slices.Contains(names, "udp") || slices.Contains(names, "17")
	r.when(func(p packet) answer {
		return unless(neg, yes(tcp && p.protocol == "tcp" || udp && p.protocol == "udp"))
	})
}

// whenPort is on the destination port. The rule set notes where its answer
// changes.
func (rs *ruleset) whenPort(r *rule, neg bool, ranges []source.PortRange) {
	r.onPort = true
	for _, span := range ranges {
		rs.cuts = append(rs.cuts, int(span.Low), int(span.High)+1)
	}
	r.when(func(p packet) answer {
		in := slices.ContainsFunc(ranges, func(span source.PortRange) bool { return span.Contains(p.port) })
		return unless(neg, yes(in))
	})
}

// whenState is on the state of connection tracking.
func (r *rule) whenState(neg bool, names ...string) {
	r.onState = true
	var wanted state
	for _, name := range names {
		wanted |= states[strings.ToLower(name)]
	}
	r.when(func(p packet) answer {
		if p.state == 0 {
			return some
		}
		return unless(neg, yes(p.state&wanted != 0))
	})
}

// whenReply is on the direction: an answer of a tracked connection is a reply.
func (r *rule) whenReply(neg, reply bool) {
	r.whenState(false, "established")
	r.whenFixed(neg, yes(reply))
}

// whenInterface is on the interface that a packet came in by. Loopback is not
// in question; which of the others it is can't be said.
func (r *rule) whenInterface(neg bool, names ...string) {
	if slices.ContainsFunc(names, func(name string) bool { return name != "lo" }) {
		r.whenFixed(false, some)
		return
	}
	r.whenFixed(neg, never)
}

var allFlags = []string{"fin", "syn", "rst", "psh", "ack", "urg", "ecn", "cwr"}

// answerFlags are those of the answers to an active opener. A lone RST, which
// may come as well, is no loss worth a rule.
var answerFlags = [...][]string{
	{"syn", "ack"}, {"syn", "ack", "ecn"}, {"ack"}, {"ack", "psh"}, {"ack", "fin"}, {"ack", "psh", "fin"}, {"ack", "rst"},
}

// whenFlags is on the flags of TCP under a mask.
func (r *rule) whenFlags(neg bool, mask, want []string) {
	r.whenProtocol(false, "tcp")
	known := func(f string) bool { return slices.Contains(allFlags, f) || f == "none" || f == "0" }
	fit := 0
	for _, flags := range answerFlags {
		differs := func(f string) bool { return slices.Contains(flags, f) != slices.Contains(want, f) }
		if !slices.ContainsFunc(mask, differs) {
			fit++
		}
	}
	switch {
	case slices.ContainsFunc(slices.Concat(mask, want), func(f string) bool { return !known(f) }),
		fit > 0 && fit < len(answerFlags):
		r.whenFixed(false, some)
	default:
		r.whenFixed(neg, yes(fit > 0))
	}
}
