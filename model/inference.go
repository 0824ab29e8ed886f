package model

// sightings counts the sockets that were seen alive with one destination, by
// process: who is seen alive with it is likely the owner of a TIME_WAIT that
// nobody saw alive. Four processes are told apart, the rest only adds to
// total.
type sightings struct {
	by    [4]sighting
	total int
}

type sighting struct {
	process int32
	count   int
}

// maxSightings bounds the weight of the past: beyond it all counts are halved.
const maxSightings = 4096

// sight counts the sockets whose process became known in this turn.
func (c *census) sight(st *State, o *ownership) {
	for _, i := range o.fresh {
		s := &st.Snapshot.Sockets[i]
		if d := c.domains.of(s.Interface); s.Proto == c.proto && d.countsForTuple(s, &st.Rows[i]) {
			n := c.tuples.number(s, d.vrf, o.recall.next[i].tuple)
			c.tuples.dests.places[c.tuples.tuples[n].dest].seen.add(st.Rows[i].Process)
		}
	}
}

// infer names a likely owner for a TIME_WAIT that nobody saw alive.
func (c *census) infer(row *Row, n int32) {
	t := &c.tuples.tuples[n]
	if !t.wasSighted {
		t.wasSighted = true
		t.likely, t.likelyTotal = c.tuples.dests.places[t.dest].seen.likely()
	}
	if t.likely.count > 0 {
		row.Process, row.Tier = t.likely.process, OwnerInferred
		row.seen, row.seenOf = uint16(t.likely.count), uint16(t.likelyTotal)
	}
}

// keepSighted keeps the registry's numbers of the processes that were seen
// with a destination of this turn.
func (c *census) keepSighted(o *ownership) {
	d := &c.tuples.dests
	for i := range d.places {
		p := &d.places[i]
		if p.turn != d.turn {
			continue
		}
		for _, b := range p.seen.by {
			if b.count > 0 {
				o.registry.keep(b.process, o.turn)
			}
		}
	}
}

func (s *sightings) add(process int32) {
	s.total++
	if s.total > maxSightings {
		s.halve()
	}
	for i := range s.by {
		if b := &s.by[i]; b.count == 0 || b.process == process {
			b.process = process
			b.count++
			return
		}
	}
}

func (s *sightings) halve() {
	s.total /= 2
	for i := range s.by {
		s.by[i].count /= 2
	}
}

// likely gives the process seen most often, and how many were seen in all.
func (s *sightings) likely() (best sighting, total int) {
	best = s.by[0]
	for _, b := range s.by[1:] {
		if b.count > best.count {
			best = b
		}
	}
	return best, s.total
}

// Likely says of how many sockets that were seen alive with the destination of
// an inferred row its likely owner held how many.
func (st *State) Likely(row int) (seen, of int) {
	return int(st.Rows[row].seen), int(st.Rows[row].seenOf)
}
