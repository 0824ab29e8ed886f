//go:build amd64 || arm64

package tables

import (
	"bytes"
	"errors"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"ephtop/source"
)

// Events tells of what happens to sockets, in all network namespaces. It lives
// in descriptors of this process: whatever ends it, nothing is left behind.
type Events struct {
	links  []link.Link
	reader *ringbuf.Reader
	record ringbuf.Record
	// partial says why not every kind of failure is told.
	partial error
	lost    *uint64 // as the programs count it
	told    uint64  // how many of these Drain has told of
}

// event is what a program tells (struct event in tables.bpf.c).
type event struct {
	time, cgroup          uint64
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
// os.ErrClosed.
func (t *Events) Drain(dst []source.Event) (events []source.Event, lost int, err error) {
	offset := time.Now().Add(-boot())
	t.reader.SetDeadline(time.Unix(1, 0))                    // long past
	for n := uintptr(0); err == nil && n < ringEvents; n++ { // what comes meanwhile may wait
		if err = t.reader.ReadInto(&t.record); err == nil && len(t.record.RawSample) >= int(unsafe.Sizeof(event{})) {
			dst = append(dst, (*event)(unsafe.Pointer(&t.record.RawSample[0])).event(offset))
		}
	}
	count := atomic.LoadUint64(t.lost)
	lost, t.told = int(count-t.told), count
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = nil
	case errors.Is(err, ringbuf.ErrClosed):
		err = os.ErrClosed
	}
	return dst, lost, err
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
		Netns: uint64(e.netns),
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

// Close ends the collecting.
func (t *Events) Close() error {
	err := errors.Join(t.reader.Close(), closeAll(t.links))
	t.links = nil
	return err
}
