package source

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
	Policies []ChainPolicy `json:"policies,omitempty"`
	// Returns holds one judgement for each family and protocol.
	Returns []ReturnTraffic `json:"returns,omitempty"`
	// PortDrops are rules on the way in that drop or reject named ports of the
	// ephemeral range.
	PortDrops []PortDrop `json:"port_drops,omitempty"`
	// Exceptions are rules on the way in that drop or reject return traffic of
	// some peers (by address, for example); Returns leaves them out.
	Exceptions []FirewallRule `json:"exceptions,omitempty"`
	// Unjudged are rules on the way in whose conditions can't be judged here;
	// they are why ports stand under Unclear.
	Unjudged []FirewallRule `json:"unjudged,omitempty"`
	// NoTrack are rules that keep packets from connection tracking.
	NoTrack []FirewallRule `json:"notrack,omitempty"`
	// SNAT are rules that give packets another source address and port.
	SNAT []SNATRule `json:"snat,omitempty"`
	// Forwards are rules that send what comes in to ports of the ephemeral range
	// elsewhere.
	Forwards []ForwardRule `json:"forwards,omitempty"`
}

// FirewallRule is a rule of the firewall.
type FirewallRule struct {
	Chain string `json:"chain"` // tool or family, table and chain: "inet filter input"
	Text  string `json:"text"`  // as the tool would write it, shortened
}

// ChainPolicy is what a chain does with a packet that no rule decided.
type ChainPolicy struct {
	Chain  string `json:"chain"`
	Hook   string `json:"hook"`   // "prerouting", "input"
	Policy string `json:"policy"` // "accept", "drop"
}

// ReturnTraffic says for the ports of the ephemeral range what happens to the answers
// that other hosts send there, loopback apart. Accepted, Refused and Unclear
// share the range between them.
type ReturnTraffic struct {
	Family   string `json:"family"`   // "ipv4", "ipv6"
	Protocol string `json:"protocol"` // "tcp", "udp"
	// Accepted is accepted by every chain, but for Exceptions.
	Accepted []PortRange `json:"accepted,omitempty"`
	// Refused is dropped or rejected by some chain, RefusedBy those that do.
	Refused   []PortRange `json:"refused,omitempty"`
	RefusedBy []Refuser   `json:"refused_by,omitempty"`
	// Unclear hangs on conditions that can't be judged here.
	Unclear []PortRange `json:"unclear,omitempty"`
	// Stateful says that a rule on the state of connection tracking
	// (established) accepts the whole range before anything drops it.
	Stateful bool `json:"stateful"`
	// Untracked are the ports that notrack rules keep from connection
	// tracking, so that no rule on its state fits.
	Untracked []PortRange `json:"untracked,omitempty"`
}

// Refuser is a chain that the kernel asks, which drops or rejects answers, itself or in a
// chain that it jumps to.
type Refuser struct {
	Chain string `json:"chain"` // as that of a FirewallRule
	// Early says that it is asked before connection tracking: no rule on its state fits
	// there.
	Early bool `json:"early,omitempty"`
}

// PortDrop is a rule that drops or rejects named ports.
type PortDrop struct {
	FirewallRule
	Ports []PortRange `json:"ports"` // those of the ephemeral range
}

// ForwardRule is a rule that translates the destination of packets to certain
// ports of this host.
type ForwardRule struct {
	FirewallRule
	Ports []PortRange `json:"ports"` // those of the ephemeral range
	// To is where to, as the rule says: an address, a port, both, or "" where
	// another rule does.
	To string `json:"to,omitempty"`
}

// SNATRule is a rule that translates the source of packets.
type SNATRule struct {
	FirewallRule
	// Address is where to: an address, a range of them, or "" for that of the
	// interface (masquerade) or where the rule looks it up.
	Address    string `json:"address,omitempty"`
	Masquerade bool   `json:"masquerade,omitempty"`
	// Ports is the range that the rule names; zero where it names none.
	Ports PortRange `json:"ports,omitzero"`
	// PortCount is how many ports there are for each pair of translated source
	// address and destination: those of Ports, or an approximation of 64512.
	PortCount int `json:"port_count"`
}
