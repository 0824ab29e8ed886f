//go:build amd64 || arm64

package tables

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"sync/atomic"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
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
	lost   *uint64 // as the programs count it
	told   uint64  // how many of these Drain has told of
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

// stateProgram tells of transitions, and is attached to a tracepoint of any
// kernel. The others are attached to functions, where the kernel has them and a
// way to do it (amd64, arm64 from Linux 6.0).
const stateProgram = "set_state"

var functionPrograms = [...]string{"connect4", "connect6", "connect_stream", "bind_tcp", "bind_udp", "bind4", "bind6"}

// Trace begins to collect events. They are to be fetched by Drain at least
// every few seconds: the kernel keeps some ten thousand. Trace once, and close
// the Events before the Engine.
func (e *Engine) Trace() (*Events, error) {
	t := &Events{lost: &e.memory.lost, told: atomic.LoadUint64(&e.memory.lost)}
	object, err := e.object()
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	cache := btf.NewCache()
	c, err := e.loadEvents(object, cache, nil, stateProgram)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", shorten(err))
	}
	defer c.Close()
	if t.reader, err = ringbuf.NewReader(c.Maps[ringMap]); err != nil {
		return nil, fmt.Errorf("trace: read the ring: %w", err)
	}
	// The functions come first: what is told by both is told by them.
	for _, name := range functionPrograms {
		t.attachFunction(e, object, cache, c.Maps[ringMap], name)
	}
	state, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: "inet_sock_set_state", Program: c.Programs[stateProgram]})
	if err != nil {
		t.Close()
		return nil, fmt.Errorf("trace: attach to inet_sock_set_state: %w", shorten(err))
	}
	t.links = append(t.links, state)
	return t, nil
}

// ringMap is where the events wait, ringEvents of them at most.
const (
	ringMap    = "ring"
	ringEvents = 1 << 20 / (8 + unsafe.Sizeof(event{}))
)

// loadEvents loads one program that tells into the given ring, or into a new
// one, and that counts in our memory what it has no room for.
func (e *Engine) loadEvents(object *ebpf.CollectionSpec, cache *btf.Cache, ring *ebpf.Map, name string) (*ebpf.Collection, error) {
	maps := map[string]*ebpf.Map{sharedMap: e.shared}
	if ring != nil {
		maps[ringMap] = ring
	}
	return ebpf.NewCollectionWithOptions(subset(object, name), ebpf.CollectionOptions{Cache: cache, MapReplacements: maps})
}

// attachFunction attaches a program if it can be: the events are fewer without.
func (t *Events) attachFunction(e *Engine, object *ebpf.CollectionSpec, cache *btf.Cache, ring *ebpf.Map, name string) {
	c, err := e.loadEvents(object, cache, ring, name)
	if err != nil {
		return
	}
	defer c.Close()
	if l, err := link.AttachTracing(link.TracingOptions{Program: c.Programs[name]}); err == nil {
		t.links = append(t.links, l)
	}
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

// Close ends the collecting.
func (t *Events) Close() error {
	errs := []error{t.reader.Close()}
	for _, l := range t.links {
		errs = append(errs, l.Close())
	}
	t.links = nil
	return errors.Join(errs...)
}
