package model

import (
	"time"

	"ephtop/source"
)

// tracker remembers what takes a past of one network namespace.
type tracker struct {
	turn      uint32
	last      stamp
	clock     int64
	passed    time.Duration // at least so much, since the last row of the look before
	ownership ownership
	tcp, udp  census
	history   history
	failures  failures
	// events are those of this turn: indices into Moment.Events.
	events []int32
}

// stamp is when a moment was.
type stamp struct {
	time time.Time
	mono time.Duration
	took time.Duration
}

// timerSlack is how far the time left on a timer may be off.
const timerSlack = 100 * time.Millisecond

// scratch is the memory that an update needs and that nothing outlives, lent to
// one tracker after the other.
type scratch struct {
	tcp, udp tally
	recall   recallScratch
	// fresh are the rows whose process is known since this turn.
	fresh []int32
	signs signs
}

// update says in st what st.Snapshot means.
func (t *tracker) update(f *Fleet, st *State) {
	t.borrow(f)
	t.tell(st)
	t.look(st)
	for _, c := range [...]*census{&t.tcp, &t.udp} {
		c.count(st, &t.ownership)
		c.keepSighted(&t.ownership)
	}
	t.ownership.started = true
	// From here on a row's process is final, and the registry says who it is.
	st.Processes = f.registry.processes
	t.tcp.most()
	for _, c := range [...]*census{&t.tcp, &t.udp} {
		c.rank(st)
	}
	t.tcp.churn(st)
	for _, c := range [...]*census{&t.tcp, &t.udp} {
		c.consumers.finish(st, c)
	}
	t.failures.add(t.events, st)
	st.Level = max(st.TCP.Pressure.Level, st.UDP.Pressure.Level)
	if st.Failures.Recent > 0 {
		st.Level = LevelExhausted
	}
	t.history.add(st)
	st.find(t)
	t.tcp.tuples.finish()
	t.udp.tuples.finish()
}

// borrow takes the fleet's memory for one update.
func (t *tracker) borrow(f *Fleet) {
	t.tcp.tally, t.udp.tally = &f.scratch.tcp, &f.scratch.udp
	t.ownership.scratch, t.ownership.registry, t.ownership.turn = &f.scratch, &f.registry, f.turn
}

// tell moves the clock on. Ages are told by it and not by the wall clock, so
// that setting the clock makes nothing older or younger.
func (t *tracker) tell(st *State) {
	m := st.Moment
	st.Elapsed = 0
	if t.last.time.IsZero() {
		t.clock = m.Time.UnixNano()
	} else {
		st.Elapsed = m.Since(&source.Moment{Time: t.last.time, Mono: t.last.mono})
		t.clock += st.Elapsed.Nanoseconds()
	}
	t.passed = st.Elapsed - t.last.took - timerSlack
	t.last = stamp{m.Time, m.Mono, m.Took}
	st.Clock = t.clock
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
			t.udp.note(s, &st.Rows[i], false, &st.UDP.States)
		} else {
			t.tcp.note(s, &st.Rows[i], false, &st.TCP.States)
			signs.note(st, i)
		}
	}
}
