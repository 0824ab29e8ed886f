package model

import (
	"cmp"
	"slices"
	"time"

	"ephtop/source"
)

// The ports that bindresvport(3) tries.
const lowReserved, highReserved = 600, 1023

const (
	// minPool is how many ports a pool that was only seen has at least when it is
	// called full: a few adjacent ports of a healthy caller are all in use too.
	minPool = 10
	// poolSettled is for how long such a pool must not have grown.
	poolSettled = 5 * time.Second
	// minRun is how many ports in a row are no chance. connect() takes every
	// second port of the range, and each of a range of the socket's own.
	minRun = 4
	// inRuns is the part of a tuple's ports of the second half that must be in such
	// runs: others were likely bound.
	inRuns = 0.9
	// manyOfOne is how many sockets of one local port are certainly a server's.
	manyOfOne = 64
)

// pastPool is what is remembered of a private pool.
type pastPool struct {
	growth
	low, high uint16
	turn      uint32
	grown     int64 // State.Clock
	// proven says that it was full and did not grow, so that low and high are its
	// ends.
	proven bool
}

// private finds the pools that callers have for themselves. It holds what is
// needed during an update only.
type private struct {
	// outside are the ports outside of the range that anything holds, servers those
	// of listeners.
	outside, servers source.PortSet
	any              bool
	noted            int     // sockets outside of the range
	rows             []int32 // that may be of such a pool
	members          []member
	index            map[TupleKey]int32
	keys             []TupleKey
	// remotes are the remote ports of the rows' local ports, various those with more
	// than one: a listener's that is gone, most likely.
	remotes map[uint16]uint16
	various source.PortSet
}

// member is a socket that may be of a pool.
type member struct {
	pool, row int32
	port      uint16
}

func (p *private) begin() {
	if p.any {
		p.outside, p.servers, p.any = source.PortSet{}, source.PortSet{}, false
	}
	p.rows, p.noted = p.rows[:0], 0
}

// note looks at a socket on a port that is not usable.
func (p *private) note(s *source.Socket) {
	p.any = true
	p.noted++
	p.outside.Add(s.LocalPort)
	if s.State == source.Listen {
		p.servers.Add(s.LocalPort)
	}
}

// addPrivate adds a tuple for each private pool. Those of the range must be
// counted.
func (c *census) addPrivate(st *State, p *Pressure, pace pace) {
	first := c.past == nil
	if first {
		c.past = make(map[TupleKey]*pastPool)
	}
	c.gather(st)
	for rest := c.private.members; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].pool == rest[0].pool {
			n++
		}
		if t, ok := c.pool(st, c.private.keys[rest[0].pool], rest[:n], first); ok {
			past := c.past[t.TupleKey]
			past.follow(t.Used, pace)
			t.Outlook = past.outlook(&t, st.Snapshot.Settings.TimeWait)
			p.Tuples = append(p.Tuples, t)
		}
		rest = rest[n:]
	}
	for key, past := range c.past {
		if past.turn != c.tuples.turn {
			delete(c.past, key)
		}
	}
}

// gather gathers what may be of a private pool, by pool and port.
func (c *census) gather(st *State) {
	p := &c.private
	p.members, p.keys = p.members[:0], p.keys[:0]
	if p.index == nil {
		p.index, p.remotes = make(map[TupleKey]int32), make(map[uint16]uint16)
	}
	clear(p.index)
	if len(p.remotes) > 0 {
		clear(p.remotes)
		p.various = source.PortSet{}
	}
	if !p.oneServer(st) {
		for _, row := range p.rows {
			s := &st.Snapshot.Sockets[row]
			key := keyOf(s)
			key.Pool = PoolSourcePorts
			p.add(key, row, s.LocalPort)
			if remote, ok := p.remotes[s.LocalPort]; !ok {
				p.remotes[s.LocalPort] = s.RemotePort
			} else if remote != s.RemotePort {
				p.various.Add(s.LocalPort)
			}
		}
	}
	slices.SortFunc(p.members, func(a, b member) int {
		return cmp.Or(cmp.Compare(a.pool, b.pool), cmp.Compare(a.port, b.port), cmp.Compare(a.row, b.row))
	})
	c.gatherRanges()
}

func (p *private) add(key TupleKey, row int32, port uint16) {
	n, ok := p.index[key]
	if !ok {
		n = int32(len(p.keys))
		p.index[key] = n
		p.keys = append(p.keys, key)
	}
	p.members = append(p.members, member{n, row, port})
}

// oneServer reports whether the rows are what a listener has left: many, all on
// one port.
func (p *private) oneServer(st *State) bool {
	if len(p.rows) < manyOfOne {
		return false
	}
	port := st.Snapshot.Sockets[p.rows[0]].LocalPort
	return !slices.ContainsFunc(p.rows, func(row int32) bool { return st.Snapshot.Sockets[row].LocalPort != port })
}

// gatherRanges adds the sockets of the tuples that may have a range of their own:
// some of their ports are of the second half, which connect() comes to when the
// first is used up, and goes through every second port else.
func (c *census) gatherRanges() {
	p := &c.private
	named := len(p.keys)
	for _, n := range c.tuples.active {
		t := &c.tuples.tuples[n]
		d := c.domains.of(t.use.Interface)
		second := t.use.Live + t.use.TimeWait - (t.use.FirstHalf - d.first + t.firstBlocked)
		t.fullOnce = second > 0 && (t.fullOnce || float64(t.use.FirstHalf) >= crowded*float64(t.use.FirstHalfSize))
		key := t.use.TupleKey
		key.Pool = PoolLocalRange
		t.mayRange = t.use.FirstHalfSize > 0 && (second >= minRun/2 && !t.fullOnce || len(c.past) > 0 && c.past[key] != nil)
		if t.mayRange {
			t.ownRange, t.inRange = int32(len(p.keys)), 0
			p.keys = append(p.keys, key)
		}
	}
	if len(p.keys) == named {
		return
	}
	c.inRanges(func(h *holder, t *tuplePlace) { t.inRange++ })
	size := len(p.members)
	for _, n := range c.tuples.active {
		if t := &c.tuples.tuples[n]; t.mayRange { // its first place, then the next
			t.inRange, size = int32(size), size+int(t.inRange)
		}
	}
	p.members = slices.Grow(p.members, size-len(p.members))[:size]
	c.inRanges(func(h *holder, t *tuplePlace) {
		p.members[t.inRange] = member{t.ownRange, h.row, h.port}
		t.inRange++
	})
}

// inRanges goes through what may be in ranges of sockets' own, by port.
func (c *census) inRanges(do func(*holder, *tuplePlace)) {
	for i := range c.holders {
		h := &c.holders[i]
		if h.tuple == noTuple || h.is(isBlocked) {
			continue
		}
		if t := &c.tuples.tuples[h.tuple]; t.mayRange {
			do(h, t)
		}
	}
}

// pool makes a tuple of the members of a pool, which are in the order of their
// ports, if it is one.
func (c *census) pool(st *State, key TupleKey, members []member, first bool) (t TupleUse, ok bool) {
	low, high := members[0].port, members[len(members)-1].port
	if key.Pool == PoolLocalRange {
		if low, high, ok = runs(members, st.Snapshot.Settings.Range.Low); !ok && c.past[key] == nil {
			return t, false
		}
	} else if key.Pool = c.kindOf(st, members); key.Pool == PoolRange {
		return t, false
	}
	past := c.past[key]
	if past == nil {
		past = &pastPool{low: low, high: high, grown: st.Clock}
		if first { // of what was before we looked, nothing says that it has grown
			past.grown -= poolSettled.Nanoseconds()
		}
		c.past[key] = past
	}
	if low < past.low || high > past.high {
		past.low, past.high = min(low, past.low), max(high, past.high)
		past.grown, past.proven = st.Clock, false
	}
	t = TupleUse{TupleKey: key, Limit: Limit{key.Pool, past.low, past.high}, Process: source.NoProcess}
	if key.Pool == PoolReserved {
		t.Limit.Low, t.Limit.High = lowReserved, highReserved
	}
	c.countPool(st, &t, members)
	if t.Used == 0 {
		return t, false
	}
	past.turn = c.tuples.turn
	t.Level = past.level(st, &t)
	return t, true
}

// runs gives the ends of what is in runs of minRun ports or more; not ok where
// that does not explain the ports of the second half. low 0 is none.
func runs(members []member, rangeLow uint16) (low, high uint16, ok bool) {
	low = ^uint16(0)
	second, in := 0, 0
	for i := 0; i < len(members); {
		n, length, odd := i+1, 1, one(members[i].port&1 != rangeLow&1)
		for ; n < len(members) && members[n].port-members[n-1].port <= 1; n++ {
			if members[n].port != members[n-1].port {
				length++
				odd += one(members[n].port&1 != rangeLow&1)
			}
		}
		second += odd
		if length >= minRun {
			in += odd
			low, high = min(low, members[i].port), max(high, members[n-1].port)
		}
		i = n
	}
	return low, high, in > 0 && float64(in) >= inRuns*float64(second)
}

// kindOf says what pool sockets on ports that were named are of; PoolRange for
// none.
func (c *census) kindOf(st *State, members []member) PoolKind {
	set, sockets := &st.Snapshot.Settings, st.Snapshot.Sockets
	low, high := members[0].port, members[len(members)-1].port
	named, unknown, kernels, odd := false, true, false, 0
	for _, m := range members {
		s := &sockets[m.row]
		named = named || s.Bind == source.BindPort
		// The tables of Linux 6.18 tell it of each that lives.
		unknown = unknown && (s.Bind == source.BindUnknown || s.State == source.TimeWait)
		odd += int(m.port & 1)
		kernels = kernels || s.State == source.Established && s.Inode == 0 && st.Snapshot.Inodes
	}
	remote := sockets[members[0].row].RemotePort
	switch {
	case low >= lowReserved && high <= highReserved && (remote == 2049 || remote == 111 || remote == 20048 || kernels):
		return PoolReserved
	case !named && (!unknown || set.Ephemeral(remote) && c.private.various.Has(low) && c.private.various.Has(high)):
		return PoolRange // a listener's that is gone
	case low != high && (named || odd > 0 && odd < len(members)): // else connect() did, from another range than that of now
		return PoolSourcePorts
	case low == high && (named || remote < set.Range.Low && !c.private.various.Has(low)):
		return PoolSourcePort
	}
	return PoolRange
}

// countPool counts the members of a pool, a port once.
func (c *census) countPool(st *State, t *TupleUse, members []member) {
	var last uint16
	var votes int
	for _, m := range members {
		if m.port == last || m.port < t.Limit.Low || m.port > t.Limit.High {
			continue
		}
		last = m.port
		s, r := &st.Snapshot.Sockets[m.row], &st.Rows[m.row]
		if s.State == source.TimeWait {
			t.TimeWait++
			t.Closing += one(closing(s, &st.Snapshot.Settings))
		} else {
			t.Live++
		}
		switch { // whoever holds more than half is left (Boyer and Moore)
		case r.Process == source.NoProcess:
		case votes == 0:
			votes, t.Process, t.Tier = 1, r.Process, r.Tier
		case r.Process == t.Process:
			votes++
		default:
			votes--
		}
	}
	if t.Pool == PoolReserved {
		for port := uint16(lowReserved); port <= highReserved; port++ {
			t.Blocked += one(c.private.outside.Has(port))
		}
		t.Blocked -= t.Live + t.TimeWait
	} else if c.private.any {
		for port := int(t.Limit.Low); port <= int(t.Limit.High); port++ {
			t.Blocked += one(c.private.servers.Has(uint16(port))) // who names it is refused
		}
	}
	t.Used = t.Live + t.TimeWait + t.Blocked
	t.Free = max(0, t.Limit.Size()-t.Used)
}

// level grades a pool. One that was only seen is taken to be no wider when it is
// full, its ends are round, and it has not grown for a while; until then its
// share says nothing: what takes its ports in order has room behind the last.
func (past *pastPool) level(st *State, t *TupleUse) Level {
	if t.Pool == PoolSourcePort || t.Pool == PoolLocalRange && !st.Snapshot.BlockedKnown {
		return LevelOK // a dump does not tell which ports of the range were bound: such runs may be those of bind()
	}
	if t.Free == 0 && t.Used >= minPool && t.Limit.round() && st.Clock-past.grown >= poolSettled.Nanoseconds() {
		past.proven = true
	}
	if t.Pool == PoolReserved || past.proven {
		return st.Thresholds.Level(t.Used, t.Limit.Size())
	}
	return LevelOK
}

// idle reports whether it is a private pool that is in no trouble.
func (t *TupleUse) idle() bool { return t.Level == LevelOK && t.Pool != PoolRange }

// outlook is that of a pool, by its growth alone. Until it is known how wide it
// is, nothing tells how far it is from full.
func (past *pastPool) outlook(t *TupleUse, wait time.Duration) Outlook {
	o := Outlook{
		Rate: past.shown(), Keeps: wait, Plateau: t.Used,
		CloseRate: float64(t.Closing) / closingSeconds, Sustainable: float64(t.TimeWait+t.Free) / max(wait, time.Second).Seconds(),
	}
	if !t.idle() {
		f := future{used: t.Used, ports: t.Used + t.Free, held: t.Used, fixed: t.Blocked, growth: past.trend(), horizon: past.horizon()}
		f.verdict(&o, past.followed >= settled)
	}
	return o
}
