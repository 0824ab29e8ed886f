package model

import (
	"cmp"
	"slices"
	"time"

	"ephtop/source"
)

// FailureSpan is how long a failed connect or bind keeps the level at exhausted.
const FailureSpan = 10 * time.Second

// idleSpan is how long it does where nothing holds a port any more: whoever found
// none has gone, or finds some.
const idleSpan = 3 * time.Second

// maxFailures bounds the processes, destinations and addresses whose failures
// are kept apart: where there are more, the pair that failed longest ago gives way.
const maxFailures = 256

// Failures are the connects and binds that failed for want of a port, as far as
// the kernel told of them.
type Failures struct {
	// Observed says that somebody listens: without it, a count of 0 says
	// nothing.
	Observed bool
	// Count is their number since the start, Recent that of the last
	// FailureSpan; 0 some seconds after the last where nothing holds a port any
	// more.
	Count, Recent int
	// Binds of Count were of bind() or listen() of TCP, and UDP of UDP sockets,
	// in whatever call these take a port. The rest were connects.
	Binds, UDP int
	// RecentUDP are those of Recent that were of UDP.
	RecentUDP int
	// Last is when the last one failed.
	Last time.Time
	// By counts those of the last HistorySpan by process and by what it failed
	// to get, most first.
	By []Failure
	// Refused counts, since the start, the connects and binds that failed since
	// there is no such address on the host: no want of ports, though the error is
	// the same. RefusedBy is to it as By is to Count.
	Refused   int
	RefusedBy []Failure
	// Taken counts, since the start, the binds to a port that was named and that
	// somebody has: no want of ports either. TakenBy is to it as By is to Count.
	Taken   int
	TakenBy []Failure
	// Unplaced counts failures, since the start, of which it is not known in which
	// namespace they were: no namespace counts them.
	Unplaced int
	// Lost counts the events, of all namespaces, that were lost since the start.
	// With any, all counts are the least that there were.
	Lost int
	// ago is how long Last is past, whatever happened to the wall clock.
	ago time.Duration
	now int64 // Failure.last of one that fails now
}

// past reports whether one of the By, RefusedBy or TakenBy failed longer ago than
// FailureSpan.
func (f *Failures) past(b *Failure) bool { return f.now-b.last > FailureSpan.Nanoseconds() }

// Connects are those of Count that were connects of TCP.
func (f *Failures) Connects() int { return f.Count - f.Binds - f.UDP }

// Failure counts what failed of one process towards one destination, or on one
// address.
type Failure struct {
	Process source.Process
	// Kind is source.ConnectFailed, source.BindFailed or source.AddressRefused.
	Kind  source.EventKind
	Proto source.Proto
	// Local is the address whose pool is empty where a bind failed; with
	// RefusedBy, the one that is not there, if it was named; with TakenBy, that on
	// which LocalPort is taken.
	Local     source.Addr
	LocalPort uint16
	// Destination and Port are where a connect was to go.
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

// failures remembers what failed.
type failures struct {
	ports     failureTable // for want of one
	addresses failureTable // as there is no such one
	taken     failureTable // as somebody has the port
	binds     int          // of ports
	udp       int          // of ports
	lost      int
	last      time.Time // of ports
	clock     int64     // State.Clock of last
	recent    []failedPoll
}

// failureTable counts events of a sort.
type failureTable struct {
	count int
	by    []Failure
	slot  int64 // the minute of the last add
}

// failedPoll is how many failures one moment told of.
type failedPoll struct {
	clock      int64
	count, udp int // udp is part of count
}

// add counts the failures among the events, and those that are late, and fills
// in st.Failures. now is the time by State.Clock: the rows may be older.
func (f *failures) add(events []int32, late *late, st *State, now int64) {
	m := st.Moment
	for _, t := range [...]*failureTable{&f.ports, &f.addresses, &f.taken} {
		t.age(now)
	}
	f.lost += m.LostEvents
	if late != nil {
		f.catchUp(late)
	}
	before, udp := f.ports.count, f.udp
	for _, i := range events {
		switch e := &m.Events[i]; {
		case e.WantedPort():
			f.want(e, now)
		case e.Kind == source.BindFailed:
			f.taken.note(e, now)
		case e.Kind == source.AddressRefused:
			f.addresses.note(e, now)
		}
	}
	if n := f.ports.count - before; n > 0 {
		f.last, f.clock = m.Time, now
		f.recent = append(f.recent, failedPoll{now, n, f.udp - udp})
	}
	oldest := now - FailureSpan.Nanoseconds()
	if st.idle() && now-f.clock > idleSpan.Nanoseconds() {
		oldest = now
	}
	f.recent = slices.DeleteFunc(f.recent, func(p failedPoll) bool { return p.clock < oldest })
	recent, recentUDP := 0, 0
	for _, p := range f.recent {
		recent += p.count
		recentUDP += p.udp
	}
	st.Failures = Failures{
		Observed: m.Traced, Count: f.ports.count, Recent: recent, RecentUDP: recentUDP, Binds: f.binds, UDP: f.udp, Last: f.last,
		By:      f.ports.list(st.Failures.By[:0]),
		Refused: f.addresses.count, RefusedBy: f.addresses.list(st.Failures.RefusedBy[:0]),
		Taken: f.taken.count, TakenBy: f.taken.list(st.Failures.TakenBy[:0]),
		Unplaced: st.Failures.Unplaced, Lost: f.lost, ago: time.Duration(now - f.clock), now: now,
	}
}

// idle reports whether all ports are free.
func (st *State) idle() bool {
	tcp, udp := &st.TCP.Pressure, &st.UDP.Pressure
	return tcp.Usable > 0 && tcp.InUse+udp.InUse+len(tcp.Tuples)+len(udp.Tuples) == 0
}

// admit makes full now what would be full in a moment, where connects fail already:
// ports that come free are taken between two looks.
func (st *State) admit(now int64) {
	for i := range st.Failures.By {
		b := &st.Failures.By[i]
		if b.Kind != source.ConnectFailed || now-b.last > FailureSpan.Nanoseconds() {
			continue
		}
		for j := range st.TCP.Pressure.Tuples {
			t := &st.TCP.Pressure.Tuples[j]
			if t.Pool == PoolRange && t.Destination == b.Destination && t.Port == b.Port && t.Outlook.Trend == TrendFull {
				t.Outlook.In = 0
			}
		}
	}
}

// want counts a failure for want of a port.
func (f *failures) want(e *source.Event, clock int64) {
	f.ports.note(e, clock)
	switch {
	case e.Tuple.Proto == source.UDP:
		f.udp++
	case e.Kind == source.BindFailed:
		f.binds++
	}
}

// catchUp counts the failures of when the namespace was not looked at.
func (f *failures) catchUp(l *late) {
	udp := f.udp
	for i := range l.events {
		f.want(&l.events[i], l.clock)
	}
	f.ports.count += l.count - len(l.events)
	f.last, f.clock = l.last, l.clock
	f.recent = append(f.recent, failedPoll{l.clock, l.count, f.udp - udp})
}

// list appends the counts to list, most first.
func (f *failureTable) list(list []Failure) []Failure {
	slices.SortFunc(f.by, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), b.Last.Compare(a.Last), cmp.Compare(a.Process.PID, b.Process.PID))
	})
	return append(list, f.by...)
}

// age takes out of the counts what is older than HistorySpan.
func (f *failureTable) age(clock int64) {
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

func (f *failureTable) note(e *source.Event, clock int64) {
	f.count++
	b := f.find(e)
	b.Count++
	b.slots[slotOf(f.slot)]++
	b.Last, b.last = e.Time, clock
}

// failureOf is the empty count that an event belongs to. A connect that found no
// port has no address of its own yet, or one that is no matter; a bind goes
// nowhere.
func failureOf(e *source.Event) Failure {
	f := Failure{
		Process: e.Process, Kind: e.Kind, Proto: e.Tuple.Proto,
		Local: e.Tuple.Local, LocalPort: e.Tuple.LocalPort, Destination: e.Tuple.Remote, Port: e.Tuple.RemotePort,
	}
	switch e.Kind {
	case source.ConnectFailed:
		f.Local, f.LocalPort = source.Addr{}, 0
	case source.BindFailed:
		f.Destination, f.Port = source.Addr{}, 0
	}
	return f
}

// find gives the count that an event belongs to. Where there is no room for
// another, the one that failed longest ago gives way.
func (f *failureTable) find(e *source.Event) *Failure {
	is, oldest := failureOf(e), 0
	for i := range f.by {
		b := &f.by[i]
		if b.Process.Same(&is.Process) && b.Kind == is.Kind && b.Proto == is.Proto && b.Local == is.Local && b.LocalPort == is.LocalPort &&
			b.Destination == is.Destination && b.Port == is.Port {
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
	f.by[oldest] = is
	return &f.by[oldest]
}

// indexOf is the index of a process that an event named, or source.NoProcess.
func (st *State) indexOf(p *source.Process) int32 {
	return int32(slices.IndexFunc(st.Processes, func(q source.Process) bool { return q.Same(p) }))
}

// Alike reports whether another failure is the same of the same program: of one
// that is started anew each time, each process has a failure of its own.
func (f *Failure) Alike(other *Failure) bool {
	return f.Process.Name == other.Process.Name && f.Kind == other.Kind && f.Proto == other.Proto && f.Local == other.Local &&
		f.LocalPort == other.LocalPort && f.Destination == other.Destination && f.Port == other.Port
}

// findRefused finds what failed with the error of a want of ports, and was none.
func findRefused(st *State, list []Finding) []Finding {
	first := len(list)
	for i := range st.Failures.RefusedBy {
		r := &st.Failures.RefusedBy[i]
		if same := slices.IndexFunc(list[first:], func(f Finding) bool { return st.Failures.RefusedBy[f.Index].Alike(r) }); same >= 0 {
			list[first+same].Count += r.Count
			list[first+same].Past = list[first+same].Past && st.Failures.past(r)
			continue
		}
		if len(list)-first == maxRefusedReports {
			continue
		}
		list = append(list, Finding{
			Problem: AddressRefused, Level: LevelWarning, Proto: r.Proto, Process: st.indexOf(&r.Process), Tier: OwnerTraced,
			Tuple: TupleKey{Source: r.Local, Destination: r.Destination, Port: r.Port}, Count: r.Count, Index: i,
			Past: st.Failures.past(r),
		})
	}
	return list
}
