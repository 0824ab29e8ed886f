package conntrack

import "math"

// The kernel's search for a port (nf_nat_l4proto_unique_tuple, since Linux 5.1): from
// a random one on it tries maxTries in a row, or all of a smaller range; then half as
// many from another one, and so on until it has tried fewer than leastTries. Of the
// last hardTries of each row, those of closing connections will do.
const (
	maxTries   = 128
	leastTries = 16
	hardTries  = 32
)

// What is in a port.
const (
	free = iota
	busy
	closing
)

// search tells what the kernel's search comes to. It holds the ports of a range.
type search struct{ ports [1 << 16]uint8 }

// loss is the share of new connections that find none of the ports of a pool. The port that a client has already is tried
// before; where many clients share a pool, that is as good as one try more.
func (s *search) loss(all []taken, p *pool) float64 {
	span := usual
	if p.rule != nil {
		span = p.rule.span
	}
	ports := s.ports[:span.Count()]
	clear(ports)
	for i := range all {
		t := &all[i]
		if t.pool != p || !span.Contains(t.port) {
			continue
		}
		ports[t.port-span.Low] = busy
		if t.evictable {
			ports[t.port-span.Low] = closing
		}
	}
	lost := 1.0
	for tries := min(len(ports), maxTries); lost > 0; tries /= 2 {
		lost *= fails(ports, tries)
		if tries == len(ports) || tries < leastTries {
			break
		}
	}
	return lost
}

// fails is the share of the ports from which on so many tries find none. A
// connection that closes gives its port to every other one.
func fails(ports []uint8, tries int) float64 {
	hard := min(tries, hardTries)
	at := func(i int) uint8 { return ports[i%len(ports)] }
	run, give := 0, 0 // busy ports from i on, and those in the last tries that give way
	for i := range hard {
		give += int(at(tries-hard+i) / closing)
	}
	lost := 0.0
	for i := 2*len(ports) - 1; i >= 0; i-- { // twice round, for a run may pass the end
		give += int(at(i+tries-hard)/closing) - int(at(i+tries)/closing)
		if run++; at(i) == free {
			run = 0
		}
		if i < len(ports) && run >= tries {
			lost += math.Ldexp(1, -give)
		}
	}
	return lost / float64(len(ports))
}
