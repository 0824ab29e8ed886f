package model

import "ephtop/source"

// pairTable counts the sockets of each process, as a consumer, towards each
// tuple. It is a hash table of our own with linear probing, because this is
// counted once a socket.
type pairTable struct {
	slots []int32 // indices into list, or -1; a power of two of them
	list  []pair
}

// pair is a process's share of a tuple.
type pair struct {
	tuple, process          int32
	live, timeWait, closing int
	likely                  int // of timeWait, that are merely inferred to be its own
}

func (p *pairTable) begin() {
	if len(p.slots) == 0 {
		p.slots = make([]int32, 1<<8)
	}
	fill(p.slots, noGroup)
	p.list = p.list[:0]
}

func (p *pairTable) count(h *holder, process int32) {
	c := p.find(h.tuple, process)
	c.likely += one(h.is(isInferred))
	switch {
	case h.state != source.TimeWait:
		c.live++
	case h.closing():
		c.closing++
		c.timeWait++
	default:
		c.timeWait++
	}
}

func (p *pairTable) find(tuple, process int32) *pair {
	mask := uint64(len(p.slots) - 1)
	for at := hashPair(tuple, process) & mask; ; at = (at + 1) & mask {
		n := p.slots[at]
		if n == noGroup {
			p.slots[at] = int32(len(p.list))
			p.list = append(p.list, pair{tuple: tuple, process: process})
			if 2*len(p.list) > len(p.slots) {
				p.grow()
			}
			return &p.list[len(p.list)-1]
		}
		if c := &p.list[n]; c.tuple == tuple && c.process == process {
			return c
		}
	}
}

func (p *pairTable) grow() {
	p.slots = make([]int32, 2*len(p.slots))
	fill(p.slots, noGroup)
	mask := uint64(len(p.slots) - 1)
	for i := range p.list {
		at := hashPair(p.list[i].tuple, p.list[i].process) & mask
		for p.slots[at] != noGroup {
			at = (at + 1) & mask
		}
		p.slots[at] = int32(i)
	}
}

// hashPair spreads the bits of both numbers (Fibonacci hashing).
func hashPair(tuple, process int32) uint64 {
	h := (uint64(uint32(tuple))<<32 | uint64(uint32(process))) * 0x9e3779b97f4a7c15
	return h ^ h>>32
}

func fill(s []int32, v int32) {
	for i := range s {
		s[i] = v
	}
}
