package model

import "ephtop/source"

// poolCounts counts the ports held on each local address.
type poolCounts struct {
	index map[source.Addr]int32
	list  []poolCount
}

type poolCount struct {
	local    source.Addr
	ports    int
	lastPort uint16
}

func (p *poolCounts) begin() {
	if p.index == nil {
		p.index = make(map[source.Addr]int32)
	}
	clear(p.index)
	p.list = p.list[:0]
}

// number gives the place of an address in the list.
func (p *poolCounts) number(a source.Addr) int32 {
	n, ok := p.index[a]
	if !ok {
		n = int32(len(p.list))
		p.index[a] = n
		p.list = append(p.list, poolCount{local: a})
	}
	return n
}

func (p *poolCounts) count(n int32, port uint16) {
	if c := &p.list[n]; c.lastPort != port {
		c.lastPort = port
		c.ports++
	}
}

// ports is what is held on an address itself.
func (p *poolCounts) ports(a source.Addr) int {
	if n, ok := p.index[a]; ok {
		return p.list[n].ports
	}
	return 0
}

// wildcards says whether a port is held on a wildcard address.
type wildcards struct{ v4, v6 bool }

func (w *wildcards) note(local source.Addr) {
	if local.IsWildcard() {
		w.v4 = w.v4 || local.Is4()
		w.v6 = w.v6 || !local.Is4()
	}
}

// cover tells whether the wildcard holds the port on a as well. "::" takes
// IPv4 too, unless it is IPV6_V6ONLY, which is rare and would only make the
// pool look fuller than it is.
func (w wildcards) cover(a source.Addr) bool { return w.v6 || w.v4 && a.Is4() }

// countPools counts a port for the local addresses that hold it: for the
// widest wildcard alone, or for each address that no wildcard covers.
func (c *census) countPools(st *State, holders []holder) {
	port := holders[0].port
	var wild wildcards
	for i := range holders {
		if holders[i].tuple == noTuple {
			wild.note(st.Snapshot.Sockets[holders[i].row].Local)
		}
	}
	switch {
	case wild.v6:
		c.pools.count(c.pools.number(source.Addr{}), port)
	case wild.v4:
		c.pools.count(c.pools.number(source.Addr4([4]byte{})), port)
	}
	for i := range holders {
		h := &holders[i]
		if h.tuple != noTuple && wild == (wildcards{}) {
			c.pools.count(c.poolOf(h.tuple), port)
			continue
		}
		local := st.Snapshot.Sockets[h.row].Local
		if !local.IsWildcard() && !wild.cover(local) {
			c.pools.count(c.pools.number(local), port)
		}
	}
}

// poolOf gives the place of a tuple's source address.
func (c *census) poolOf(n int32) int32 {
	t := &c.tuples.tuples[n]
	if t.pool == noGroup {
		t.pool = c.pools.number(t.use.Source)
	}
	return t.pool
}
