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
// apart; what comes beyond is only in the total.
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
	// By counts them by process and destination, most first.
	By []Failure
}

// Failure counts the failed connects of one process to one destination.
type Failure struct {
	Process     source.Process
	Destination source.Addr
	Port        uint16
	Count       int
	Last        time.Time
}

// failures remembers the failed connects.
type failures struct {
	count  int
	last   time.Time
	recent []failedPoll
	by     []Failure
}

// failedPoll is how many failures one snapshot told of.
type failedPoll struct {
	time  time.Time
	count int
}

// add counts the failures of a snapshot and fills in st.Failures.
func (f *failures) add(snap *source.Snapshot, st *State) {
	before := f.count
	for i := range snap.Events {
		if e := &snap.Events[i]; e.Kind == source.ConnectFailed {
			f.note(e)
		}
	}
	if n := f.count - before; n > 0 {
		f.last = snap.Time
		f.recent = append(f.recent, failedPoll{snap.Time, n})
	}
	oldest := snap.Time.Add(-FailureSpan)
	f.recent = slices.DeleteFunc(f.recent, func(p failedPoll) bool { return p.time.Before(oldest) })
	recent := 0
	for _, p := range f.recent {
		recent += p.count
	}
	slices.SortFunc(f.by, func(a, b Failure) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), b.Last.Compare(a.Last), cmp.Compare(a.Process.PID, b.Process.PID))
	})
	st.Failures = Failures{
		Observed: snap.Traced, Count: f.count, Recent: recent, Last: f.last, By: append(st.Failures.By[:0], f.by...),
	}
}

func (f *failures) note(e *source.Event) {
	f.count++
	for i := range f.by {
		b := &f.by[i]
		if b.Process.Same(&e.Process) && b.Destination == e.Tuple.Remote && b.Port == e.Tuple.RemotePort {
			b.Count++
			b.Last = e.Time
			return
		}
	}
	if len(f.by) < maxFailures {
		f.by = append(f.by, Failure{e.Process, e.Tuple.Remote, e.Tuple.RemotePort, 1, e.Time})
	}
}
