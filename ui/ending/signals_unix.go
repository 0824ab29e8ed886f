//go:build unix

package ending

import (
	"os"
	"os/signal"

	"golang.org/x/sys/unix"
)

// names are the signals that end a Go program which does not take them, some with
// a page of stacks. Those of mistakes are of somebody else here, for a panic is
// no signal.
var names = [...]string{"SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGSEGV", "SIGSYS",
	"SIGSTKFLT", "SIGEMT"}

// Signals are those that ask the program to end, but for what it is to ignore, as
// SIGHUP under nohup(1).
func Signals() []os.Signal {
	var all []os.Signal
	for _, name := range names {
		// A system does not have all of them.
		if s := unix.SignalNum(name); s != 0 && (s == unix.SIGINT || s == unix.SIGTERM || !signal.Ignored(s)) {
			all = append(all, s)
		}
	}
	return all
}

// by ends the program by a signal, as if it had not been taken.
func by(s os.Signal) {
	signal.Reset(s)
	_ = unix.Kill(unix.Getpid(), s.(unix.Signal))
}
