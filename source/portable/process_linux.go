package portable

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"

	"ephtop/source"
	"ephtop/source/procfs"
)

// startOf is when a process began, in clock ticks since boot.
func startOf(_ context.Context, pid int32) (uint64, error) {
	s, err := readStat(pid)
	return s.Start, err
}

func readStat(pid int32) (procfs.Stat, error) {
	b, err := readFile(pid, "stat")
	if err != nil {
		return procfs.Stat{}, err
	}
	s, err := procfs.ParseStat(b)
	if err != nil {
		return s, fmt.Errorf("read the stat of process %d: %w", pid, err)
	}
	return s, nil
}

func readFile(pid int32, name string) ([]byte, error) {
	return os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name))
}

// describer looks up processes. gopsutil would read more files for the same,
// and ask a name service for users.
type describer struct{ users procfs.Users }

func newDescriber() *describer { return new(describer) }

// describe gives what can be known of a process but for its start; false if it
// has gone. What another user hides is left empty.
func (d *describer) describe(_ context.Context, pid int32) (source.Process, bool) {
	p := source.Process{PID: pid}
	s, err := readStat(pid)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return p, false
	}
	p.Name = string(s.Comm)
	if b, err := readFile(pid, "cmdline"); err == nil {
		p.Command = string(procfs.JoinCommand(b))
	}
	if b, err := readFile(pid, "status"); err == nil {
		if status, ok := procfs.ParseStatus(b); ok {
			p.UID, p.User = status.UID, d.users.Name(status.UID)
		}
	}
	return p, true
}
