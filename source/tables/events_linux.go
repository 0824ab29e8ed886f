//go:build amd64 || arm64

package tables

import (
	"bytes"
	"cmp"
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/trace"
)

// Events tells of what happens to sockets, in all network namespaces. It lives
// in descriptors of this process: whatever ends it, nothing is left behind.
type Events struct {
	links  []link.Link
	reader *ringbuf.Reader
	// partial says why not every kind of failure is told.
	partial error
	lost    *uint64 // as the programs count it
	stop    chan struct{}
	done    chan struct{}
	closing sync.Once

	mu      sync.Mutex
	record  ringbuf.Record
	pending []source.Event
	full    int    // events that pending had no room for
	told    uint64 // how many of *lost Drain has told of
	spent   time.Duration
	err     error // the first since the last Drain
	broken  error // why the ring is not emptied any more
}

const (
	// emptying is how often the ring is emptied between two Drains, which may be
	// a minute apart: it has room for 37,000 events a second then.
	emptying = 250 * time.Millisecond

	// maxPending bounds the events that wait for a Drain; more are lost. They take
	// about 13 MB.
	maxPending = 1 << 16

	// eventCost is what the programs take of a processor for each event that they
	// tell: measured by BenchmarkEvents with the transitions that lead to it and
	// are not told.
	eventCost = 2 * time.Microsecond
)

// event is what a program tells (struct event in tables.bpf.c).
type event struct {
	time, cgroup, cookie  uint64
	local, remote         source.Addr
	netns, pid            uint32
	localPort, remotePort uint16
	kind, proto           uint8
	_                     [2]uint8
	name                  [16]byte
}

// Drain appends what happened since the Drain before, and tells how many events
// there was no room for in that time. It waits for nothing. Of a Process only
// PID, Name and Cgroup are known; none of it where a kernel thread did it, or
// where the process ended before it could be asked for. After Close it is
// os.ErrClosed, and a *guard.Panic when collecting has ended by a fault.
func (t *Events) Drain(dst []source.Event) (events []source.Event, lost int, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.broken != nil {
		return dst, 0, t.broken
	}
	t.empty()
	events, lost, err = append(dst, t.pending...), t.full, t.err
	count := atomic.LoadUint64(t.lost)
	lost += int(count - t.told)
	t.spent += time.Duration(count-t.told) * eventCost
	clear(t.pending)
	t.pending, t.full, t.told, t.err = t.pending[:0], 0, count, nil
	return events, lost, err
}

// Spent returns how long events have taken of a processor so far: what it took
// to read them, and eventCost for each.
func (t *Events) Spent() time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.spent
}

// fail keeps an error for Drain, and for good: the ring is not emptied any more.
func (t *Events) fail(err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.broken = err
}

// run empties the ring now and then, until Close.
func (t *Events) run() error {
	ticker := time.NewTicker(emptying)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			t.pass()
		case <-t.stop:
			return nil
		}
	}
}

func (t *Events) pass() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.empty()
}

// empty reads what is in the ring. t.mu is held.
func (t *Events) empty() {
	n := 0
	took := trace.Measured(func() { n = t.read() })
	t.spent += took + time.Duration(n)*eventCost
}

func (t *Events) read() (n int) {
	offset := time.Now().Add(-boot())
	t.reader.SetDeadline(time.Unix(1, 0)) // long past
	for ; n < int(ringEvents); n++ {      // what comes meanwhile may wait
		switch err := t.reader.ReadInto(&t.record); {
		case errors.Is(err, os.ErrDeadlineExceeded):
			return n
		case errors.Is(err, ringbuf.ErrClosed):
			t.err = cmp.Or(t.err, os.ErrClosed)
			return n
		case err != nil:
			t.err = cmp.Or(t.err, err)
			return n
		case len(t.record.RawSample) < int(unsafe.Sizeof(event{})):
		case len(t.pending) >= maxPending:
			t.full++
		default:
			t.pending = append(t.pending, (*event)(unsafe.Pointer(&t.record.RawSample[0])).event(offset))
		}
	}
	return n
}

// boot is the clock that events are stamped with.
func boot() time.Duration {
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) // Linux has it since 2.6.39
	return time.Duration(ts.Nano())
}

// event translates an event, given the time when the clock of its stamp stood
// at 0.
func (e *event) event(booted time.Time) source.Event {
	v := source.Event{
		Kind:  source.EventKind(e.kind),
		Time:  booted.Add(time.Duration(e.time)).Round(0),
		Tuple: source.Tuple{Local: e.local, Remote: e.remote, LocalPort: e.localPort, RemotePort: e.remotePort, Proto: source.Proto(e.proto)},
		Netns: uint64(e.netns), Cookie: e.cookie,
	}
	if e.pid != 0 {
		name, _, _ := bytes.Cut(e.name[:], []byte{0})
		v.Process = source.Process{PID: int32(e.pid), Name: string(name), Cgroup: e.cgroup}
	}
	return v
}

// Partial says why no failures are told but those of connect() of TCP for want of
// a port: none of bind() and listen(), of UDP, or for want of an address. It is
// nil where all are told.
func (t *Events) Partial() error { return t.partial }

// Close ends the collecting. A second Close does nothing.
func (t *Events) Close() error {
	t.closing.Do(func() { close(t.stop) })
	<-t.done
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.links == nil {
		return nil
	}
	err := errors.Join(t.reader.Close(), closeAll(t.links))
	t.links = nil
	return err
}
