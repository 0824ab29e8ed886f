package session

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"ephtop/source"
	"ephtop/source/guard"
)

// deaf is a source that heeds no context while it waits.
type deaf struct {
	host
	release           chan struct{}
	closed, abandoned bool
	fault             any
}

func (d *deaf) Poll(ctx context.Context, m *source.Moment) error {
	if d.fault != nil {
		panic(d.fault)
	}
	if d.release != nil {
		<-d.release
	}
	return d.host.Poll(ctx, m)
}

func (d *deaf) Close() error   { d.closed = true; return nil }
func (d *deaf) Abandon() error { d.abandoned = true; return nil }

// Who asks has an answer in time, and goes on when the source does.
func TestAPollThatHeedsNothing(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &deaf{release: make(chan struct{})}
		s := New(d, Options{Timeout: 3 * time.Second})
		began := time.Now()
		var l Look
		if err := s.Look(t.Context(), &l); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the error is %v", err)
		}
		if took := time.Since(began); took != 3*time.Second+grace {
			t.Errorf("it took %v, want the timeout and the grace", took)
		}
		if err := s.Look(t.Context(), &l); !errors.Is(err, guard.ErrLate) {
			t.Errorf("while it hangs: %v", err)
		}
		close(d.release)
		synctest.Wait()
		if err := s.Look(t.Context(), &l); err != nil || len(l.Moment.Room) != 1 {
			t.Errorf("when it answers again: %d sockets, %v", len(l.Moment.Room), err)
		}
		if err := s.Close(); err != nil || !d.closed || d.abandoned {
			t.Errorf("closed %v, abandoned %v, want it closed; %v", d.closed, d.abandoned, err)
		}
	})
}

// A source that hangs is not closed, which would wait, or break what the poll uses:
// what outlives the process is ended.
func TestASourceThatHangsIsAbandoned(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		d := &deaf{release: make(chan struct{})}
		s := New(d, Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := s.Poll(ctx, new(source.Moment)); !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
		if err := s.Close(); err != nil || d.closed || !d.abandoned {
			t.Errorf("closed %v, abandoned %v, want it abandoned; %v", d.closed, d.abandoned, err)
		}
		close(d.release)
	})
}

// A fault is the error of one poll.
func TestAPollThatPanics(t *testing.T) {
	t.Parallel()
	d := &deaf{fault: "no sockets"}
	s := New(d, Options{})
	var fault *guard.Panic
	if err := s.Look(t.Context(), new(Look)); !errors.As(err, &fault) {
		t.Errorf("the error is %v, want the fault", err)
	}
	d.fault = nil
	if err := s.Look(t.Context(), new(Look)); err != nil {
		t.Errorf("the next poll: %v", err)
	}
}
