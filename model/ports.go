package model

import (
	"math/bits"

	"ephtop/source"
)

// firstHalf counts the usable ports that connect() tries first, those of the
// parity of low, and those of them that are in taken.
func firstHalf(usable, taken *source.PortSet, low uint16) (used, size int) {
	mask := parityMask(low)
	for i := range usable {
		half := usable[i] & mask
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
