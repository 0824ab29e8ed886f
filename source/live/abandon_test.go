package live

import (
	"context"
	"log/slog"
	"strings"
	"testing"

	"ephtop/source"
)

// stuck is a source whose polls do not return before they are released.
type stuck struct{ begun, release chan struct{} }

func (s *stuck) Poll(context.Context, *source.Moment) error {
	s.begun <- struct{}{}
	<-s.release
	return nil
}

func (*stuck) Close() error { return nil }

// What outlives the process ends, though a poll does not; and what the poll opens
// when it goes on after all.
func TestTracingEndsWhateverAPollDoes(t *testing.T) {
	t.Parallel()
	var tracing source.Tracing
	tracing.Want(true)
	p := plan{Options: Options{Trace: TraceOn, Tracing: &tracing, Log: slog.New(slog.DiscardHandler)}, tracing: &tracing, failed: make(failures)}
	var tellers []*told
	behind := &stuck{make(chan struct{}), make(chan struct{})}
	src := &abandoner{p.tracedBy(behind, func() (teller, error) {
		tellers = append(tellers, new(told))
		return tellers[len(tellers)-1], nil
	}, func() error { return nil }), &p.telling}
	ended := make(chan error)
	poll := func() { ended <- src.Poll(t.Context(), new(source.Moment)) }
	go poll()
	<-behind.begun
	if err := src.Abandon(); err != nil || len(tellers) != 1 || !tellers[0].closed {
		t.Errorf("%d tellers, the first %+v, want it closed; %v", len(tellers), tellers[0], err)
	}
	tracing.Want(false)
	close(behind.release)
	<-ended
	tracing.Want(true)
	go poll()
	<-behind.begun
	<-ended
	if len(tellers) != 2 || !tellers[1].closed {
		t.Errorf("%d tellers, the last %+v, want it closed at once", len(tellers), tellers[len(tellers)-1])
	}
}

// faulty is a teller that panics when it is asked.
type faulty struct{ told }

func (*faulty) Drain([]source.Event) ([]source.Event, int, error) { panic("no events") }

// A fault of who tells ends tracing, not the poll.
func TestAFaultEndsTracing(t *testing.T) {
	t.Parallel()
	var tracing source.Tracing
	tracing.Want(true)
	p := plan{Options: Options{Trace: TraceOn, Tracing: &tracing, Log: slog.New(slog.DiscardHandler)}, tracing: &tracing, failed: make(failures)}
	f := new(faulty)
	src := p.tracedBy(new(clocked), func() (teller, error) { return f, nil }, func() error { return nil })
	var m source.Moment
	if err := src.Poll(t.Context(), &m); err != nil {
		t.Fatal(err)
	}
	state, why := tracing.State()
	if state != source.TraceRefused || !strings.Contains(why, "no events") || !f.closed {
		t.Errorf("tracing is %d (%s), closed %v, want refused for the fault, and closed", state, why, f.closed)
	}
	if len(m.Limits) == 0 || m.Limits[0].Code != source.LimitTraceGap {
		t.Errorf("limits %v, want that events may be missing", m.Limits)
	}
}
