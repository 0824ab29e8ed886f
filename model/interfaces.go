package model

// countUnbound counts for the tuples of an interface what sockets that are bound
// to none hold on the same four-tuples: these block them for everyone, while a
// socket that is bound blocks only those that are bound to the same interface
// (inet_match). In a VRF nothing of outside counts.
func (c *census) countUnbound(low uint16) {
	if !c.linkBound() {
		return
	}
	for rest := c.holders; len(rest) > 0; {
		n := 0
		for ; n < len(rest) && rest[n].port == rest[0].port; n++ {
			if h := &rest[n]; h.tuple != noTuple {
				c.tuples.tuples[h.tuple].lastPort = h.port // a port that it holds itself counts once
			}
		}
		for i := range rest[:n] {
			h := &rest[i]
			if h.tuple == noTuple {
				continue
			}
			for b := c.tuples.tuples[h.tuple].bound; b != noTuple; b = c.tuples.tuples[b].next {
				c.tuples.tuples[b].count(h, low)
			}
		}
		rest = rest[n:]
	}
}

// linkBound links the tuples of an interface to the one of none, and reports
// whether there are such.
func (c *census) linkBound() (any bool) {
	for _, n := range c.tuples.active {
		t := &c.tuples.tuples[n]
		if t.use.Interface == 0 || c.domains.of(t.use.Interface).vrf != 0 {
			continue
		}
		key := t.use.TupleKey
		key.Interface = 0
		if at, ok := c.tuples.index[key]; ok && c.tuples.tuples[at].turn == c.tuples.turn {
			unbound := &c.tuples.tuples[at]
			t.next, unbound.bound, any = unbound.bound, n, true
		}
	}
	return any
}

// each calls do for a tuple, and for those that it counts for as well.
func (t *tupleTable) each(n int32, do func(*tuplePlace)) {
	do(&t.tuples[n])
	for b := t.tuples[n].bound; b != noTuple; b = t.tuples[b].next {
		do(&t.tuples[b])
	}
}
