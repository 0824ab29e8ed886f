package model

import (
	"time"

	"ephtop/source"
)

// tracker remembers what takes a past of one network namespace.
type tracker struct {
	turn   uint32
	at     int    // index of its snapshot in this turn
	cookie uint64 // of the namespace, 0 as long as it is not known
	// looks counts the looks at the namespace. clock and took are those of the
	// last one, and again says that this moment brings no later one.
	looks     uint32
	clock     int64
	took      time.Duration
	again     bool
	passed    time.Duration // at least so much, since the last row of the look before
	ownership ownership
	tcp, udp  census
	history   history
	failures  failures
	listened  listened
	// events are those of this turn: indices into Moment.Events.
	events []int32
	// ways are the destinations whose ends are counted, of TCP and of UDP.
	ways   [2]map[destination]*wayPast
	budget tupleBudget
	// late are the failures of when it was not looked at, or nil.
	late *late
}

// oldest is how old rows can be at most, and sameLook how far apart two looks
// are at least.
const (
	oldest   = time.Hour
	sameLook = 50 * time.Millisecond
)

// timerSlack is how far the time left on a timer may be off.
const timerSlack = 100 * time.Millisecond

// scratch is the memory that an update needs and that nothing outlives, lent to
// one tracker after the other.
type scratch struct {
	tcp, udp tally
	recall   recallScratch
	// ended are the rows in TIME_WAIT since this turn whose process is known, but
	// for those that lived through more than one look.
	ended []int32
	signs signs
	sizes sizes
	// room is for how many more tuples there is room in this turn.
	room int
}

// update says in st what st.Snapshot means.
func (t *tracker) update(f *Fleet, st *State) {
	t.borrow(f)
	t.tell(st, f.clock)
	t.look(st)
	t.sieve(st.Snapshot, &f.scratch.sizes)
	for _, c := range [...]*census{&t.tcp, &t.udp} {
		c.count(st, &t.ownership)
		c.keepSighted(&t.ownership)
	}
	t.noteWanted(st)
	t.ownership.started = true
	// From here on a row's process is final, and the registry says who it is.
	st.Processes, st.Exits = f.registry.processes, f.registry.exits
	t.tcp.most()
	for _, c := range [...]*census{&t.tcp, &t.udp} {
		c.rank(st)
	}
	t.tcp.churn(st)
	for _, c := range [...]*census{&t.tcp, &t.udp} {
		c.consumers.finish(st, c)
	}
	t.failures.add(t.events, t.late, st, f.clock)
	st.admit(f.clock)
	st.Level, st.NAT, st.NATElsewhere = st.PortsLevel(), nil, nil
	t.listened.note(st, &t.ownership.scratch.signs)
	st.steal(t.listened, &t.ownership.scratch.signs)
	t.history.add(st, &t.tcp, t.again)
	st.find(t)
	st.waiting = append(st.waiting[:0], t.ownership.scratch.signs.waiting...)
	t.tcp.tuples.finish()
	t.udp.tuples.finish()
}

// borrow takes the fleet's memory for one update.
func (t *tracker) borrow(f *Fleet) {
	t.tcp.tally, t.udp.tally = &f.scratch.tcp, &f.scratch.udp
	t.ownership.scratch, t.ownership.registry, t.ownership.turn = &f.scratch, &f.registry, f.turn
	t.ownership.recall.once = f.once
	t.tcp.tuples.room, t.udp.tuples.room = &f.scratch.room, &f.scratch.room
}

// tell says when the namespace was looked at: before now, where its rows are
// from an earlier moment. Where they are those that the last moment had too, no
// time has passed, and nothing has a rate but the one it had.
func (t *tracker) tell(st *State, now int64) {
	age := min(max(0, st.Snapshot.Age), oldest)
	looked := now - age.Nanoseconds()
	t.again = t.looks > 0 && age > 0 && looked-t.clock < sameLook.Nanoseconds()
	st.Elapsed = 0
	switch {
	case t.again:
		looked = t.clock
	case t.looks > 0:
		st.Elapsed = max(0, time.Duration(looked-t.clock))
		looked = t.clock + st.Elapsed.Nanoseconds()
	}
	t.passed = st.Elapsed - t.took - timerSlack
	t.clock, st.Clock = looked, looked
	if !t.again {
		t.looks++
		t.took = st.Moment.Took
	}
	t.ownership.looks = t.looks
}

// look goes through the sockets once: whose they are, and which ports they
// block.
func (t *tracker) look(st *State) {
	sockets := st.Snapshot.Sockets
	t.ownership.begin(st, t.events, t.passed)
	t.tcp.begin(st, source.TCP)
	t.udp.begin(st, source.UDP)
	signs := &t.ownership.scratch.signs
	signs.begin()
	for i := range sockets {
		t.ownership.observe(st, i)
		s := &sockets[i]
		if s.Proto == source.UDP {
			t.udp.note(st, int32(i), &t.ownership.recall.next[i], &st.UDP.States)
		} else {
			t.tcp.note(st, int32(i), &t.ownership.recall.next[i], &st.TCP.States)
			signs.note(st, i)
		}
	}
	st.noteRest()
	t.tcp.listened = t.tcp.listened[:0]
	for _, row := range signs.listeners {
		t.tcp.listened = append(t.tcp.listened, sockets[row].LocalPort)
	}
}
