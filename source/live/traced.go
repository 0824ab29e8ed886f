package live

import (
	"context"
	"fmt"

	"ephtop/source"
	"ephtop/source/trace"
)

// traced adds to each snapshot what the kernel told since the one before.
type traced struct {
	source.Source
	tracer *trace.Tracer
	// reason says why nothing is told, if tracer is nil.
	reason string
}

// withTrace traces what happens between the polls of src. Where that can't
// be, each snapshot says why, and nothing else is lost.
func withTrace(src source.Source) source.Source {
	tracer, err := trace.Open(trace.Options{})
	if err != nil {
		return &traced{Source: src, reason: fmt.Sprintf("closes and failed connects are not traced: %v", err)}
	}
	return &traced{Source: src, tracer: tracer}
}

// Poll polls the source behind and adds the events. They are drained after the
// dump, so that every close that the dump shows has been told.
func (t *traced) Poll(ctx context.Context, s *source.Snapshot) error {
	if err := t.Source.Poll(ctx, s); err != nil {
		return err
	}
	if t.tracer == nil {
		s.Degraded = append(s.Degraded, t.reason)
		return nil
	}
	s.Traced = true
	var err error
	if s.Events, s.LostEvents, err = t.tracer.Drain(s.Events); err != nil {
		s.Degraded = append(s.Degraded, fmt.Sprintf("some closes and failed connects may be missing: %v", err))
	}
	if s.LostEvents > 0 {
		s.Degraded = append(s.Degraded, fmt.Sprintf("%d traced events were lost: more happened than the buffer holds", s.LostEvents))
	}
	return nil
}

// Close ends tracing.
func (t *traced) Close() error {
	err := t.Source.Close()
	if t.tracer == nil {
		return err
	}
	if traceErr := t.tracer.Close(); err == nil {
		err = traceErr
	}
	return err
}
