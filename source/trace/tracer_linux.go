package trace

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/guard"
)

// maxPending bounds the events that wait for a Drain; more are counted as
// lost. They take about 10 MB.
const maxPending = 1 << 16

// Tracer collects events from when it is opened. Its methods may be called
// from any goroutine.
type Tracer struct {
	waiter *waiter
	done   chan struct{}
	netns  uint64 // whose events are wanted, as in source.Scope

	closed atomic.Bool

	mu       sync.Mutex
	reader   reader
	resolver *resolver
	records  []record
	pending  []source.Event
	lost     int
	err      error // the first since the last Drain
	broken   error // why nothing is collected any more
	spent    time.Duration
}

// eventCost is what the kernel takes of a processor to write an event, and to
// decide of the others that they are none.
const eventCost = 2 * time.Microsecond

// errPartial says why a Tracer does not tell all.
var errPartial = errors.New("tracefs tells no more")

// Partial says why no failures are told but those of connect() of TCP for want of
// a port.
func (*Tracer) Partial() error { return errPartial }

// Spent returns how long events have taken of a processor so far: what it took
// to read them and to look their processes up, and eventCost for each.
func (t *Tracer) Spent() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.spent
}

// Open starts to trace the network namespace of the calling thread. An error says in one line why that can't be, and what
// to do.
func Open() (*Tracer, error) {
	if err := checkPIDs(); err != nil {
		return nil, err
	}
	t := &Tracer{done: make(chan struct{})}
	if err := t.open(); err != nil {
		t.release()
		return nil, explain(err)
	}
	go func() {
		defer close(t.done)
		if err := guard.Do(t.run); err != nil {
			t.fail(err)
		}
	}()
	return t, nil
}

func (t *Tracer) open() (err error) {
	var st unix.Stat_t
	if err := unix.Stat("/proc/thread-self/ns/net", &st); err != nil {
		return unlessMounted("find our network namespace", err)
	}
	t.netns = st.Ino
	t.resolver = newResolver("/proc", t.reader.savedNames)
	if err := t.reader.open(&t.resolver.proc); err != nil {
		return err
	}
	t.waiter, err = newWaiter(t.reader.set)
	return err
}

// Drain appends what happened since the Drain before, in order of time, and
// tells how many events were lost in that time: no room in the kernel's buffer
// or in ours. It does not wait for anything. An error says that something could
// not be read; what comes with it is good, and the next Drain may succeed.
// After Close it is os.ErrClosed, and a *guard.Panic when collecting has ended by
// a fault.
func (t *Tracer) Drain(dst []source.Event) (events []source.Event, lost int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed.Load() {
		return dst, 0, os.ErrClosed
	}
	if t.broken != nil {
		return dst, 0, t.broken
	}
	took := Measured(func() { t.collect() })
	t.spent += took
	slices.SortStableFunc(t.pending, func(a, b source.Event) int { return a.Time.Compare(b.Time) })
	events, lost, err = append(dst, t.pending...), t.lost, t.err
	clear(t.pending)
	t.pending, t.lost, t.err = t.pending[:0], 0, nil
	return events, lost, err
}

// closePatience is how long Close waits for who reads.
const closePatience = time.Second

// Close ends tracing and removes the instance, which nobody else would: where a
// Drain does not return, without waiting for it. A second Close does nothing.
func (t *Tracer) Close() error {
	if t.closed.Swap(true) {
		return nil
	}
	if err := t.waiter.stop(); err != nil {
		return err
	}
	readers := guard.Aside{Patience: closePatience}
	if readers.Do("the trace", func() { <-t.done; t.mu.Lock() }) == nil {
		defer t.mu.Unlock()
	}
	return t.release()
}

// release frees whatever is open.
func (t *Tracer) release() error {
	if t.waiter != nil {
		t.waiter.close()
	}
	return t.reader.close()
}

// collect reads what is in the buffers and looks its processes up; it keeps
// its error for Drain. t.mu is held.
func (t *Tracer) collect() error {
	var lost uint64
	var err error
	t.records, lost, err = t.reader.read(t.records[:0])
	if err != nil && t.err == nil {
		t.err = fmt.Errorf("read the trace: %w", err)
	}
	t.lost += int(lost)
	t.spent += time.Duration(len(t.records)+int(lost)) * eventCost
	if len(t.records) == 0 {
		return err
	}
	wall, now := time.Now(), traceTime()
	t.resolver.begin(now)
	for i := range t.records {
		r := &t.records[i]
		process, netns := t.resolver.process(r.tid, r.time)
		switch {
		case netns != 0 && netns != t.netns: // another's
		case len(t.pending) >= maxPending:
			t.lost++
		default:
			t.pending = append(t.pending, source.Event{
				Kind: r.kind, Time: wall.Add(time.Duration(r.time - now)), Tuple: r.tuple, Netns: netns, ByThread: true, Process: process,
			})
		}
	}
	return err
}

// traceTime reads the clock that events are stamped with.
func traceTime() uint64 {
	var ts unix.Timespec
	if unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) != nil {
		return 0 // can't be: Linux has it since 2.6.39
	}
	return uint64(ts.Nano())
}

// fail keeps an error for Drain, and for good: nothing is collected any more.
func (t *Tracer) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken = err
}

// run collects events soon after they happen, until Close.
func (t *Tracer) run() error {
	runtime.LockOSThread() // so that the time of the thread is ours, also what waiting takes of it
	defer runtime.UnlockOSThread()
	spent := threadTime()
	for t.waiter.wait() {
		began := time.Now()
		err := t.pass(&spent)
		if !t.waiter.rest(time.Since(began), err != nil) {
			break
		}
	}
	return nil
}

// pass collects once; spent is the time of the thread that counts already.
func (t *Tracer) pass(spent *time.Duration) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	err := t.collect()
	now := threadTime()
	t.spent, *spent = t.spent+now-*spent, now
	return err
}
