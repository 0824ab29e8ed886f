package source

import "math/bits"

// PortSet is a set of ports: port p is bit p%64 of word p/64, so that sets can
// be joined and compared word by word. The zero PortSet is empty. At 8 KiB it
// is best passed by pointer.
type PortSet [1 << 10]uint64

// Has reports whether port is in the set.
func (p *PortSet) Has(port uint16) bool { return p[port>>6]&(1<<(port&63)) != 0 }

// Add puts port into the set.
func (p *PortSet) Add(port uint16) { p[port>>6] |= 1 << (port & 63) }

// Remove takes port out of the set.
func (p *PortSet) Remove(port uint16) { p[port>>6] &^= 1 << (port & 63) }

// AddRange puts the ports of r into the set.
func (p *PortSet) AddRange(r PortRange) {
	for i := int(r.Low >> 6); i <= int(r.High>>6); i++ {
		p[i] |= r.word(i)
	}
}

// RemoveRange takes the ports of r out of the set.
func (p *PortSet) RemoveRange(r PortRange) {
	for i := int(r.Low >> 6); i <= int(r.High>>6); i++ {
		p[i] &^= r.word(i)
	}
}

// Len returns the number of ports in the set.
func (p *PortSet) Len() int {
	n := 0
	for _, w := range p {
		n += bits.OnesCount64(w)
	}
	return n
}

// SetUsable makes p the set of the ports that the system can pick: those for
// which [Settings.Ephemeral] holds.
func (p *PortSet) SetUsable(s *Settings) {
	*p = PortSet{}
	if s.Range.Low == 0 {
		return
	}
	p.AddRange(s.Range)
	for _, r := range s.Reserved {
		p.RemoveRange(r)
	}
}

// AppendRanges appends the ports of the set as ranges. Port 0 can be reserved and
// means nothing.
func (p *PortSet) AppendRanges(dst []PortRange) []PortRange {
	begin := len(dst)
	for i, word := range p {
		if i == 0 {
			word &^= 1
		}
		for word != 0 {
			low := bits.TrailingZeros64(word)
			n := bits.TrailingZeros64(^(word >> low)) // 64 if all are set
			r := PortRange{Low: uint16(i<<6 + low), High: uint16(i<<6 + low + n - 1)}
			if last := len(dst) - 1; last >= begin && dst[last].High+1 == r.Low {
				dst[last].High = r.High
			} else {
				dst = append(dst, r)
			}
			if low+n >= 64 {
				break
			}
			word = word >> (low + n) << (low + n)
		}
	}
	return dst
}

// word returns the ports of the range that lie in a word of a PortSet.
func (r PortRange) word(i int) uint64 {
	low, high := max(int(r.Low)-i<<6, 0), min(int(r.High)-i<<6, 63)
	if low > 63 || high < low {
		return 0
	}
	return ^uint64(0) << low & (^uint64(0) >> (63 - high))
}
