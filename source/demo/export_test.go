package demo

import (
	"math/rand/v2"
	"time"

	"ephtop/source"
)

// in is the kernel's part of a namespace.
func (h *Host) in(s source.Scope) *kernel {
	for i := range h.spaces {
		if h.spaces[i].kernel.scope.Netns == s.Netns {
			return h.spaces[i].kernel
		}
	}
	panic("no such namespace")
}

// FreePorts counts the ports that connect() could still take towards a
// destination, one after the other.
func (h *Host) FreePorts(in source.Scope, from, to source.Addr, port uint16) int {
	key := tupleKey{from, to, port}
	k := h.in(in)
	look := k.searchConnect(key, k.tuple(key))
	n := 0
	for p := int(look.ports.Low); p <= int(look.ports.High); p++ {
		if look.candidates(p>>6)&(1<<(p&63)) != 0 && look.ok(uint16(p)) {
			n++
		}
	}
	return n
}

// CanConnect tells whether connect() to a destination would find a port now.
func (h *Host) CanConnect(in source.Scope, from, to source.Addr, port uint16) bool {
	key := tupleKey{from, to, port}
	k := h.in(in)
	t := k.tuple(key)
	look := k.searchConnect(key, t)
	_, _, ok := look.forConnect(t)
	return ok
}

// NewMixed makes a host with a range of 100 ports, 10 of them reserved, that
// does a bit of everything: connects, closes, binds without connecting, listens
// in the range. Its destinations fill up one after the other.
func NewMixed(seed uint64) *Host {
	set := smallSettings()
	set.Reserved = []source.PortRange{{Low: 40030, High: 40039}}
	k := newKernel(set, defaultStart, rand.New(rand.NewPCG(seed, 0)))
	m := &machine{kernel: k, local: addr("10.0.0.1")}
	p := m.daemon(100, "app", 1000, "app", "/usr/bin/app")
	self := addr("127.0.0.1")
	for port := uint16(40010); port < 40013; port++ {
		l := m.listen(p, "10.0.0.1", port, 16)
		m.arrive(l, m.local, addr("198.51.100.1"), 4000+port)
	}
	m.often(always(0.1), func() {
		if s, err := m.bind(p, m.local, 0); err == nil {
			m.after(m.about(40*time.Second), func() { m.close(s) })
		}
	})
	for i, to := range []source.Addr{addr("10.0.9.2"), addr("10.0.9.3"), addr("2001:db8::1"), self} {
		from := m.local
		switch {
		case to == self:
			from = self
		case !to.Is4():
			from = addr("2001:db8::7")
		}
		c := client{process: p, from: from, to: to, port: 5432, life: 20 * time.Second, byPeer: 0.2}
		m.often(func() float64 {
			if int(k.now/(80*time.Second))%5 == 4 {
				return 0
			}
			return 1 + 0.7*float64(i)
		}, func() { _ = m.dial(&c, func() {}) })
	}
	return &Host{spaces: []space{{kernel: k}}, name: "demo-mixed", source: SourceName, step: time.Second}
}

// smallSettings are those of a range of 100 ports, as in the measurements that
// the rules rest on.
func smallSettings() source.Settings {
	set := defaultSettings()
	set.Range = source.PortRange{Low: 40000, High: 40099}
	return set
}

// WithoutTables is the host as the kernel's dump shows it, which does not say who
// picked a port.
func (h *Host) WithoutTables() *Host {
	for i := range h.spaces {
		h.spaces[i].kernel.tables = false
	}
	return h
}
