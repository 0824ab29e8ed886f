package trace

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	eventPath = "events/sock/inet_sock_set_state"

	// eventFilter lets pass what a record is read for: connections closed by
	// this side, and connects that found no port. (The names and numbers of
	// states are those of net/tcp_states.h.)
	eventFilter = "protocol==6 && ((oldstate==1 && newstate==4) || (oldstate==2 && newstate==7 && sport==0))"

	// traceClock counts from boot, as the start times of processes do.
	traceClock = "boot"

	instancePrefix = "ephtop-"
)

// instance is a set of ring buffers of our own.
type instance struct {
	root directory // of tracefs
	name string
	dir  directory
	cpus []int
}

func (i *instance) path() string { return "instances/" + i.name }

// newInstance makes an instance, after it has removed those that dead
// processes left behind.
func newInstance(root directory, procs *processes) (*instance, error) {
	self, ok := procs.stat(int32(os.Getpid()))
	if !ok {
		return nil, errors.New("read our own start time: /proc is not mounted")
	}
	if err := sweep(root, procs); err != nil {
		return nil, err
	}
	i := &instance{root: root}
	for n := 0; ; n++ {
		i.name = instanceName(int32(os.Getpid()), self.start, n)
		err := unix.Mkdirat(int(root), i.path(), 0o700)
		if err == nil {
			break
		}
		if !errors.Is(err, unix.EEXIST) {
			return nil, fmt.Errorf("make a tracefs instance: %w", err)
		}
	}
	var err error
	if i.dir, err = openDirectory(int(root), i.path()); err == nil {
		i.cpus, err = i.listCPUs()
	}
	if err != nil {
		return nil, errors.Join(err, i.remove())
	}
	return i, nil
}

// instanceName says whose an instance is: pid and start time name a process
// for ever, and n counts its instances.
func instanceName(pid int32, start uint64, n int) string {
	return fmt.Sprintf("%s%d-%d-%d", instancePrefix, pid, start, n)
}

// parseInstanceName is the reverse of instanceName.
func parseInstanceName(name string) (pid int32, start uint64, ok bool) {
	rest, ours := strings.CutPrefix(name, instancePrefix)
	parts := strings.Split(rest, "-")
	if !ours || len(parts) != 3 {
		return 0, 0, false
	}
	p, err1 := strconv.ParseInt(parts[0], 10, 32)
	start, err2 := strconv.ParseUint(parts[1], 10, 64)
	n, err3 := strconv.Atoi(parts[2])
	if errors.Join(err1, err2, err3) != nil || instanceName(int32(p), start, n) != name {
		return 0, 0, false
	}
	return int32(p), start, true
}

// sweep removes the instances of processes that live no more. One that
// somebody else has open stays, for the next time.
func sweep(root directory, procs *processes) error {
	names, err := root.list("instances")
	if err != nil {
		return err
	}
	for _, name := range names {
		pid, start, ok := parseInstanceName(name)
		if !ok {
			continue
		}
		if s, alive := procs.stat(pid); alive && s.start == start {
			continue
		}
		err := unix.Unlinkat(int(root), "instances/"+name, unix.AT_REMOVEDIR)
		if err != nil && !errors.Is(err, unix.EBUSY) && !errors.Is(err, unix.ENOENT) {
			return fmt.Errorf("remove the stale tracefs instance %s: %w", name, err)
		}
	}
	return nil
}

// configure sets everything but the switch.
func (i *instance) configure(bufferKB int) error {
	if bufferKB <= 0 {
		bufferKB = defaultBufferKB(len(i.cpus))
	}
	for _, s := range []struct{ path, value string }{
		{"trace_clock", traceClock},
		{"buffer_size_kb", strconv.Itoa(bufferKB)},
		{eventPath + "/filter", eventFilter},
	} {
		if err := i.dir.write(s.path, s.value); err != nil {
			return err
		}
	}
	// Kernels that know this wake a reader only when so much of the buffer is
	// full; the others do so at each event.
	if err := i.dir.write("buffer_percent", "0"); err != nil && !errors.Is(err, unix.ENOENT) {
		return err
	}
	return nil
}

// defaultBufferKB gives each CPU 2 MB, which is 2.7 s of 10,000 closes a
// second all on one CPU, where that makes no more than 16 MB together.
func defaultBufferKB(cpus int) int {
	const most, together, least = 2 << 10, 16 << 10, 64
	return max(least, min(most, together/max(cpus, 1)))
}

func (i *instance) enable() error { return i.dir.write(eventPath+"/enable", "1") }

func (i *instance) listCPUs() ([]int, error) {
	names, err := i.dir.list("per_cpu")
	if err != nil {
		return nil, err
	}
	var cpus []int
	for _, name := range names {
		if n, err := strconv.Atoi(strings.TrimPrefix(name, "cpu")); err == nil {
			cpus = append(cpus, n)
		}
	}
	if len(cpus) == 0 {
		return nil, errors.New("the tracefs instance has no buffers")
	}
	return cpus, nil
}

// decoder makes the decoder for the pages of this kernel.
func (i *instance) decoder(d *decoder) error {
	text, err := i.dir.read("events/header_page")
	if err != nil {
		return err
	}
	if d.page, err = parsePageLayout(text); err != nil {
		return err
	}
	if text, err = i.dir.read(eventPath + "/format"); err != nil {
		return err
	}
	d.record, err = parseRecordLayout(text)
	return err
}

// openPipe opens the buffer of a CPU.
func (i *instance) openPipe(cpu int) (int, error) {
	path := fmt.Sprintf("per_cpu/cpu%d/trace_pipe_raw", cpu)
	fd, err := unix.Openat(int(i.dir), path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("open %s: %w", path, err)
	}
	return fd, nil
}

// lost gives how many events the buffer of a CPU had no room for since the
// instance was made.
func (i *instance) lost(cpu int) (uint64, error) {
	text, err := i.dir.read(fmt.Sprintf("per_cpu/cpu%d/stats", cpu))
	if err != nil {
		return 0, err
	}
	return parseLost(text), nil
}

// parseLost adds up what tracing_stats_read calls by three names: overwritten
// before they were read, pushed out by an interrupt, and refused.
func parseLost(text string) uint64 {
	var sum uint64
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "overrun", "commit overrun", "dropped events":
			n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 64)
			if err == nil {
				sum += n
			}
		}
	}
	return sum
}

// remove takes the instance away, which no pipe may have open any more.
func (i *instance) remove() error {
	if i.dir > 0 {
		i.dir.close()
	}
	if err := unix.Unlinkat(int(i.root), i.path(), unix.AT_REMOVEDIR); err != nil {
		return fmt.Errorf("remove the tracefs instance %s: %w", i.name, err)
	}
	return nil
}
