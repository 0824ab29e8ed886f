package model

import "ephtop/source"

// PortMap says which ports from Low to High are used.
type PortMap struct {
	Low, High uint16
	// Words hold a bit for each port, from the multiple of 64 on that is not above
	// Low; a set bit is a used port. Empty where none is.
	Words []uint64
}

// reset makes it a map of unused ports.
func (m *PortMap) reset(low, high uint16) {
	m.Low, m.High = low, high
	m.Words = resize(m.Words, int(high>>6)-int(low>>6)+1)
	clear(m.Words)
}

func (m *PortMap) add(port uint16) { m.Words[port>>6-m.Low>>6] |= 1 << (port & 63) }

func (m *PortMap) has(port uint16) bool { return m.Words[port>>6-m.Low>>6]&(1<<(port&63)) != 0 }

// addAll adds ports that all are in the map's range.
func (m *PortMap) addAll(ports *source.PortSet) {
	for i := range m.Words {
		m.Words[i] |= ports[int(m.Low>>6)+i]
	}
}

// mapWorst maps the ports of the headline's tuple. The tuples must be ranked.
func (c *census) mapWorst(p *Pressure) {
	h, m := p.Headline(), &p.WorstMap
	switch {
	case h.Scope != ScopeTuple:
		return
	case h.Limit.Kind != PoolRange:
		m.reset(h.Limit.Low, h.Limit.High)
		c.mapPrivate(&h, m)
		return
	}
	m.reset(p.Map.Low, p.Map.High)
	d := c.domains.of(h.Key.Interface)
	if d.any {
		m.addAll(&d.blocked)
	}
	if c.suspects.total > 0 {
		m.addAll(&c.suspects.ports)
	}
	// Bound to no interface, they hold the port on those four-tuples too.
	own, unbound := c.tuples.index[h.Key], noTuple
	if h.Key.Interface != 0 && d.vrf == 0 {
		h.Key.Interface = 0
		if n, ok := c.tuples.index[h.Key]; ok {
			unbound = n
		}
	}
	for i := range c.holders {
		if t := c.holders[i].tuple; t == own || t == unbound && t != noTuple {
			m.add(c.holders[i].port)
		}
	}
}

// mapPrivate maps the ports of a private pool that are used.
func (c *census) mapPrivate(h *Headline, m *PortMap) {
	blocked := &c.private.servers
	if h.Limit.Kind == PoolReserved {
		blocked = &c.private.outside
	}
	for port := int(m.Low); port <= int(m.High); port++ {
		if blocked.Has(uint16(port)) {
			m.add(uint16(port))
		}
	}
	h.Key.Pool = PoolRange
	for i := range c.private.members {
		mem := &c.private.members[i]
		key := c.private.keys[mem.pool]
		if key.Pool = PoolRange; key == h.Key && mem.port >= m.Low && mem.port <= m.High {
			m.add(mem.port)
		}
	}
}
