//go:build amd64 || arm64

package tables

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"
	"golang.org/x/sys/unix"

	"ephtop/source/guard"
	"ephtop/source/trace"
)

// stateProgram tells of transitions, and is attached to a tracepoint of any
// kernel.
const stateProgram = "set_state"

// way is how the other failures are told: a set of programs, of which each is
// needed.
type way struct {
	programs []string
	attach   func(*ebpf.Program, string) (link.Link, error)
}

// byFunction attaches to functions, where the kernel has them and lets us (amd64,
// arm64 from Linux 6.0). It costs nothing until such a function is called.
var byFunction = way{
	[]string{"connect4", "connect6", "connect_stream", "connect_datagram", "bind_tcp", "bind_udp", "bind4", "bind6"},
	func(p *ebpf.Program, _ string) (link.Link, error) {
		return link.AttachTracing(link.TracingOptions{Program: p})
	},
}

// byCall attaches to the ends of system calls.
var byCall = way{
	[]string{"call_connect", "call_bind", "call_listen", "call_sendto", "call_sendmsg", "call_sendmmsg"},
	attachCall,
}

// Trace begins to collect events. Close the Events before the Engine, and before
// Trace is called again.
func (e *Engine) Trace() (*Events, error) { return e.trace(byFunction, byCall) }

// trace uses the first way that can be.
func (e *Engine) trace(ways ...way) (*Events, error) {
	t := &Events{
		lost: &e.memory.lost, told: atomic.LoadUint64(&e.memory.lost), stop: make(chan struct{}), done: make(chan struct{}),
	}
	object, err := e.object()
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	l := loader{Engine: e, object: object, cache: btf.NewCache()}
	c, err := l.load(stateProgram)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", shorten(err))
	}
	defer c.Close()
	l.ring = c.Maps[ringMap]
	if t.reader, err = ringbuf.NewReader(l.ring); err != nil {
		return nil, fmt.Errorf("trace: read the ring: %w", err)
	}
	// These come first: what is told by both is told by them.
	for _, w := range ways {
		if t.links, t.partial = l.attach(w); t.partial == nil {
			break
		}
	}
	state, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: "inet_sock_set_state", Program: c.Programs[stateProgram]})
	if err != nil {
		t.reader.Close()
		closeAll(t.links)
		return nil, fmt.Errorf("trace: attach to inet_sock_set_state: %w", shorten(err))
	}
	t.links = append(t.links, state)
	go func() {
		defer close(t.done)
		if err := guard.Do(t.run); err != nil {
			t.fail(err)
		}
	}()
	return t, nil
}

// ringMap is where the events wait, ringEvents of them at most.
const (
	ringMap    = "ring"
	ringEvents = 1 << 20 / (8 + unsafe.Sizeof(event{}))
)

// loader loads programs that tell.
type loader struct {
	*Engine
	object *ebpf.CollectionSpec
	cache  *btf.Cache
	ring   *ebpf.Map // that they tell into, nil for a new one
}

// load loads some programs. They count in our memory what there is no room for.
func (l *loader) load(names ...string) (*ebpf.Collection, error) {
	maps := map[string]*ebpf.Map{sharedMap: l.shared}
	if l.ring != nil {
		maps[ringMap] = l.ring
	}
	return ebpf.NewCollectionWithOptions(subset(l.object, names...), ebpf.CollectionOptions{Cache: l.cache, MapReplacements: maps})
}

// attach attaches all programs of a way, or none.
func (l *loader) attach(w way) (links []link.Link, err error) {
	c, err := l.load(w.programs...)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	for _, name := range w.programs {
		k, err := w.attach(c.Programs[name], l.object.Programs[name].AttachTo)
		if err != nil {
			return nil, errors.Join(err, closeAll(links))
		}
		links = append(links, k)
	}
	return links, nil
}

// attachCall attaches a program to a tracepoint of a system call. The link keeps
// the event open, so that both end with this process.
func attachCall(p *ebpf.Program, tracepoint string) (link.Link, error) {
	id, err := trace.TracepointID(tracepoint)
	if err != nil {
		return nil, err
	}
	attr := unix.PerfEventAttr{Type: unix.PERF_TYPE_TRACEPOINT, Config: id, Sample_type: unix.PERF_SAMPLE_RAW, Sample: 1, Wakeup: 1}
	// Programs run for what happens on any processor, whichever is named.
	fd, err := unix.PerfEventOpen(&attr, -1, 0, -1, unix.PERF_FLAG_FD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open the event of %s: %w", tracepoint, err)
	}
	defer unix.Close(fd)
	return link.AttachRawLink(link.RawLinkOptions{Target: fd, Program: p, Attach: ebpf.AttachPerfEvent})
}

// closeAll closes links side by side: each waits until no processor runs its
// program any more.
func closeAll(links []link.Link) error {
	errs := make([]error, len(links))
	var closing sync.WaitGroup
	for i, l := range links {
		closing.Go(func() { errs[i] = guard.Do(l.Close) })
	}
	closing.Wait()
	return errors.Join(errs...)
}
