package model

import "ephtop/source"

// poolCounts counts the ports held on each local address.
type poolCounts struct {
	index map[source.Addr]int32
	list  []poolCount
	// dual, v4 and v6 are held on a wildcard: of both families, or of one.
	dual, v4, v6 portCount
	// all and all4 are held on any address, and on any of IPv4.
	all, all4 int
}

type poolCount struct {
	portCount
	local source.Addr
	is4   bool
	// bound counts the sockets that were bound, for certain or likely.
	bound    int
	lastPort uint16
}

// portCount counts ports: all, those that bind(0) tries first, both in the lower
// half of the range, and those that only TIME_WAIT holds.
type portCount struct{ ports, second, lower, lowerSecond, waits int }

func (n *portCount) add(m portCount) {
	n.ports += m.ports
	n.second += m.second
	n.lower += m.lower
	n.lowerSecond += m.lowerSecond
	n.waits += m.waits
}

func (p *poolCounts) begin() {
	if p.index == nil {
		p.index = make(map[source.Addr]int32)
	}
	clear(p.index)
	*p = poolCounts{index: p.index, list: p.list[:0]}
}

// number gives the place of an address in the list.
func (p *poolCounts) number(a source.Addr) int32 {
	n, ok := p.index[a]
	if !ok {
		n = int32(len(p.list))
		p.index[a] = n
		p.list = append(p.list, poolCount{local: a, is4: a.Is4()})
	}
	return n
}

// held counts what is held on an address itself and on the wildcards that cover
// it.
func (p *poolCounts) held(of *poolCount) portCount {
	n := of.portCount
	n.add(p.dual)
	if of.is4 {
		n.add(p.v4)
	} else {
		n.add(p.v6)
	}
	return n
}

// used counts the ports that bind(0) on an address does not get: on a wildcard,
// those that are held on any address of its family.
func (p *poolCounts) used(of *poolCount) int {
	switch {
	case !of.local.IsWildcard():
		return p.held(of).ports
	case of.is4:
		return p.all4
	}
	return p.all
}

// wildcards says on which wildcards a port is held: on one of both families, or
// of one.
type wildcards struct{ dual, v4, v6 bool }

func (w *wildcards) note(s *source.Socket) {
	switch {
	case !s.Local.IsWildcard():
	case s.Local.Is4():
		w.v4 = true
	case s.V6Only:
		w.v6 = true
	default:
		w.dual = true
	}
}

// cover tells whether a wildcard holds the port on an address of the family as
// well.
func (w wildcards) cover(is4 bool) bool { return w.dual || w.v4 && is4 || w.v6 && !is4 }

// countPools counts a port for the local addresses that hold it: for the
// wildcards, and for each address that none of them covers.
func (c *census) countPools(st *State, holders []holder, live bool) {
	p := &c.pools
	port := holders[0].port
	second, lower := one((port^c.usable.low)&1 != 0), one(int(port) < c.usable.half)
	this := portCount{1, second, lower, lower & second, one(!live)}
	var wild wildcards
	for i := range holders {
		if s := &st.Snapshot.Sockets[holders[i].row]; holders[i].tuple == noTuple && s.Local.IsWildcard() {
			wild.note(s)
			p.number(s.Local)
		}
	}
	switch {
	case wild.dual:
		p.dual.add(this)
	case wild.v4:
		p.v4.add(this)
	}
	if wild.v6 && !wild.dual {
		p.v6.add(this)
	}
	any4 := wild.cover(true)
	for i := range holders {
		n := c.poolOf(st, &holders[i])
		of := &p.list[n]
		of.bound += one(holders[i].is(isBound))
		any4 = any4 || of.is4
		if of.lastPort != port && !of.local.IsWildcard() && !wild.cover(of.is4) {
			of.lastPort = port
			of.add(this)
		}
	}
	p.all++
	p.all4 += one(any4)
}

// poolOf gives the place of a holder's local address.
func (c *census) poolOf(st *State, h *holder) int32 {
	if h.tuple == noTuple {
		return c.pools.number(st.Snapshot.Sockets[h.row].Local)
	}
	t := &c.tuples.tuples[h.tuple]
	if t.pool == noGroup {
		t.pool = c.pools.number(t.use.Source)
	}
	return t.pool
}

// stageUsed reports whether bind(0) on a tuple's source has used up the ports
// that it tries first, and so takes others; with lower, also whether it has in
// the lower half of the range, where SO_REUSEADDR makes it begin, and which it
// uses up before it comes to the upper one.
func (c *census) stageUsed(t *tuplePlace, lower bool) bool {
	if t.pool == noGroup {
		return false
	}
	n := c.pools.held(&c.pools.list[t.pool])
	of := &c.usable.portCount
	used := func(n, of int) bool { return float64(n) >= usedUp*float64(of) }
	return used(n.second, of.second) ||
		lower && used(n.lowerSecond, of.lowerSecond) && (n.second == n.lowerSecond || used(n.lower, of.lower))
}
