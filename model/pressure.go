package model

import "ephtop/source"

// TupleKey is what the kernel asks for a port towards: with the local port it
// makes a four-tuple, so each key has the whole range to itself, less the
// ports that are blocked for everyone (__inet_hash_connect).
type TupleKey struct {
	Source, Destination source.Addr
	Port                uint16 // destination port
	// Pool is what the sockets take their ports from: a private pool is a tuple
	// of its own.
	Pool PoolKind
	// Interface is the index of the interface that the sockets are bound to
	// (SO_BINDTODEVICE, link-local addresses, VRFs), or 0. They block a four-tuple
	// for those that are bound to the same one only (inet_sk_bound_dev_eq).
	Interface uint32
}

// To gives what the tuple leads to as host:port, with the number of the
// interface as a zone where its sockets are bound to one: "[fe80::1%3]:443".
func (k *TupleKey) To() string { return source.AddrPortOn(k.Destination, k.Interface, k.Port) }

// TupleUse is how far the range is used up towards one destination.
type TupleUse struct {
	TupleKey
	// Live and TimeWait are the tuple's own ports, connected and in TIME_WAIT.
	// Where it has an interface, those that sockets bound to none hold on the same
	// four-tuples are among them, for they block it for everyone.
	Live, TimeWait int
	// Blocked counts the ports that are blocked for everyone, but for those
	// among Live and TimeWait, which were bound before they were connected.
	// BlockedKnown counts those of them that the kernel told of: all where
	// Snapshot.BlockedKnown, else those of source.BoundFirst.
	Blocked, BlockedKnown int
	// Suspected counts the ports of Pressure.Suspected that others hold.
	Suspected int
	// Used is Live + TimeWait + Blocked + Suspected, Free the rest of the
	// usable ports, but for the one that connect() misses: in a range with an odd
	// number of ports it may be that nothing else is left.
	Used, Free, Missed int
	// Reusable is the part of TimeWait that connect() may take over
	// (tcp_tw_reuse), if both sides negotiated timestamps; FirstReusable is that
	// of them on ports of FirstHalf.
	Reusable, FirstReusable int
	// Closing counts the TIME_WAIT that began in the last ClosingSpan.
	Closing int
	// FirstHalf counts the used ports among those that connect() tries first:
	// the ones of the parity of the range's low end. FirstHalfSize is how many
	// there are; 0 on systems other than Linux, which know no halves.
	FirstHalf, FirstHalfSize int
	Outlook                  Outlook
	Level                    Level
	// Limit says which ports there are if it is not the range, whose sizes all
	// the above then has; zero for the range.
	Limit Limit
	// Process holds the most of the tuple's sockets: an index into
	// State.Processes, or source.NoProcess, where most are nobody's that is
	// known. Tier says how sure that is.
	Process int32
	Tier    Tier
	// Seen of SeenOf closes were those of the likely owner of its TIME_WAIT that
	// nobody saw alive; see State.Likely.
	Seen, SeenOf uint16
}

// Percent is the share of the usable ports that is used.
func (t *TupleUse) Percent() float64 { return Percent(t.Used, t.Used+t.Free) }

// waits tells whether most of what the tuple uses is TIME_WAIT that can't be
// taken over.
func (t *TupleUse) waits() bool { return 2*(t.TimeWait-t.Reusable) > t.Used }

// FirstHalfPercent is the share of the ports that connect() tries first.
func (t *TupleUse) FirstHalfPercent() float64 {
	if t.FirstHalfSize == 0 {
		return 0
	}
	return Percent(t.FirstHalf, t.FirstHalfSize)
}

// slowScan is how many ports connect() passes in vain where it is slow: at 80 ns
// each, more than ten times what the rest of it takes.
const slowScan = 1000

// SlowConnect reports whether every connect() is slow for the ports that it
// must pass: measured, 1.1 ms instead of 7 µs where the first half of the
// default range is used up.
func (t *TupleUse) SlowConnect() bool {
	return t.FirstHalfSize > 0 && t.Free+t.Reusable > 0 && t.scan() >= slowScan
}

// scan is how many ports connect() passes, on average, before one that it can
// have: in the first half, or all of that and then in the second.
func (t *TupleUse) scan() int {
	passes := func(ports, had int) int { return (ports - had) / (had + 1) }
	if had := t.FirstHalfSize - t.FirstHalf + t.FirstReusable; had > 0 {
		return passes(t.FirstHalfSize, had)
	}
	second := t.Used + t.Free + t.Missed - t.FirstHalfSize
	return t.FirstHalfSize + passes(second, min(second, t.Free+t.Reusable))
}

// NearlySlow reports whether the ports that connect() tries first are nearly
// used up, in a range that is wide enough for that to be felt.
func (t *TupleUse) NearlySlow() bool {
	return t.FirstHalfSize >= slowScan && t.Free > 0 && 10*(t.FirstHalfSize-t.FirstHalf+t.FirstReusable) <= t.FirstHalfSize
}

// BindPool is the pool of one local address, from which bind(ip, 0) and every
// UDP socket take their port.
type BindPool struct {
	Local source.Addr
	// Used counts the ports held on this address or on a wildcard that covers
	// it; for a wildcard, on any address of its family ("::" has both).
	Used, Free int
	// Bound counts its sockets that were bound, for certain or likely, and
	// TimeWait its ports with nothing but TIME_WAIT on them.
	Bound, TimeWait int
	Level           Level
}

// Percent is the share of the usable ports that is used.
func (b *BindPool) Percent() float64 { return Percent(b.Used, b.Used+b.Free) }

// Pressure is how far the ephemeral ports of one protocol are used up.
type Pressure struct {
	Proto source.Proto
	// Usable is the number of ports in the range that are not reserved (C).
	Usable int
	// InUse counts the distinct usable ports that any socket holds: the pool.
	InUse int
	// OnlyIPv6 counts those of InUse that are free for who asks for a port of
	// IPv4: only sockets of IPv6 hold them.
	OnlyIPv6 int
	// Live and TimeWait split InUse less Blocked: ports with any live socket,
	// and ports with TIME_WAIT only.
	Live, TimeWait int
	// Blocked counts the usable ports that are blocked for every destination
	// (H): all of them where Snapshot.BlockedKnown, outside of VRFs; else those
	// of listeners, of their children, of bound and unconnected sockets, and of
	// those that the kernel told of. 0 for UDP, where every port is held alike.
	Blocked int
	// BlockedKnown is the part of Blocked that the kernel told of, as in
	// TupleUse.
	BlockedKnown int
	// Suspected counts the ports that are likely blocked for everyone, bound
	// before they were connected; a dump cannot prove it. 0 where
	// Snapshot.BlockedKnown.
	Suspected int
	// Tuples are the destinations that hold ports, worst first. For UDP they are
	// the processes that pick their ports themselves (PoolOwnUDP).
	Tuples []TupleUse
	// Scattered counts the connections that are in no tuple, since there are too many
	// of them: those with the fewest ports are left out.
	Scattered int
	// BindPools are the local addresses that hold ports, worst first.
	BindPools []BindPool
	// Map is the ports of the range that anything holds, WorstMap those that
	// connect() to the headline's tuple cannot have, of its own pool where it has
	// one; that is empty where the headline is about no tuple.
	Map, WorstMap PortMap
	// Level is that of the headline or of a tuple that is worse, PoolLevel that of
	// the pool.
	Level, PoolLevel Level
	// PoolOnly says that the pool, and not a tuple, is the limit.
	PoolOnly bool
}

// PoolPercent is the share of the usable ports that any socket holds.
func (p *Pressure) PoolPercent() float64 { return Percent(p.InUse, p.Usable) }

// Worst is the tuple nearest to exhaustion, or nil if none holds a port.
func (p *Pressure) Worst() *TupleUse {
	if len(p.Tuples) == 0 {
		return nil
	}
	return &p.Tuples[0]
}

// WorstOfRange is Worst but for private pools.
func (p *Pressure) WorstOfRange() *TupleUse {
	for i := range p.Tuples {
		if p.Tuples[i].Pool == PoolRange {
			return &p.Tuples[i]
		}
	}
	return nil
}

// Headline is the figure that says when connect() (for UDP, and for who binds
// before: bind) fails first.
type Headline struct {
	// Key is the worst tuple where Scope is ScopeTuple, and Limit its pool. It has
	// but the source where Scope is ScopeBind.
	Key   TupleKey
	Limit Limit
	Scope Scope
	// Live, TimeWait, Blocked, Suspected and Free add up to the usable ports, less
	// TupleUse.Missed, or to those of the private pool.
	Live, TimeWait, Blocked, Suspected, Free int
	Level                                    Level
}

// Scope says what a headline is about.
type Scope uint8

// The scopes.
const (
	ScopePool  Scope = iota // the whole range
	ScopeTuple              // one source, destination and destination port
	ScopeBind               // what bind() gets on one local address
)

// Used is all that is not free.
func (h *Headline) Used() int { return h.Live + h.TimeWait + h.Blocked + h.Suspected }

// Percent is the used share of the usable ports.
func (h *Headline) Percent() float64 { return Percent(h.Used(), h.Used()+h.Free) }
