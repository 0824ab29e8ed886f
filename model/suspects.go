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
// and D of the table in the package's documentation look like A and B).
// connect() takes a port of the second half only when the first half is used
// up for its tuple (__inet_hash_connect), while bind(0) tries that half first
// (inet_csk_find_open_port): so a port of the second half, towards a tuple
// whose first half was never crowded, was bound.
type suspects struct {
	ports source.PortSet
	total int
}

// crowd remembers the tuples whose first half was crowded since they are
// known.
type crowd struct {
	known, spare map[TupleKey]struct{}
	// blind is the State.Clock until which nobody watched, as nothing had to be
	// suspected.
	blind int64
}

// suspect fills in c.suspects and takes the suspected ports out of the
// reusable ones. The tuples must be counted.
func (c *census) suspect(st *State) {
	s := &c.suspects
	if s.total > 0 {
		s.ports, s.total = source.PortSet{}, 0
	}
	if c.known {
		c.crowd = crowd{blind: st.Clock}
		return
	}
	if c.proto != source.TCP || !st.Snapshot.Settings.Parity {
		return
	}
	low, size := st.Snapshot.Settings.Range.Low, c.usable.first
	c.noteCrowded(size)
	for i := range c.holders {
		h := &c.holders[i]
		if h.tuple == noTuple || h.blocked || h.port&1 == low&1 || s.ports.Has(h.port) {
			continue
		}
		if c.looksBound(&c.tuples.tuples[h.tuple], &st.Rows[h.row], h.state, size) {
			s.ports.Add(h.port)
			s.total++
		}
	}
	if s.total > 0 {
		c.countSuspected(st)
	}
}

// looksBound judges a socket on a port of the second half. One that was there
// before we looked may stem from a time when its tuple was crowded. Then no
// connection closes on a port of the second half any more, for new ones take
// those of the first; and of those that live on, the second half has not kept
// more than the first.
func (c *census) looksBound(t *tuplePlace, r *Row, state source.State, size int) bool {
	if _, was := c.crowd.known[t.use.TupleKey]; was {
		return false
	}
	switch {
	case !r.SinceStart && r.Since > c.crowd.blind:
		return true
	case state == source.TimeWait:
		return t.secondClosing > t.use.Closing-t.secondClosing
	}
	return t.secondLive > t.use.Live-t.secondLive || float64(t.use.FirstHalf) < quiet*float64(size)
}

// noteCrowded keeps the crowd to the tuples that are there.
func (c *census) noteCrowded(size int) {
	s := &c.crowd
	if s.known == nil {
		s.known, s.spare = make(map[TupleKey]struct{}), make(map[TupleKey]struct{})
	}
	clear(s.spare)
	for _, n := range c.tuples.active {
		t := &c.tuples.tuples[n]
		d := c.domains.of(t.use.Interface)
		_, was := s.known[t.use.TupleKey]
		if was || float64(t.use.FirstHalf+d.first-t.firstBlocked) >= crowded*float64(size) {
			s.spare[t.use.TupleKey] = struct{}{}
		}
	}
	s.known, s.spare = s.spare, s.known
}

// countSuspected counts for each tuple the suspected ports that others hold,
// and takes back what was counted as reusable on its own.
func (c *census) countSuspected(st *State) {
	for _, n := range c.tuples.active {
		t := &c.tuples.tuples[n]
		t.use.Suspected = c.suspects.total
		t.lastPort = 0
	}
	for i := range c.holders {
		h := &c.holders[i]
		if h.tuple == noTuple || !c.suspects.ports.Has(h.port) {
			continue
		}
		st.Rows[h.row].Suspected = true
		c.counted.bound[h.process]++
		c.tuples.each(h.tuple, func(t *tuplePlace) {
			if t.lastPort == h.port {
				return
			}
			t.lastPort = h.port
			t.use.Suspected--
			t.use.Reusable -= one(h.reuse)
		})
	}
}
