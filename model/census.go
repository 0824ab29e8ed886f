package model

import (
	"time"

	"ephtop/source"
)

// noTuple is the index of a row that holds no port towards a destination.
const noTuple int32 = -1

// census counts the ports of one protocol. It goes through the sockets in the
// order of their local ports, so that "distinct ports of X" is one comparison
// with the port that X was last seen with, and needs no set.
type census struct {
	proto source.Proto
	// order is the rows with an ephemeral local port, by port.
	order []int32
	// tuples and lastPort are the tuples found, by index; tupleOf gives the
	// index for each row of order.
	tuples   []TupleUse
	lastPort []uint16
	index    map[TupleKey]int32
	tupleOf  []int32

	blocked [1 << 10]uint64 // bits of the ports that are blocked for everyone
	counts  [1<<16 + 1]int32

	suspects  suspects
	pools     map[source.Addr]*poolCount
	consumers consumerCounts
	churning  churnCounts
}

// poolCount counts the ports held on one local address.
type poolCount struct {
	ports    int
	lastPort uint16
}

// count fills in the states and the pressure of one protocol, but for the
// ranking of the tuples.
func (c *census) count(st *State, proto source.Proto) {
	c.proto = proto
	p := st.Of(proto)
	set := &st.Snapshot.Settings
	p.Pressure = Pressure{
		Proto: proto, Usable: max(0, set.Usable()), PoolOnly: set.PoolOnly,
		Tuples: p.Pressure.Tuples[:0], BindPools: p.Pressure.BindPools[:0],
		Map: PortMap{Low: set.Range.Low, High: set.Range.High, Words: resize(p.Pressure.Map.Words, len(c.blocked))},
	}
	clear(p.Pressure.Map.Words)
	c.sortByPort(st, &p.States)
	c.reset(len(st.Rows))
	for rest := c.order; len(rest) > 0; {
		port := st.Snapshot.Sockets[rest[0]].LocalPort
		n := 1
		for n < len(rest) && st.Snapshot.Sockets[rest[n]].LocalPort == port {
			n++
		}
		c.countPort(st, &p.Pressure, port, rest[:n])
		rest = rest[n:]
	}
	c.suspect(st)
}

func (c *census) reset(rows int) {
	if c.index == nil {
		c.index = make(map[TupleKey]int32)
		c.pools = make(map[source.Addr]*poolCount)
	}
	clear(c.index)
	clear(c.pools)
	c.tuples, c.lastPort = c.tuples[:0], c.lastPort[:0]
	c.tupleOf = resize(c.tupleOf, rows)
}

// sortByPort counts the states, marks the ephemeral rows, and puts these into
// c.order by their local ports (a counting sort). It finds the ports that are
// blocked for everyone on the way.
func (c *census) sortByPort(st *State, states *StateCounts) {
	usable := newPortSet(&st.Snapshot.Settings)
	*states = StateCounts{}
	clear(c.counts[:])
	clear(c.blocked[:])
	total := 0
	for i := range st.Snapshot.Sockets {
		s := &st.Snapshot.Sockets[i]
		if s.Proto != c.proto {
			continue
		}
		states[s.State]++
		if !usable.has(s.LocalPort) {
			continue
		}
		st.Rows[i].Ephemeral = true
		c.counts[int(s.LocalPort)+1]++
		total++
		if c.proto == source.TCP && (s.State == source.Listen || s.State == source.Bound) {
			c.blocked[s.LocalPort>>6] |= 1 << (s.LocalPort & 63)
		}
	}
	for port := 1; port < len(c.counts); port++ {
		c.counts[port] += c.counts[port-1]
	}
	c.order = resize(c.order, total)
	for i := range st.Snapshot.Sockets {
		s := &st.Snapshot.Sockets[i]
		if s.Proto == c.proto && st.Rows[i].Ephemeral {
			c.order[c.counts[s.LocalPort]] = int32(i)
			c.counts[s.LocalPort]++
		}
	}
}

// countPort counts the rows that hold one port.
func (c *census) countPort(st *State, p *Pressure, port uint16, rows []int32) {
	p.InUse++
	p.Map.Words[port>>6] |= 1 << (port & 63)
	blocked := c.blocked[port>>6]&(1<<(port&63)) != 0
	live := false
	var wild wildcards
	for _, i := range rows {
		s := &st.Snapshot.Sockets[i]
		live = live || s.State != source.TimeWait
		wild.note(s.Local)
		c.tupleOf[i] = noTuple
		if !blocked && s.RemotePort != 0 {
			c.tupleOf[i] = c.countTuple(s, &st.Snapshot.Settings)
		}
	}
	switch {
	case blocked:
		p.Blocked++
	case live:
		p.Live++
	default:
		p.TimeWait++
	}
	c.countPools(st, port, rows, wild)
}

// countTuple counts a socket for its tuple and returns the tuple's index. A
// four-tuple is in the tables once, but for sockets bound to different
// interfaces: these count as one port.
func (c *census) countTuple(s *source.Socket, set *source.Settings) int32 {
	key := TupleKey{s.Local, s.Remote, s.RemotePort}
	n, ok := c.index[key]
	if !ok {
		n = int32(len(c.tuples))
		c.index[key] = n
		c.tuples = append(c.tuples, TupleUse{TupleKey: key})
		c.lastPort = append(c.lastPort, 0)
	}
	if c.lastPort[n] == s.LocalPort {
		return n
	}
	c.lastPort[n] = s.LocalPort
	t := &c.tuples[n]
	if s.LocalPort&1 == set.Range.Low&1 {
		t.FirstHalf++
	}
	if s.State != source.TimeWait {
		t.Live++
		return n
	}
	t.TimeWait++
	if closing(s, set) {
		t.Closing++
	}
	if reusable(s, set) {
		t.Reusable++
	}
	return n
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
	return ok && age <= ClosingSpan
}

// loopbackInterface is LOOPBACK_IFINDEX of the kernel.
const loopbackInterface = 1

// reusable tells whether connect() may take over a TIME_WAIT
// (tcp_twsk_unique), as far as a dump can tell: it does not show whether
// timestamps were negotiated. With the setting 2, one loopback end suffices.
func reusable(s *source.Socket, set *source.Settings) bool {
	if set.Timestamps <= 0 {
		return false
	}
	if age, ok := waited(s, set); !ok || age < set.ReuseDelay {
		return false
	}
	return set.ReuseTimeWait == 1 || set.ReuseTimeWait == 2 &&
		(s.Local.IsLoopback() || s.Remote.IsLoopback() || s.Interface == loopbackInterface)
}

// wildcards says whether a port is held on a wildcard address.
type wildcards struct{ v4, v6 bool }

func (w *wildcards) note(local source.Addr) {
	if local.IsWildcard() {
		w.v4 = w.v4 || local.Is4()
		w.v6 = w.v6 || !local.Is4()
	}
}

// cover tells whether the wildcard holds the port on a as well. "::" takes
// IPv4 too, unless it is IPV6_V6ONLY, which is rare and would only make the
// pool look fuller than it is.
func (w wildcards) cover(a source.Addr) bool { return w.v6 || w.v4 && a.Is4() }

// countPools counts the port for the local addresses that hold it: for the
// widest wildcard alone, or for each address that no wildcard covers.
func (c *census) countPools(st *State, port uint16, rows []int32, wild wildcards) {
	switch {
	case wild.v6:
		c.countPool(source.Addr{}, port)
	case wild.v4:
		c.countPool(source.Addr4([4]byte{}), port)
	}
	for _, i := range rows {
		local := st.Snapshot.Sockets[i].Local
		if !local.IsWildcard() && !wild.cover(local) {
			c.countPool(local, port)
		}
	}
}

func (c *census) countPool(a source.Addr, port uint16) {
	pool := c.pools[a]
	if pool == nil {
		pool = &poolCount{}
		c.pools[a] = pool
	}
	if pool.lastPort != port {
		pool.lastPort = port
		pool.ports++
	}
}

// portSet is a set of ports, a bit each.
type portSet [1 << 10]uint64

// newPortSet makes the set of the ports that the system can pick.
func newPortSet(set *source.Settings) *portSet {
	var p portSet
	for port := int(set.Range.Low); port <= int(set.Range.High) && set.Range.Low > 0; port++ {
		p[port>>6] |= 1 << (port & 63)
	}
	for _, r := range set.Reserved {
		for port := int(r.Low); port <= int(r.High); port++ {
			p[port>>6] &^= 1 << (port & 63)
		}
	}
	return &p
}

func (p *portSet) has(port uint16) bool { return p[port>>6]&(1<<(port&63)) != 0 }
