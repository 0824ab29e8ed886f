package model

import "time"

// sightings counts the connections with one destination that were seen alive at
// one look and in TIME_WAIT at the next one, by the process that closed them:
// who closes such short ones is likely the owner of a TIME_WAIT that nobody saw
// alive. To be merely alive there says nothing, for what lives on did not close.
// Four processes are told apart, the rest only adds to total.
type sightings struct {
	by    [4]sighting
	total int
	// unseen counts the TIME_WAIT that nobody saw alive, and untimed says that
	// the source has no timers.
	unseen  int
	untimed bool
}

// sighting is what was seen of one process.
type sighting struct {
	process int32
	count   int
	// left is how long they lived on after the look that saw them, and span the
	// time between the two looks, in all.
	left, span time.Duration
}

// maxSightings bounds the weight of the past: beyond it all counts are halved.
const maxSightings = 4096

// What a timer can tell apart, and up to which mean life nothing can be said
// against a process for how few of its connections were seen.
const (
	timerTick  = 4 * time.Millisecond
	shortLived = 10 * timerTick
)

// unlikelier is how much more TIME_WAIT nobody saw alive than those who were
// seen to close can explain, until they are no explanation.
const unlikelier = 8

// sight counts the sockets that were seen to close in this turn.
func (c *census) sight(st *State, o *ownership) {
	for _, i := range o.ended {
		s := &st.Snapshot.Sockets[i]
		if d := c.domains.of(s.Interface); s.Proto == c.proto && d.countsForTuple(s, &st.Rows[i]) {
			n := c.tuples.number(s, o.recall.next[i].tuple)
			if n == noTuple {
				continue
			}
			seen := &c.tuples.dests.places[c.tuples.tuples[n].dest].seen
			seen.add(o.sighting(st, i))
			_, timed := waited(s, &st.Snapshot.Settings)
			seen.untimed = seen.untimed || !timed
		}
	}
}

// sighting is what the close of a row says. Where the source has no timers, it
// is taken to have lived on for a quarter of the time.
func (o *ownership) sighting(st *State, row int32) sighting {
	s := sighting{process: st.Rows[row].Process, count: 1, span: st.Elapsed}
	switch age, timed := waited(&st.Snapshot.Sockets[row], &st.Snapshot.Settings); {
	case o.recall.isNew(int(row)): // the kernel told of its close, and no look saw it
	case timed:
		s.left = min(max(0, s.span-age), s.span)
	default:
		s.left = s.span / 4
	}
	return s
}

// infer names a likely owner for a TIME_WAIT that nobody saw alive.
func (c *census) infer(row *Row, n int32, isNew bool) {
	t := &c.tuples.tuples[n]
	seen := &c.tuples.dests.places[t.dest].seen
	if isNew && !row.SinceStart {
		seen.unseen++
	}
	if !t.wasSighted {
		t.wasSighted = true
		likely, of := seen.likely()
		t.likely, t.use.Seen, t.use.SeenOf = likely, uint16(likely.count), uint16(of)
	}
	if t.likely.count > 0 {
		row.Process, row.Tier = t.likely.process, OwnerInferred
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

// add counts a close. A process that was seen once gives way to another where
// there is no room for it.
func (s *sightings) add(one sighting) {
	s.total++
	if s.total > maxSightings {
		s.halve()
	}
	b := &s.by[0]
	for i := range s.by {
		if o := &s.by[i]; o.count > 0 && o.process == one.process {
			b = o
			break
		} else if o.count < b.count {
			b = o
		}
	}
	if b.process != one.process {
		if b.count > 1 {
			return
		}
		*b = sighting{process: one.process}
	}
	b.count += one.count
	b.left += one.left
	b.span += one.span
}

func (s *sightings) halve() {
	s.total /= 2
	s.unseen /= 2
	for i := range s.by {
		b := &s.by[i]
		b.count, b.left, b.span = b.count/2, b.left/2, b.span/2
	}
}

// life is how long a connection of the process lives on average: a look falls
// into the middle of it.
func (b *sighting) life() time.Duration {
	return max(timerTick, 2*b.left/time.Duration(b.count))
}

// hidden estimates how many connections of the process no look saw: one that
// lives a tenth of the time between two looks is seen once in ten times.
func (b *sighting) hidden() float64 {
	if b.count == 0 {
		return 0
	}
	between := b.span / time.Duration(b.count)
	return float64(b.count) * max(0, float64(between)/float64(b.life())-1)
}

// likely gives the process that closed most of what nobody saw, and how many
// closes were seen in all. Its count is 0 where nobody is likely: nobody was
// seen to close, or those who were are too few for what is there.
func (s *sightings) likely() (best sighting, total int) {
	most, sum := 0.0, 0.0
	for _, b := range s.by {
		n := b.hidden()
		sum += n
		if n > most {
			most, best = n, b
		}
	}
	if most > 0 && !s.untimed && best.life() > shortLived && unlikelier*sum < float64(s.unseen) {
		best = sighting{}
	}
	return best, s.total
}

// Likely says of how many sockets that were seen to close towards the
// destination of an inferred row its likely owner had closed how many.
func (st *State) Likely(row int) (seen, of int) {
	if st.Rows[row].Tier != OwnerInferred {
		return 0, 0
	}
	s := &st.Snapshot.Sockets[row]
	key := st.Key(s)
	for i := range st.Of(s.Proto).Pressure.Tuples {
		if t := &st.Of(s.Proto).Pressure.Tuples[i]; t.TupleKey == key {
			return int(t.Seen), int(t.SeenOf)
		}
	}
	return 0, 0
}
