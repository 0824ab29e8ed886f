package firewall

import (
	"slices"
	"strings"

	"ephtop/source"
	"ephtop/source/evidence/host"
	"ephtop/source/sysctl"
)

// ruleset is what nft and iptables have in common, as far as answers from other
// hosts are concerned.
type ruleset struct {
	chains []*chain // in the order of the tool
	byName map[chainName]*chain
	// cuts are the ports from which on some condition may say something else.
	cuts []int
	// kube is where nft looks NodePorts up, if it does.
	kube string
	// unread says that there are tables that could not be read.
	unread bool
}

// chainName is unique, and jumps stay inside a scope.
type chainName struct{ scope, name string }

// chain is a list of rules. One with a hook is asked by the kernel for packets
// of a connection that stands, the others by jumps.
type chain struct {
	chainName
	label    string // for people: "inet filter input"
	v4, v6   bool
	hook     string
	priority int
	drops    bool // the policy
	rules    []rule
	count    int // rules as the tool counts them
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
	other // something that can't be judged here
)

type rule struct {
	conds           []func(packet) bool // all must fit
	share           answer              // how many of those that fit all the same
	onState, onPort bool                // some condition is on these
	verdict         verdict
	target          string // of jump and jumpAway: the name of a chain in the scope
	snat            []source.SNATRule
	ports           []source.PortRange // of the destination, as far as conditions name any
	forwards        bool               // what is sent to these ports
	to              string             // and where to
	text            string
}

func newRuleset() *ruleset { return &ruleset{byName: make(map[chainName]*chain)} }

func (c *chain) describe(r *rule) source.FirewallRule {
	return source.FirewallRule{Chain: c.label, Text: r.text}
}

// add adds a chain, unless there is one by that name in its scope.
func (rs *ruleset) add(c *chain) {
	if rs.byName[c.chainName] == nil {
		rs.byName[c.chainName] = c
		rs.chains = append(rs.chains, c)
	}
}

// answer says which of the packets in question a rule fits.
type answer int

const (
	always answer = iota
	some          // which can't be said
	few           // those of some peers
	never
)

// packet is an answer in question: what other hosts send to an ephemeral port
// of this one.
type packet struct {
	v6       bool
	protocol string // "tcp", "udp"
	port     uint16
	state    string // of connection tracking; empty is not known
}

// fits says which packets like p the rule fits.
func (r *rule) fits(p packet) answer {
	for _, c := range r.conds {
		if !c(p) {
			return never
		}
	}
	if r.onState && p.state == "" {
		return max(r.share, some)
	}
	return r.share
}

// when is a condition that can be judged.
func (r *rule) when(neg bool, fits func(packet) bool) {
	r.conds = append(r.conds, func(p packet) bool { return fits(p) != neg })
}

// only is a condition that can't be judged.
func (r *rule) only(share answer) { r.share = max(r.share, share) }

// condition adds one of a kind that nft and iptables have in common. One that
// can't be judged fits some packets.
func (rs *ruleset) condition(r *rule, kind string, neg bool, values ...string) {
	has := func(value string) bool { return slices.Contains(values, value) }
	switch kind {
	case "peer":
		r.only(map[bool]answer{false: few, true: some}[neg]) // all but a few are many
	case "family":
		r.when(neg, func(p packet) bool { return p.v6 && (has("ipv6") || has("ip6")) || !p.v6 && (has("ipv4") || has("ip")) })
	case "protocol":
		another := func(v string) bool { return v == "" || v[0] <= '9' && v != "6" && v != "17" }
		if slices.ContainsFunc(values, another) { // numbers, where the host has no names for them
			r.only(some)
			return
		}
		r.when(neg, func(p packet) bool {
			return has(p.protocol) || has(map[string]string{"tcp": "6", "udp": "17"}[p.protocol])
		})
	case "interface":
		if slices.ContainsFunc(values, func(name string) bool { return name != "lo" }) {
			r.only(some)
			return
		}
		r.when(neg, func(packet) bool { return false }) // loopback is not in question
	case "state":
		r.onState = true
		r.when(false, func(p packet) bool {
			return p.state == "" || slices.ContainsFunc(values, func(v string) bool { return strings.EqualFold(v, p.state) }) != neg
		})
	case "port":
		rs.portCondition(r, neg, strings.Join(values, ","))
	default:
		r.only(some)
	}
}

// portCondition is on the destination port. The rule set notes where its answer
// changes.
func (rs *ruleset) portCondition(r *rule, neg bool, list string) {
	r.onPort = true
	ranges, err := sysctl.ParsePorts(list)
	if err != nil {
		r.only(some)
		return
	}
	if !neg {
		r.ports = append(r.ports, ranges...)
	}
	for _, span := range ranges {
		rs.cuts = append(rs.cuts, int(span.Low), int(span.High)+1)
	}
	r.when(neg, func(p packet) bool {
		return slices.ContainsFunc(ranges, func(span source.PortRange) bool { return span.Contains(p.port) })
	})
}

// flagCondition is on the flags of TCP under a mask. An answer has ACK, and SYN
// neither with FIN nor with RST; a lone RST, which may come as well, is no loss
// worth a rule.
func (r *rule) flagCondition(neg bool, mask, want []string) {
	has := func(flag string) bool { return slices.Contains(mask, flag) && slices.Contains(want, flag) }
	if slices.Contains(mask, "ack") && !has("ack") || has("syn") && (has("fin") || has("rst")) {
		r.when(neg, func(packet) bool { return false })
		return
	}
	r.only(some)
}

// unboundSNATPorts is how many ports the kernel picks from when a rule names
// none and the source port was not privileged: 1024-65535
// (nf_nat_l4proto_unique_tuple).
const unboundSNATPorts = 64512

func newSNAT(address string, masquerade bool, ports string) source.SNATRule {
	s := source.SNATRule{Address: host.Clean(address, 80), Masquerade: masquerade, PortCount: unboundSNATPorts}
	if ranges, err := sysctl.ParsePorts(ports); err == nil && ranges[0].Low <= ranges[0].High {
		s.Ports, s.PortCount = ranges[0], ranges[0].Count()
	}
	return s
}
