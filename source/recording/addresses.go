package recording

import (
	"encoding/binary"
	"math/rand/v2"

	"ephtop/source"
)

// class is a kind of address that must be recognised after it was replaced.
// Its stand-ins are below prefix, and go through the last bits in an order of
// chance, each once.
type class struct {
	prefix source.Addr
	bits   int
	// next takes over when all stand-ins are used up; nil where there are as
	// many as addresses.
	next *class

	used         uint64 // how many were taken
	step, offset uint64 // the order; step is odd
	// skipped was to stand for itself, and waits for another original.
	skipped  source.Addr
	skipping bool
}

func newClass(r *rand.Rand, prefix source.Addr, bits int, next *class) *class {
	return &class{prefix: prefix, bits: bits, next: next, step: r.Uint64() | 1, offset: r.Uint64()}
}

// take gives a stand-in that was not given yet.
func (c *class) take(original source.Addr) source.Addr {
	if c.skipping && c.skipped != original {
		c.skipping = false
		return c.skipped
	}
	for size := uint64(1) << c.bits; c.used < size; {
		standIn := c.prefix
		last := binary.BigEndian.Uint32(c.prefix[12:]) | uint32((c.used*c.step+c.offset)%size)
		binary.BigEndian.PutUint32(standIn[12:], last)
		c.used++
		if standIn != original {
			return standIn
		}
		c.skipped, c.skipping = standIn, true
	}
	if c.next != nil {
		return c.next.take(original)
	}
	// All others of the class are in use.
	c.skipping = false
	return original
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

	groups6 map[source.Addr]*class // multicast, by flags and scope
	rand    *rand.Rand
}

func newClasses(r *rand.Rand) *classes {
	v4 := func(a, b, c, d byte, bits int, next *class) *class {
		return newClass(r, source.Addr4([4]byte{a, b, c, d}), bits, next)
	}
	return &classes{
		rand:      r,
		private10: v4(10, 0, 0, 0, 24, nil), private172: v4(172, 16, 0, 0, 20, nil),
		private192: v4(192, 168, 0, 0, 16, nil), shared: v4(100, 64, 0, 0, 22, nil),
		linkLocal: v4(169, 254, 0, 0, 16, nil), multicast: v4(232, 0, 0, 0, 27, nil),
		public:     v4(198, 18, 0, 0, 17, v4(240, 0, 0, 0, 27, nil)),
		unique6:    newClass(r, source.Addr{0: 0xfd}, 32, nil),
		linkLocal6: newClass(r, source.Addr{0: 0xfe, 1: 0x80}, 32, nil),
		public6:    newClass(r, source.Addr{0: 0x20, 1: 0x01, 2: 0x0d, 3: 0xb8}, 32, nil),
		groups6:    make(map[source.Addr]*class),
	}
}

// of gives the class of an address, nil for one that is the same everywhere.
func (c *classes) of(a source.Addr) *class {
	if a.IsWildcard() || a.IsLoopback() {
		return nil
	}
	if a.Is4() {
		return c.of4([4]byte(a[12:]))
	}
	switch {
	case a[0] == 0xff:
		return c.multicast6(a)
	case a[0] == 0xfe && a[1]&0xc0 == 0x80:
		return c.linkLocal6
	case a[0]&0xfe == 0xfc, a[0] == 0xfe && a[1]&0xc0 == 0xc0: // RFC 3879: once site-local
		return c.unique6
	}
	return c.public6
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

// multicast6 keeps the flags and the scope of a group. Groups with a number of
// 16 bits are well known (RFC 2375).
func (c *classes) multicast6(a source.Addr) *class {
	known := source.Addr{a[0], a[1], 14: a[14], 15: a[15]}
	if a == known {
		return nil
	}
	prefix := source.Addr{a[0], a[1], 11: 1}
	if c.groups6[prefix] == nil {
		c.groups6[prefix] = newClass(c.rand, prefix, 32, nil)
	}
	return c.groups6[prefix]
}

// addr gives the stand-in of an address.
func (a *Anonymizer) addr(original source.Addr) source.Addr {
	if standIn, ok := a.addrs[original]; ok {
		return standIn
	}
	standIn := original
	if c := a.classes.of(original); c != nil && len(a.addrs) <= maxStandIns {
		standIn = c.take(original)
	}
	a.addrs[original] = standIn
	return standIn
}
