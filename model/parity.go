package model

import (
	"math/bits"

	"ephtop/source"
)

// firstHalf counts the ports of a set that are usable and that connect() tries
// first: those of the parity of low.
func firstHalf(usable, set *source.PortSet, low uint16) (n int) {
	mask := parityMask(low)
	for i := range usable {
		n += bits.OnesCount64(usable[i] & set[i] & mask)
	}
	return n
}

// parityMask has the bits of the ports with the parity of low, in words that
// begin at an even port.
func parityMask(low uint16) uint64 {
	if low&1 == 0 {
		return 0x5555555555555555
	}
	return 0xaaaaaaaaaaaaaaaa
}

// leansToSecond reports whether a tuple has so much more of the second half than
// of the first that it is no chance: when the connections of a crowded time
// close, about as many go from both.
func (c *census) leansToSecond(t *tuplePlace) bool {
	held := t.use.Live + t.use.TimeWait
	more := held - 2*t.use.FirstHalf
	free := c.usable.ports - held
	return more > 0 && (t.use.FirstHalf == 0 || more*more > 4*min(held, free))
}
