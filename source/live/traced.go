package live

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"sync"
	"time"

	"ephtop/source"
	"ephtop/source/guard"
	"ephtop/source/trace"
)

// teller tells what happened since it was asked last, and how much it had no
// room for.
type teller interface {
	Drain([]source.Event) (events []source.Event, lost int, err error)
	// Spent is what that has taken of a processor so far.
	Spent() time.Duration
	// Partial says why no failures but those of connect() are told; nil where all
	// are.
	Partial() error
	// Close may be called from any goroutine, and again.
	Close() error
}

// telling is the teller that is open, for whoever must end it while a poll does
// not return.
type telling struct {
	mu    sync.Mutex
	open  teller // nil for none
	ended bool   // for good
}

// set says which teller is open now, nil for none. Once all has ended it closes
// it, and is false.
func (t *telling) set(open teller) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.open = open
	if t.ended && open != nil {
		open.Close()
	}
	return !t.ended
}

// end closes the teller that is open, and any that will be.
func (t *telling) end() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ended = true
	if t.open == nil {
		return nil
	}
	return t.open.Close()
}

// traced adds to each moment what the kernel told since the one before, while
// that is wanted and does not cost too much.
type traced struct {
	source.Source
	open    func() (teller, error)
	tracing *source.Tracing
	telling *telling
	failed  failures
	insist  bool // to say in each moment why nothing is told
	log     *slog.Logger

	teller  teller // nil while nothing is told
	reason  error  // why nothing can be
	stopped string // detail of LimitTraceStopped, "" where it was not
	budget  budget
}

// traced traces what happens between the polls of src by tracefs, if anybody may
// want that.
func (p *plan) traced(src source.Source) source.Source {
	return p.tracedBy(src, func() (teller, error) { return trace.Open() }, trace.Check)
}

// tracedBy traces by what open opens, which may succeed where check says nothing.
func (p *plan) tracedBy(src source.Source, open func() (teller, error), check func() error) source.Source {
	if p.Trace == TraceOff && p.Tracing == nil {
		return src
	}
	t := &traced{Source: src, open: open, tracing: p.tracing, telling: &p.telling, failed: p.failed, insist: p.Trace == TraceOn, log: p.Log}
	if !t.heed() {
		t.reason = check()
	}
	t.settle()
	return t
}

// Poll polls the source behind and adds the events. They are drained after the
// dump, so that every close that the dump shows has been told.
func (t *traced) Poll(ctx context.Context, m *source.Moment) error {
	on := t.heed()
	err := t.Source.Poll(ctx, m)
	if err == nil {
		t.tell(m)
	}
	if !on {
		t.end()
	}
	t.settle()
	return err
}

// heed begins to trace where that is wanted, and returns whether it is.
func (t *traced) heed() (on bool) {
	on = t.tracing.Take()
	if !on || t.teller != nil {
		return on
	}
	start := time.Now()
	t.stopped, t.budget = "", budget{percent: budgetPercent}
	t.reason = guard.Do(func() error {
		opened, err := t.open()
		if err == nil && t.telling.set(opened) {
			t.teller = opened // after an error what is in the interface is not nil
		}
		return err
	})
	t.log.Info("begin to trace", "took", time.Since(start), "error", t.reason)
	return on
}

// tell adds the events. Where they cost too much, they are the last ones.
func (t *traced) tell(m *source.Moment) {
	if t.teller != nil {
		m.Traced = true
		if err := t.teller.Partial(); err != nil {
			m.Limit(source.LimitTracePartly, err.Error())
		}
		err := guard.Do(func() (err error) { m.Events, m.LostEvents, err = t.teller.Drain(m.Events); return err })
		if err != nil {
			m.Limit(source.LimitTraceGap, err.Error())
		}
		if m.LostEvents > 0 {
			m.Limit(source.LimitLostEvents, strconv.Itoa(m.LostEvents))
		}
		if fault := new(guard.Panic); errors.As(err, &fault) {
			t.reason = err
			t.log.Error("tracing", "error", err, "stack", string(fault.Stack))
			t.end()
		} else if t.budget.spend(m, t.teller.Spent()) {
			t.stopped = t.budget.String()
			t.log.Warn("tracing costs too much", "events and percent", t.stopped)
			t.end()
		}
	}
	t.failed.note(m.Events)
	switch {
	case t.stopped != "":
		m.Limit(source.LimitTraceStopped, t.stopped)
	case t.reason != nil && t.insist:
		m.Limit(source.LimitUntraced, t.reason.Error())
	}
}

// end ends tracing, if it goes on.
func (t *traced) end() error {
	if t.teller == nil {
		return nil
	}
	err := guard.Do(t.teller.Close)
	t.teller = nil
	t.telling.set(nil)
	t.log.Info("end to trace", "error", err)
	return err
}

// settle says how tracing stands.
func (t *traced) settle() {
	switch {
	case t.teller != nil:
		t.tracing.Settle(source.TraceOn, "")
	case t.stopped != "":
		t.tracing.Settle(source.TraceStopped, t.stopped)
	case t.reason != nil:
		t.tracing.Settle(source.TraceRefused, t.reason.Error())
	default:
		t.tracing.Settle(source.TraceOff, "")
	}
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

// Close ends tracing, and then the source: the one may need what the other holds.
func (t *traced) Close() error { return errors.Join(t.end(), t.Source.Close()) }

// ErrUntraced is wrapped by what Open says where tracing is insisted upon (TraceOn)
// and can't be had.
var ErrUntraced = errors.New("cannot trace")

// insisted says why tracing that is insisted upon can't be had.
func (p *plan) insisted() error {
	if state, why := p.tracing.State(); p.Trace == TraceOn && state != source.TraceOn {
		return fmt.Errorf("%w: %s", ErrUntraced, why)
	}
	return nil
}
