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

	t.ownership.observe(snap, st)
	t.tcp.count(st, source.TCP)
	t.udp.count(st, source.UDP)
	t.ownership.infer(st, &t.tcp)
	t.ownership.finish(st)
	t.tcp.churn(st)
	t.tcp.consume(st)
	t.udp.consume(st)
	t.tcp.rank(st)
	t.udp.rank(st)
	t.failures.add(snap, st)
	st.Level = max(st.TCP.Pressure.Level, st.UDP.Pressure.Level)
	if st.Failures.Recent > 0 {
		st.Level = LevelExhausted
	}
	t.history.add(st)
}
