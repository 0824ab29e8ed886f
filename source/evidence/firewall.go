package evidence

import "ephtop/source"

// Firewall is what the rules of this network namespace do with the packets
// that answer connections of its own.
type Firewall struct {
	Status
	// Tools are the commands whose answers were read: "nft",
	// "iptables-legacy-save", …
	Tools []string `json:"tools,omitempty"`
	// Rules counts the rules of all tables.
	Rules int `json:"rules"`
	// Policies are those of the chains that packets for this host pass.
	Policies []Policy `json:"policies,omitempty"`
	// Returns holds one judgement for each family and protocol.
	Returns []Return `json:"returns,omitempty"`
	// PortDrops are rules on the way in that drop or reject named ports of the
	// ephemeral range.
	PortDrops []PortRule `json:"port_drops,omitempty"`
	// Exceptions are rules on the way in that drop or reject return traffic of
	// some peers (by address, for example); Returns leaves them out.
	Exceptions []Rule `json:"exceptions,omitempty"`
	// Unjudged are rules on the way in whose conditions can't be judged here;
	// they are why ports stand under Unclear.
	Unjudged []Rule `json:"unjudged,omitempty"`
	// NoTrack are rules that keep packets from connection tracking.
	NoTrack []Rule `json:"notrack,omitempty"`
	// SNAT are rules that give packets another source address and port.
	SNAT []SNAT `json:"snat,omitempty"`
}

// Rule is a rule of the firewall.
type Rule struct {
	Chain string `json:"chain"` // tool or family, table and chain: "inet filter input"
	Text  string `json:"text"`  // as the tool would write it, shortened
}

// Policy is what a chain does with a packet that no rule decided.
type Policy struct {
	Chain  string `json:"chain"`
	Hook   string `json:"hook"`   // "prerouting", "input"
	Policy string `json:"policy"` // "accept", "drop"
}

// Return says for the ports of the ephemeral range what happens to the answers
// that other hosts send there, loopback apart. Accepted, Refused and Unclear
// share the range between them.
type Return struct {
	Family   string `json:"family"`   // "ipv4", "ipv6"
	Protocol string `json:"protocol"` // "tcp", "udp"
	// Accepted is accepted by every chain, but for Exceptions.
	Accepted []source.PortRange `json:"accepted,omitempty"`
	// Refused is dropped or rejected by some chain.
	Refused []source.PortRange `json:"refused,omitempty"`
	// Unclear hangs on conditions that can't be judged here.
	Unclear []source.PortRange `json:"unclear,omitempty"`
	// Stateful says that a rule on the state of connection tracking
	// (established) accepts the whole range before anything drops it.
	Stateful bool `json:"stateful"`
	// Untracked are the ports that notrack rules keep from connection
	// tracking, so that no rule on its state fits.
	Untracked []source.PortRange `json:"untracked,omitempty"`
}

// PortRule is a rule on named ports.
type PortRule struct {
	Rule
	Ports []source.PortRange `json:"ports"` // those of the ephemeral range
}

// unboundSNATPorts is how many ports the kernel picks from when a rule names
// none and the source port was not privileged: 1024-65535
// (nf_nat_l4proto_unique_tuple).
const unboundSNATPorts = 64512

// SNAT is a rule that translates the source of packets.
type SNAT struct {
	Rule
	// Address is where to: an address, a range of them, or "" for that of the
	// interface (masquerade) or where the rule looks it up.
	Address    string `json:"address,omitempty"`
	Masquerade bool   `json:"masquerade,omitempty"`
	// Ports is the range that the rule names; zero where it names none.
	Ports source.PortRange `json:"ports,omitzero"`
	// PortCount is how many ports there are for each pair of translated source
	// address and destination: those of Ports, or an approximation of 64512.
	PortCount int `json:"port_count"`
}

func newSNAT(address string, masquerade bool, ports source.PortRange) *SNAT {
	s := &SNAT{Address: address, Masquerade: masquerade, Ports: ports, PortCount: unboundSNATPorts}
	if ports != (source.PortRange{}) {
		s.PortCount = ports.Count()
	}
	return s
}

// maxRules bounds each list of rules in a Firewall.
const maxRules = 20

// judgeFirewall makes the report of a rule set.
func judgeFirewall(rs *ruleset, rng source.PortRange) Firewall {
	f := Firewall{Status: Status{Outcome: Read}}
	for _, c := range rs.chains {
		f.Rules += c.count
		for i := range c.rules {
			r := &c.rules[i]
			switch {
			case r.verdict == notrack && len(f.NoTrack) < maxRules:
				f.NoTrack = append(f.NoTrack, c.describe(r))
			case r.snat != nil && len(f.SNAT) < maxRules:
				s := *r.snat
				s.Rule = c.describe(r)
				f.SNAT = append(f.SNAT, s)
			}
		}
	}
	for _, hook := range []string{"prerouting", "input"} {
		for _, c := range rs.base(hook) {
			f.Policies = append(f.Policies, Policy{c.label, hook, policyName(c.drops)})
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
