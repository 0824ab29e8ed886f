package model

import "ephtop/source"

// destination is what an inference goes by: who is seen alive with it is
// likely the owner of a TIME_WAIT that nobody saw alive.
type destination struct {
	addr source.Addr
	port uint16
}

// sightings counts the sockets that were seen alive with one destination, by
// process. Four processes are told apart, the rest only adds to total.
type sightings struct {
	by    [4]sighting
	total int
	turn  uint32
}

type sighting struct {
	process int32
	count   int
}

// maxSightings bounds the weight of the past: beyond it all counts are halved.
const maxSightings = 4096

// infer remembers who was seen alive with which destination, and names a
// likely owner for each ephemeral TIME_WAIT that nobody saw alive.
func (o *ownership) infer(st *State, c *census) {
	for _, i := range c.order {
		if st.Rows[i].fresh && c.tupleOf[i] != noTuple {
			o.sightingsOf(&st.Snapshot.Sockets[i]).add(st.Rows[i].Process)
		}
	}
	for i := range c.tuples {
		o.keepSightings(destination{c.tuples[i].Destination, c.tuples[i].Port})
	}
	for _, i := range c.order {
		row := &st.Rows[i]
		s := &st.Snapshot.Sockets[i]
		if row.Process != source.NoProcess || s.State != source.TimeWait || c.tupleOf[i] == noTuple {
			continue
		}
		if seen := o.seen[destination{s.Remote, s.RemotePort}]; seen != nil && seen.total > 0 {
			process, count, total := seen.likely()
			row.Process, row.Tier = process, OwnerInferred
			row.seen, row.seenOf = uint16(count), uint16(total)
		}
	}
}

func (o *ownership) sightingsOf(s *source.Socket) *sightings {
	d := destination{s.Remote, s.RemotePort}
	seen := o.seen[d]
	if seen == nil {
		seen = &sightings{}
		o.seen[d] = seen
	}
	return seen
}

// keepSightings marks what is known of a destination as still of use.
func (o *ownership) keepSightings(d destination) {
	seen := o.seen[d]
	if seen == nil {
		return
	}
	seen.turn = o.turn
	for _, b := range seen.by {
		if b.count > 0 {
			o.registry.keep(b.process, o.turn)
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

// likely gives the process seen most often, and how often of how many.
func (s *sightings) likely() (process int32, count, total int) {
	best := s.by[0]
	for _, b := range s.by[1:] {
		if b.count > best.count {
			best = b
		}
	}
	return best.process, best.count, s.total
}

// Likely says of how many sockets that were seen alive with the destination of
// an inferred row its likely owner held how many.
func (st *State) Likely(row int) (seen, of int) {
	return int(st.Rows[row].seen), int(st.Rows[row].seenOf)
}
