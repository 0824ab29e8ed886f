package model

import (
	"math/bits"

	"ephtop/source"
)

// portSet is a set of ports, a bit each.
type portSet [1 << 10]uint64

func (p *portSet) has(port uint16) bool { return p[port>>6]&(1<<(port&63)) != 0 }

func (p *portSet) add(port uint16) { p[port>>6] |= 1 << (port & 63) }

// setUsable makes p the set of the ports that the system can pick.
func (p *portSet) setUsable(set *source.Settings) {
	*p = portSet{}
	if set.Range.Low == 0 {
		return
	}
	for i := range p {
		p[i] = spanOf(set.Range, i)
	}
	for _, r := range set.Reserved {
		for i := int(r.Low >> 6); i <= int(r.High>>6); i++ {
			p[i] &^= spanOf(r, i)
		}
	}
}

// spanOf has the bits of the range that lie in a word.
func spanOf(r source.PortRange, word int) uint64 {
	low, high := max(int(r.Low)-word<<6, 0), min(int(r.High)-word<<6, 63)
	if low > 63 || high < low {
		return 0
	}
	return ^uint64(0) << low & (^uint64(0) >> (63 - high))
}

// firstHalf counts the usable ports that connect() tries first, and those of
// them that are in taken.
func (p *portSet) firstHalf(low uint16, taken *portSet) (used, size int) {
	mask := parityMask(low)
	for i := range p {
		half := p[i] & mask
		size += bits.OnesCount64(half)
		used += bits.OnesCount64(half & taken[i])
	}
	return used, size
}

// parityMask has the bits of the ports with the parity of low, in words that
// begin at an even port.
func parityMask(low uint16) uint64 {
	if low&1 == 0 {
		return 0x5555555555555555
	}
	return 0xaaaaaaaaaaaaaaaa
}
