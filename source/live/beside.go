package live

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"ephtop/source"
	"ephtop/source/guard"
	"ephtop/source/memory"
)

// beside is a source that a better one takes over from as soon as that is
// ready, for nobody is to wait for the first frame. One that fails later gives
// back to what was before.
type beside struct {
	source.Source // what is polled
	// before opens what is polled until the better one is ready, and again where
	// that fails; better opens that one, nil once it has begun.
	before, better func() (source.Source, error)
	// stay makes of what before opens what is polled for good, where the better
	// one can't be; nil for the same.
	stay func(source.Source) source.Source
	// wait says that the first poll is to be the better one's already, if there is
	// time: there may be no second.
	wait    bool
	opening chan opened // nil before it is begun, and once it has been told
	taken   bool        // the better one is polled
	polls   int         // of the better one
	reason  error       // why it is not
	log     *slog.Logger
}

// opened is what came of opening a source.
type opened struct {
	source.Source
	err error
}

// openBeside opens the source of before. The better one is opened in the
// background once the first poll is done: on a busy host it would take the
// processor from the first frame.
func openBeside(before, better func() (source.Source, error), wait bool, log *slog.Logger) (*beside, error) {
	src, err := before()
	if err != nil {
		return nil, err
	}
	b := &beside{Source: src, before: before, better: better, wait: wait, log: log}
	if wait {
		b.begin()
	}
	return b, nil
}

// begin begins to open the better source.
func (b *beside) begin() {
	better, opening := b.better, make(chan opened, 1)
	b.better, b.opening = nil, opening
	go func() {
		var o opened
		o.err = guard.Do(func() (err error) { o.Source, err = better(); return err })
		opening <- o
	}()
}

// Poll polls the best that there is by now.
func (b *beside) Poll(ctx context.Context, m *source.Moment) error {
	if err := b.settle(ctx); err != nil {
		return err
	}
	err := b.Source.Poll(ctx, m)
	if err != nil && b.taken && ctx.Err() == nil {
		if err = b.giveBack(err); err == nil {
			err = b.Source.Poll(ctx, m)
		}
	}
	if err == nil && b.reason != nil {
		m.Limit(source.LimitTables, b.reason.Error())
	}
	if b.taken {
		b.tidy()
	}
	if b.better != nil {
		b.begin()
	}
	return err
}

// warm is after how many polls the better source and those who read its
// moments have the memory that they need.
const warm = 3

// tidy gives back, once, what the source before had, and what growing left
// behind: so little is allocated from then on that it would stay for minutes.
func (b *beside) tidy() {
	if b.polls++; b.polls == warm {
		memory.GiveBack()
	}
}

// settle lets the better source take over if it is there. An error is that of
// ctx.
func (b *beside) settle(ctx context.Context) error {
	if b.opening == nil {
		return nil
	}
	if b.wait {
		late, stop := halfway(ctx)
		defer stop()
		select {
		case o := <-b.opening:
			b.take(o)
		case <-late:
			b.reason = errLate
		case <-ctx.Done():
			return ctx.Err()
		}
		return nil
	}
	select {
	case o := <-b.opening:
		b.take(o)
	default:
	}
	return nil
}

// errLate says why the better source is not polled where it was waited for.
var errLate = errors.New("this host is too busy to load them in time")

// halfway fires when half of the time that is left until ctx's deadline is over:
// on a host that is busy enough, what is there must answer in the other half. It
// never does without a deadline.
func halfway(ctx context.Context) (late <-chan time.Time, stop func() bool) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return nil, func() bool { return false }
	}
	t := time.NewTimer(time.Until(deadline) / 2)
	return t.C, t.Stop
}

func (b *beside) take(o opened) {
	b.opening = nil
	if b.reason = o.err; o.err != nil {
		b.log.Info("the kernel's tables are not read", "error", o.err)
		b.keep(b.Source)
		return
	}
	if err := b.Source.Close(); err != nil {
		b.log.Warn("close the source that was used at first", "error", err)
	}
	b.Source, b.taken = o.Source, true
}

// giveBack opens again what was there before.
func (b *beside) giveBack(reason error) error {
	b.log.Warn("the kernel's tables are given up", "error", reason)
	src, err := b.before()
	if err != nil {
		return reason
	}
	b.Source.Close()
	b.taken, b.reason = false, reason
	b.keep(src)
	return nil
}

// keep polls src from now on.
func (b *beside) keep(src source.Source) {
	if b.stay != nil {
		src = b.stay(src)
	}
	b.Source = src
}

// Close closes what is polled, and the better source if it never was. Who could
// not wait for that to begin does not wait for its end, and nobody for long.
func (b *beside) Close() error {
	if opening := b.opening; opening != nil {
		b.opening = nil
		a := guard.Aside{Patience: closePatience}
		if b.reason == errLate {
			a.Patience = time.Nanosecond
		}
		a.Do("the end of the kernel's tables", func() {
			if o := <-opening; o.err == nil {
				o.Source.Close()
			}
		})
	}
	return b.Source.Close()
}

// closePatience is how long Close waits for what may not end.
const closePatience = 2 * time.Second
