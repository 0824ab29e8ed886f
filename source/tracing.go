package source

import "sync"

// Tracing is whether a Source is to have the kernel tell of closes and failed
// connects, and what came of that. Whoever shows a source turns it on and off
// while the source is polled; the source takes the wish at its next poll, so
// that nobody waits for the other. Its methods may be called from any goroutine.
type Tracing struct {
	mu      sync.Mutex
	want    bool
	pending bool // no poll has taken the wish yet
	state   TraceState
	why     string
}

// TraceState says how tracing stands.
type TraceState uint8

// The states of tracing.
const (
	TraceNone    TraceState = iota // there is nothing to turn on: a recording, another system
	TraceOff                       // it may be turned on
	TraceRefused                   // it can't be had
	TraceOn                        // it goes on
	TraceStopped                   // it has stopped by itself: it cost too much
)

// Want says whether to trace, from the next poll on.
func (t *Tracing) Want(on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.want, t.pending = on, true
}

// Toggle wants the reverse of what is, or of what is wanted and no poll has
// taken yet, and returns what it wants.
func (t *Tracing) Toggle() (on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.want, t.pending = !t.want, true
	return t.want
}

// State returns how tracing stood after the poll before, and for TraceRefused and
// TraceStopped why, in one line.
func (t *Tracing) State() (s TraceState, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.state, t.why
}

// Pending reports whether no poll has taken the last wish yet.
func (t *Tracing) Pending() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.pending
}

// Take is for the source: it returns what is wanted.
func (t *Tracing) Take() (on bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.pending = false
	return t.want
}

// Settle is for the source: it says how tracing stands at the end of a poll.
// What is not on is wanted no more, unless somebody has said so meanwhile.
func (t *Tracing) Settle(s TraceState, why string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.state, t.why = s, why
	if !t.pending {
		t.want = s == TraceOn
	}
}
