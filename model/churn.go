package model

import (
	"cmp"
	"slices"
	"time"

	"ephtop/source"
)

// maxChurning bounds the tuples whose churn is looked into, from the worst
// down.
const maxChurning = 16

// Churn is how one process opens and closes connections to one destination.
type Churn struct {
	Tuple TupleKey
	// Process is an index into State.Processes, or source.NoProcess.
	Process int32
	// Tier is OwnerInferred where most of TimeWait is.
	Tier Tier
	// Live and TimeWait are its connections, Likely those of TimeWait that are
	// inferred to be.
	Live, TimeWait, Likely int
	// CloseRate is its part of those of the tuple that a new connection came for.
	CloseRate float64
	closing   int
	// Reusable says that connect() may take over its TIME_WAIT, so that they
	// do not stand in the way.
	Reusable bool
	// Plateau is where its ports will settle at that rate, or what they would
	// need.
	Plateau int
	tuple   int32
	// full is the level of the tuple, if it is past a threshold by TIME_WAIT.
	full Level
}

// Life is how long a connection lives on average: live connections over the
// rate at which they close (Little's law). It is 0 where none was seen alive:
// the connections live shorter than a poll can tell.
func (c *Churn) Life() time.Duration {
	if c.CloseRate <= 0 {
		return 0
	}
	return time.Duration(float64(c.Live) / c.CloseRate * float64(time.Second))
}

// churn fills in st.Churn. It must run when the tuples are ranked, and before
// the consumers are sorted.
func (c *census) churn(st *State) {
	st.Churn = st.Churn[:0]
	worst := c.worstClosing()
	for i := range c.pairs.list {
		p := &c.pairs.list[i]
		if !slices.Contains(worst, p.tuple) {
			continue
		}
		owner := c.consumers.lists[ByProcess][p.process].Process
		st.Churn = append(st.Churn, Churn{
			Tuple: c.tuples.tuples[p.tuple].use.TupleKey, Process: owner, Tier: tierOf(owner, p.timeWait-p.likely, p.likely),
			Live: p.live, TimeWait: p.timeWait, Likely: p.likely, closing: p.closing,
			Reusable: c.tuples.tuples[p.tuple].reused, tuple: p.tuple,
		})
	}
	for i := range st.Churn {
		ch := &st.Churn[i]
		place := &c.tuples.tuples[ch.tuple]
		share := float64(ch.closing) / float64(max(1, place.use.Closing))
		ch.CloseRate = share * (place.use.Outlook.CloseRate - place.drains)
		if place.use.waits() {
			ch.full = place.use.Level
		}
		ch.Plateau = ch.Live + int(share*place.settles+0.5)
		if place.use.Free == 0 || place.stays {
			ch.Plateau = max(ch.Plateau, ch.Live+ch.TimeWait)
		}
	}
	slices.SortFunc(st.Churn, func(a, b Churn) int {
		return cmp.Or(cmp.Compare(b.CloseRate, a.CloseRate), cmp.Compare(b.TimeWait, a.TimeWait), cmp.Compare(a.Process, b.Process))
	})
}

// worstClosing gives the tuples with the most ports of those that close.
func (c *census) worstClosing() []int32 {
	list := c.worst[:0]
	use := func(n int32) int { return c.tuples.tuples[n].use.Live + c.tuples.tuples[n].use.TimeWait }
	for _, n := range c.tuples.active {
		if c.tuples.tuples[n].use.Closing == 0 {
			continue
		}
		at, _ := slices.BinarySearchFunc(list, n, func(a, b int32) int { return cmp.Compare(use(b), use(a)) })
		if len(list) == maxChurning {
			if at == maxChurning {
				continue
			}
			list = list[:maxChurning-1]
		}
		list = slices.Insert(list, at, n)
	}
	c.worst = list
	return list
}

// tierOf is how sure it is of so many sockets that were seen with a process, and
// so many that are likely its own, that they are.
func tierOf(process int32, seen, likely int) Tier {
	switch {
	case process == source.NoProcess:
		return OwnerUnknown
	case likely > seen:
		return OwnerInferred
	}
	return OwnerObserved
}

// most finds the process that holds the most sockets of each tuple, what is
// inferred together with what is observed. It is none where more are nobody's
// that is known.
func (c *census) most() {
	for i := range c.pairs.list {
		p := &c.pairs.list[i]
		t := &c.tuples.tuples[p.tuple]
		if n := p.live + p.timeWait; n > t.most {
			t.most, t.inferred = n, p.likely
			t.use.Process = c.consumers.lists[ByProcess][p.process].Process
			t.use.Tier = tierOf(t.use.Process, n-p.likely, p.likely)
		}
	}
}
