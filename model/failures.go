package model

import (
	"cmp"
	"slices"
	"time"

	"ephtop/source"
)

// FailureSpan is how long a failed connect keeps the level at exhausted.
const FailureSpan = 10 * time.Second

// maxFailures bounds the processes and destinations whose failures are kept
// apart: where there are more, the pair that failed longest ago gives way.
const maxFailures = 256

// Failures are the connects that failed for want of a port, as far as the
// kernel told of them.
type Failures struct {
	// Observed says that somebody listens: without it, a count of 0 says
	// nothing.
	Observed bool
	// Count is their number since the start, Recent that of the last
	// FailureSpan.
	Count, Recent int
	// Last is when the last one failed.
	Last time.Time
	// By counts those of the last HistorySpan by process and destination, most
	// first.
	By []Failure
	// ago is how long Last is past, whatever happened to the wall clock.
	ago time.Duration
}

// Failure counts the failed connects of one process to one destination.
type Failure struct {
	Process     source.Process
	Destination source.Addr
	Port        uint16
	// Count is their number in the last HistorySpan, to the minute.
	Count int
	Last  time.Time
	slots [failureSlots]int
	last  int64 // State.Clock
}

// Failures are counted by the minute, so that old ones leave the count one by
// one and not when the last of them is old.
const (
	failureSlot  = time.Minute
	failureSlots = int(HistorySpan/failureSlot) + 1
)

// failures remembers the failed connects.
type failures struct {
	count  int
	last   time.Time
	clock  int64 // State.Clock of last
	recent []failedPoll
	by     []Failure
	slot   int64 // the minute of the last add
}

// failedPoll is how many failures one moment told of.
type failedPoll struct {
	clock int64
	count int
}

// isFailure tells whether an event is a failure for want of a port.
func isFailure(e *source.Event) bool { return e.Kind == source.ConnectFailed }

// add counts the failures among the events, and those that are late, and fills
// in st.Failures. now is the time by State.Clock: the rows may be older.
func (f *failures) add(events []int32, late *late, st *State, now int64) {
	m := st.Moment
	f.age(now)
	if late != nil {
		f.catchUp(late)
	}
	before := f.count
	for _, i := range events {
		if e := &m.Events[i]; isFailure(e) {
			f.note(e, now)
		}
	}
	if n := f.count - before; n > 0 {
		f.last, f.clock = m.Time, now
		f.recent = append(f.recent, failedPoll{now, n})
	}
	oldest := now - FailureSpan.Nanoseconds()
	f.recent = slices.DeleteFunc(f.recent, func(p failedPoll) bool { return p.clock < oldest })
	recent := 0
	for _, p := range f.recent {
		recent += p.count
	}
	slices.SortFunc(f.by, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), b.Last.Compare(a.Last), cmp.Compare(a.Process.PID, b.Process.PID))
	})
	st.Failures = Failures{
		Observed: m.Traced, Count: f.count, Recent: recent, Last: f.last, By: append(st.Failures.By[:0], f.by...),
		ago: time.Duration(now - f.clock),
	}
}

// catchUp counts the failures of when the namespace was not looked at.
func (f *failures) catchUp(l *late) {
	for i := range l.events {
		f.note(&l.events[i], l.clock)
	}
	f.count += l.count - len(l.events)
	f.last, f.clock = l.last, l.clock
	f.recent = append(f.recent, failedPoll{l.clock, l.count})
}

// age takes out of the counts what is older than HistorySpan.
func (f *failures) age(clock int64) {
	now := clock / failureSlot.Nanoseconds()
	for passed := min(now-f.slot, int64(failureSlots)); passed > 0; passed-- {
		slot := slotOf(now - passed + 1)
		for i := range f.by {
			b := &f.by[i]
			b.Count -= b.slots[slot]
			b.slots[slot] = 0
		}
	}
	f.slot = now
	f.by = slices.DeleteFunc(f.by, func(b Failure) bool { return b.Count == 0 })
}

// slotOf is the slot of a minute, of which those before 1970 are negative.
func slotOf(minute int64) int {
	const n = int64(failureSlots)
	return int((minute%n + n) % n)
}

func (f *failures) note(e *source.Event, clock int64) {
	f.count++
	b := f.find(e)
	b.Count++
	b.slots[slotOf(f.slot)]++
	b.Last, b.last = e.Time, clock
}

// find gives the count that an event belongs to. Where there is no room for
// another, the one that failed longest ago gives way.
func (f *failures) find(e *source.Event) *Failure {
	oldest := 0
	for i := range f.by {
		b := &f.by[i]
		if b.Process.Same(&e.Process) && b.Destination == e.Tuple.Remote && b.Port == e.Tuple.RemotePort {
			return b
		}
		if b.last < f.by[oldest].last {
			oldest = i
		}
	}
	if len(f.by) < maxFailures {
		f.by = append(f.by, Failure{})
		oldest = len(f.by) - 1
	}
	f.by[oldest] = Failure{Process: e.Process, Destination: e.Tuple.Remote, Port: e.Tuple.RemotePort}
	return &f.by[oldest]
}
