//go:build amd64 || arm64

package tables

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"golang.org/x/sys/unix"

	"ephtop/source"
)

// Engine reads the tables. It is not safe for concurrent use.
type Engine struct {
	variant  *variant
	shared   *ebpf.Map // that memory is mapped from
	mapped   []byte
	memory   *memory
	programs [numPrograms]*ebpf.Program
	socket   int           // of UDP, that sockets are known by
	tick     time.Duration // of the kernel's timers

	// Ration is of the rows that are kept, nil for all.
	Ration *source.Ration

	report     Report
	defaults   source.Settings
	namespaces namespaces
	kept       int             // rows of this walk
	sockets    int             // those of the walk before, and some more
	tested     *source.PortSet // whose rows the self-test keeps, nil for all
	spill      []source.Socket // rows of all namespaces but the largest
	spillOf    []int32         // and whose they are
	ports      []uint64        // see portKey
	ranges     []source.PortRange
	explicit   source.PortSet
}

// Report says how a walk went.
type Report struct {
	// Restarts counts the chains that were walked again, since they changed.
	Restarts int
	// Torn counts the rows that changed while they were read.
	Torn int
	// Cut counts the chains that were too long, of which the rest is missing.
	Cut int
	// Calls counts the calls into the kernel, Longest is the longest of them.
	Calls   int
	Longest time.Duration
}

// The programs that are run.
type program int

const (
	walkNamespaces program = iota
	walkTCP
	walkListen
	walkUDP
	walkBind
	walkFiles
	readReserved

	numPrograms
)

var programNames = [numPrograms]string{
	"walk_namespaces", "walk_tcp", "walk_listen", "walk_udp", "walk_bind", "walk_files", "read_reserved",
}

// errGone says that a namespace is no more.
var errGone = errors.New("the namespace has gone")

// runAttr is the part of union bpf_attr that BPF_PROG_TEST_RUN reads. By hand,
// as ebpf.Program.Run allocates, and loads a program to see if it may.
type runAttr struct {
	program, result      uint32
	_                    [2]uint32
	_                    [2]uint64
	repeat, _, ctx, _    uint32
	_                    [2]uint64
	flags, cpu, batch, _ uint32
}

// run runs a program once.
func (e *Engine) run(p program) error {
	r := &e.memory.result
	r.restarts, r.torn, r.cut = 0, 0, 0
	attr := runAttr{program: uint32(e.programs[p].FD())}
	_, _, errno := unix.Syscall(unix.SYS_BPF, unix.BPF_PROG_TEST_RUN, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	runtime.KeepAlive(e)
	if errno != 0 {
		return fmt.Errorf("run %s: %w", programNames[p], syscall.Errno(errno))
	}
	if attr.result != 0 {
		return errGone
	}
	e.report.Calls++
	e.report.Longest = max(e.report.Longest, time.Duration(r.took))
	e.report.Restarts += int(r.restarts)
	e.report.Torn += int(r.torn)
	e.report.Cut += int(r.cut)
	return nil
}

// Variant returns "direct" or "probe", how the kernel's memory is read.
func (e *Engine) Variant() string { return e.variant.name }

// Close frees what the engine holds. A second Close does nothing.
func (e *Engine) Close() error {
	var errs []error
	for i, p := range e.programs {
		errs = append(errs, p.Close())
		e.programs[i] = nil
	}
	if e.mapped != nil {
		errs = append(errs, unix.Munmap(e.mapped))
		e.mapped, e.memory = nil, nil
	}
	errs = append(errs, e.shared.Close())
	e.shared = nil
	if e.socket >= 0 {
		errs = append(errs, unix.Close(e.socket))
		e.socket = -1
	}
	return errors.Join(errs...)
}
