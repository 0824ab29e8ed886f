package model

import (
	"slices"
	"time"

	"ephtop/source"
)

// crowded is the fill of the first half from which a connect() may well have
// had to take a port of the second half, so that parity proves nothing. usedUp is
// the fill from which a half counts as used up, and quiet that below which even
// a tuple of unknown past hardly ever was crowded.
const (
	crowded = 0.8
	usedUp  = 0.95
	quiet   = 0.3
)

// longestBlink is the longest time between two looks after which what is new
// counts as seen from its beginning.
const longestBlink = time.Minute

// sign is what is held of a socket on a usable port, once it was judged.
type sign uint8

const (
	unjudged sign = iota
	plain         // connect() picked its port
	likely        // bind() did, as its port says: it is suspected
	told          // bind() did, as the kernel told
	accepted      // it came in through a listener
)

// suspects finds the ports that are likely blocked for everyone although a
// dump cannot tell: sockets that were bound first and then connected (rows C
// and D of the table in the package's documentation look like A and B).
// connect() takes a port of the second half only when the first half is used
// up for its tuple (__inet_hash_connect), while bind(0) tries that half first
// (inet_csk_find_open_port). So a socket is judged, once, by its port:
//
//	second half  was bound, if the first half was not crowded when it came, or the
//	             tuple's sockets could not stand as they do otherwise (looksBound)
//	first half   was bound, if bind() had no port of the second half left for its
//	             address, and its caller binds (boundLater)
//	neither      where the ports follow one another as those that connect() picks (order)
type suspects struct {
	ports source.PortSet
	// total counts the ports, first those of the first half.
	total, first int
	// open are the holders that are not judged yet.
	open []int32
	// callers are the processes of suspected sockets, once they are called for.
	callers map[int32]struct{}
	called  bool
	births  []birth
}

func (s *suspects) begin() {
	if s.total > 0 {
		s.ports = source.PortSet{}
	}
	s.total, s.first, s.open, s.called = 0, 0, s.open[:0], false
}

// suspect fills in c.suspects and takes the suspected ports out of the
// reusable ones. The tuples must be counted.
func (c *census) suspect(st *State, o *ownership) {
	s := &c.suspects
	s.begin()
	set := &st.Snapshot.Settings
	if c.known || c.proto != source.TCP || !set.Parity {
		return
	}
	for i := range c.holders {
		switch h := &c.holders[i]; {
		case h.tuple == noTuple || h.is(isBlocked):
		case h.sign == unjudged:
			s.open = append(s.open, int32(i))
		case h.sign == likely:
			c.convict(h, set)
		}
	}
	if len(s.open) > 0 {
		c.judge(st, o)
	}
	if s.total > 0 {
		c.countSuspected(st)
		c.countSuspectedWaits(st)
	}
}

// convict counts a suspected socket.
func (c *census) convict(h *holder, set *source.Settings) {
	h.sign = likely
	t := &c.tuples.tuples[h.tuple]
	t.suspected++
	first := !set.Second(h.port)
	t.firstSuspected += one(first)
	if s := &c.suspects; !s.ports.Has(h.port) {
		s.ports.Add(h.port)
		s.total++
		s.first += one(first)
	}
}

// judge judges the holders that are open.
func (c *census) judge(st *State, o *ownership) {
	s, set := &c.suspects, &st.Snapshot.Settings
	c.judgeChildren(st, o)
	var candidates []int32
	for _, i := range s.open {
		if h := &c.holders[i]; h.sign == unjudged && set.Second(h.port) {
			t := &c.tuples.tuples[h.tuple]
			t.open++
			t.openLow += one(int(h.port) < c.usable.half)
			c.noteOpen(t, h, &st.Snapshot.Sockets[h.row])
			candidates = append(candidates, i)
		}
	}
	c.judgeSecond(st, o, candidates)
	c.judgeFirst(st)
	if s.total > 0 { // now that it is known who binds
		c.judgeSecond(st, o, candidates)
	}
	for _, i := range s.open {
		h := &c.holders[i]
		if h.sign == unjudged {
			h.sign = plain
		}
		o.recall.next[h.row].sign = h.sign
	}
}

// judgeSecond judges candidates on ports of the second half.
func (c *census) judgeSecond(st *State, o *ownership, candidates []int32) {
	set := &st.Snapshot.Settings
	var bound []int32
	for _, i := range candidates {
		if h := &c.holders[i]; h.sign == unjudged && c.looksBound(st, o, h) {
			bound = append(bound, i)
		}
	}
	c.putInOrder(st, bound)
	c.acquit(set, o)
	c.convictAll(set, bound, func(h *holder, t *tuplePlace) bool {
		return t.order != inTurn && (t.order == boundOrder || c.leansToSecond(t) || !c.needsOrder(t))
	})
}

// convictAll convicts those of the candidates that were bound; all are judged
// by the same figures.
func (c *census) convictAll(set *source.Settings, candidates []int32, bound func(*holder, *tuplePlace) bool) {
	candidates = slices.DeleteFunc(candidates, func(i int32) bool {
		h := &c.holders[i]
		return !bound(h, &c.tuples.tuples[h.tuple])
	})
	for _, i := range candidates {
		c.convict(&c.holders[i], set)
		c.suspects.called = false
	}
}

// crowd is how many ports of the first half are of no use to a tuple's
// connect().
func (c *census) crowd(t *tuplePlace) float64 {
	d := c.domains.of(t.use.Interface)
	return float64(t.use.FirstHalf + d.first - t.firstBlocked + c.suspects.first - t.firstSuspected)
}

// looksBound reports whether a socket on a port of the second half was bound,
// by what its tuple holds. Where it was not seen from its beginning, the tuple
// may have been crowded then; but after that new connections take ports of the
// first half again, so that the second has not kept more than it.
func (c *census) looksBound(st *State, o *ownership, h *holder) bool {
	t := &c.tuples.tuples[h.tuple]
	size := float64(c.usable.first)
	first := t.use.FirstHalf
	crowd := c.crowd(t)
	born := o.recall.isNew(int(h.row)) && !st.Rows[h.row].SinceStart && st.Elapsed <= longestBlink
	switch {
	case 2*t.suspected > t.use.Live+t.use.TimeWait:
		return true
	case float64(first) < crowded*size && c.suspects.total > 0 && c.isCaller(st, h):
		return true // what crowds it is bound itself
	case crowd >= usedUp*size:
		return c.needsOrder(t)
	case born && !t.wasCrowded && crowd < crowded*size, c.leansToSecond(t) && !c.drains(t):
		return true
	case crowd >= crowded*size:
		return c.needsOrder(t)
	case t.use.TimeWait == 0 && float64(first) < quiet*size:
		return true
	}
	return t.open >= minOrder && t.open == t.openLow && c.stageUsed(t, true)
}

// noteOpen counts a socket in TIME_WAIT on a port of the second half.
func (c *census) noteOpen(t *tuplePlace, h *holder, s *source.Socket) {
	if s.Timer != source.TimerTimeWait {
		return
	}
	left := time.Duration(s.Expires) * time.Millisecond
	if t.openWaits == 0 || left < t.openLeft {
		t.openLeft = left
	}
	t.openWaits++
	t.openClosing += one(h.closing())
}

// drains reports whether what a tuple holds of the second half may be the end of
// a crowded time, of which the first half is over already: it is TIME_WAIT,
// nothing that closes comes after it there, and it is all of the second half, or
// ends now.
func (c *census) drains(t *tuplePlace) bool {
	second := t.use.Live + t.use.TimeWait - t.use.FirstHalf
	return 2*t.openWaits > t.open && 2*t.openClosing <= t.use.Closing && (second >= c.usable.second || t.openLeft < ClosingSpan)
}

// needsOrder reports whether nothing but the order in which a tuple's sockets
// were made can tell who picked their ports: nearly all are taken, and none is in
// TIME_WAIT.
func (c *census) needsOrder(t *tuplePlace) bool {
	second := t.use.Live - t.use.FirstHalf
	return t.use.TimeWait == 0 && 2*t.suspected <= t.use.Live &&
		float64(t.use.FirstHalf) >= crowded*float64(c.usable.first) &&
		float64(second) >= usedUp*float64(c.usable.second)
}

// judgeFirst judges the holders that are open on ports of the first half.
// bind() takes one only when the second half has none left for its address.
func (c *census) judgeFirst(st *State) {
	s, set := &c.suspects, &st.Snapshot.Settings
	if s.total == 0 {
		return
	}
	var candidates []int32
	for _, i := range s.open {
		h := &c.holders[i]
		if h.sign != unjudged || set.Second(h.port) {
			continue
		}
		t := &c.tuples.tuples[h.tuple]
		t.openFirst++
		switch {
		case c.shares(st, i):
			t.shared++
		case c.stageUsed(t, int(h.port) < c.usable.half):
			candidates = append(candidates, i)
		}
	}
	if len(candidates) == 0 {
		return
	}
	c.putInOrder(st, candidates)
	c.convictAll(set, candidates, func(h *holder, t *tuplePlace) bool {
		switch {
		case t.order == inTurn || t.firstOrder == inTurn || 4*t.shared >= t.openFirst:
			return false
		case st.Rows[h.row].Process != source.NoProcess:
			return c.isCaller(st, h)
		}
		return t.suspected > 0 || t.firstOrder == atRandom
	})
}

// shares reports whether another connection has the same port of the same
// address. bind(0) never gives such a port, nor does connect() take one that
// bind() gave.
func (c *census) shares(st *State, i int32) bool {
	h := &c.holders[i]
	s := &st.Snapshot.Sockets[h.row]
	with := func(g *holder) bool {
		other := &st.Snapshot.Sockets[g.row]
		return g.tuple != noTuple && other.Local == s.Local && other.Interface == s.Interface
	}
	for j := i - 1; j >= 0 && c.holders[j].port == h.port; j-- {
		if with(&c.holders[j]) {
			return true
		}
	}
	for j := int(i) + 1; j < len(c.holders) && c.holders[j].port == h.port; j++ {
		if with(&c.holders[j]) {
			return true
		}
	}
	return false
}

// isCaller reports whether a socket's process, where it is known for certain,
// has sockets that are suspected.
func (c *census) isCaller(st *State, h *holder) bool {
	s := &c.suspects
	if !s.called {
		s.called = true
		if s.callers == nil {
			s.callers = make(map[int32]struct{})
		}
		clear(s.callers)
		for i := range c.holders {
			if g := &c.holders[i]; g.sign == likely && st.Rows[g.row].Tier >= OwnerObserved {
				s.callers[st.Rows[g.row].Process] = struct{}{}
			}
		}
	}
	_, ok := s.callers[st.Rows[h.row].Process]
	return ok && st.Rows[h.row].Tier >= OwnerObserved
}

// judgeChildren finds connections that came in through a listener that is gone:
// they share a local port, and each has another peer, whose port is one that a
// system picks.
func (c *census) judgeChildren(st *State, o *ownership) {
	open := c.suspects.open
	child := func(h *holder) *source.Socket {
		s := &st.Snapshot.Sockets[h.row]
		t := &c.tuples.tuples[h.tuple].use
		if t.Live+t.TimeWait != 1 || !c.usable.Has(s.RemotePort) || o.scratch.signs.listening.Has(s.RemotePort) {
			return nil
		}
		return s
	}
	for i := 1; i < len(open); i++ {
		a, b := &c.holders[open[i-1]], &c.holders[open[i]]
		if a.port != b.port {
			continue
		}
		if x, y := child(a), child(b); x != nil && y != nil && x.Local == y.Local {
			for _, h := range []*holder{a, b} {
				if h.sign == unjudged {
					c.convict(h, &st.Snapshot.Settings)
				}
			}
		}
	}
}

// countSuspected counts for each tuple the suspected ports that others hold,
// and takes back what was counted as reusable on its own.
func (c *census) countSuspected(st *State) {
	low := st.Snapshot.Settings.Range.Low
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
		if h.sign == likely {
			st.Rows[h.row].Suspected = true
			c.counted.lists[ByProcess][c.counted.process(h)].bound++
			c.pools.list[c.poolOf(st, h)].bound++
		}
		c.tuples.each(h.tuple, func(t *tuplePlace) {
			if t.lastPort == h.port {
				return
			}
			t.lastPort = h.port
			t.use.Suspected--
			t.ownWaits += one(h.state == source.TimeWait)
			t.use.Reusable -= one(h.is(isReusable))
			t.use.FirstReusable -= one(h.is(isReusable) && h.port&1 == low&1)
		})
	}
}

// acquit takes back what was suspected of tuples whose ports have turned out to
// follow one another.
func (c *census) acquit(set *source.Settings, o *ownership) {
	s := &c.suspects
	if s.total == 0 || !slices.ContainsFunc(c.tuples.active, func(n int32) bool {
		t := &c.tuples.tuples[n]
		return t.order == inTurn && t.suspected > 0
	}) {
		return
	}
	s.ports, s.total, s.first = source.PortSet{}, 0, 0
	for _, n := range c.tuples.active {
		c.tuples.tuples[n].suspected, c.tuples.tuples[n].firstSuspected = 0, 0
	}
	for i := range c.holders {
		switch h := &c.holders[i]; {
		case h.sign != likely || h.tuple == noTuple || h.is(isBlocked):
		case c.tuples.tuples[h.tuple].order == inTurn:
			h.sign = plain
			o.recall.next[h.row].sign = plain
		default:
			c.convict(h, set)
		}
	}
}
