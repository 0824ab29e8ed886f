//go:build amd64 || arm64

package tables

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"
	"unsafe"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"ephtop/source/procfs"
	"ephtop/source/sysctl"
)

var (
	//go:embed bpf/direct_bpfel.o
	directObject []byte
	//go:embed bpf/probe_bpfel.o
	probeObject []byte
)

// variant is a way to read the kernel's memory.
type variant struct {
	name   string
	object []byte
	rows   uint32 // after which a call ends: it is to hold a processor for 2 ms at most
}

// variants are all, the better one first.
var variants = [...]*variant{{"direct", directObject, 2048}, {"probe", probeObject, 1024}}

// Load loads the programs into the kernel and proves on sockets of its own that
// they tell the truth here. Where one variant does not, the next is tried. The
// error says in one line what stands in the way; it matches ErrUnsupported
// where no right would help.
func Load() (*Engine, error) {
	cache := btf.NewCache()
	if _, err := cache.Kernel(); err != nil {
		return nil, explainBTF(err)
	}
	var errs []error
	for _, v := range variants {
		e, err := load(v, cache)
		if err == nil {
			return e, nil
		}
		if errors.Is(err, unix.EPERM) {
			return nil, explainRefusal(err)
		}
		errs = append(errs, fmt.Errorf("%s: %w", v.name, err))
	}
	return nil, explain(errs)
}

// load loads one variant and tests it.
func load(v *variant, cache *btf.Cache) (*Engine, error) {
	e, err := loadUntested(v, cache)
	if err != nil {
		return nil, err
	}
	if err := e.selfTest(); err != nil {
		e.Close()
		return nil, fmt.Errorf("self-test: %w", err)
	}
	return e, nil
}

func loadUntested(v *variant, cache *btf.Cache) (e *Engine, err error) {
	e = &Engine{variant: v, socket: -1, defaults: sysctl.Defaults("linux", procfs.Release())}
	e.defaults.Assumed = false
	e.namespaces.reset()
	defer func() {
		if err != nil {
			e.Close()
		}
	}()
	object, err := e.object()
	if err != nil {
		return e, err
	}
	spec := subset(object, programNames[:]...)
	delete(spec.Maps, ringMap)
	c, err := ebpf.NewCollectionWithOptions(spec, ebpf.CollectionOptions{Cache: cache})
	if err != nil {
		return e, err
	}
	defer c.Close()
	for i, name := range programNames {
		e.programs[i] = c.DetachProgram(name)
	}
	e.shared = c.DetachMap(sharedMap)
	if e.mapped, err = unix.Mmap(e.shared.FD(), 0, int(e.shared.ValueSize()), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED); err != nil {
		return e, fmt.Errorf("map memory: %w", err)
	}
	at := object.Variables["shared"]
	if at == nil || int(at.Offset)+int(unsafe.Sizeof(memory{})) > len(e.mapped) {
		return e, errors.New("the object has other memory than we")
	}
	e.memory = (*memory)(unsafe.Pointer(&e.mapped[at.Offset]))
	e.memory.pidNamespace = uint32(procfs.PIDNamespace())
	if e.socket, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0); err != nil {
		return e, fmt.Errorf("open a socket: %w", err)
	}
	var ts unix.Timespec
	if err = unix.ClockGetres(unix.CLOCK_MONOTONIC_COARSE, &ts); err != nil { // it ticks as timers do
		return e, fmt.Errorf("ask for the kernel's tick: %w", err)
	}
	e.tick = time.Duration(ts.Nano())
	return e, nil
}

// sharedMap is the section in which memory lies, and all else that programs
// keep.
const sharedMap = ".bss"

// object reads the compiled programs.
func (e *Engine) object() (*ebpf.CollectionSpec, error) {
	spec, err := ebpf.LoadCollectionSpecFromReader(bytes.NewReader(e.variant.object))
	if err != nil {
		return nil, fmt.Errorf("read the object: %w", err)
	}
	return spec, nil
}

// subset gives some of the programs of an object. It leaves out the variables,
// for which the memory would be mapped a second time.
func subset(object *ebpf.CollectionSpec, names ...string) *ebpf.CollectionSpec {
	spec := object.Copy()
	spec.Variables = nil
	maps.DeleteFunc(spec.Programs, func(name string, _ *ebpf.ProgramSpec) bool { return !slices.Contains(names, name) })
	return spec
}
