package anonymize

import (
	"encoding/binary"
	"math/rand/v2"

	"ephtop/source"
)

// class is a kind of address that must be recognised after it was replaced. Its
// stand-ins are the networks below prefix, in an order of chance, each once.
type class struct {
	prefix source.Addr
	order
	// next takes over when all networks are used up; nil for none.
	next *class
}

// network is one /24 of IPv4 or one /64 of IPv6.
type network struct {
	standIn source.Addr
	hosts   order
}

// order goes through the numbers below 1<<bits in an order of chance.
type order struct {
	bits         int
	used         uint64
	step, offset uint64 // step is odd
}

func newOrder(r *rand.Rand, bits int) order {
	return order{bits: bits, step: r.Uint64() | 1, offset: r.Uint64()}
}

// take gives the next number, or false where none is left.
func (o *order) take() (uint64, bool) {
	if o.used == 1<<o.bits {
		return 0, false
	}
	n := (o.used*o.step + o.offset) & (1<<o.bits - 1)
	o.used++
	return n, true
}

// classes are the kinds of address. Public addresses get those that are set
// aside for benchmarks (RFC 2544) and documentation (RFC 3849); when these are
// used up, IPv4 gets reserved ones (RFC 1112, section 4).
type classes struct {
	private10, private172, private192 *class // RFC 1918
	shared                            *class // RFC 6598
	linkLocal, multicast              *class // RFC 3927, RFC 5771
	public                            *class

	unique6, linkLocal6, public6 *class // RFC 4193, RFC 4291

	networks map[source.Addr]*network // by what their addresses have in common
	rand     *rand.Rand
}

func newClasses(r *rand.Rand) *classes {
	v4 := func(a, b byte, bits int, next *class) *class {
		return &class{source.Addr4([4]byte{a, b}), newOrder(r, bits), next}
	}
	v6 := func(a, b, c, d byte, bits int) *class {
		return &class{source.Addr{a, b, c, d}, newOrder(r, bits), nil}
	}
	return &classes{
		private10: v4(10, 0, 16, nil), private172: v4(172, 16, 12, nil), private192: v4(192, 168, 8, nil),
		shared: v4(100, 64, 14, nil), linkLocal: v4(169, 254, 8, nil), multicast: v4(232, 0, 19, nil),
		public:  v4(198, 18, 9, v4(240, 0, 19, nil)),
		unique6: v6(0xfd, 0, 0, 0, 32), linkLocal6: v6(0xfe, 0x80, 0, 0, 16), public6: v6(0x20, 0x01, 0x0d, 0xb8, 32),
		networks: make(map[source.Addr]*network), rand: r,
	}
}

// of gives the class of an address and what its network has in common; nil for
// an address that is the same everywhere.
func (c *classes) of(a source.Addr) (*class, source.Addr) {
	if a.IsWildcard() || a.IsLoopback() {
		return nil, a
	}
	network := a
	if a.Is4() {
		network[15] = 0
		return c.of4([4]byte(a[12:])), network
	}
	clear(network[8:])
	switch {
	case a[0] == 0xfe && a[1]&0xc0 == 0x80:
		return c.linkLocal6, network
	case a[0]&0xfe == 0xfc, a[0] == 0xfe && a[1]&0xc0 == 0xc0: // RFC 3879: once site-local
		return c.unique6, network
	}
	return c.public6, network
}

func (c *classes) of4(b [4]byte) *class {
	switch {
	case b == [4]byte{255, 255, 255, 255}, b[0] == 224 && b[1] == 0 && b[2] == 0:
		return nil
	case b[0] == 10:
		return c.private10
	case b[0] == 172 && b[1]&0xf0 == 16:
		return c.private172
	case b[0] == 192 && b[1] == 168:
		return c.private192
	case b[0] == 100 && b[1]&0xc0 == 64:
		return c.shared
	case b[0] == 169 && b[1] == 254:
		return c.linkLocal
	case b[0]&0xf0 == 224:
		return c.multicast
	}
	return c.public
}

// network gives the stand-in of an address's network, nil for an address that
// stands for itself, and false where no stand-in is left.
func (c *classes) network(a source.Addr) (*network, bool) {
	if a[0] == 0xff {
		return c.group6(a), true
	}
	class, key := c.of(a)
	if n := c.networks[key]; n != nil || class == nil {
		return n, true
	}
	standIn, ok := class.take()
	if !ok {
		return nil, false
	}
	bits := 8
	if !a.Is4() {
		bits = 32
	}
	n := &network{standIn, newOrder(c.rand, bits)}
	c.networks[key] = n
	return n, true
}

// group6 is the network of an IPv6 multicast group: flags and scope. Groups
// with a number of 16 bits are well known (RFC 2375).
func (c *classes) group6(a source.Addr) *network {
	if a == (source.Addr{a[0], a[1], 14: a[14], 15: a[15]}) {
		return nil
	}
	key := source.Addr{a[0], a[1], 11: 1}
	if c.networks[key] == nil {
		c.networks[key] = &network{key, newOrder(c.rand, 32)}
	}
	return c.networks[key]
}

// take gives the stand-in of a network.
func (c *class) take() (source.Addr, bool) {
	n, ok := c.order.take()
	if !ok && c.next != nil {
		return c.next.take()
	}
	a := c.prefix
	if a.Is4() {
		binary.BigEndian.PutUint32(a[12:], binary.BigEndian.Uint32(a[12:])|uint32(n)<<8)
	} else {
		binary.BigEndian.PutUint32(a[4:], uint32(n))
	}
	return a, ok
}

// addr gives the stand-in of an address.
func (a *Anonymizer) addr(original source.Addr) source.Addr {
	if standIn, ok := a.addrs[original]; ok {
		return standIn
	}
	standIn := original
	n, ok := a.classes.network(original)
	if n != nil && len(a.addrs) <= maxStandIns {
		var host uint64
		host, ok = n.hosts.take()
		standIn = n.standIn
		binary.BigEndian.PutUint32(standIn[12:], binary.BigEndian.Uint32(standIn[12:])|uint32(host))
	}
	a.spent = a.spent || !ok
	a.addrs[original] = standIn
	return standIn
}
