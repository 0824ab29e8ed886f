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
	Tier    Tier
	// Live and TimeWait are its connections.
	Live, TimeWait int
	// CloseRate is the closes per second, taken over ClosingSpan.
	CloseRate float64
	closing   int
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

// churnCounts counts the churn of the worst tuples.
type churnCounts struct {
	watch []int32 // index into list groups, by tuple
	lists [maxChurning][]Churn
}

// churn fills in st.Churn. It must run before rank, while c.tuples stand in
// the order of tupleOf.
func (c *census) churn(st *State) {
	st.Churn = st.Churn[:0]
	worst := c.worstClosing()
	if len(worst) == 0 {
		return
	}
	cc := &c.churning
	cc.watch = resize(cc.watch, len(c.tuples))
	fill(cc.watch, noGroup)
	for n, t := range worst {
		cc.watch[t] = int32(n)
		cc.lists[n] = cc.lists[n][:0]
	}
	for _, i := range c.order {
		if t := c.tupleOf[i]; t != noTuple && cc.watch[t] != noGroup {
			list := &cc.lists[cc.watch[t]]
			*list = countChurn(*list, st, int(i), c.tuples[t].TupleKey)
		}
	}
	for n := range worst {
		st.Churn = append(st.Churn, cc.lists[n]...)
	}
	for i := range st.Churn {
		st.Churn[i].CloseRate = float64(st.Churn[i].closing) / ClosingSpan.Seconds()
	}
	slices.SortFunc(st.Churn, func(a, b Churn) int {
		return cmp.Or(cmp.Compare(b.CloseRate, a.CloseRate), cmp.Compare(b.TimeWait, a.TimeWait), cmp.Compare(a.Process, b.Process))
	})
}

// worstClosing gives the tuples with the most ports of those that close.
func (c *census) worstClosing() []int32 {
	var worst [maxChurning]int32
	list := worst[:0]
	use := func(n int32) int { return c.tuples[n].Live + c.tuples[n].TimeWait }
	for i := range c.tuples {
		if c.tuples[i].Closing == 0 {
			continue
		}
		n := int32(i)
		at, _ := slices.BinarySearchFunc(list, n, func(a, b int32) int { return cmp.Compare(use(b), use(a)) })
		if len(list) == maxChurning {
			if at == maxChurning {
				continue
			}
			list = list[:maxChurning-1]
		}
		list = slices.Insert(list, at, n)
	}
	return list
}

// countChurn counts one socket for its process. An inferred owner is counted
// with the observed: the churn is likely all its own.
func countChurn(list []Churn, st *State, i int, key TupleKey) []Churn {
	s, row := &st.Snapshot.Sockets[i], &st.Rows[i]
	at := slices.IndexFunc(list, func(c Churn) bool { return c.Process == row.Process })
	if at < 0 {
		at = len(list)
		list = append(list, Churn{Tuple: key, Process: row.Process, Tier: row.Tier})
	}
	c := &list[at]
	if row.Tier != OwnerUnknown {
		c.Tier = max(c.Tier, row.Tier)
	}
	switch {
	case s.State != source.TimeWait:
		c.Live++
	default:
		c.TimeWait++
		if closing(s, &st.Snapshot.Settings) {
			c.closing++
		}
	}
	return list
}
