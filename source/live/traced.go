package live

import (
	"context"
	"errors"
	"strconv"

	"ephtop/source"
	"ephtop/source/trace"
)

// traced adds to each moment what the kernel told since the one before.
type traced struct {
	source.Source
	tracer *trace.Tracer
	failed failures
	// reason says why nothing is told, if nothing is.
	reason error
}

// withTrace traces what happens between the polls of src. Where that can't
// be, each moment says why, and nothing else is lost.
func withTrace(src source.Source, failed failures) source.Source {
	tracer, err := trace.Open()
	return &traced{Source: src, tracer: tracer, failed: failed, reason: err}
}

// Poll polls the source behind and adds the events. They are drained after the
// dump, so that every close that the dump shows has been told.
func (t *traced) Poll(ctx context.Context, m *source.Moment) error {
	if err := t.Source.Poll(ctx, m); err != nil {
		return err
	}
	if t.reason != nil {
		m.Limit(source.LimitUntraced, t.reason.Error())
		return nil
	}
	m.Traced = true
	var err error
	if m.Events, m.LostEvents, err = t.tracer.Drain(m.Events); err != nil {
		m.Limit(source.LimitTraceGap, err.Error())
	}
	t.failed.note(m.Events)
	if m.LostEvents > 0 {
		m.Limit(source.LimitLostEvents, strconv.Itoa(m.LostEvents))
	}
	return nil
}

// note keeps in which namespaces a port was wanted in vain.
func (f failures) note(events []source.Event) {
	clear(f)
	for i := range events {
		if e := &events[i]; e.Kind == source.ConnectFailed || e.Kind == source.BindFailed {
			f[e.Netns] = true
		}
	}
}

// Close ends tracing.
func (t *traced) Close() error {
	err := t.Source.Close()
	if t.reason == nil {
		err = errors.Join(err, t.tracer.Close())
	}
	return err
}
