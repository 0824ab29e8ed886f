// Package ending is how the program ends in order by the signals that ask it to:
// whatever it waits for.
package ending

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"ephtop/source/guard"
)

// patience is how long a program that was told to end may take for it. It is
// longer than all that the dashboard waits for, one after the other.
const patience = 10 * time.Second

// Told gives a context that ends with the signals that ask a program to end, and
// has writes to a closed pipe fail rather than kill. Where the program waits for
// somebody all the same, the signal ends it after a while as it would have at
// once. Signals that mean something else are left alone.
func Told(ctx context.Context, but ...os.Signal) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(ctx)
	told, pipes, done := make(chan os.Signal, 1), make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(told, slices.DeleteFunc(Signals(), func(s os.Signal) bool { return slices.Contains(but, s) })...)
	signal.Notify(pipes, syscall.SIGPIPE)
	go func() {
		select {
		case s := <-told:
			cancel()
			select {
			case <-time.After(patience):
				by(s)
			case <-done:
			}
		case <-done:
		}
	}()
	return ctx, func() {
		cancel()
		close(done)
		signal.Stop(told)
		signal.Stop(pipes)
	}
}

// Unless does what may wait for ever, as to open a FIFO or to write to a full
// pipe, and leaves it alone where ctx has ended for so long; then the error is
// that of ctx.
func Unless[T any](ctx context.Context, grace time.Duration, do func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	did := make(chan result, 1)
	go func() {
		var r result
		r.err = guard.Do(func() (err error) { r.value, err = do(); return err })
		did <- r
	}()
	select {
	case r := <-did:
		return r.value, r.err
	case <-ctx.Done():
	}
	select {
	case r := <-did:
		return r.value, r.err
	case <-time.After(grace):
		return *new(T), ctx.Err()
	}
}
