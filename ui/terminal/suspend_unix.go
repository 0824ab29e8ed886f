//go:build unix

package terminal

import (
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// CanSuspend says that the terminal can stop processes.
const CanSuspend = true

// ttyName is the controlling terminal.
const ttyName = "/dev/tty"

var errNoShell = errors.New("there is no shell to go back to")

// stop is used rather than [tea.Suspend] because that one waits for SIGCONT for
// ever, and where no shell could send one (ssh host ephtop, a container) the
// process never stopped: the kernel discards SIGTSTP for an orphaned process
// group (get_signal in kernel/signal.c).
func stop() error { return byDefault(stopGroup) }

func stopGroup() error {
	if signal.Ignored(syscall.SIGTSTP) {
		return errNoShell
	}
	signal.Reset(syscall.SIGCONT) // heed takes it again from ResumedMsg on
	resumed := make(chan os.Signal, 1)
	signal.Notify(resumed, syscall.SIGCONT)
	defer signal.Stop(resumed)
	if err := syscall.Kill(0, syscall.SIGTSTP); err != nil {
		return err
	}
	if hasShell() {
		<-resumed // the stop may be slow to come
		return nil
	}
	// Both cases can be ready after a stop that was longer than the first.
	for _, wait := range []time.Duration{300 * time.Millisecond, 50 * time.Millisecond} {
		select {
		case <-resumed:
			return nil
		case <-time.After(wait):
		}
	}
	return errNoShell
}

// hasShell tells whether the parent is what stops and continues us: it is of
// our session, and of another process group, so that ours is not orphaned.
func hasShell() bool {
	parent := os.Getppid()
	group, err := unix.Getpgid(parent)
	if err != nil || group == unix.Getpgrp() {
		return false
	}
	theirs, err := unix.Getsid(parent)
	if err != nil {
		return false
	}
	ours, err := unix.Getsid(0)
	return err == nil && ours == theirs
}

// descriptors is how many Bubble Tea and Go's own poller take at the beginning.
// Without, either ends in a way that leaves the terminal as it is then.
const descriptors = 6

// haveDescriptors says whether there are still so many.
func haveDescriptors() error {
	for range descriptors {
		fd, err := unix.FcntlInt(0, unix.F_DUPFD_CLOEXEC, 3)
		if errors.Is(err, unix.EBADF) { // which says nothing about how many there are
			return nil
		}
		if err != nil {
			return os.NewSyscallError("dup", err)
		}
		defer unix.Close(fd)
	}
	return nil
}
