package session

import (
	"context"
	"fmt"
	"time"

	"ephtop/source"
	"ephtop/source/guard"
)

// outstanding is a poll that does not heed its context: the system does not let
// it. It is left to itself, and nothing is used that it may write to.
type outstanding struct {
	moment *source.Moment // what a poll writes to, nil for a new one
	ended  chan error     // of the one that was left, nil for none
}

// grace is how long a poll may go on when its context has ended.
const grace = time.Second

// poll makes m the next moment of a source, in the memory of m. It returns soon
// after ctx has ended, whatever the source does. The error of a poll that panics
// is a *guard.Panic.
func (o *outstanding) poll(ctx context.Context, src source.Source, m *source.Moment) error {
	if o.waits() {
		return fmt.Errorf("the poll before does not end: %w", guard.ErrLate)
	}
	if o.moment == nil {
		o.moment = new(source.Moment)
	}
	now, ended := o.moment, make(chan error, 1)
	*now = *m
	go func() { ended <- guard.Do(func() error { return src.Poll(ctx, now) }) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		select {
		case err = <-ended:
		case <-time.After(grace):
			*o, *m = outstanding{ended: ended}, source.Moment{}
			return ctx.Err()
		}
	}
	*m, *now = *now, source.Moment{}
	return err
}

// waits reports whether the poll that was left goes on.
func (o *outstanding) waits() bool {
	if len(o.ended) > 0 {
		o.ended = nil
	}
	return o.ended != nil
}

// close closes a source, or what of it outlives the process.
func (o *outstanding) close(src source.Source) error {
	if !o.waits() {
		return src.Close()
	}
	if a, ok := src.(source.Abandoner); ok {
		return a.Abandon()
	}
	return nil
}
