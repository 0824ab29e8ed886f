package model

import "ephtop/source"

// wayCount counts what sockets hold towards one destination.
type wayCount struct {
	// live were answered, and opening are in SYN_SENT.
	live, opening, timeWait int
	// standing are those of live that are ESTABLISHED. What waits for its FIN to be
	// acknowledged holds a port, and proves nothing of who is to answer it.
	standing int
	// entered were answered since the look before, and are live or in TIME_WAIT; of
	// these began came to TIME_WAIT since then.
	entered, began int
	// gone were seen to end without TIME_WAIT, within ClosedSpan.
	gone int
	// resent are those of standing that wait for what they sent to be acknowledged, and
	// have sent it again.
	resent int
	// state holds most of it, and process does in that.
	most, state int
	process     int32
	tier        Tier
}

func (n *wayCount) held() int { return n.live + n.opening + n.timeWait }

// note counts a socket of which so much was seen before. came is how one that was
// answered since then was seen.
func (n *wayCount) note(s *source.Socket, was, came seen) {
	switch s.State {
	case source.SynSent:
		n.opening++
		return
	case source.TimeWait:
		n.timeWait++
		n.began += one(was&waitedThen == 0)
	default:
		n.live++
		if s.State == source.Established {
			n.standing++
			n.resent += one(s.Timer == source.TimerRetransmit && s.Retransmits > 0)
		}
	}
	n.entered += one(was&came != 0)
}

// add adds what another namespace holds.
func (n *wayCount) add(m *wayCount, state int) {
	if held := m.held(); held > n.most || n.most == 0 {
		n.most, n.state, n.process, n.tier = held, state, m.process, m.tier
	}
	n.live += m.live
	n.standing += m.standing
	n.opening += m.opening
	n.timeWait += m.timeWait
	n.entered += m.entered
	n.began += m.began
	n.gone += m.gone
	n.resent += m.resent
}

// toward counts what the sockets of all namespaces hold towards each destination.
func (f *Fleet) toward(o *Overview) map[wayKey]*wayCount {
	all := make(map[wayKey]*wayCount)
	for i, st := range o.States {
		t := f.current[i]
		add := func(key wayKey, n *wayCount) {
			sum := all[key]
			if sum == nil {
				sum = new(wayCount)
				all[key] = sum
			}
			sum.add(n, i)
		}
		for _, c := range [...]*census{&t.tcp, &t.udp} {
			counts := t.count(st, c)
			if f.natPorts > 0 {
				t.ended(st, c, counts, f.natPorts, func(to destination, gone int) {
					add(wayKey{to, c.proto}, &wayCount{gone: gone, process: source.NoProcess})
				})
			}
			for d := range counts {
				if n := &counts[d]; n.held() > 0 {
					add(wayKey{c.tuples.dests.places[d].destination, c.proto}, n)
				}
			}
		}
		t.named(st, func(use *TupleUse) {
			add(wayKey{destination{use.Destination, use.Port}, source.TCP},
				&wayCount{live: use.Live, standing: use.Live, timeWait: use.TimeWait, process: use.Process, tier: use.Tier})
		})
	}
	return all
}

// translatedToward counts what source NAT of this host has given out towards each
// destination: it goes on to the NAT on the way, whosever connections these are. Of
// namespaces that pass them on to each other, the one counts that has most.
func (o *Overview) translatedToward() map[wayKey]*wayCount {
	all := make(map[wayKey]*wayCount)
	for i := range o.NATs {
		s := &o.NATs[i]
		if s.State < 0 {
			continue
		}
		here := make(map[wayKey]*wayCount)
		for j := range s.Pools {
			p := &s.Pools[j]
			key := wayKey{destination{p.Remote, p.RemotePort}, p.Proto}
			n := here[key]
			if n == nil {
				n = &wayCount{state: s.State}
				here[key] = n
			}
			n.live += max(0, p.Used-p.Evictable-p.Unreplied)
			n.timeWait += p.Evictable
		}
		for key, n := range here {
			if most := all[key]; most == nil || n.held() > most.held() {
				all[key] = n
			}
		}
	}
	return all
}

// count counts the sockets of one protocol by the numbers of their destinations.
func (t *tracker) count(st *State, c *census) []wayCount {
	counts := make([]wayCount, len(c.tuples.dests.places))
	next := t.ownership.recall.next
	came := seen(openedThen) // at a first look all are new, and nobody knows since when
	if t.looks > 1 {
		came |= firstSight
	}
	for i := range st.Snapshot.Sockets {
		if s := &st.Snapshot.Sockets[i]; s.Proto == c.proto && next[i].tuple != noTuple {
			counts[c.tuples.tuples[next[i].tuple].dest].note(s, next[i].seen, came)
		}
	}
	if c.proto == source.TCP {
		for i := range st.Snapshot.Rest {
			t.countRest(&st.Snapshot.Rest[i], counts)
		}
	}
	for _, n := range c.tuples.active {
		place := &c.tuples.tuples[n]
		d := &counts[place.dest]
		if held := place.use.Live + place.use.TimeWait; held > d.most || d.most == 0 {
			d.most, d.process, d.tier = held, place.use.Process, place.use.Tier
		}
	}
	return counts
}

// countRest counts connections that have no rows.
func (t *tracker) countRest(r *source.Rest, counts []wayCount) {
	d, ok := t.tcp.tuples.dests.index[destination{r.Remote, r.RemotePort}]
	switch {
	case r.RemotePort == 0 || !ok:
	case r.State == source.TimeWait:
		counts[d].timeWait += r.Count
	case r.State == source.SynSent:
		counts[d].opening += r.Count
	default:
		counts[d].live += r.Count
		if r.State == source.Established {
			counts[d].standing += r.Count
		}
	}
}

// named gives the pools of source ports that callers name, outside of the range:
// their sockets have no tuple of the range.
func (t *tracker) named(st *State, do func(*TupleUse)) {
	for i := range st.TCP.Pressure.Tuples {
		use := &st.TCP.Pressure.Tuples[i]
		switch use.Pool {
		case PoolSourcePorts, PoolSourcePort, PoolReserved:
			if !t.tcp.usable.Has(use.Limit.Low) {
				do(use)
			}
		}
	}
}

const (
	// closedSlots parts ClosedSpan.
	closedSlots = 6
	closedSlot  = ClosedSpan / closedSlots
	// maxWayPast is of how many destinations it is remembered what ended, and
	// minWayPast the part of the ports from which on one is worth it.
	maxWayPast = 10_000
	minWayPast = 0.001
)

// wayPast remembers what a namespace had towards a destination.
type wayPast struct {
	live  int // at the last look
	turn  uint32
	slot  int64 // of State.Clock, when it was counted last
	ended [closedSlots]int
}

// follow counts so many ends more and forgets old ones; how many are left is the
// result.
func (w *wayPast) follow(n int, clock int64) (sum int) {
	slot := clock / int64(closedSlot)
	for i := max(w.slot+1, slot-closedSlots+1); i <= slot; i++ {
		w.ended[i%closedSlots] = 0
	}
	w.slot = slot
	w.ended[slot%closedSlots] += n
	for _, k := range w.ended {
		sum += k
	}
	return sum
}

// ended counts what was live at the look before, or came since, and is neither live
// nor in TIME_WAIT now. Of destinations that have no socket any more, gone hears.
func (t *tracker) ended(st *State, c *census, counts []wayCount, ports int, gone func(destination, int)) {
	past := &t.ways[one(c.proto == source.UDP)]
	if *past == nil {
		*past = make(map[destination]*wayPast)
	}
	for d := range counts {
		n := &counts[d]
		if n.held() == 0 {
			continue
		}
		to := c.tuples.dests.places[d].destination
		w := (*past)[to]
		if w == nil {
			if float64(n.held()) < minWayPast*float64(ports) || len(*past) >= maxWayPast {
				continue
			}
			w = &wayPast{live: n.live - n.entered + n.began, slot: st.Clock / int64(closedSlot)} // that none has ended
			(*past)[to] = w
		}
		ends := max(0, w.live+n.entered-n.began-n.live)
		if len(st.Snapshot.Rest) > 0 {
			ends = 0 // what has no row is not followed
		}
		n.gone = w.follow(ends, st.Clock)
		w.live, w.turn = n.live, t.turn
	}
	for to, w := range *past {
		if w.turn == t.turn {
			continue
		}
		left := w.follow(w.live, st.Clock)
		w.live, w.turn = 0, t.turn
		if left == 0 {
			delete(*past, to)
			continue
		}
		gone(to, left)
	}
}
