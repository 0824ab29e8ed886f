package live

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"ephtop/source/netlab"
)

// asSandboxed has a poller be refused readlinkat(2) and bpf(2) before it polls.
const asSandboxed = "EPHTOP_TEST_SANDBOX"

// refuseLinks installs a filter of system calls for all threads.
func refuseLinks() error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	refuse := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.EPERM)}
	unless := func(number uint32) unix.SockFilter {
		return unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: number}
	}
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS}, // the number of the call
		unless(unix.SYS_READLINKAT), refuse, unless(unix.SYS_BPF), refuse,
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	prog := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, unix.SECCOMP_FILTER_FLAG_TSYNC, uintptr(unsafe.Pointer(&prog)))
	if errno != 0 {
		return errno
	}
	return nil
}

// Root in a sandbox, which finds no process for any socket, is told so by every
// source.
func TestASandboxIsTold(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	h := netlab.New(t, "")
	h.Hold("127.0.0.1:80", 1)
	for _, kind := range []string{Sockdiag, Portable} {
		t.Run(kind, func(t *testing.T) {
			got := h.Output("env", asPoller+"="+kind+" self", asSandboxed+"=yes", netlab.ReadableSelf(t))
			if !strings.Contains(got, "processes-hidden ") {
				t.Errorf("not seen: %q, want that processes are hidden", got)
			}
		})
	}
}
