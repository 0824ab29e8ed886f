package demo

import (
	"cmp"
	"math/bits"
	"math/rand/v2"
	"slices"
	"time"

	"ephtop/source"
)

// router is the source NAT of a host of containers, as nf_nat does it: whoever of
// them connects leaves with its address, and a port that it gives out.
type router struct {
	address    source.Addr
	low, ports int // those of its rule
	max        int // net.netfilter.nf_conntrack_max
	random     *rand.Rand
	// entries are those of connection tracking, by the connection as its client sees
	// it.
	entries  map[source.Tuple]*track
	pools    map[remoteEnd]*natPool
	counters source.NATCounters
}

// track is a connection that is tracked.
type track struct {
	flow    source.Tuple
	pool    *natPool
	port    uint16
	replied bool
	over    bool // in TIME_WAIT, and not by the clock of its socket
}

// remoteEnd is what a pool leads to.
type remoteEnd struct {
	addr source.Addr
	port uint16
}

// natPool is the ports of the address towards one destination.
type natPool struct {
	remoteEnd
	taken     source.PortSet
	holder    map[uint16]*track
	evictable int
	unreplied int
}

// The times after which an entry is forgotten (nf_conntrack_tcp_timeout_time_wait,
// _syn_sent and _fin_wait), and how a port is searched (nf_nat_core.c).
const (
	entryStays   = 120 * time.Second
	natAttempts  = 128 // NF_NAT_MAX_ATTEMPTS, and half as many in each further round
	natHarder    = 32  // NF_NAT_HARDER_THRESH
	natLastRound = 16
)

func newRouter(address source.Addr, low, ports int, random *rand.Rand) *router {
	return &router{
		address: address, low: low, ports: ports, max: 262144, random: random,
		entries: make(map[source.Tuple]*track), pools: make(map[remoteEnd]*natPool), counters: source.NATCounters{Known: true},
	}
}

// open gives the first packet of a connection a port, or drops it where none is
// found.
func (r *router) open(flow source.Tuple) bool {
	if e := r.entries[flow]; e != nil {
		if !e.over {
			return true // it has one
		}
		r.forget(e)
	}
	to := remoteEnd{flow.Remote, flow.RemotePort}
	p := r.pools[to]
	if p == nil {
		p = &natPool{remoteEnd: to, holder: make(map[uint16]*track)}
		r.pools[to] = p
	}
	port, ok := r.search(p, flow.LocalPort)
	if !ok {
		r.counters.InsertFailed++
		r.counters.Drop++
		return false
	}
	if old := p.holder[port]; old != nil {
		r.forget(old)
	}
	e := &track{flow: flow, pool: p, port: port}
	r.entries[flow], p.holder[port] = e, e
	p.taken.Add(port)
	p.unreplied++
	return true
}

// search finds a port as the kernel does: the client's own, else one from some place
// on, in rounds of ever fewer tries. The last ones of each take a port whose
// connection is over, if the new sequence number has advanced: that of every other.
func (r *router) search(p *natPool, own uint16) (port uint16, ok bool) {
	if at := int(own) - r.low; at >= 0 && at < r.ports && !r.taken(p, own) {
		return own, true
	}
	for tries := natAttempts; ; tries /= 2 {
		tries = min(tries, r.ports)
		start := r.random.IntN(1 << 16)
		for i := range tries {
			port = uint16(r.low + (start+i)%r.ports)
			if tries-i > natHarder {
				if !r.taken(p, port) {
					return port, true
				}
				continue
			}
			if old := p.holder[port]; old == nil || old.over && r.random.IntN(2) == 0 {
				return port, true
			}
		}
		if tries >= r.ports || tries < natLastRound {
			return 0, false
		}
	}
}

// taken tells whether a port is in use, and counts that it was (nf_conntrack_tuple_taken).
func (r *router) taken(p *natPool, port uint16) bool {
	if !p.taken.Has(port) {
		return false
	}
	r.counters.Found++
	return true
}

// forget frees the port of an entry.
func (r *router) forget(e *track) {
	delete(r.entries, e.flow)
	delete(e.pool.holder, e.port)
	e.pool.taken.Remove(e.port)
	switch {
	case e.over:
		e.pool.evictable--
	case !e.replied:
		e.pool.unreplied--
	}
}

// answered notes that a connection stands.
func (r *router) answered(flow source.Tuple) {
	if e := r.entries[flow]; e != nil && !e.replied {
		e.replied = true
		e.pool.unreplied--
	}
}

// end notes that a connection is over, and gives its entry, which stays for some
// time; nil where there is none. One that was never answered goes with its socket.
func (r *router) end(flow source.Tuple) *track {
	switch e := r.entries[flow]; {
	case e == nil || e.over:
	case !e.replied:
		r.forget(e)
	default:
		e.over = true
		e.pool.evictable++
		return e
	}
	return nil
}

// nat is what connection tracking of the router's namespace holds.
func (r *router) nat(in source.Scope) source.NAT {
	n := source.NAT{
		Netns: in.Netns, Cookie: in.Cookie, Entries: len(r.entries), Max: r.max, Seen: len(r.entries), Counters: r.counters,
	}
	for _, p := range r.pools {
		if len(p.holder) > 0 {
			n.Pools = append(n.Pools, source.NATPool{
				Address: r.address, Remote: p.addr, RemotePort: p.port, Proto: source.TCP, Ports: r.ports,
				Used: len(p.holder), Evictable: p.evictable, Unreplied: p.unreplied, Flows: p.flows(),
			})
		}
	}
	slices.SortFunc(n.Pools, func(a, b source.NATPool) int {
		return cmp.Or(cmp.Compare(b.Used, a.Used), slices.Compare(a.Remote[:], b.Remote[:]), cmp.Compare(a.RemotePort, b.RemotePort))
	})
	return n
}

// flows are some of a pool, taken evenly.
func (p *natPool) flows() (flows []source.Tuple) {
	const most = 256
	i, n := 0, len(p.holder)
	for word, set := range p.taken {
		for ; set != 0; set &= set - 1 {
			if i*most/n != (i-1)*most/n || n <= most || i == 0 {
				flows = append(flows, p.holder[uint16(word<<6+bits.TrailingZeros64(set))].flow)
			}
			i++
		}
	}
	return flows
}

// translated reports whether a connection leaves with another address.
func (k *kernel) translated(s *socket) bool {
	return k.router != nil && s.Proto == source.TCP && s.RemotePort != 0 && s.tuple != nil && s.Local != s.Remote
}

// leaves sends the first packet of a connection on its way, if it finds one.
func (k *kernel) leaves(s *socket) bool {
	return s.State != source.SynSent || !k.translated(s) || k.router.open(s.Tuple())
}

// untrack has the router forget a connection after a while.
func (k *kernel) untrack(s *socket) {
	if !k.translated(s) {
		return
	}
	if e := k.router.end(s.Tuple()); e != nil {
		k.after(entryStays, func() {
			if k.router.entries[e.flow] == e {
				k.router.forget(e)
			}
		})
	}
}
