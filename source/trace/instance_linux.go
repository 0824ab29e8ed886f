package trace

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"ephtop/source/procfs"
)

const (
	eventPath = "events/sock/inet_sock_set_state"

	// eventFilter lets pass what a record is read for: connections closed by
	// this side, and connects that found no port. (The names and numbers of
	// states are those of net/tcp_states.h.)
	eventFilter = "protocol==6 && ((oldstate==1 && newstate==4) || (oldstate==2 && newstate==7 && sport==0))"

	// traceClock counts from boot, as the start times of processes do.
	traceClock = "boot"

	instances      = "instances/"
	instancePrefix = "ephtop-"
)

// newInstance makes a set of ring buffers of our own, after it has removed
// those that dead processes left behind.
func (r *reader) newInstance(proc *procfs.Reader) error {
	pid := int32(os.Getpid())
	start, err := startOf(proc, pid)
	if err != nil {
		return unlessMounted("read our own start time", err)
	}
	if err := sweep(r.root, proc); err != nil {
		return err
	}
	for n := 0; ; n++ {
		name := instanceName(pid, start, n)
		err := r.root.Mkdir(instances+name, 0o700)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("make a tracefs instance: %w", err)
		}
		r.name = name
		r.dir, err = r.root.OpenRoot(instances + name)
		return err
	}
}

// unlessMounted says why a file of our own below /proc can't be read: there is one
// for every process, unless there is no /proc.
func unlessMounted(doing string, err error) error {
	if errors.Is(err, unix.ENOENT) {
		return fmt.Errorf("%s: /proc is not mounted", doing)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// startOf gives the start time of a process.
func startOf(proc *procfs.Reader, pid int32) (uint64, error) {
	dir, s, err := proc.Open(pid)
	if err != nil {
		return 0, err
	}
	unix.Close(dir)
	return s.Start, nil
}

// instanceName says whose an instance is: pid and start time name a process
// for ever, and n counts its instances.
func instanceName(pid int32, start uint64, n int) string {
	return fmt.Sprintf("%s%d-%d-%d", instancePrefix, pid, start, n)
}

// parseInstanceName is the reverse of instanceName.
func parseInstanceName(name string) (pid int32, start uint64, ok bool) {
	var n int
	_, err := fmt.Sscanf(name, instancePrefix+"%d-%d-%d", &pid, &start, &n)
	if err != nil || instanceName(pid, start, n) != name {
		return 0, 0, false
	}
	return pid, start, true
}

// sweep removes the instances of processes that live no more. One that
// somebody else has open stays, for the next time.
func sweep(root *os.Root, proc *procfs.Reader) error {
	entries, err := fs.ReadDir(root.FS(), "instances")
	if err != nil {
		return err
	}
	for _, e := range entries {
		pid, start, ok := parseInstanceName(e.Name())
		if !ok {
			continue
		}
		living, err := startOf(proc, pid)
		if err == nil && living == start || err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.ESRCH) {
			continue // it lives, or nobody can tell
		}
		err = root.Remove(instances + e.Name())
		if err != nil && !errors.Is(err, unix.EBUSY) && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove a stale tracefs instance: %w", err)
		}
	}
	return nil
}

// configure sets everything but the switch.
func (r *reader) configure() error {
	for _, s := range []struct{ path, value string }{
		{"trace_clock", traceClock},
		{"buffer_size_kb", strconv.Itoa(bufferKB(len(r.pipes)))},
		{eventPath + "/filter", eventFilter},
	} {
		if err := write(r.dir, s.path, s.value); err != nil {
			return err
		}
	}
	// Kernels that know this wake a reader only when so much of the buffer is
	// full; the others do so at each event.
	if err := write(r.dir, "buffer_percent", "0"); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// bufferKB gives each CPU 2 MB, which is 2.7 s of 10,000 closes a second all
// on one CPU (an event takes 76 bytes), where that makes no more than 16 MB
// together.
func bufferKB(cpus int) int {
	const most, together, least = 2 << 10, 16 << 10, 64
	return max(least, min(most, together/max(cpus, 1)))
}

// layouts reads how this kernel lays out its pages and records.
func (r *reader) layouts() error {
	text, err := r.dir.ReadFile("events/header_page")
	if err != nil {
		return err
	}
	if r.decoder.page, err = parsePageLayout(string(text)); err != nil {
		return err
	}
	if text, err = r.dir.ReadFile(eventPath + "/format"); err != nil {
		return err
	}
	r.decoder.record, err = parseRecordLayout(string(text))
	return err
}

// openPipes opens the buffer of each CPU.
func (r *reader) openPipes() error {
	dir, err := r.dir.Open("per_cpu")
	if err != nil {
		return err
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		cpu, err := strconv.Atoi(strings.TrimPrefix(name, "cpu"))
		if err != nil {
			continue
		}
		// Not through os: the runtime would wait for events too.
		fd, err := unix.Openat(int(dir.Fd()), name+"/trace_pipe_raw", unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
		if err != nil {
			return fmt.Errorf("open the buffer of %s: %w", name, err)
		}
		r.pipes = append(r.pipes, pipe{cpu: cpu, fd: fd})
		r.set = append(r.set, unix.PollFd{Fd: int32(fd), Events: unix.POLLIN})
	}
	if len(r.pipes) == 0 {
		return errors.New("the tracefs instance has no buffers")
	}
	return nil
}
