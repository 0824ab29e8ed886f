package model

import (
	"cmp"
	"slices"

	"ephtop/source"
)

// maxForeseen bounds the tuples of which the ages of all TIME_WAIT are counted.
const maxForeseen = 16

// lives are the futures of the tuples, and the ages of the TIME_WAIT of those
// that are nearest to failing.
type lives struct {
	// futures and places are by tuple; a place is an index into ages, or noPlace.
	futures []future
	places  []int8
	nearest []int32
	ages    [maxForeseen][maxAge + 1]float64
	spare   [maxAge + 1]float64
}

const noPlace = -1

// nearlyAll is the share of the TIME_WAIT that the kernel keeps which are there
// as soon as it keeps no more: some always are on their way.
const nearlyAll = 0.95

// foresee makes the outlooks, when all tuples are counted.
func (c *census) foresee(st *State) {
	set := &st.Snapshot.Settings
	room := 1 << 30
	if n, most := st.TCP.States[source.TimeWait], set.MaxTimeWait; most > 0 {
		room = max(0, most-n)
		if float64(n) >= nearlyAll*float64(most) {
			room = 0
		}
	}
	l := &c.lives
	l.futures = resize(l.futures, len(c.tuples.tuples))
	for _, n := range c.tuples.active {
		t := &c.tuples.tuples[n]
		l.futures[n] = t.future(st, c.domains.of(t.use.Interface), room)
	}
	c.countAges()
	for _, n := range c.tuples.active {
		var ages []float64
		if k := l.places[n]; k != noPlace {
			ages = l.ages[k][:l.futures[n].wait]
		}
		c.tuples.tuples[n].decide(&l.futures[n], ages, l.spare[:])
	}
}

// countAges counts the TIME_WAIT of the nearest by their ages.
func (c *census) countAges() {
	l := &c.lives
	l.places = resize(l.places, len(c.tuples.tuples))
	for i := range l.places {
		l.places[i] = noPlace
	}
	c.pickNearest()
	if len(l.nearest) == 0 {
		return
	}
	for k, n := range l.nearest {
		l.places[n] = int8(k)
		clear(l.ages[k][:max(l.futures[n].wait, 1)])
	}
	for i := range c.holders {
		if h := &c.holders[i]; h.age != noAge && h.tuple != noTuple {
			if k := l.places[h.tuple]; k != noPlace {
				l.ages[k][h.age]++
			}
		}
	}
}

// pickNearest picks the tuples that are nearest to failing, of those of which it
// matters when their TIME_WAIT go.
func (c *census) pickNearest() {
	l := &c.lives
	l.nearest = l.nearest[:0]
	far := func(n int32) float64 {
		f := &l.futures[n]
		return -max(float64(f.used), float64(f.held)+f.closes*float64(f.life)+f.others.ends(f.wait)) / float64(max(1, f.ports))
	}
	for _, n := range c.tuples.active {
		f := &l.futures[n]
		if use, _ := f.settled(); f.stays || f.held == f.used || !f.near() && f.steady(use) {
			continue
		}
		at, _ := slices.BinarySearchFunc(l.nearest, n, func(a, b int32) int { return cmp.Compare(far(a), far(b)) })
		if len(l.nearest) == maxForeseen {
			if at == maxForeseen {
				continue
			}
			l.nearest = l.nearest[:maxForeseen-1]
		}
		l.nearest = slices.Insert(l.nearest, at, n)
	}
}
