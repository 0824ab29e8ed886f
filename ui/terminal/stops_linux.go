package terminal

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// stops are the signals that stop a process, and can be taken.
var stops = []os.Signal{syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU}

// byDefault does something while these signals stop the process as they do by
// default. Go leaves its handler there even after signal.Reset, so the kernel is
// told.
func byDefault(do func() error) error {
	for _, s := range stops {
		// Larger than a struct sigaction is anywhere; all zero is SIG_DFL.
		var none, before [8]uint64
		number := uintptr(s.(syscall.Signal))
		if _, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, number,
			uintptr(unsafe.Pointer(&none)), uintptr(unsafe.Pointer(&before)), unsafe.Sizeof(none[0]), 0, 0); errno != 0 {
			return os.NewSyscallError("rt_sigaction", errno)
		}
		defer func() {
			_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, number, uintptr(unsafe.Pointer(&before)), 0, unsafe.Sizeof(none[0]), 0, 0)
		}()
	}
	return do()
}
