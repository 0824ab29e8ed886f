package model

import "ephtop/source"

// waits are ports that nothing but TIME_WAIT holds, by the age of the youngest of
// it in seconds.
type waits struct {
	ages [maxAge + 1]int32
	all  int
}

// add adds a port, if it is known how old what holds it is.
func (w *waits) add(age uint8) {
	if age != noAge {
		w.ages[age]++
		w.all++
	}
}

func (w *waits) reset() {
	if w.all > 0 {
		*w = waits{}
	}
}

// young are those that came within ClosingSpan.
func (w *waits) young() *closes { return (*closes)(w.ages[:closingSeconds]) }

// youngest is the age of the one that came last, maxAge where there is none.
func (w *waits) youngest() int {
	if w == nil {
		return maxAge
	}
	for i, n := range w.ages {
		if n > 0 {
			return i
		}
	}
	return maxAge
}

// portion is a part of waits, and how many of that come a second.
type portion struct {
	*waits
	part, closes float64
	most         float64 // that there can be
}

// left is how many have not waited for so many seconds.
func (s *portion) left(wait int) float64 {
	if s.waits == nil {
		return 0
	}
	return s.part * float64(sum(s.ages[:wait]))
}

// ends is how many there are in the end.
func (s *portion) ends(wait int) float64 { return min(s.closes*float64(wait), s.most) }

// pastBlocked is what is remembered of the ports of a domain that are blocked, or
// likely so.
type pastBlocked struct {
	held    growth // of those that are not waits
	stopped bool
}

// followBlocked says how the blocked ports come and go.
func (c *census) followBlocked(st *State, p pace) {
	for i := range c.domains {
		d := &c.domains[i]
		n := d.count
		if i == 0 {
			n += c.suspects.total
		}
		if n == 0 {
			delete(c.blocked, d.vrf)
			continue
		}
		past := c.blocked[d.vrf]
		if past == nil {
			past = new(pastBlocked)
			if c.blocked == nil {
				c.blocked = make(map[uint32]*pastBlocked)
			}
			c.blocked[d.vrf] = past
		}
		past.held.follow(n-d.waits.all, p)
		d.growth = past.held.trend()
		d.closes = d.waits.rate(&past.stopped, st)
	}
}

// rate is how many come a second. stopped is remembered from look to look.
func (w *waits) rate(stopped *bool, st *State) float64 {
	young := w.young()
	if *stopped = young.over(*stopped, false, st.Elapsed); *stopped {
		return 0
	}
	return young.rate(sum(young[:]) == w.all)
}

// countWaits counts a port that is blocked in a domain, or likely so, if nothing
// but TIME_WAIT holds it there.
func (c *census) countWaits(st *State, d *domain, holders []holder) {
	youngest := uint8(noAge)
	for i := range holders {
		h := &holders[i]
		switch {
		case len(c.domains) > 1 && c.domains.of(st.Snapshot.Sockets[h.row].Interface) != d:
		case h.state != source.TimeWait:
			return
		default:
			youngest = min(youngest, h.age)
		}
	}
	d.waits.add(youngest)
}

// countSuspectedWaits counts the suspected ports that nothing but TIME_WAIT
// holds.
func (c *census) countSuspectedWaits(st *State) {
	for rest := c.holders; len(rest) > 0; {
		n := 1
		for n < len(rest) && rest[n].port == rest[0].port {
			n++
		}
		if c.suspects.ports.Has(rest[0].port) && !c.domains[0].blocked.Has(rest[0].port) {
			c.countWaits(st, &c.domains[0], rest[:n])
		}
		rest = rest[n:]
	}
}

// others are the ports that others have blocked and that come free when their
// TIME_WAIT is over.
func (t *tuplePlace) others(d *domain) int { return max(0, d.waits.all-t.ownWaits) }
