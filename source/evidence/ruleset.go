package evidence

import (
	"cmp"
	"slices"

	"ephtop/source"
)

// ruleset is what nft and iptables have in common, as far as return traffic is
// concerned.
type ruleset struct {
	chains []*chain // in the order of the tool
	byKey  map[string]*chain
}

// chain is a list of rules. One with a hook is asked by the kernel, the others
// by jumps.
type chain struct {
	// key is unique in a rule set, and jumps stay inside scope.
	key, scope string
	label      string // for people: "inet filter input"
	v4, v6     bool
	hook       string // "" for a chain that is only jumped to
	nat        bool   // asked for the first packet of a connection only
	priority   int
	drops      bool // the policy
	rules      []rule
	count      int // rules as the tool counts them
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
	conds   []cond
	verdict verdict
	target  string // of jump and jumpAway: the name of a chain in the scope
	snat    *source.SNATRule
	text    string
}

func newRuleset() *ruleset { return &ruleset{byKey: make(map[string]*chain)} }

// add adds a chain, or returns the one that has its key.
func (rs *ruleset) add(c *chain) *chain {
	if old, ok := rs.byKey[c.key]; ok {
		return old
	}
	rs.byKey[c.key] = c
	rs.chains = append(rs.chains, c)
	return c
}

// merge adds the chains of another rule set.
func (rs *ruleset) merge(others *ruleset) {
	for _, c := range others.chains {
		rs.add(c)
	}
}

// remove takes out the chains of a scope.
func (rs *ruleset) remove(scope string) {
	rs.chains = slices.DeleteFunc(rs.chains, func(c *chain) bool {
		if c.scope == scope {
			delete(rs.byKey, c.key)
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

func (c *chain) describe(r *rule) source.FirewallRule {
	return source.FirewallRule{Chain: c.label, Text: r.text}
}

// answer says which of the packets in question a condition fits.
type answer int

const (
	never answer = iota
	few          // those of some peers
	some
	always
)

// ctState is the state that connection tracking gives to a packet.
type ctState int

const (
	ctUnknown     ctState = 0
	ctInvalid     ctState = 1
	ctEstablished ctState = 2
	ctRelated     ctState = 4
	ctNew         ctState = 8
	ctUntracked   ctState = 64
)

const (
	protoTCP = 6
	protoUDP = 17
)

// packet is return traffic in question: what other hosts send to an ephemeral
// port of this one.
type packet struct {
	v6    bool
	proto int
	state ctState
}

// cond is one condition of a rule. The zero value fits every packet.
type cond struct {
	// test is asked about all packets at once; nil fits always.
	test func(packet) answer
	// ports, where byPort is set, are the destination ports that fit.
	byPort bool
	ports  portSet
	// state says that the condition is on the state of connection tracking.
	state bool
}

func fixed(a answer) cond { return cond{test: func(packet) answer { return a }} }

func yes(b bool) answer {
	if b {
		return always
	}
	return never
}

// unless turns an answer round where neg is set. What is not a few is many.
func unless(neg bool, a answer) answer {
	if !neg {
		return a
	}
	switch a {
	case never:
		return always
	case always:
		return never
	}
	return some
}

func protoCond(neg bool, protos ...int) cond {
	return cond{test: func(p packet) answer { return unless(neg, yes(slices.Contains(protos, p.proto))) }}
}

// portCond fits destination ports of a protocol (0 for TCP and UDP).
func portCond(proto int, neg bool, ports portSet) cond {
	if neg {
		ports = ports.not()
	}
	c := cond{byPort: true, ports: ports}
	if proto != 0 {
		c.test = func(p packet) answer { return yes(p.proto == proto) }
	}
	return c
}

func stateCond(neg bool, states ctState) cond {
	return cond{state: true, test: func(p packet) answer {
		if p.state == ctUnknown {
			return some
		}
		return unless(neg, yes(p.state&states != 0))
	}}
}

// directionCond is on the direction of connection tracking: return traffic of
// a tracked connection is a reply.
func directionCond(neg, reply bool) cond {
	return cond{state: true, test: func(p packet) answer {
		switch p.state {
		case ctUnknown:
			return some
		case ctUntracked:
			return never
		}
		return unless(neg, yes(reply))
	}}
}

// interfaceCond is on the interface that a packet came in by. Loopback is not
// in question; which of the others it is can't be said.
func interfaceCond(neg bool, names ...string) cond {
	onlyLoopback := !slices.ContainsFunc(names, func(name string) bool { return name != "lo" })
	if onlyLoopback {
		return fixed(unless(neg, never))
	}
	return fixed(some)
}

// The flags of a TCP header (RFC 9293, section 3.1).
const (
	flagFIN = 1 << iota
	flagSYN
	flagRST
	flagPSH
	flagACK
	flagURG
	flagECE
	flagCWR
)

// returnFlags are those that the answers to an active opener carry. All but a
// lone RST have ACK set; that one is no loss worth a rule.
var returnFlags = [...]int{
	flagSYN | flagACK, flagSYN | flagACK | flagECE, flagACK, flagACK | flagPSH,
	flagACK | flagFIN, flagACK | flagPSH | flagFIN, flagACK | flagRST,
}

// flagsCond is on flags of TCP: those that fits returns true for.
func flagsCond(neg bool, fits func(flags int) bool) cond {
	n := 0
	for _, flags := range returnFlags {
		if fits(flags) {
			n++
		}
	}
	a := some
	switch n {
	case 0:
		a = never
	case len(returnFlags):
		a = always
	}
	a = unless(neg, a)
	return cond{test: func(p packet) answer {
		if p.proto != protoTCP {
			return never
		}
		return a
	}}
}

// fits says which destination ports a rule fits, and how surely.
func (r *rule) fits(p packet) (ports portSet, a answer, byState, byPort bool) {
	ports, a = everyPort(), always
	for i := range r.conds {
		c := &r.conds[i]
		if c.test != nil {
			a = min(a, c.test(p))
		}
		if c.byPort {
			ports, byPort = ports.and(c.ports), true
		}
		byState = byState || c.state
		if a == never || ports.empty() {
			return nil, never, false, false
		}
	}
	return ports, a, byState, byPort
}

// onState tells whether a rule asks for the state of connection tracking.
func (r *rule) onState() bool {
	return slices.ContainsFunc(r.conds, func(c cond) bool { return c.state })
}
