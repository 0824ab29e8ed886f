package recording_test

import (
	"context"
	"errors"
	"io"
	"testing"

	"ephtop/source"
	"ephtop/source/recording"
)

// list is a source of given moments.
type list struct {
	moments []*source.Moment
	closed  bool
}

// Poll gives the next one.
func (l *list) Poll(_ context.Context, m *source.Moment) error {
	if len(l.moments) == 0 {
		return io.EOF
	}
	*m = *clone(l.moments[0])
	l.moments = l.moments[1:]
	return nil
}

// Close notes that it was called.
func (l *list) Close() error {
	l.closed = true
	return nil
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// A disk that is full must not take traced events from who looks on.
func TestTeeHandsOnWhatCantBeWritten(t *testing.T) {
	t.Parallel()
	moments := moments(1, 40, 4, 4)
	for i, m := range moments {
		m.Events = []source.Event{{Tuple: source.Tuple{Proto: source.TCP, LocalPort: uint16(i)}}}
	}
	full := errors.New("the disk is full")
	writes := 0
	w := newWriter(t, writerFunc(func(p []byte) (int, error) {
		if writes++; writes > 2 {
			return 0, full
		}
		return len(p), nil
	}))
	src := &list{moments: moments}
	var failed []error
	tee := recording.Tee(src, w, func(err error) { failed = append(failed, err) })
	for i := range moments {
		var m source.Moment
		if err := tee.Poll(t.Context(), &m); err != nil {
			t.Fatalf("poll %d: %v", i, err)
		}
		if d := differ(moments[i], &m); d != "" {
			t.Errorf("moment %d: %s", i, d)
		}
	}
	if len(failed) != 1 || !errors.Is(failed[0], full) {
		t.Errorf("told of %v, want once that the disk is full", failed)
	}
	if err := tee.Poll(t.Context(), new(source.Moment)); err != io.EOF {
		t.Errorf("the end: %v", err)
	}
	if err := tee.Close(); err != nil || !src.closed {
		t.Errorf("closed %v, error %v", src.closed, err)
	}
}
