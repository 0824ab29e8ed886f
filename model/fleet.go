package model

import (
	"cmp"
	"slices"

	"ephtop/source"
)

// Options are what a Fleet is told once.
type Options struct {
	// Thresholds are DefaultThresholds if zero.
	Thresholds Thresholds
}

// Overview is what one moment means in the light of those before it. Nothing
// changes it until it is passed to [Fleet.Update] again.
type Overview struct {
	Moment *source.Moment
	// Level is the worst of the States'.
	Level Level
	// States are the network namespaces that were looked at, worst first. Of a
	// moment that has none, there is one State of nothing, so that there always
	// is one to show.
	States []*State
	// Processes are those that rows of any State point to: the owners of live
	// sockets, and those of TIME_WAIT sockets, which may be dead.
	Processes []source.Process
	// Findings are those of all States, most urgent first.
	Findings []Finding

	// pool keeps the memory of the States, in the order of the Snapshots.
	pool    []*State
	nowhere [1]source.Snapshot
}

// Fleet turns moments into overviews and remembers what takes a past: since
// when a socket is known, whose it was before TIME_WAIT, and the history. It
// has a tracker for each network namespace, and one memory for what is needed
// during an update only. What it remembers is bounded by the most that a moment
// held and by HistorySpan. It is not safe for concurrent use.
type Fleet struct {
	thresholds Thresholds
	trackers   map[scopeKey]*tracker
	registry   registry
	scratch    scratch
	turn       uint32
}

// scopeKey is the identity of a namespace.
type scopeKey struct {
	host  string
	netns uint64
}

// NewFleet makes a Fleet with no past.
func NewFleet(o Options) *Fleet {
	if o.Thresholds == (Thresholds{}) {
		o.Thresholds = DefaultThresholds
	}
	return &Fleet{thresholds: o.Thresholds, trackers: make(map[scopeKey]*tracker)}
}

// Update says in o what m means. It keeps m and reuses o's memory: both belong
// to the overview until o is passed again.
func (f *Fleet) Update(m *source.Moment, o *Overview) {
	f.turn++
	f.registry.enter(m.Processes, f.turn)
	o.Moment = m
	snapshots := m.Snapshots
	if len(snapshots) == 0 {
		o.nowhere[0] = source.Snapshot{}
		snapshots = o.nowhere[:]
	}
	for len(o.pool) < len(snapshots) {
		o.pool = append(o.pool, new(State))
	}
	o.States = o.States[:0]
	f.route(m, snapshots)
	for i := range snapshots {
		st := o.pool[i]
		st.Moment, st.Snapshot, st.Thresholds = m, &snapshots[i], f.thresholds
		f.tracker(&snapshots[i].Scope).update(f, st)
		o.States = append(o.States, st)
	}
	f.forget()
	o.Processes = append(o.Processes[:0], f.registry.processes...)
	for _, st := range o.States {
		st.Processes = o.Processes
	}
	o.rank()
}

// tracker gives the tracker of a namespace.
func (f *Fleet) tracker(s *source.Scope) *tracker {
	key := scopeKey{s.Host, s.Netns}
	t := f.trackers[key]
	if t == nil {
		t = new(tracker)
		f.trackers[key] = t
	}
	return t
}

// route hands each event to the namespace in which it happened. One that names
// none belongs to the only namespace there is, or to nobody.
func (f *Fleet) route(m *source.Moment, snapshots []source.Snapshot) {
	for i := range snapshots {
		t := f.tracker(&snapshots[i].Scope)
		t.turn, t.events = f.turn, t.events[:0]
	}
	host, only := snapshots[0].Scope.Host, len(snapshots) == 1
	for i := range m.Events {
		netns := m.Events[i].Netns
		if netns == 0 && only {
			netns = snapshots[0].Scope.Netns
		}
		if t := f.trackers[scopeKey{host, netns}]; t != nil && t.turn == f.turn {
			t.events = append(t.events, int32(i))
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
// headline that is used.
func compareStates(a, b *State) int {
	if d := cmp.Compare(b.Level, a.Level); d != 0 {
		return d
	}
	x, y := a.TCP.Pressure.Headline(), b.TCP.Pressure.Headline()
	return cmp.Compare(y.Percent(), x.Percent())
}
