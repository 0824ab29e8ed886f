package demo

import (
	"math/bits"
	"math/rand/v2"

	"ephtop/source"
)

// holders counts the sockets that hold each port.
type holders struct {
	count [1 << 16]int32
	held  source.PortSet
}

func (h *holders) add(port uint16) {
	h.count[port]++
	h.held.Add(port)
}

func (h *holders) remove(port uint16) {
	if h.count[port]--; h.count[port] == 0 {
		h.held.Remove(port)
	}
}

// list gives the ports that are held, rising.
func (h *holders) list() []uint16 {
	var list []uint16
	for word, set := range h.held {
		for ; set != 0; set &= set - 1 {
			list = append(list, uint16(word<<6+bits.TrailingZeros64(set)))
		}
	}
	return list
}

// tupleKey makes a four-tuple with a local port.
type tupleKey struct {
	source, destination source.Addr
	port                uint16
}

// tuple is the ports that are taken towards one destination.
type tuple struct {
	used source.PortSet
	// waiting is the part of used that is in TIME_WAIT and may be taken over
	// once it is old enough (tcp_tw_reuse).
	waiting source.PortSet
	// secret and perturb say where connect() begins to search, as port_offset
	// and table_perturb do in __inet_hash_connect.
	secret, perturb uint32
}

// search looks through the range for a port as the kernel does: every second
// port from an offset on and round, then the ports between these. It tells how
// far from the offset the port was.
type search struct {
	ports source.PortRange
	// candidates gives the ports of a word of a PortSet that may be free; ok
	// has the last say.
	candidates func(word int) uint64
	ok         func(port uint16) bool
}

// span is the number of ports that the search goes round in.
func (s *search) span() int {
	if n := s.ports.Count(); n > 1 {
		return n &^ 1
	}
	return 1
}

// from searches the ports that have the parity of low + offset.
func (s *search) from(offset int) (port uint16, distance int, ok bool) {
	low, high := int(s.ports.Low), int(s.ports.High)
	start := low + offset
	mask := uint64(0x5555555555555555) << (start & 1)
	if port, ok = s.between(start, high, mask); !ok {
		port, ok = s.between(low, start-1, mask)
	}
	distance = int(port) - start
	if distance < 0 {
		distance += s.span()
	}
	return port, distance, ok
}

// between gives the first candidate from low to high, both included.
func (s *search) between(low, high int, mask uint64) (uint16, bool) {
	for word := low >> 6; word <= high>>6; word++ {
		set := s.candidates(word) & mask
		if word == low>>6 {
			set &= ^uint64(0) << (low & 63)
		}
		if word == high>>6 {
			set &= ^uint64(0) >> (63 - high&63)
		}
		for ; set != 0; set &= set - 1 {
			if port := uint16(word<<6 + bits.TrailingZeros64(set)); s.ok(port) {
				return port, true
			}
		}
	}
	return 0, false
}

// both searches the ports of the parity of low + offset, then the others.
func (s *search) both(offset int) (port uint16, distance int, ok bool) {
	if port, distance, ok = s.from(offset); ok {
		return port, distance, ok
	}
	return s.from(offset ^ 1)
}

// forConnect gives the port that connect() finds (__inet_hash_connect): the
// ports of the parity of the range's low end come first. It changes nothing.
func (s *search) forConnect(t *tuple) (port uint16, distance int, ok bool) {
	return s.both(int((t.secret+t.perturb)%uint32(s.span())) &^ 1)
}

// forBind gives the port that bind(0) finds: for TCP the other parity comes
// first (inet_csk_find_open_port), for UDP any (udp_lib_get_port).
func (s *search) forBind(proto source.Proto, random *rand.Rand) (port uint16, ok bool) {
	offset := random.IntN(s.span())
	if proto == source.TCP {
		offset |= 1
	}
	port, _, ok = s.both(offset)
	return port, ok
}

// next moves on the place where connect() begins, after it found a port: by
// chance as long as there is room, else just past the port.
func (t *tuple) next(distance int, random *rand.Rand) {
	t.perturb += uint32(max(distance, 2*random.IntN(8)) + 2)
}
