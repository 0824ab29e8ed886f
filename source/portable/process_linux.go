package portable

import (
	"context"
	"errors"
	"io/fs"
	"syscall"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/procfs"
)

// describer looks up processes. gopsutil would read more files for the same,
// and ask a name service for users.
type describer struct{ proc procfs.Reader }

func newDescriber() *describer { return &describer{procfs.Reader{Root: "/proc"}} }

func (d *describer) late() string { return d.proc.Late() }

// start is when a process began, in clock ticks since boot.
func (d *describer) start(_ context.Context, pid int32) (uint64, error) {
	dir, s, err := d.proc.Open(pid)
	if err == nil {
		unix.Close(dir)
	}
	return s.Start, err
}

// describe gives what can be known of a process but for its start; false if it
// has gone. What another user hides is left empty.
func (d *describer) describe(_ context.Context, pid int32) (source.Process, bool) {
	p := source.Process{PID: pid}
	dir, s, err := d.proc.Open(pid)
	if err != nil {
		return p, !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, syscall.ESRCH)
	}
	defer unix.Close(dir)
	p.Name = string(s.Comm)
	d.proc.Describe(dir, pid, &p)
	return p, true
}
