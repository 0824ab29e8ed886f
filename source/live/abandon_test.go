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

// What outlives the process ends, though a poll does not; and what such a poll
// opens later is closed at once.
func TestTracingEndsWhateverAPollDoes(t *testing.T) {
	t.Parallel()
	for _, early := range []bool{false, true} {
		var tracing source.Tracing
		p := plan{Options: Options{Tracing: &tracing, Log: slog.New(slog.DiscardHandler)}, tracing: &tracing, failed: make(failures)}
		behind := &stuck{make(chan struct{}), make(chan struct{})}
		var f told
		src := &abandoner{p.tracedBy(behind, func() (teller, error) { return &f, nil }, func() error { return nil }), &p.telling}
		if early {
			if err := src.Abandon(); err != nil {
				t.Error(err)
			}
		}
		tracing.Want(true)
		ended := make(chan error)
		go func() { ended <- src.Poll(t.Context(), new(source.Moment)) }()
		<-behind.begun
		if f.closed != early {
			t.Errorf("abandoned before: %v, and closed %v while the poll goes on", early, f.closed)
		}
		if err := src.Abandon(); err != nil || !f.closed {
			t.Errorf("closed %v, %v", f.closed, err)
		}
		close(behind.release)
		<-ended
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
