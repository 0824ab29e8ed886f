package model

import (
	"cmp"
	"slices"

	"ephtop/source"
)

// maxForeseen bounds the tuples of which the ages of all TIME_WAIT are counted.
const maxForeseen = 16

// lives are the futures of the tuples that are nearest to failing, nearest first,
// and the ages of all their TIME_WAIT.
type lives struct {
	nearest []foreseen
	places  []int8 // by tuple: an index into ages, or noPlace
	ages    [maxForeseen][maxAge + 1]float64
	spare   [maxAge + 1]float64
}

// foreseen is a tuple with its future.
type foreseen struct {
	tuple int32
	future
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
	l.nearest = l.nearest[:0]
	for _, n := range c.tuples.active {
		t := &c.tuples.tuples[n]
		f := foreseen{n, t.future(st, c.domains.of(t.use.Interface), room)}
		if far, ok := l.admit(f); ok {
			c.tuples.tuples[far.tuple].decide(&far.future, nil, l.spare[:])
		}
	}
	c.countAges()
	for k := range l.nearest {
		f := &l.nearest[k]
		c.tuples.tuples[f.tuple].decide(&f.future, l.ages[k][:f.wait], l.spare[:])
	}
}

// countAges counts the TIME_WAIT of the nearest by their ages.
func (c *census) countAges() {
	l := &c.lives
	if len(l.nearest) == 0 {
		return
	}
	l.places = resize(l.places, len(c.tuples.tuples))
	for i := range l.places {
		l.places[i] = noPlace
	}
	for k := range l.nearest {
		l.places[l.nearest[k].tuple] = int8(k)
		clear(l.ages[k][:max(l.nearest[k].wait, 1)])
	}
	for i := range c.holders {
		if h := &c.holders[i]; h.age != noAge && h.tuple != noTuple {
			if k := l.places[h.tuple]; k != noPlace {
				l.ages[k][h.age]++
			}
		}
	}
}

// admit takes a tuple in among the nearest, if it matters when its TIME_WAIT go.
// It returns the one that is left out, if one is: that or another.
func (l *lives) admit(f foreseen) (far foreseen, ok bool) {
	if use, _ := f.settled(); f.stays || f.held == f.used || !f.near() && f.steady(use) {
		return f, true
	}
	at, _ := slices.BinarySearchFunc(l.nearest, f.far(), func(a foreseen, far float64) int { return cmp.Compare(a.far(), far) })
	if len(l.nearest) < maxForeseen {
		l.nearest = slices.Insert(l.nearest, at, f)
		return far, false
	}
	if at == maxForeseen {
		return f, true
	}
	far = l.nearest[maxForeseen-1]
	copy(l.nearest[at+1:], l.nearest[at:maxForeseen-1])
	l.nearest[at] = f
	return far, true
}

// far is less for what is nearer to failing.
func (f *future) far() float64 {
	return -max(float64(f.used), float64(f.held)+f.closes*float64(f.life)+f.others.ends(f.wait)) / float64(max(1, f.ports))
}

// decide ends the outlook. ages are those of all TIME_WAIT, nil where they were
// not counted but for the youngest; spare has room for them.
func (t *tuplePlace) decide(f *future, ages, spare []float64) {
	u := &t.use
	t.reused, t.stays, t.settles, t.drains = f.reused(), f.stays, f.waits(), f.drains
	if ages != nil && u.TimeWait > 0 {
		f.youngest = max(0, slices.IndexFunc(ages, func(n float64) bool { return n > 0 }))
	} else if ages == nil && f.near() {
		ages = spare[:f.wait]
		older := float64(u.TimeWait-u.Closing) / float64(max(1, f.wait-closingSeconds))
		for i := range ages {
			if ages[i] = older; i < closingSeconds {
				ages[i] = float64(t.young[i])
			}
		}
	}
	f.waiting = ages
	f.verdict(&u.Outlook, t.held.followed >= settled || u.TimeWait > 0 || f.others.waits != nil)
	if u.Outlook.Trend == TrendDrains && (u.Outlook.Rate > 0 || t.all.followed == 0 && t.young[0] > 0 && t.young.bursts(0)) {
		// It rises by closes that may be a burst or have just begun.
		u.Outlook.Trend, u.Outlook.In = TrendUnknown, 0
	}
	if o := &u.Outlook; f.begins > 0 && (o.Trend == TrendLevelsOff || o.Trend == TrendFull && f.begins > f.growth) {
		o.Trend, o.In = TrendUnknown, 0
	}
	none := u.Free == 0 && u.Reusable == 0
	if t.wasFull = none || t.wasFull && 100*u.Free <= u.Used; t.wasFull && u.Outlook.Trend == TrendDrains {
		u.Outlook.Trend, u.Outlook.In = TrendUnknown, 0 // no more is closed than could be opened
	}
	if none {
		u.Outlook.Trend, u.Outlook.In, u.Outlook.Rate = TrendFull, 0, 0
		u.Outlook.Plateau = max(u.Outlook.Plateau, u.Used)
	}
}
