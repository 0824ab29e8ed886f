package model

import (
	"math/bits"
	"slices"

	"ephtop/source"
)

// domain is a layer-3 domain: the sockets outside of any VRF, or those in one.
// Each has bind buckets of its own, so that a port may be blocked in one and
// free in another.
type domain struct {
	vrf uint32
	// blocked are the usable ports that are blocked for everyone.
	blocked source.PortSet
	// aside are those of them whose connections stand for no tuple: they came in
	// through a listener. Where the kernel's tables are not known, neither does a
	// connection on a port that another socket is bound to.
	aside source.PortSet
	any   bool // blocked is not empty
	seen  bool // a socket of this turn is in it
	// count and first are the number of blocked ports, and of those among them
	// that connect() tries first. told counts those that the kernel told of.
	count, first, told int
	// waits are those that TIME_WAIT holds, or those likely blocked, of which so
	// many come a second; growth is that of the others.
	waits          waits
	closes, growth float64
}

func (d *domain) reset(vrf uint32) {
	if d.any {
		d.blocked, d.aside = source.PortSet{}, source.PortSet{}
	}
	d.vrf, d.any, d.seen, d.count, d.first, d.told = vrf, false, false, 0, 0, 0
	d.waits.reset()
	d.closes, d.growth = 0, 0
}

func (d *domain) block(port uint16) {
	d.blocked.Add(port)
	d.any = true
}

// sum counts the ports. known says that the kernel's tables told of them all.
func (d *domain) sum(low uint16, known bool) {
	if !d.any {
		return
	}
	mask := parityMask(low)
	for i, w := range &d.blocked {
		d.count += bits.OnesCount64(w)
		d.first += bits.OnesCount64(w & mask)
		d.told += bits.OnesCount64(w &^ d.aside[i])
	}
	if known {
		d.told = d.count
	}
}

// domains are those of one namespace, the one outside of any VRF first.
type domains []domain

// reset makes so many domains empty.
func (ds *domains) reset(vrfs []uint32) {
	*ds = slices.Grow((*ds)[:0], 1+len(vrfs))[:1+len(vrfs)]
	(*ds)[0].reset(0)
	for i, vrf := range vrfs {
		(*ds)[i+1].reset(vrf)
	}
}

// of gives the domain of what is bound to an interface.
func (ds domains) of(iface uint32) *domain {
	for i := 1; i < len(ds); i++ {
		if ds[i].vrf == iface {
			return &ds[i]
		}
	}
	return &ds[0]
}

// maxVRFs bounds the VRFs of one namespace that are told apart: each takes two
// sets of ports. Sockets in further ones count as if they were in none.
const maxVRFs = 64

// block takes over the ports that the kernel's tables say are blocked, if they
// are known. A VRF is known from when it has one on, for as long as it has one
// or a socket.
func (c *census) block(st *State) {
	sn := st.Snapshot
	c.known = c.proto == source.TCP && sn.BlockedKnown
	if !c.known {
		c.vrfs = c.vrfs[:0]
		c.domains.reset(nil)
		return
	}
	for i := range sn.VRFs {
		if vrf := sn.VRFs[i].Interface; vrf != 0 && len(c.vrfs) < maxVRFs && !slices.Contains(c.vrfs, vrf) {
			c.vrfs = append(c.vrfs, vrf)
		}
	}
	c.domains.reset(c.vrfs)
	c.domains[0].blockAll(sn.Blocked, &c.usable.PortSet)
	for i := range sn.VRFs {
		if d := c.domains.of(sn.VRFs[i].Interface); d.vrf != 0 {
			d.blockAll(sn.VRFs[i].Blocked, &c.usable.PortSet)
		}
	}
}

func (d *domain) blockAll(ports []uint16, usable *source.PortSet) {
	for _, port := range ports {
		if usable.Has(port) {
			d.block(port)
		}
	}
}

// noteBlocking blocks the port of a socket for everyone, where the kernel's
// tables don't say which ports are.
func (c *census) noteBlocking(s *source.Socket, is sign) {
	d := c.domains.of(s.Interface)
	d.seen = true
	holds := s.State == source.Listen || s.State == source.Bound
	switch {
	case c.known:
		if (s.State == source.Listen || is == accepted) && d.blocked.Has(s.LocalPort) {
			d.aside.Add(s.LocalPort)
		}
	case holds || is == told || is == accepted:
		d.block(s.LocalPort)
		if holds || is == accepted {
			d.aside.Add(s.LocalPort)
		}
	}
}

// sumBlocked counts what is blocked, when all sockets are noted, and forgets
// the VRFs that are gone.
func (c *census) sumBlocked(st *State) {
	for i := range c.domains {
		c.domains[i].sum(st.Snapshot.Settings.FirstLow(), c.known)
	}
	c.vrfs = c.vrfs[:0]
	for i := range c.domains[1:] {
		if d := &c.domains[i+1]; d.any || d.seen {
			c.vrfs = append(c.vrfs, d.vrf)
		}
	}
}

// unexplained counts the blocked ports that no socket holds: the tables of
// sockets and of bound ports are not read in one instant.
func (c *census) unexplained(p *Pressure) {
	d := &c.domains[0]
	n := d.count - p.Blocked
	p.Blocked, p.BlockedKnown = d.count, d.told
	if n <= 0 {
		return
	}
	p.InUse += n
	c.counted.boundPorts += n
	p.Map.addAll(&d.blocked)
}

// Key gives the tuple of a socket that has a remote end.
func (st *State) Key(s *source.Socket) TupleKey { return keyOf(s) }

func keyOf(s *source.Socket) TupleKey {
	return TupleKey{Source: s.Local, Destination: s.Remote, Port: s.RemotePort, Interface: s.Interface}
}
