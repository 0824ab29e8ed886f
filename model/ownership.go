package model

import (
	"math"
	"time"

	"ephtop/source"
)

// ownership remembers, for every socket of the last snapshot, since when it is
// known and which process was seen with it: a TIME_WAIT has lost its owner,
// and only those who looked before know it.
type ownership struct {
	recall  recall
	started bool
	closed  traced
	bound   traced // before they were connected
	// epoch is where memory.since is counted from, on the scale of State.Clock.
	// now and before are this look and the one before, counted so.
	epoch       int64
	now, before Span

	// What follows is the fleet's.
	*scratch
	registry *registry
	turn     uint32
	looks    uint32 // the tracker's
}

// begin matches the snapshot with what was seen before, since when so much time
// has passed for sure.
func (o *ownership) begin(st *State, events []int32, passed time.Duration) {
	sockets := st.Snapshot.Sockets
	o.ended = o.ended[:0]
	o.tell(st)
	o.recall.begin(sockets, &st.Snapshot.Settings, passed, &o.scratch.recall)
	o.trace(st.Moment, events)
	st.Rows = resize(st.Rows, len(sockets))
}

// earlier is how long before the first look a TIME_WAIT may have begun, and far
// how much a Span holds.
const (
	earlier = 24 * time.Hour
	far     = math.MaxUint32 * spanTick
)

// span counts a time from the epoch.
func (o *ownership) span(clock int64) Span { return SpanOf(time.Duration(clock - o.epoch)) }

// tell says when this look is. What was first seen too long ago for the epoch to
// be moved on with it has been seen since the epoch.
func (o *ownership) tell(st *State) {
	if !o.started {
		o.epoch = st.Clock - earlier.Nanoseconds()
	}
	if late := time.Duration(st.Clock-o.epoch) - far; late > 0 {
		moved := (late + far/2).Truncate(spanTick)
		o.epoch += moved.Nanoseconds()
		for i := range o.recall.next {
			m := &o.recall.next[i]
			m.since -= min(m.since, SpanOf(moved))
		}
	}
	o.now, o.before = o.span(st.Clock), o.span(st.Clock-st.Elapsed.Nanoseconds())
}

// observe fills in a row from what the snapshot says and what was seen before.
func (o *ownership) observe(st *State, i int) {
	s := &st.Snapshot.Sockets[i]
	m := &o.recall.next[i]
	if o.recall.isNew(i) {
		age, _ := waited(s, &st.Snapshot.Settings)
		m.since, m.sinceStart = o.span(st.Clock-age.Nanoseconds()), !o.started
	}
	known, traced := m.process != source.NoProcess, false
	if s.Process != source.NoProcess {
		m.process, m.tier = o.registry.mapping[s.Process], OwnerObserved
	} else if p, ok := o.closedBy(s, known); ok {
		m.process, m.tier, traced = p, OwnerTraced, true
	}
	if len(o.bound) > 0 {
		o.noteBound(s, m, o.recall.isNew(i))
	}
	if m.process != source.NoProcess {
		o.registry.keep(m.process, o.turn)
		if s.State == source.TimeWait && m.since >= o.before && (traced || o.recall.hasClosed(i)) {
			o.ended = append(o.ended, int32(i))
		}
	}
	st.Rows[i] = Row{Process: m.process, Tier: m.tier, SinceStart: m.sinceStart, Age: o.now - min(m.since, o.now)}
}

// registry numbers processes, so that a number means the same process from
// turn to turn as long as a socket points to it.
type registry struct {
	processes []source.Process
	exits     []time.Time // when each was found to have ended; zero for one that lives
	turns     []uint32    // last turn in which a socket pointed there
	index     map[source.ProcessKey]int32
	free      []int32
	now       time.Time                  // of the moment
	exited    map[source.ProcessKey]bool // who ended since the last one, of those without a number
	// mapping gives the numbers of the processes of the last enter.
	mapping []int32
	// named finds a process by pid and name, for events that know no more;
	// made once a turn, when the first one asks.
	named     map[namedProcess]int32
	namedTurn uint32
}

// enter fills in the mapping, and notes who has ended. Who holds a socket lives.
func (r *registry) enter(m *source.Moment, turn uint32) {
	r.mapping, r.now = r.mapping[:0], m.Time
	if r.index == nil {
		r.index, r.exited = make(map[source.ProcessKey]int32), make(map[source.ProcessKey]bool)
	}
	clear(r.exited)
	for i := range m.Processes {
		n := r.number(&m.Processes[i], turn)
		r.mapping, r.exits[n] = append(r.mapping, n), time.Time{}
	}
	for _, key := range m.Exited {
		if n, ok := r.index[key]; ok {
			r.exits[n] = r.now
		} else {
			r.exited[key] = true // an event of this moment may name it
		}
	}
}

// number gives the number of a process and keeps what is newest of it.
func (r *registry) number(p *source.Process, turn uint32) int32 {
	key := p.Key()
	n, ok := r.index[key]
	if !ok {
		n = r.slot()
		r.index[key] = n
		if r.exited[key] {
			r.exits[n] = r.now
		}
	}
	r.processes[n] = *p
	r.turns[n] = turn
	return n
}

func (r *registry) slot() int32 {
	if k := len(r.free); k > 0 {
		n := r.free[k-1]
		r.free = r.free[:k-1]
		return n
	}
	r.processes = append(r.processes, source.Process{})
	r.exits = append(r.exits, time.Time{})
	r.turns = append(r.turns, 0)
	return int32(len(r.processes) - 1)
}

func (r *registry) keep(n int32, turn uint32) { r.turns[n] = turn }

// sweep frees the numbers that no socket points to any more.
func (r *registry) sweep(turn uint32) {
	for key, n := range r.index {
		if r.turns[n] != turn {
			delete(r.index, key)
			r.processes[n], r.exits[n] = source.Process{}, time.Time{}
			r.free = append(r.free, n)
		}
	}
}

// resize gives a slice of n elements, in the old memory where it suffices.
// The elements are not cleared.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/8)
	}
	return s[:n]
}

// push appends to a long list of what is large. Where there is no room it makes a
// quarter more: append would double the memory.
func push[T any](s []T, v T) []T {
	if n := len(s); n == cap(s) {
		s = append(make([]T, 0, n+n/4+2), s...)
	}
	return append(s, v)
}
