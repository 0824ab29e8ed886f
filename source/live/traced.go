package live

import (
	"context"
	"errors"
	"strconv"

	"ephtop/source"
	"ephtop/source/trace"
)

// teller tells what happened since it was asked last, and how much it had no
// room for.
type teller interface {
	Drain([]source.Event) (events []source.Event, lost int, err error)
	Close() error
}

// traced adds to each moment what the kernel told since the one before.
type traced struct {
	source.Source
	teller teller
	failed failures
	// reason says why nothing is told, if nothing is, and partial why of failures
	// only connects are.
	reason, partial error
}

// errTracefs says why tracefs does not tell all.
var errTracefs = errors.New("tracefs tells no more")

// traced traces what happens between the polls of src by tracefs, if that was
// asked for. Where it can't be, each moment says why, and nothing else is lost.
func (p *plan) traced(src source.Source) source.Source {
	if !p.Trace {
		return src
	}
	tracer, err := trace.Open()
	return &traced{Source: src, teller: tracer, failed: p.failed, reason: err, partial: errTracefs}
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
	if t.partial != nil {
		m.Limit(source.LimitTracePartly, t.partial.Error())
	}
	var err error
	if m.Events, m.LostEvents, err = t.teller.Drain(m.Events); err != nil {
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
		if e := &events[i]; e.WantedPort() {
			f[e.Netns] = true
		}
	}
}

// Close ends tracing.
func (t *traced) Close() error {
	var err error
	if t.reason == nil {
		err = t.teller.Close() // first: it may need what the source holds
	}
	return errors.Join(err, t.Source.Close())
}
