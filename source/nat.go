package source

import "time"

// NAT is what connection tracking (nf_conntrack) of a network namespace holds of
// ports that source NAT has given out.
type NAT struct {
	// Netns and Cookie say which namespace it is, as those of [Scope].
	Netns  uint64 `json:"netns"`
	Cookie uint64 `json:"netns_cookie,omitzero"`
	// Entries is how many connections the namespace tracks
	// (net.netfilter.nf_conntrack_count), and Max how many it may: the limit is the
	// host's (net.netfilter.nf_conntrack_max).
	Entries  int         `json:"entries"`
	Max      int         `json:"max"`
	Counters NATCounters `json:"counters"`
	// Seen is how many entries Pools were counted from: 0 where the entries are so
	// few that no pool can be near its end; fewer than Entries where a sample was
	// taken, and then all figures of Pools are estimates.
	Seen int `json:"seen"`
	// Age is how long ago that was.
	Age time.Duration `json:"age"`
	// Pools are those with the most ports in use, the fullest first.
	Pools []NATPool `json:"pools"`
}

// NATCounters count events since the namespace began, on all processors together
// (struct ip_conntrack_stat).
type NATCounters struct {
	Known bool `json:"known"` // that they could be read
	// Found counts ports that were tried for a new connection and were taken, but
	// for the last 32 tries of TCP (nf_nat_used_tuple_harder).
	Found uint64 `json:"found"`
	// InsertFailed counts connections that got no entry, and Drop the packets that
	// were dropped for it or since the table is full.
	InsertFailed uint64 `json:"insert_failed"`
	Drop         uint64 `json:"drop"`
	// EarlyDrop counts entries that were thrown out for newer ones in a full table.
	EarlyDrop uint64 `json:"early_drop"`
	// ClashResolved counts entries that two packets raced to make (clashres).
	ClashResolved uint64 `json:"clash_resolved"`
}

// NATPool is the ports of one translated address towards one destination: each
// pool has all of them (nf_nat_core.c: a tuple must be unique).
type NATPool struct {
	Address    Addr   `json:"address"` // what packets leave with
	Remote     Addr   `json:"remote"`
	RemotePort uint16 `json:"remote_port"`
	Proto      Proto  `json:"proto"`
	// Used is the ports in use, those of the host's own connections from the same
	// address among them.
	Used int `json:"used"`
	// Evictable is those of them whose entry gives way to new connections: TCP in
	// TIME_WAIT or CLOSE that is translated (nf_nat_may_kill; Linux 6.5 and later, 0
	// before), and each to every other one only, which must have a higher sequence
	// number (nf_seq_has_advanced).
	Evictable int `json:"evictable"`
	// Unreplied is those whose first packet was not answered yet.
	Unreplied int `json:"unreplied"`
	// Ports is how many the pool has by the rules, 0 where these are not known: see
	// Capacity.
	Ports int `json:"ports"`
	// Loss is the share of new connections, 1 for all, that find no port: what the
	// kernel's search comes to in the ports that are in use, which may stand close
	// together or not. LossKnown says that all of them were looked at.
	Loss      float64 `json:"loss"`
	LossKnown bool    `json:"loss_known"`
	// Flows are some of its connections, taken evenly, as who asked for them sees
	// them: a socket of that four-tuple, in some network namespace, holds a port.
	Flows []Tuple `json:"flows"`
}

// UnboundNATPorts is what a pool has where the rule names no range: the ports from
// 1024 on, which is what a client's port of 1024 or more is given
// (nf_nat_l4proto_unique_tuple).
const UnboundNATPorts = 64512

// Capacity is how many ports the pool has: as the rules say, or what is usual.
func (p *NATPool) Capacity() int {
	if p.Ports > 0 {
		return p.Ports
	}
	return UnboundNATPorts
}

// Share is the part of the pool that is in use, 1 for all of it.
func (p *NATPool) Share() float64 { return float64(p.Used) / float64(p.Capacity()) }
