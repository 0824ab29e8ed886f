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
	searched                   bool // its ports are wanted
}

type taken struct {
	pool      *pool
	port      uint16
	evictable bool
}

type sampled struct {
	key  poolKey
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

// recount begins a look in which only the pools of the one before are counted: a
// pool of which a sample has not one entry is a small one, and there may be very
// many of them.
func (t *tally) recount() {
	for _, p := range t.pools {
		*p = pool{searched: p.searched}
	}
	t.seen, t.sample, t.taken, t.closed = 0, t.sample[:0], t.taken[:0], true
}

// add counts an entry. The host's own connections share the ports of its address,
// translated or not.
func (t *tally) add(f *flow) {
	t.seen++
	if p := f.reply.Proto; p != source.TCP && p != source.UDP {
		return
	}
	key := poolKey{f.reply.Remote, f.reply.Local, f.reply.LocalPort, f.zone, f.reply.Proto}
	p := t.pools[key]
	if p == nil {
		if t.closed {
			return
		}
		p = &pool{searched: true}
		t.pools[key] = p
	}
	p.used++
	evictable := t.evicts && f.evictable()
	if evictable {
		p.evictable++
	}
	if p.searched {
		t.taken = append(t.taken, taken{p, f.reply.RemotePort, evictable})
	}
	if f.status&statusSeenReply == 0 {
		p.unreplied++
	}
	if f.status&statusSNAT != 0 {
		t.nats[key.address] = true
	}
	if len(t.sample) < kept {
		t.sample = append(t.sample, sampled{key, f.original})
	} else if i := t.random.IntN(t.seen); i < kept {
		t.sample[i] = sampled{key, f.original}
	}
}

// give makes pools of what was counted, the fullest first, of so many entries in
// all, of which what was seen is a sample.
func (t *tally) give(entries int, rules []source.SNATRule) []source.NATPool {
	scale := func(n int) int { return n }
	if entries > t.seen && t.seen > 0 {
		scale = func(n int) int { return int((int64(n)*int64(entries) + int64(t.seen)/2) / int64(t.seen)) }
	}
	var list []ranked
	for key, p := range t.pools {
		if p.used > 0 && t.nats[key.address] {
			one := ranked{key, p, ruleOf(rules, key.address, scale(p.used)), source.NATPool{
				Address: key.address, Remote: key.remote, RemotePort: key.remotePort, Proto: key.proto,
				Used: scale(p.used), Evictable: scale(p.evictable), Unreplied: scale(p.unreplied),
			}}
			one.Ports = one.rule.PortCount
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
			list[i].Flows = t.flows(&list[i].key)
		}
		if p := &list[i]; entries <= t.seen && p.Share() >= fullShare {
			p.Loss, p.LossKnown = t.search.loss(t.taken, p.pool, p.rule.Ports), true
		}
		pools[i] = list[i].NATPool
	}
	return pools
}

// ranked is a pool with what tells it from others.
type ranked struct {
	key  poolKey
	pool *pool
	rule source.SNATRule
	source.NATPool
}

// flows are those of a pool that are in the sample.
func (t *tally) flows(key *poolKey) (flows []source.Tuple) {
	for i := range t.sample {
		if s := &t.sample[i]; s.key == *key && len(flows) < maxFlows {
			flows = append(flows, s.flow)
		}
	}
	return flows
}

func compareKeys(a, b *poolKey) int {
	return cmp.Or(slices.Compare(a.address[:], b.address[:]), slices.Compare(a.remote[:], b.remote[:]),
		cmp.Compare(a.remotePort, b.remotePort), cmp.Compare(a.proto, b.proto), cmp.Compare(a.zone, b.zone))
}
