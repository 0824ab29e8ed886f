package model

import (
	"encoding/binary"
	"math"
	"sort"
	"strconv"

	"ephtop/source"
)

// maxTuples is of how many tuples of all namespaces figures are kept at most.
// Where there are more, as many connections as a host has ports for go to more
// destinations than anybody looks at, and those tuples that hold the fewest
// ports are left out: their connections are scattered.
const maxTuples = 1 << 15

// room is of how many there are figures in the one turn in which they have come
// unforeseen.
func (f *Fleet) room() int { return 2 * f.tuples }

// maxUsers is how many users of sockets are told apart.
const maxUsers = 1 << 14

// sizeSlots is how many counts sizes has.
const sizeSlots = 1 << 22

// sizes tells which tuples hold the most sockets, in memory that does not grow
// with their number: it counts by a hash. Tuples that share one count for as
// many as they are together. The hash is the same in each process, so that one
// recording always has the same tuples.
type sizes struct {
	counts   []uint8 // as far as they go
	distinct int     // hashes
	// bar is the count below which a tuple is left out. Those with as many are kept
	// whose hash is below cut.
	bar uint8
	cut uint32
}

func (z *sizes) begin() {
	if z.counts == nil {
		z.counts = make([]uint8, sizeSlots)
	}
	clear(z.counts)
	z.distinct = 0
}

// countAll counts what of a namespace's sockets may hold a port towards a
// destination.
func (z *sizes) countAll(s *source.Snapshot) {
	z.begin()
	for i := range s.Sockets {
		if s := &s.Sockets[i]; s.RemotePort != 0 {
			z.add(hashTuple(s), 1)
		}
	}
	for i := range s.Rest {
		if r := &s.Rest[i]; r.RemotePort != 0 {
			s := socketOf(r)
			z.add(hashTuple(&s), r.Count)
		}
	}
}

func (z *sizes) add(hash uint64, n int) {
	c := &z.counts[hash%sizeSlots]
	z.distinct += one(*c == 0)
	*c = uint8(min(int(*c)+n, math.MaxUint8))
}

// choose sets the bar so that it keeps so many, by what was counted.
func (z *sizes) choose(most int) {
	var with [math.MaxUint8 + 1]int // so many sockets each
	for _, n := range z.counts {
		with[n]++
	}
	bar := math.MaxUint8
	for ; bar > 1 && with[bar] <= most; bar-- {
		most -= with[bar]
	}
	z.bar, z.cut = uint8(bar), math.MaxUint32
	if with[bar] > most {
		z.cut = uint32(float64(most) / float64(with[bar]) * math.MaxUint32)
	}
}

// keeps reports whether a tuple is kept.
func (z *sizes) keeps(hash uint64) bool {
	n := z.counts[hash%sizeSlots]
	return n > z.bar || n == z.bar && uint32(hash>>32) < z.cut
}

// hashTuple hashes a socket's tuple.
func hashTuple(s *source.Socket) uint64 {
	h := uint64(s.Proto)
	for _, word := range [...]uint64{
		binary.BigEndian.Uint64(s.Local[:8]), binary.BigEndian.Uint64(s.Local[8:]),
		binary.BigEndian.Uint64(s.Remote[:8]), binary.BigEndian.Uint64(s.Remote[8:]),
		uint64(s.Interface)<<16 | uint64(s.RemotePort),
	} {
		h = (h ^ word) * 0x9e3779b97f4a7c15 // Fibonacci hashing
		h ^= h >> 32
	}
	return h
}

// tupleBudget is for how many tuples of one namespace there is room.
type tupleBudget struct {
	// rows are the sockets at the look before, and wanted their tuples as far as
	// they are known.
	rows, wanted int
	known        bool
	// most is how many are kept in this turn, or noLimit.
	most int
}

const noLimit = math.MaxInt

// estimate is how many tuples so many rows may have now; sure says that there
// are no more than were counted.
func (b *tupleBudget) estimate(rows int) (n int, sure bool) {
	if !b.known {
		return rows, false
	}
	more := max(0, rows-b.rows)
	return min(rows, b.wanted+more), more == 0
}

// apportion shares the room for tuples between the namespaces of this turn: those with
// few tuples get all that they want.
func (f *Fleet) apportion(snapshots []source.Snapshot) {
	f.scratch.room = f.room()
	rows, wants := make([]int, len(snapshots)), make([]int, len(snapshots))
	all := 0
	for i, t := range f.current {
		t.budget.most = noLimit
		rows[i] = len(snapshots[i].Sockets) + len(snapshots[i].Rest)
		wants[i], _ = t.budget.estimate(rows[i])
		all += wants[i]
	}
	if all > f.tuples {
		for i, t := range f.current {
			if _, sure := t.budget.estimate(rows[i]); !sure && rows[i] > 0 {
				f.scratch.sizes.countAll(&snapshots[i])
				wants[i] = f.scratch.sizes.distinct
			}
		}
		level := fairShare(wants, f.tuples)
		for i, t := range f.current {
			if wants[i] > level {
				t.budget.most = level
			}
		}
	}
	for i, t := range f.current {
		t.budget.rows = rows[i]
	}
}

// sieve says which tuples of a namespace are kept in this turn.
func (t *tracker) sieve(s *source.Snapshot, z *sizes) {
	t.tcp.tuples.sieve, t.udp.tuples.sieve = nil, nil
	if t.budget.most == noLimit {
		return
	}
	if z.countAll(s); z.distinct > t.budget.most {
		z.choose(t.budget.most)
		t.tcp.tuples.sieve, t.udp.tuples.sieve = z, z
	}
	t.budget.wanted = z.distinct
	t.tcp.tuples.reserve(min(z.distinct, t.budget.most) / 16 * 17) // some share a count
}

// noteWanted remembers how many tuples there would have been.
func (t *tracker) noteWanted(st *State) {
	if t.budget.most == noLimit {
		t.budget.wanted = len(t.tcp.tuples.active) + len(t.udp.tuples.active) +
			st.TCP.Pressure.Scattered + st.UDP.Pressure.Scattered
	}
	t.budget.known = true
}

// fairShare is the most that each of those who want something gets, so that
// they get so many in all; noLimit where there is enough for all.
func fairShare(wants []int, all int) int {
	enough := func(level int) bool {
		sum := 0
		for _, n := range wants {
			sum += min(n, level)
		}
		return sum <= all
	}
	if enough(noLimit) {
		return noLimit
	}
	return sort.Search(all, func(level int) bool { return !enough(level + 1) })
}

// tellScattered says in the moment how many connections are scattered, if any
// are, and how many tuples there are.
func (o *Overview) tellScattered(tuples int) {
	n := 0
	for _, st := range o.States {
		n += st.TCP.Pressure.Scattered + st.UDP.Pressure.Scattered
	}
	if n > 0 {
		o.Moment.SetLimit(source.LimitTuples, strconv.Itoa(n)+" "+strconv.Itoa(tuples))
	}
}
