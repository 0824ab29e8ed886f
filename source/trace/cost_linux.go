package trace

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// Measured runs f and returns how long that took of a processor. It is the
// thread's own time, since the clock goes on while others have their turn.
func Measured(f func()) time.Duration {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := threadTime()
	f()
	return threadTime() - began
}

func threadTime() time.Duration {
	var ts unix.Timespec
	unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &ts) // Linux has it since 2.6.12
	return time.Duration(ts.Nano())
}
