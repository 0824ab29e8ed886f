package recording

import (
	"context"
	"sync"

	"ephtop/source"
	"ephtop/source/guard"
)

// feed reads a recording in a goroutine of its own, since reading from a pipe
// can't be cancelled, and a poll can.
type feed struct {
	ready chan fed
	spare chan *source.Moment
	quit  chan struct{}
	once  sync.Once
}

// fed is a moment that was read, or the error that ended reading.
type fed struct {
	moment *source.Moment
	err    error
}

func newFeed(r *Reader) *feed {
	f := &feed{ready: make(chan fed), spare: make(chan *source.Moment, 1), quit: make(chan struct{})}
	f.spare <- new(source.Moment)
	go guard.Do(func() error { f.run(r); return nil })
	return f
}

// run reads until the end or until stop. The last error is given for good.
func (f *feed) run(r *Reader) {
	defer r.Close()
	for {
		var m *source.Moment
		select {
		case m = <-f.spare:
		case <-f.quit:
			return
		}
		read := fed{m, guard.Do(func() error { return r.Next(m) })}
		for {
			select {
			case f.ready <- read:
			case <-f.quit:
				return
			}
			if read.err == nil {
				break
			}
		}
	}
}

// next makes m the next moment.
func (f *feed) next(ctx context.Context, m *source.Moment) error {
	select {
	case read := <-f.ready:
		if read.err != nil {
			return read.err
		}
		*m, *read.moment = *read.moment, *m
		f.spare <- read.moment
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// stop ends the goroutine, at the latest when its read returns.
func (f *feed) stop() { f.once.Do(func() { close(f.quit) }) }
