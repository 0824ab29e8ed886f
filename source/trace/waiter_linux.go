package trace

import (
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// waiter waits until a pipe holds something, or for the end.
type waiter struct {
	wake  int // eventfd that says that it is the end
	pipes []unix.PollFd
	set   []unix.PollFd // wake and the pipes
	armed time.Time
}

const (
	// A rest lets events gather after a pass, and leaves the reader about 1 %
	// of a CPU for its passes where little happens; where much does, it ends
	// before processes that live some tens of milliseconds do.
	restFactor       = 100
	minRest, maxRest = time.Millisecond, 20 * time.Millisecond

	// errorRest keeps an error that stays from using up a CPU.
	errorRest = time.Second

	// rearm is how often a CPU that was absent is tried again.
	rearm = time.Second
)

func newWaiter(pipes []unix.PollFd) (*waiter, error) {
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("make an eventfd: %w", err)
	}
	return &waiter{wake: wake, pipes: slices.Clone(pipes)}, nil
}

// stop ends every wait and rest, now and later.
func (w *waiter) stop() error {
	if _, err := unix.Write(w.wake, binary.NativeEndian.AppendUint64(nil, 1)); err != nil {
		return fmt.Errorf("end tracing: %w", err)
	}
	return nil
}

func (w *waiter) close() error { return unix.Close(w.wake) }

// wait waits for an event; false says that it is the end. It may return early.
func (w *waiter) wait() bool {
	if time.Since(w.armed) >= rearm {
		w.arm()
	}
	if !w.poll(w.set, rearm) {
		return false
	}
	for i := range w.set[1:] {
		// A CPU that was never there is in error all the time
		// (ring_buffer_poll_wait); it may be plugged in later.
		if p := &w.set[1+i]; p.Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0 {
			p.Fd = -1
		}
	}
	return true
}

func (w *waiter) arm() {
	w.armed = time.Now()
	w.set = append(w.set[:0], unix.PollFd{Fd: int32(w.wake), Events: unix.POLLIN})
	w.set = append(w.set, w.pipes...)
}

// rest lets events gather after a pass that took so long; false says that it
// is the end.
func (w *waiter) rest(took time.Duration, failed bool) bool {
	d := min(max(restFactor*took, minRest), maxRest)
	if failed {
		d = errorRest
	}
	return w.poll(w.set[:1], d)
}

// poll waits for one of a set whose first is wake; false if that it was.
func (w *waiter) poll(set []unix.PollFd, timeout time.Duration) bool {
	_, err := unix.Poll(set, int(timeout/time.Millisecond))
	if errors.Is(err, unix.EINTR) {
		return true // what poll says of the set is as it was
	}
	return err == nil && set[0].Revents == 0
}
