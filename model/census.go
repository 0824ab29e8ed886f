package model

import (
	"cmp"
	"slices"
	"time"

	"ephtop/source"
)

// census counts the ports of one protocol in one network namespace:
//
//	look   every socket once   states, usable ports that are held or blocked
//	count  by row              tuples and consumers get their numbers; holders
//	       by port             ports of tuples, consumers, bind pools
//	       by port             suspects: who was likely bound first
//	rank   by tuple            sums, levels, the worst first
//
// The second pass goes through the holders in the order of their ports, so
// that "distinct ports of X" is one comparison with the port that X was last
// counted with, and needs no set. What outlives an update is here, what does
// not is in the tally.
type census struct {
	*tally
	proto     source.Proto
	tuples    tupleTable
	past      map[TupleKey]*pastPool // of the private pools that are there
	listened  []uint16               // ports of listeners at the look before
	consumers consumerCounts
	vrfs      []uint32                // the known ones
	blocked   map[uint32]*pastBlocked // by VRF
	stamps    stampsPast
}

// tally is what a census needs during an update only.
type tally struct {
	usable usablePorts
	// domains say which ports are blocked for everyone, known that the kernel's
	// tables told them.
	domains domains
	known   bool
	// few says that there are so few sockets that sorting them costs less than
	// counting through all ports.
	few bool
	// counts has, in turn, the number of holders of each port and where the
	// next holder of each port goes.
	counts [1<<16 + 1]int32
	// pages has where the next holder of each 1<<pageBits ports goes.
	pages [1 << (16 - pageBits)]int32
	// holders are the sockets that hold an ephemeral port, by port.
	holders []holder
	page    []holder // scratch of sortPages
	nobody  holder   // scratch of place

	waits    waits // of the range
	pools    poolCounts
	pairs    pairTable
	suspects suspects
	private  private
	asked    []int32 // rows that tell whether their peers send timestamps
	counted  consumerTally
	worst    []int32 // of worstClosing
	lives    lives
}

// usablePorts are the ports that the system can pick. Namespaces mostly have
// the same, so they are kept from one to the next.
type usablePorts struct {
	source.PortSet
	of       source.PortRange
	reserved []source.PortRange
	low      uint16 // whose parity connect() tries first
	portCount
	// first counts those that connect() tries first.
	first int
	// half is where the upper half of the range begins: with SO_REUSEADDR,
	// bind(0) tries the lower one first (attempt_half in inet_csk_find_open_port).
	half int
}

// set makes u the usable ports of the settings.
func (u *usablePorts) set(s *source.Settings) {
	if u.of == s.Range && u.low == s.FirstLow() && s.Range.Low != 0 && slices.Equal(u.reserved, s.Reserved) {
		return
	}
	u.SetUsable(s)
	u.of, u.low, u.reserved = s.Range, s.FirstLow(), append(u.reserved[:0], s.Reserved...)
	u.first = firstHalf(&u.PortSet, &u.PortSet, u.low)
	u.half = int(s.Range.Low) + s.Range.Count()/4*2
	var lower source.PortSet
	lower.AddRange(source.PortRange{Low: s.Range.Low, High: uint16(max(u.half-1, int(s.Range.Low)))})
	u.ports = u.Len()
	u.second = u.ports - u.first
	u.lowerSecond = firstHalf(&u.PortSet, &lower, u.low^1)
	u.lower = u.lowerSecond + firstHalf(&u.PortSet, &lower, u.low)
}

// begin makes ready for a first look at all sockets, for the ports that are
// blocked.
func (c *census) begin(st *State, proto source.Proto) {
	c.proto = proto
	c.usable.set(&st.Snapshot.Settings)
	c.block(st)
	c.holders = c.holders[:0]
	c.private.begin()
	c.asked = c.asked[:0]
	c.stamps.follow(st)
	if c.few = len(st.Snapshot.Sockets) < few; !c.few {
		clear(c.counts[:])
	}
	c.tuples.begin()
	st.Of(proto).States = StateCounts{}
}

// note counts a socket's state, and its port if that is ephemeral.
func (c *census) note(st *State, i int32, m *memory, states *StateCounts) {
	s, row := &st.Snapshot.Sockets[i], &st.Rows[i]
	states[s.State]++
	if !c.usable.Has(s.LocalPort) {
		c.private.note(s)
		return
	}
	row.Ephemeral = true
	if !c.few {
		c.counts[int(s.LocalPort)+1]++
	}
	if c.proto == source.TCP {
		if m.sign == unjudged && s.RemotePort != 0 && c.usable.Has(s.RemotePort) && slices.Contains(c.listened, s.LocalPort) {
			m.sign = accepted // by a listener that was there at the look before
		}
		c.noteBlocking(s, m.sign)
	}
	if s.Stamps != source.StampsUnknown && s.State != source.TimeWait {
		c.asked = append(c.asked, i)
	}
}

// countsForTuple tells whether a socket of the domain holds its port towards a
// destination.
func (d *domain) countsForTuple(s *source.Socket, row *Row) bool {
	return row.Ephemeral && s.RemotePort != 0 && !(d.any && d.aside.Has(s.LocalPort))
}

// count fills in the pressure and the consumers of the protocol, but for what
// rank and rate complete.
func (c *census) count(st *State, o *ownership) {
	p := st.Of(c.proto)
	set := &st.Snapshot.Settings
	p.Pressure = Pressure{
		Proto: c.proto, Usable: max(0, set.Usable()), PoolOnly: set.PoolOnly,
		Tuples: p.Pressure.Tuples[:0], BindPools: p.Pressure.BindPools[:0],
		Map:      PortMap{Low: set.Range.Low, High: set.Range.High, Words: p.Pressure.Map.Words[:0]},
		WorstMap: PortMap{Words: p.Pressure.WorstMap.Words[:0]},
	}
	c.sumBlocked(st)
	c.sight(st, o)
	c.askPeers(st, o)
	c.counted.begin(st, p, o.registry)
	c.consumers.consumerTally = &c.counted
	c.number(st, &p.Pressure, o)
	c.counted.reserve(ByDestination, c.tuples.dests.count+2)
	c.pools.begin()
	c.pairs.begin()
	c.waits.reset()
	if len(c.holders) > 0 || c.domains[0].any || len(st.Snapshot.Rest) > 0 {
		p.Pressure.Map.reset(set.Range.Low, set.Range.High)
	}
	for rest := c.holders; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].port == rest[0].port {
			n++
		}
		c.countPort(st, &p.Pressure, rest[:n])
		rest = rest[n:]
	}
	if c.proto == source.TCP {
		c.countRest(st, &p.Pressure)
	}
	c.unexplained(&p.Pressure)
	c.countUnbound(c.usable.low)
	c.suspect(st, o)
}

// number gives every socket its tuple and its consumers, counts it for its
// process and user, and puts the holders of ephemeral ports into c.holders by
// their ports: by a counting sort where there are many.
func (c *census) number(st *State, p *Pressure, o *ownership) {
	set := &st.Snapshot.Settings
	c.placeByPort(set.Range)
	for i := range st.Snapshot.Sockets {
		s := &st.Snapshot.Sockets[i]
		if s.Proto != c.proto {
			continue
		}
		row := &st.Rows[i]
		h := c.place(row.Ephemeral, s.LocalPort)
		*h = holder{row: int32(i), tuple: noTuple, port: s.LocalPort, state: s.State, age: noAge}
		h.set(isFresh, o.recall.isNew(i))
		d := c.domains.of(s.Interface)
		h.set(isBlocked, row.Ephemeral && d.any && d.blocked.Has(s.LocalPort))
		row.Blocking = h.is(isBlocked) && s.Bind != source.BindConnect
		h.set(isBound, row.Blocking && (s.State == source.Bound || !d.aside.Has(s.LocalPort)))
		m := &o.recall.next[i]
		if row.Ephemeral && c.proto == source.TCP && s.RemotePort != 0 {
			h.sign = c.sign(m, s, h, o)
		}
		if !d.countsForTuple(s, row) {
			m.tuple = noTuple
		} else {
			m.tuple = c.tuples.number(s, m.tuple)
			row.Outgoing = true
			h.set(isScattered, m.tuple == noTuple)
			if s.Bind == source.BindPort {
				c.private.rows = append(c.private.rows, int32(i))
			}
			h.tuple = m.tuple
			if h.tuple == noTuple {
				p.Scattered++
			} else if row.Process == source.NoProcess && s.State == source.TimeWait {
				c.infer(row, h.tuple, o.recall.isNew(i))
			}
			if age, ok := waited(s, set); ok {
				h.age = uint8(min(age/time.Second, maxAge))
				h.set(isReusable, h.tuple != noTuple && !h.is(isBlocked) && c.reusable(st, s, row.Age.Duration(), h.tuple))
			}
		}
		h.whose = c.consumers.whose(row, s)
		h.set(isInferred, row.Tier == OwnerInferred)
		h.cgroup = c.consumers.cgroup(row, s)
		if !row.Ephemeral && s.RemotePort != 0 && !c.private.servers.Has(s.LocalPort) {
			c.private.rows = append(c.private.rows, int32(i))
		}
	}
	if !c.few {
		c.sortPages()
		return
	}
	slices.SortFunc(c.holders, func(a, b holder) int {
		return cmp.Or(cmp.Compare(a.port, b.port), cmp.Compare(a.row, b.row))
	})
}

// sign returns what is held of a connection on a usable port, and remembers what
// is certain of it.
func (c *census) sign(m *memory, s *source.Socket, h *holder, o *ownership) sign {
	switch {
	case o.scratch.signs.listening.Has(s.LocalPort):
		m.sign = accepted
	case m.sign == told || m.sign == accepted:
	case s.Bind == source.BindConnect:
		m.sign = plain
	case c.known && h.is(isBound):
		m.sign = likely
	case c.known:
		m.sign = plain
	}
	return m.sign
}

// countPort counts the holders of one port.
func (c *census) countPort(st *State, p *Pressure, holders []holder) {
	port := holders[0].port
	p.InUse++
	p.Map.add(port)
	live, bound, youngest := false, false, uint8(noAge)
	for i := range holders {
		h := &holders[i]
		live = live || h.state != source.TimeWait
		bound = bound || h.is(isBound)
		youngest = min(youngest, h.age)
		if h.tuple != noTuple {
			c.tuples.tuples[h.tuple].count(h, c.usable.low)
			c.pairs.count(h, c.consumers.process(h))
		}
		c.consumers.count(st, c, h)
	}
	main := &c.domains[0]
	blocked := main.blocked.Has(port)
	c.counted.boundPorts += one(bound || c.known && blocked && !main.aside.Has(port))
	switch {
	case blocked:
		p.Blocked++
	case live:
		p.Live++
	default:
		p.TimeWait++
	}
	if !live {
		c.waits.add(youngest)
	}
	for i := range c.domains {
		if d := &c.domains[i]; d.any && d.blocked.Has(port) {
			c.countWaits(st, d, holders)
		}
	}
	c.countPools(st, holders, live)
}

// count counts a socket for a tuple, a port once.
func (t *tuplePlace) count(h *holder, low uint16) {
	if t.lastPort == h.port {
		return
	}
	t.lastPort = h.port
	second := (h.port^low)&1 != 0
	if !second {
		t.use.FirstHalf++
	}
	if h.is(isBlocked) {
		t.blocked++
		t.firstBlocked += one(!second)
	}
	if h.state != source.TimeWait {
		t.use.Live++
		t.secondLive += one(second)
		return
	}
	t.use.TimeWait++
	t.ownWaits += one(h.is(isBlocked))
	t.use.Reusable += one(h.is(isReusable))
	t.use.FirstReusable += one(h.is(isReusable) && !second)
	switch {
	case h.closing():
		t.young[h.age]++
		t.use.Closing++
	case h.age == noAge:
		t.untimed++
	}
}

// one counts a thing that is so.
func one(so bool) int {
	if so {
		return 1
	}
	return 0
}

// waited is how long a socket has been in TIME_WAIT; false where the source
// knows no timers.
func waited(s *source.Socket, set *source.Settings) (time.Duration, bool) {
	if s.State != source.TimeWait || s.Timer != source.TimerTimeWait {
		return 0, false
	}
	return max(0, set.TimeWait-time.Duration(s.Expires)*time.Millisecond), true
}

// closing tells whether a TIME_WAIT is younger than ClosingSpan.
func closing(s *source.Socket, set *source.Settings) bool {
	age, ok := waited(s, set)
	return ok && age < ClosingSpan
}
