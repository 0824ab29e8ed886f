package model

import (
	"cmp"
	"math"
	"math/bits"
	"slices"

	"ephtop/source"
)

// order is what the order says in which a tuple's sockets were made. Of one
// tuple, connect() picks each port up to eight steps behind the last one, past
// those that are not free (table_perturb in __inet_hash_connect); bind(0)
// begins anywhere each time, and takes the next one that is free.
type order uint8

const (
	noOrder    order = iota // too few sockets, or both at once
	inTurn                  // connect() picked the ports
	atRandom                // it did not
	boundOrder              // bind() did: the second half was taken first
)

const (
	// minOrder sockets are needed to see an order at all.
	minOrder = 4
	// likelyOrder is the logarithm of the odds from which an order counts as
	// seen: 1,000 to 1.
	likelyOrder = 7
	// maxOrder bounds the sockets of a tuple that are looked at, fewOrder those
	// of one that is looked at each time.
	maxOrder, fewOrder = 4096, 256
	// inodeBatch is how many numbers a processor takes at a time (LAST_INO_BATCH
	// of get_next_ino): between two batches, inodes say nothing of the order.
	inodeBatch = 1024
)

// birth is a socket in the order in which its tuple's were made: of those that
// live by their inodes, of those in TIME_WAIT by their closes.
type birth struct {
	tuple int32
	waits bool
	key   uint64
	port  uint16
}

// putInOrder finds out about the order of the candidates' tuples. Those of many
// sockets are looked at again only when they have doubled.
func (c *census) putInOrder(st *State, candidates []int32) {
	asked := false
	for _, i := range candidates {
		t := &c.tuples.tuples[c.holders[i].tuple]
		if all := t.use.Live + t.use.TimeWait; !t.asked && (all < fewOrder || all >= 2*t.orderOf) {
			t.asked, t.orderOf, asked = true, all, true
		}
	}
	if !asked {
		return
	}
	list := c.suspects.births[:0]
	for i := range c.holders {
		h := &c.holders[i]
		if h.tuple == noTuple || !c.tuples.tuples[h.tuple].asked {
			continue
		}
		s := &st.Snapshot.Sockets[h.row]
		b := birth{tuple: h.tuple, waits: h.state == source.TimeWait, key: uint64(s.Inode), port: h.port}
		if b.waits {
			b.key = uint64(s.Expires)
		}
		if b.key != 0 {
			list = append(list, b)
		}
	}
	slices.SortFunc(list, func(a, b birth) int {
		return cmp.Or(cmp.Compare(a.tuple, b.tuple), cmp.Compare(one(a.waits), one(b.waits)), cmp.Compare(a.key, b.key), cmp.Compare(a.port, b.port))
	})
	c.suspects.births = list
	for len(list) > 0 {
		n := 1
		for n < len(list) && list[n].tuple == list[0].tuple {
			n++
		}
		c.weigh(st, list[:n])
		list = list[n:]
	}
	for _, i := range candidates {
		c.tuples.tuples[c.holders[i].tuple].asked = false
	}
}

// weigh says what the order of a tuple's sockets is.
func (c *census) weigh(st *State, births []birth) {
	t := &c.tuples.tuples[births[0].tuple]
	n := 0
	for n < len(births) && !births[n].waits {
		n++
	}
	live, waits := births[:min(n, maxOrder)], births[n:min(len(births), n+maxOrder)]
	first := parityMask(st.Snapshot.Settings.FirstLow())
	score := func(r source.PortRange, walked, judged uint64) float64 {
		return c.stepsOdds(st, births, live, r, walked, judged) + c.stepsOdds(st, births, waits, r, walked, judged)
	}
	whole, own := c.usable.of, source.PortRange{Low: math.MaxUint16}
	for i := range births {
		own.Low, own.High = min(own.Low, births[i].port), max(own.High, births[i].port)
	}
	t.order, t.firstOrder = noOrder, noOrder
	switch both := score(own, math.MaxUint64, ^first); {
	case max(both, score(whole, ^first, ^first), c.neighbourOdds(t, births, ^first)) > likelyOrder:
		t.order = inTurn
	case len(waits) == 0 && secondFirst(live, &st.Snapshot.Settings, c.usable.half):
		t.order = boundOrder
	}
	switch s := score(whole, first, first); {
	case s > likelyOrder:
		t.firstOrder = inTurn
	case s < -likelyOrder:
		t.firstOrder = atRandom
	}
}

// stepsOdds returns the logarithm of how much more likely the judged ports are
// where they are if connect() has walked from one to the next in a range than
// if bind() has picked them. Births are all of the tuple.
func (c *census) stepsOdds(st *State, births, list []birth, r source.PortRange, walked, judged uint64) (odds float64) {
	if len(list) < minOrder {
		return 0
	}
	able, held := c.usable.PortSet, source.PortSet{}
	m := &st.TCP.Pressure.Map
	copy(held[m.Low>>6:], m.Words)
	pool, left, lower := 0, 0, true
	for i := range able {
		pool += bits.OnesCount64(able[i] & judged)
		able[i] &= walked &^ c.domains[0].blocked[i]
	}
	left = countPorts(&able, int(r.Low), int(r.High)+1, math.MaxInt)
	for i := range births {
		held.Remove(births[i].port)
		lower = lower && int(births[i].port) < c.usable.half
	}
	if lower { // as with SO_REUSEADDR
		pool = (pool + 1) / 2
	}
	before, known := uint16(0), false
	for i := range list {
		b := &list[i]
		// Of what came at the same time, nobody knows the order.
		alone := (i == 0 || list[i-1].key != b.key) && (i == len(list)-1 || list[i+1].key != b.key)
		if !able.Has(b.port) {
			continue
		}
		if known && alone && judged>>(b.port&63)&1 != 0 {
			bind := float64(1+heldBefore(&held, b.port, c.usable.of)) / float64(pool)
			odds += math.Log(stepChance(freeBetween(&able, before, b.port, r), left) / bind)
		}
		before, known = b.port, alone
		able.Remove(b.port)
		held.Add(b.port)
		left--
	}
	return odds
}

// neighbourOdds is the same for the judged ports being next to others of the
// tuple, as where connect() takes each port of a range of its own
// (IP_LOCAL_PORT_RANGE).
func (c *census) neighbourOdds(t *tuplePlace, births []birth, judged uint64) (odds float64) {
	others := float64(t.use.FirstHalf) / float64(max(1, c.usable.first))
	chance := 1 - (1-others)*(1-others)
	if chance == 0 || others > crowded || c.stageUsed(t, true) {
		return 0
	}
	var own source.PortSet
	for i := range births {
		own.Add(births[i].port)
	}
	for i := range births {
		switch port := births[i].port; {
		case judged>>(port&63)&1 == 0:
		case own.Has(port-1) || own.Has(port+1):
			odds += math.Log(0.95 / chance)
		default:
			odds += math.Log(0.05 / (1 - chance))
		}
	}
	return odds
}

// Steps of connect(): most are short; some are not, where sockets between have
// gone, or another processor's inodes stand elsewhere.
const shortStep, longStep = 8, 32

// stepChance is the chance that connect() passes just so many of the free
// ports.
func stepChance(passed, free int) float64 {
	chance := 0.05 / float64(free)
	if passed < shortStep {
		chance += 0.8 / float64(min(shortStep, free))
	}
	if passed < longStep {
		chance += 0.15 / float64(min(longStep, free))
	}
	return chance
}

// heldBefore counts the ports of the same parity below a port that were held,
// up to a few hundred: from each of them, bind(0) comes to it.
func heldBefore(held *source.PortSet, port uint16, r source.PortRange) (n int) {
	for at := int(port) - 2; at >= int(r.Low) && held.Has(uint16(at)) && n < 1<<8; at -= 2 {
		n++
	}
	return n
}

// freeBetween counts the free ports behind one port and before another, around
// the end of the range; longStep stands for all that are more.
func freeBetween(able *source.PortSet, from, to uint16, r source.PortRange) (n int) {
	if to <= from {
		n = countPorts(able, int(from)+1, int(r.High)+1, longStep)
		from = r.Low - 1
	}
	return n + countPorts(able, int(from)+1, int(to), longStep)
}

// countPorts counts the ports of a set from one to before another, until there
// are enough.
func countPorts(set *source.PortSet, from, to, enough int) (n int) {
	for from < to && n < enough {
		w := set[from>>6] >> (from & 63)
		if span := to - from; span < 64 {
			w &= 1<<span - 1
		}
		n += bits.OnesCount64(w)
		from = from&^63 + 64
	}
	return n
}

// secondFirst reports whether the second half was taken before the first, or in
// each half of the range for itself (SO_REUSEADDR, attempt_half in
// inet_csk_find_open_port).
func secondFirst(live []birth, set *source.Settings, half int) bool {
	var seen [2][2]int // by half of the range and of the ports
	before, pairs, last := 0, 0, uint64(0)
	for i := range live {
		b := &live[i]
		if batch := (b.key - 1) / inodeBatch; batch != last {
			seen, last = [2][2]int{}, batch
		}
		upper, second := one(int(b.port) >= half), one(set.Second(b.port))
		pairs += seen[upper][1-second]
		if second == 0 {
			before += seen[upper][1]
		}
		seen[upper][second]++
	}
	return pairs >= minOrder*minOrder && 5*before >= 4*pairs
}
