package model

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"ephtop/source"
)

// Options are what a Fleet is told once.
type Options struct {
	// Thresholds are DefaultThresholds if zero.
	Thresholds Thresholds
	// Once says that there will be only one moment, which takes less memory.
	Once bool
	// Tuples is of how many tuples of all namespaces figures are kept, where there
	// is room for fewer than maxTuples; 0 where that is not so.
	Tuples int
	// NATPorts is how many ports a NAT on the way has for each destination; 0 where
	// none is told of.
	NATPorts int
}

// Overview is what one moment means in the light of those before it. Nothing
// changes it until it is passed to [Fleet.Update] again.
type Overview struct {
	Moment *source.Moment
	// Level is the worst of the States'.
	Level Level
	// States are the network namespaces that were looked at, worst first. Of a
	// moment that has none, there is one State of nothing, so that there always
	// is one to show. [Overview.Find] follows one from moment to moment.
	States []*State
	// Focus is the index of the State to show where nobody has chosen one. It
	// stays on a namespace until another is of a higher level, or has been
	// clearly worse for a while.
	Focus int
	// Quiet are the namespaces that were not looked at, since they are far from
	// trouble. They have no part in Level.
	Quiet []source.Brief
	// Elsewhere counts what failed in namespaces that have no State: who looks
	// should look at these next. It is the namespace's own as soon as it has one,
	// and forgotten as soon as a later moment does not know of it.
	Elsewhere []Elsewhere
	// Processes are those that rows of any State point to: the owners of live
	// sockets, and those of TIME_WAIT sockets, which may be dead.
	Processes []source.Process
	// Exits says of each of them when it was found to have ended; zero for one
	// that lives, as far as is known.
	Exits []time.Time
	// Cgroups are the moment's control groups, and those of before in which one
	// of the Processes was, by rising id. Empty where the moment has none.
	Cgroups []source.Cgroup
	// NATs are the namespaces that track connections, the worst first. One that has a
	// State has part in its Level, and in Level.
	NATs []NATState
	// Ways are what this host holds of a NAT on the way, the fullest first, where it is
	// told of one (Options.NATPorts). A namespace has part in those that it holds the
	// most of, and so in its Level.
	Ways []WayPool
	// Findings are those of all States, most urgent first.
	Findings []Finding

	// pool keeps the memory of the States.
	pool    map[scopeKey]*State
	nowhere [1]source.Snapshot
	beside  []source.Snapshot // where there are more than the moment has
}

// Fleet turns moments into overviews and remembers what takes a past: since
// when a socket is known, whose it was before TIME_WAIT, and the history. It
// has a tracker for each network namespace, and one memory for what is needed
// during an update only. What it remembers is bounded by the most that a moment
// held and by HourSpan. It is not safe for concurrent use.
type Fleet struct {
	thresholds Thresholds
	once       bool
	natPorts   int
	tuples     int // Options.Tuples, or maxTuples
	silences   silences
	trackers   map[scopeKey]*tracker
	registry   registry
	scratch    scratch
	turn       uint32
	// current are the trackers of this turn's snapshots.
	current   []*tracker
	cgroups   []source.Cgroup // of the last moment
	elsewhere elsewhere
	tracked   map[scopeKey]*natMemory
	unplaced  int // see Failures.Unplaced
	focus     focus
	// clock is State.Clock of what is looked at just now, last when it was set.
	clock int64
	last  stamp
}

// stamp is when a moment was.
type stamp struct {
	time time.Time
	mono time.Duration
}

// scopeKey is the identity of a namespace, but for its cookie: that may be
// known at one moment and not at the next, so it can only contradict.
type scopeKey struct {
	host  string
	netns uint64
}

func scopeKeyOf(s *source.Scope) scopeKey { return scopeKey{s.Host, s.Netns} }

// NewFleet makes a Fleet with no past.
func NewFleet(o Options) *Fleet {
	if o.Thresholds == (Thresholds{}) {
		o.Thresholds = DefaultThresholds
	}
	f := &Fleet{thresholds: o.Thresholds, once: o.Once, natPorts: o.NATPorts, tuples: maxTuples, trackers: make(map[scopeKey]*tracker)}
	if o.Tuples > 0 {
		f.tuples = min(o.Tuples, maxTuples)
	}
	return f
}

// Update says in o what m means. It keeps m and reuses o's memory: both belong
// to the overview until o is passed again.
func (f *Fleet) Update(m *source.Moment, o *Overview) {
	f.turn++
	f.tell(m)
	f.registry.enter(m, f.turn)
	o.Moment, o.Quiet = m, m.Quiet
	o.Cgroups = f.registry.gatherCgroups(o.Cgroups[:0], m.Cgroups, f.cgroups)
	f.cgroups = append(f.cgroups[:0], o.Cgroups...)
	f.judgeNATs(m, o)
	snapshots := f.translating(m, o)
	if len(snapshots) == 0 {
		o.nowhere[0] = source.Snapshot{}
		snapshots = o.nowhere[:]
	}
	o.States = o.States[:0]
	f.elsewhere.forget(m)
	f.follow(snapshots)
	f.route(m, snapshots)
	f.apportion(snapshots)
	o.Elsewhere = f.elsewhere.count(o.Elsewhere[:0], f.clock)
	for i := range snapshots {
		st := o.lend(&snapshots[i].Scope, f.turn)
		st.Moment, st.Snapshot, st.Thresholds, st.Cgroups = m, &snapshots[i], f.thresholds, o.Cgroups
		st.Failures.Unplaced = f.unplaced
		f.current[i].update(f, st)
		o.States = append(o.States, st)
	}
	o.tellScattered(f.room() - f.scratch.room)
	f.forget()
	maps.DeleteFunc(o.pool, func(_ scopeKey, st *State) bool { return st.turn != f.turn })
	o.Processes = append(o.Processes[:0], f.registry.processes...)
	o.Exits = append(o.Exits[:0], f.registry.exits...)
	for _, st := range o.States {
		st.Processes, st.Exits = o.Processes, o.Exits
	}
	o.nats()
	f.ways(o)
	ranked := slices.Clone(o.States)
	o.rank()
	o.renumberNATs(ranked)
	o.renumberWays(ranked)
	o.Focus = f.focus.choose(o)
}

// lend gives the State that a namespace had, for the memory of its rows: the
// largest namespace is not always found first.
func (o *Overview) lend(s *source.Scope, turn uint32) *State {
	if o.pool == nil {
		o.pool = make(map[scopeKey]*State)
	}
	key := scopeKeyOf(s)
	st := o.pool[key]
	if st == nil || st.turn == turn { // two may have one number at once
		st = new(State)
		o.pool[key] = st
	}
	st.turn = turn
	return st
}

// tell moves the clock on. Ages are told by it and not by the wall clock, so
// that setting the clock makes nothing older or younger.
func (f *Fleet) tell(m *source.Moment) {
	if f.last.time.IsZero() {
		f.clock = begin(m.Time)
	} else {
		passed := m.Since(&source.Moment{Time: f.last.time, Mono: f.last.mono}).Nanoseconds()
		f.clock = min(f.clock+min(passed, lastClock), lastClock)
	}
	f.last = stamp{m.Time, m.Mono}
}

// lastClock is where a clock stands still, in 2116: so none overflows, whatever a
// recording says.
const lastClock = 1<<62 - 1

// begin is where a clock begins. That is years from either end, so that there is a
// time before it and one after it.
func begin(t time.Time) int64 {
	if year := t.UTC().Year(); year < 1971 || year >= 2100 {
		t = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	return t.UnixNano()
}

// follow finds the trackers of the namespaces. One whose cookie is another than
// before has taken the number of one that is gone, and starts anew; so does the
// second of two that have one number at once.
func (f *Fleet) follow(snapshots []source.Snapshot) {
	f.current = f.current[:0]
	for i := range snapshots {
		s := &snapshots[i].Scope
		key := scopeKeyOf(s)
		t := f.trackers[key]
		if t == nil || t.turn == f.turn || t.cookie != 0 && s.Cookie != 0 && t.cookie != s.Cookie {
			t = new(tracker)
			f.trackers[key] = t
		}
		t.at, t.turn, t.cookie, t.events = i, f.turn, cmp.Or(s.Cookie, t.cookie), t.events[:0]
		t.late = f.elsewhere.take(s)
		f.current = append(f.current, t)
	}
}

// route hands each event to the namespace in which it happened, or to nobody.
func (f *Fleet) route(m *source.Moment, snapshots []source.Snapshot) {
	host := snapshots[0].Scope.Host
	p := placer{snapshots: snapshots}
	for i := range m.Events {
		e := &m.Events[i]
		key := source.Scope{Host: host, Netns: e.Netns, Cookie: e.Cookie}
		at := -1
		if t := f.trackers[scopeKey{host, e.Netns}]; t != nil && t.turn == f.turn && snapshots[t.at].Scope.Same(&key) {
			at = t.at
		}
		if e.ByThread || e.Netns == 0 && at < 0 {
			looked := at >= 0
			if at = p.place(e, at); looked && at < 0 {
				key.Netns = 0
			}
		}
		switch {
		case at >= 0:
			f.current[at].events = append(f.current[at].events, int32(i))
		case e.WantedPort():
			f.elsewhere.note(key, e, f.clock)
			f.unplaced += one(key.Netns == 0)
		}
	}
}

// forget drops the namespaces that are gone and the processes that no socket
// points to any more.
func (f *Fleet) forget() {
	for key, t := range f.trackers {
		if t.turn != f.turn {
			delete(f.trackers, key)
		}
	}
	f.registry.sweep(f.turn)
}

// rank puts the worst namespace first and gathers the findings.
func (o *Overview) rank() {
	slices.SortStableFunc(o.States, compareStates)
	o.Level = LevelOK
	o.Findings = o.Findings[:0]
	for i, st := range o.States {
		o.Level = max(o.Level, st.Level)
		for j := range st.Findings {
			st.Findings[j].State = i
		}
		o.Findings = append(o.Findings, st.Findings...)
	}
	if len(o.States) > 1 {
		slices.SortStableFunc(o.Findings, compareFindings)
	}
}

// compareStates puts the worst first: by level, then by the share of the
// headline that is used; ties by number, so that nothing changes places for
// nothing.
func compareStates(a, b *State) int {
	if d := cmp.Compare(b.Level, a.Level); d != 0 {
		return d
	}
	return cmp.Or(cmp.Compare(b.percent(), a.percent()), cmp.Compare(a.Snapshot.Scope.Netns, b.Snapshot.Scope.Netns))
}

// percent is the used share of the headline, or that of translated ports in trouble or
// about to be.
func (st *State) percent() float64 {
	p, _ := st.Worse()
	h := p.Headline()
	if st.NAT != nil && st.NAT.Level > LevelOK && len(st.NAT.Pools) > 0 {
		return max(h.Percent(), st.NAT.Pools[0].Percent())
	}
	if p := st.NATPool(); p != nil {
		return max(h.Percent(), p.Percent())
	}
	return h.Percent()
}
