package model

import (
	"bytes"
	"cmp"
	"slices"

	"ephtop/source"
)

// rank completes the tuples and the bind pools and puts the worst first.
func (c *census) rank(st *State) {
	p := &st.Of(c.proto).Pressure
	c.rankPools(p, st.Thresholds)
	if c.proto == source.TCP {
		c.rankTuples(st, p)
	}
	p.PoolLevel = st.Thresholds.Level(p.InUse, p.Usable)
	if c.proto == source.UDP {
		c.ownUDP(st, p)
	}
	c.mapWorst(p)
	p.Level = p.Headline().Level
	if c.proto == source.TCP && !p.PoolOnly {
		// One whose last ports can be taken over fails later than others, or at
		// once: a dump does not tell whether both ends negotiated timestamps.
		for i := range p.Tuples {
			p.Level = max(p.Level, p.Tuples[i].Level)
		}
	}
}

func (c *census) rankTuples(st *State, p *Pressure) {
	p.Suspected = c.suspects.total
	nearly := crowded * float64(c.usable.first)
	pace := newPace(st.Elapsed)
	c.noteEnds(st)
	for _, n := range c.tuples.active {
		place := &c.tuples.tuples[n]
		t := &place.use
		d := c.domains.of(t.Interface)
		t.Blocked, t.BlockedKnown = d.count-place.blocked, d.told-place.blocked
		t.Used = t.Live + t.TimeWait + t.Blocked + t.Suspected
		t.Free = max(0, p.Usable-t.Used)
		place.crowded = c.crowd(place) >= nearly
		t.Missed = c.missed(place, d, &st.Snapshot.Settings)
		t.Free -= t.Missed
		t.FirstHalf += d.first - place.firstBlocked
		if st.Snapshot.Settings.Parity {
			t.FirstHalfSize = c.usable.first
		}
		place.all.follow(t.Used, pace)
		place.held.follow(t.Used-t.TimeWait-place.others(d), pace)
		place.moved.follow(t.Live, st.Clock)
		t.Level = st.Thresholds.Level(t.Used, t.Used+t.Free)
		if t.Level == LevelExhausted && t.Reusable > 0 {
			// connect() still gets a port, if timestamps were negotiated.
			t.Level = LevelCritical
		}
	}
	c.followBlocked(st, pace)
	c.foresee(st)
	p.Tuples = slices.Grow(p.Tuples, len(c.tuples.active))
	for _, n := range c.tuples.active {
		p.Tuples = append(p.Tuples, c.tuples.tuples[n].use)
	}
	c.addPrivate(st, p, pace)
	slices.SortFunc(p.Tuples, compareTuples)
}

// compareTuples puts first the one that fails first: with the smallest share of
// ports that can still be had, free or to be taken over, then the fewest free
// ones. A private pool that is in no trouble comes last, as nothing tells that it
// is no wider. Ties by address, so that nothing changes places for nothing.
func compareTuples(a, b TupleUse) int {
	ofA, ofB := int64(a.Used+a.Free), int64(b.Used+b.Free)
	return cmp.Or(
		cmp.Compare(one(a.idle()), one(b.idle())),
		cmp.Compare(int64(a.Free+a.Reusable)*ofB, int64(b.Free+b.Reusable)*ofA), cmp.Compare(int64(a.Free)*ofB, int64(b.Free)*ofA),
		bytes.Compare(a.Destination[:], b.Destination[:]), cmp.Compare(a.Port, b.Port),
		bytes.Compare(a.Source[:], b.Source[:]), cmp.Compare(a.Interface, b.Interface),
		cmp.Compare(a.Pool, b.Pool))
}

// rankPools makes the bind pools.
func (c *census) rankPools(p *Pressure, thresholds Thresholds) {
	p.OnlyIPv6 = c.pools.all - c.pools.all4
	for i := range c.pools.list {
		pool := &c.pools.list[i]
		used := min(c.pools.used(pool), p.Usable)
		p.BindPools = append(p.BindPools, BindPool{
			Local: pool.local, Used: used, Free: p.Usable - used, Level: thresholds.Level(used, p.Usable),
			Bound: pool.bound, TimeWait: c.pools.held(pool).waits,
		})
	}
	slices.SortFunc(p.BindPools, func(a, b BindPool) int {
		return cmp.Or(cmp.Compare(b.Used, a.Used), bytes.Compare(a.Local[:], b.Local[:]))
	})
}

// Headline is the figure that says when connect() fails first: for TCP the
// worst tuple, where the system looks at tuples at all, or the pool of an
// address on which callers bind before, where that is fuller; for UDP, whose
// port is picked before the destination is known, the pool.
func (p *Pressure) Headline() Headline {
	t := p.Worst()
	if t != nil && t.Limit != (Limit{}) && t.Level == LevelOK {
		t = p.WorstOfRange() // a private pool is small, and full of what its program wants
	}
	if b := p.boundPool(); b != nil && t != nil && Percent(b.Used, b.Used+b.Free) > t.Percent() && !p.PoolOnly {
		return Headline{
			Key: TupleKey{Source: b.Local}, Scope: ScopeBind,
			Live: b.Used - b.TimeWait, TimeWait: b.TimeWait, Free: b.Free, Level: b.Level,
		}
	}
	if t != nil && !p.PoolOnly && p.Proto == source.TCP {
		return Headline{
			Key: t.TupleKey, Limit: t.Limit, Scope: ScopeTuple,
			Live: t.Live, TimeWait: t.TimeWait, Blocked: t.Blocked, Suspected: t.Suspected, Free: t.Free, Level: t.Level,
		}
	}
	return Headline{
		Scope: ScopePool, Live: p.Live, TimeWait: p.TimeWait, Blocked: p.Blocked,
		Free: p.Usable - p.InUse, Level: p.PoolLevel,
	}
}

// TupleOf returns the tuple that the headline is about, nil where it is about none.
func (p *Pressure) TupleOf(h *Headline) *TupleUse {
	if h.Scope != ScopeTuple {
		return nil
	}
	return &p.Tuples[slices.IndexFunc(p.Tuples, func(t TupleUse) bool { return t.TupleKey == h.Key && t.Limit == h.Limit })]
}

// boundPool is the fullest pool of which a share worth a word was bound, or nil.
// A full pool on which nobody binds is no trouble.
func (p *Pressure) boundPool() *BindPool {
	for i := range p.BindPools {
		if b := &p.BindPools[i]; b.Bound > 0 && float64(b.Bound) >= minBoundShare*float64(p.Usable) {
			return b
		}
	}
	return nil
}
