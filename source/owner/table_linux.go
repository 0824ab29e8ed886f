package owner

import "math/bits"

// Values of entry.holder that are not the index of a process.
const (
	unknown int32 = -1 - iota // not looked for, or lost by its holder
	sought                    // wanted in this poll
	nobody                    // searched everywhere, in vain
)

// entry is what is known of one inode.
type entry struct {
	inode  uint32 // 0 marks a free place
	holder int32
	seen   uint32 // poll whose dump had the inode last
	since  uint32 // poll in which holder was found, or first looked for
}

// table is a hash table of entries by inode, with open addressing. Against
// map[uint32]T it saves the second look-up that marks an entry as seen, and
// most of the memory.
type table struct {
	entries []entry // length is a power of two
	shift   uint    // 32 less the logarithm of the length
	used    int
}

const minTable = 64

// home is the place of an inode if nothing else is there (Fibonacci hashing:
// the kernel hands out inodes in sequence).
func (t *table) home(inode uint32) uint32 { return inode * 2654435769 >> t.shift }

// place gives the entry of an inode, or the free place where it belongs.
func (t *table) place(inode uint32) *entry {
	mask := uint32(len(t.entries) - 1)
	for i := t.home(inode); ; i++ {
		if e := &t.entries[i&mask]; e.inode == inode || e.inode == 0 {
			return e
		}
	}
}

// find gives the entry of an inode, or nil. The pointer is good until the
// next put or sweep.
func (t *table) find(inode uint32) *entry {
	if t.used == 0 || inode == 0 {
		return nil
	}
	if e := t.place(inode); e.inode != 0 {
		return e
	}
	return nil
}

// put gives the entry of an inode other than 0, and makes it where there is
// none yet.
func (t *table) put(inode uint32) *entry {
	if 4*(t.used+1) > 3*len(t.entries) {
		t.resize(max(minTable, 2*len(t.entries)))
	}
	e := t.place(inode)
	if e.inode == 0 {
		*e = entry{inode: inode, holder: unknown}
		t.used++
	}
	return e
}

// sweep forgets the inodes that the dump of poll did not have.
func (t *table) sweep(poll uint32) {
	for i := 0; i < len(t.entries); {
		// Removing pulls a later entry into this place: look at it again.
		if e := &t.entries[i]; e.inode != 0 && e.seen != poll {
			t.remove(uint32(i))
		} else {
			i++
		}
	}
	if small := size(t.used); 4*small <= len(t.entries) {
		t.resize(small)
	}
}

// remove frees a place and closes the gap in the run of entries behind it.
func (t *table) remove(gap uint32) {
	mask := uint32(len(t.entries) - 1)
	for i := (gap + 1) & mask; t.entries[i].inode != 0; i = (i + 1) & mask {
		home := t.home(t.entries[i].inode)
		if (i-home)&mask >= (i-gap)&mask {
			t.entries[gap] = t.entries[i]
			gap = i
		}
	}
	t.entries[gap] = entry{}
	t.used--
}

// size is the length of a table with room for n entries.
func size(n int) int {
	length := minTable
	for 4*n > 3*length {
		length *= 2
	}
	return length
}

func (t *table) resize(length int) {
	old := t.entries
	t.entries = make([]entry, length)
	t.shift = uint(32 - bits.TrailingZeros(uint(length)))
	t.used = 0
	for i := range old {
		if old[i].inode != 0 {
			*t.put(old[i].inode) = old[i]
		}
	}
}
