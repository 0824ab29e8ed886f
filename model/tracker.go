package model

import (
	"time"

	"ephtop/source"
)

// Options are what a Tracker is told once.
type Options struct {
	// Thresholds are DefaultThresholds if zero.
	Thresholds Thresholds
}

// Tracker turns snapshots into states and remembers what takes a past: since
// when a socket is known, whose it was before TIME_WAIT, and the history. What
// it remembers is bounded by what the last snapshot holds and by HistorySpan.
// It is not safe for concurrent use.
type Tracker struct {
	thresholds Thresholds
	last       time.Time
	ownership  ownership
	tcp, udp   census
	history    history
	failures   failures
}

// NewTracker makes a Tracker with no past.
func NewTracker(o Options) *Tracker {
	if o.Thresholds == (Thresholds{}) {
		o.Thresholds = DefaultThresholds
	}
	return &Tracker{thresholds: o.Thresholds}
}

// Update says in st what snap means. It keeps snap and reuses st's memory:
// both belong to the state until st is passed again.
func (t *Tracker) Update(snap *source.Snapshot, st *State) {
	var elapsed time.Duration
	if !t.last.IsZero() {
		elapsed = max(0, snap.Time.Sub(t.last))
	}
	t.last = snap.Time
	st.Snapshot = snap
	st.Elapsed = elapsed
	st.Thresholds = t.thresholds

	t.look(snap, st)
	for _, c := range [...]*census{&t.tcp, &t.udp} {
		c.count(st, &t.ownership)
		c.keepSighted(&t.ownership)
	}
	t.ownership.finish(st)
	t.tcp.churn(st)
	for _, c := range [...]*census{&t.tcp, &t.udp} {
		c.consumers.finish(st, c)
		c.rank(st)
	}
	t.tcp.tuples.finish()
	t.udp.tuples.finish()
	t.failures.add(snap, st)
	st.Level = max(st.TCP.Pressure.Level, st.UDP.Pressure.Level)
	if st.Failures.Recent > 0 {
		st.Level = LevelExhausted
	}
	t.history.add(st)
}

// look goes through the sockets once: whose they are, and which ports they
// block.
func (t *Tracker) look(snap *source.Snapshot, st *State) {
	t.ownership.begin(snap, st)
	t.tcp.begin(st, source.TCP)
	t.udp.begin(st, source.UDP)
	now := snap.Time.UnixNano()
	for i := range snap.Sockets {
		t.ownership.observe(st, i, now)
		s := &snap.Sockets[i]
		if s.Proto == source.UDP {
			t.udp.note(s, &st.Rows[i], &st.UDP.States)
		} else {
			t.tcp.note(s, &st.Rows[i], &st.TCP.States)
		}
	}
}
