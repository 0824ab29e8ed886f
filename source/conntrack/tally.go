package conntrack

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"ephtop/source"
)

// What is kept of a look.
const (
	maxPools = 64  // those with the most ports in use
	maxFlows = 256 // of each of the pools that come first
	flowed   = 8   // pools
	kept     = 5000
	// fullShare is the share of a pool in use from which on all of its ports are wanted.
	fullShare = 0.5
)

// tally counts entries by the pool that their port is of. Its zero value is
// ready to use.
type tally struct {
	seen  int
	pools map[poolKey]*pool
	nats  map[source.Addr]bool // addresses that packets were given
	// sample are flows of all pools, every one that was seen as likely as any
	// other (Vitter's algorithm R).
	sample []sampled
	random *rand.Rand
	closed bool // no further pools are counted
	// taken are the ports of pools, of which a whole count tells what a new
	// connection finds; once closed, only those of pools that are searched.
	taken  []taken
	search search
	// evicts says that entries give way to new connections.
	evicts bool
	// low is the lowest port that a rule gives out: clients with a port below 1024 are
	// given one of those, which are none of the usual.
	low uint16
}

// poolKey tells a pool: what comes back goes to the address, from the remote end.
// Zones have tuples of their own.
type poolKey struct {
	address, remote source.Addr
	remotePort      uint16
	zone            uint16
	proto           source.Proto
}

type pool struct {
	used, evictable, unreplied int
	rule                       *rule // nil while none is chosen
	searched                   bool  // its ports are wanted
	number                     int   // in the order of coming
}

type taken struct {
	pool                 *pool
	port                 uint16
	evictable, unreplied bool
}

type sampled struct {
	key  poolKey
	port uint16 // of the pool
	flow source.Tuple
}

// reset begins a look.
func (t *tally) reset() {
	if t.pools == nil {
		t.pools, t.nats = make(map[poolKey]*pool), make(map[source.Addr]bool)
		t.random = rand.New(rand.NewPCG(1, 2))
	}
	clear(t.pools)
	clear(t.nats)
	t.seen, t.sample, t.taken, t.closed = 0, t.sample[:0], t.taken[:0], false
}

// recount begins a look in which only the pools of the one before are counted, each
// with the rule that it had: a pool of which a sample has not one entry is a small one,
// and there may be very many of them.
func (t *tally) recount() {
	for _, p := range t.pools {
		p.used, p.evictable, p.unreplied = 0, 0, 0
	}
	t.seen, t.sample, t.taken, t.closed = 0, t.sample[:0], t.taken[:0], true
}

// add counts an entry. The host's own connections share the ports of its address,
// translated or not.
func (t *tally) add(f *flow) {
	t.seen++
	if p := f.reply.Proto; p != source.TCP && p != source.UDP || f.reply.RemotePort < t.low {
		return
	}
	key := poolKey{f.reply.Remote, f.reply.Local, f.reply.LocalPort, f.zone, f.reply.Proto}
	p := t.pools[key]
	if p == nil {
		if t.closed {
			return
		}
		p = &pool{searched: true, number: len(t.pools)}
		t.pools[key] = p
	}
	if f.status&statusSNAT != 0 {
		t.nats[key.address] = true
	}
	if p.rule != nil && !p.rule.span.Contains(f.reply.RemotePort) {
		return
	}
	one := taken{p, f.reply.RemotePort, t.evicts && f.evictable(), f.status&statusSeenReply == 0}
	if p.count(&one); p.searched {
		t.taken = append(t.taken, one)
	}
	if len(t.sample) < kept {
		t.sample = append(t.sample, sampled{key, one.port, f.original})
	} else if i := t.random.IntN(t.seen); i < kept {
		t.sample[i] = sampled{key, one.port, f.original}
	}
}

// count counts a port.
func (p *pool) count(t *taken) {
	p.used++
	if t.evictable {
		p.evictable++
	}
	if t.unreplied {
		p.unreplied++
	}
}

// choose finds the rules of pools, and leaves what is not of their ports.
func (t *tally) choose(rules []rule) {
	slices.SortFunc(t.taken, func(a, b taken) int {
		return cmp.Or(cmp.Compare(a.pool.number, b.pool.number), cmp.Compare(a.port, b.port))
	})
	ports := make(map[*pool][]taken, len(t.pools))
	for from, to := 0, 0; from < len(t.taken); from = to {
		for to = from; to < len(t.taken) && t.taken[to].pool == t.taken[from].pool; {
			to++
		}
		ports[t.taken[from].pool] = t.taken[from:to]
	}
	for key, p := range t.pools {
		if p.rule = ruleOf(rules, key.address.Netip(), ports[p]); p.rule == nil || !p.rule.bound {
			p.rule = nil
			continue
		}
		p.used, p.evictable, p.unreplied = 0, 0, 0
		for _, one := range within(ports[p], p.rule.span) {
			p.count(&one)
		}
	}
}

// give makes pools of what was counted, the fullest first, of so many entries in
// all, of which what was seen is a sample.
func (t *tally) give(entries int, rules []rule) []source.NATPool {
	if !t.closed && slices.ContainsFunc(rules, func(r rule) bool { return r.bound }) {
		t.choose(rules)
	}
	scale := func(n int) int { return n }
	if entries > t.seen && t.seen > 0 {
		scale = func(n int) int { return int((int64(n)*int64(entries) + int64(t.seen)/2) / int64(t.seen)) }
	}
	var list []ranked
	for key, p := range t.pools {
		if p.used > 0 && t.nats[key.address] {
			one := ranked{key, p, source.NATPool{
				Address: key.address, Remote: key.remote, RemotePort: key.remotePort, Proto: key.proto,
				Used: scale(p.used), Evictable: scale(p.evictable), Unreplied: scale(p.unreplied),
			}}
			if p.rule != nil {
				one.Ports = p.rule.span.Count()
			}
			p.searched = one.Share() >= fullShare
			list = append(list, one)
		}
	}
	slices.SortFunc(list, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(b.Share(), a.Share()), cmp.Compare(b.Used, a.Used), compareKeys(&a.key, &b.key))
	})
	list = list[:min(len(list), maxPools)]
	pools := make([]source.NATPool, len(list))
	for i := range list {
		if i < flowed {
			list[i].Flows = t.flows(&list[i].key, list[i].pool)
		}
		if p := &list[i]; entries <= t.seen && p.Share() >= fullShare {
			p.Loss, p.LossKnown = t.search.loss(t.taken, p.pool), true
		}
		pools[i] = list[i].NATPool
	}
	return pools
}

// ranked is a pool with what tells it from others.
type ranked struct {
	key  poolKey
	pool *pool
	source.NATPool
}

// flows are those of a pool that are in the sample.
func (t *tally) flows(key *poolKey, p *pool) (flows []source.Tuple) {
	for i := range t.sample {
		if s := &t.sample[i]; s.key == *key && len(flows) < maxFlows && (p.rule == nil || p.rule.span.Contains(s.port)) {
			flows = append(flows, s.flow)
		}
	}
	return flows
}

func compareKeys(a, b *poolKey) int {
	return cmp.Or(slices.Compare(a.address[:], b.address[:]), slices.Compare(a.remote[:], b.remote[:]),
		cmp.Compare(a.remotePort, b.remotePort), cmp.Compare(a.proto, b.proto), cmp.Compare(a.zone, b.zone))
}
