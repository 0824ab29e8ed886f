package model

import "ephtop/source"

// crowded is the fill of the first half from which a connect() may well have
// had to take a port of the second half, so that parity proves nothing. quiet
// is the fill below which even a tuple of unknown past hardly ever was crowded.
const (
	crowded = 0.8
	quiet   = 0.3
)

// suspects finds the ports that are likely blocked for everyone although a
// dump cannot tell: sockets that were bound first and then connected (rows C
// and D of kernel.md look like A and B). connect() takes a port of the second
// half only when the first half is used up for its tuple
// (__inet_hash_connect), while bind(0) tries that half first
// (inet_csk_find_open_port): so a port of the second half, towards a tuple
// whose first half was never crowded, was bound.
type suspects struct {
	ports portSet
	total int
	// wasCrowded remembers the tuples whose first half was crowded since they
	// are known.
	wasCrowded map[TupleKey]struct{}
}

// suspect fills in c.suspects and takes the suspected ports out of the
// reusable ones. The tuples must be counted.
func (c *census) suspect(st *State) {
	s := &c.suspects
	s.ports, s.total = portSet{}, 0
	set := &st.Snapshot.Settings
	if c.proto != source.TCP || st.Snapshot.OS != "linux" {
		return
	}
	blocked, size := c.firstHalf(set)
	c.noteCrowded(blocked, size)
	for _, i := range c.order {
		k := &st.Snapshot.Sockets[i]
		n := c.tupleOf[i]
		if n == noTuple || k.LocalPort&1 == set.Range.Low&1 || s.ports.has(k.LocalPort) {
			continue
		}
		if c.looksBound(&c.tuples[n], &st.Rows[i], size) {
			s.ports[k.LocalPort>>6] |= 1 << (k.LocalPort & 63)
			s.total++
		}
	}
	if s.total > 0 {
		c.countSuspected(st)
	}
}

// looksBound judges a socket on a port of the second half. One that was there
// before we looked may stem from a time when its tuple was crowded: then the
// second half has not kept more ports than the first, as those who close do
// not choose.
func (c *census) looksBound(t *TupleUse, r *Row, size int) bool {
	if _, was := c.suspects.wasCrowded[t.TupleKey]; was {
		return false
	}
	second := t.Live + t.TimeWait - t.FirstHalf
	return !r.SinceStart || second > t.FirstHalf || float64(t.FirstHalf) < quiet*float64(size)
}

// noteCrowded keeps wasCrowded to the tuples that are there.
func (c *census) noteCrowded(blocked, size int) {
	next := make(map[TupleKey]struct{})
	for i := range c.tuples {
		t := &c.tuples[i]
		_, was := c.suspects.wasCrowded[t.TupleKey]
		if was || float64(t.FirstHalf+blocked) >= crowded*float64(size) {
			next[t.TupleKey] = struct{}{}
		}
	}
	c.suspects.wasCrowded = next
}

// countSuspected counts for each tuple the suspected ports that others hold,
// and takes back what was counted as reusable on its own.
func (c *census) countSuspected(st *State) {
	for i := range c.tuples {
		c.tuples[i].Suspected = c.suspects.total
	}
	clear(c.lastPort)
	for _, i := range c.order {
		k := &st.Snapshot.Sockets[i]
		n := c.tupleOf[i]
		if n == noTuple || !c.suspects.ports.has(k.LocalPort) {
			continue
		}
		st.Rows[i].Suspected = true
		if c.lastPort[n] == k.LocalPort {
			continue
		}
		c.lastPort[n] = k.LocalPort
		c.tuples[n].Suspected--
		if reusable(k, &st.Snapshot.Settings) {
			c.tuples[n].Reusable--
		}
	}
}
