package recording_test

import (
	"context"
	"io"

	"ephtop/source"
	"ephtop/source/recording"
)

// list is a source of given moments.
type list struct{ moments []*source.Moment }

// Poll gives the next one.
func (l *list) Poll(_ context.Context, m *source.Moment) error {
	if len(l.moments) == 0 {
		return io.EOF
	}
	*m = *clone(l.moments[0])
	l.moments = l.moments[1:]
	return nil
}

// Close does nothing.
func (*list) Close() error { return nil }

// recorded is a source whose moments are written as they are handed on.
type recorded struct {
	source.Source
	writer *recording.Writer
}

// Poll polls the source behind.
func (r *recorded) Poll(ctx context.Context, m *source.Moment) error {
	if err := r.Source.Poll(ctx, m); err != nil {
		return err
	}
	return r.writer.Write(m)
}
