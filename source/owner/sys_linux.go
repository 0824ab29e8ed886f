package owner

import (
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"strconv"
	"unsafe"

	"golang.org/x/sys/unix"

	"ephtop/source/procfs"
)

// The wrappers of x/sys/unix for openat and readlinkat copy the path on each
// call; these take it as it is, ended by NUL, and allocate nothing.

func openat(dir int, path []byte, flags int) (int, error) {
	fd, _, errno := unix.Syscall6(unix.SYS_OPENAT, uintptr(dir), uintptr(unsafe.Pointer(&path[0])),
		uintptr(flags|unix.O_CLOEXEC), 0, 0, 0)
	runtime.KeepAlive(path)
	if errno != 0 {
		return -1, errno
	}
	return int(fd), nil
}

func readlinkat(dir int, path, buf []byte) (int, error) {
	n, _, errno := unix.Syscall6(unix.SYS_READLINKAT, uintptr(dir), uintptr(unsafe.Pointer(&path[0])),
		uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0, 0)
	runtime.KeepAlive(path)
	runtime.KeepAlive(buf)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// appendPath appends a number as a path ended by NUL.
func appendPath(b []byte, n int64) []byte {
	return append(strconv.AppendInt(b, n, 10), 0)
}

// isGone tells whether an error says that a process or descriptor has ended.
func isGone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH)
}

// isDenied tells whether an error says that we may not look.
func isDenied(err error) bool {
	return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)
}

// readNumbers appends the names in an open directory that are decimal
// numbers, in ascending order. buf is scratch space.
func readNumbers(dir int, buf []byte, numbers []int32) ([]int32, error) {
	from := len(numbers)
	for {
		n, err := unix.Getdents(dir, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil || n <= 0 {
			// The kernel lists /proc and /proc/PID/fd in order; a test's
			// fixture tree comes in any.
			if added := numbers[from:]; !slices.IsSorted(added) {
				slices.Sort(added)
			}
			return numbers, err
		}
		numbers = parseNumbers(buf[:n], numbers)
	}
}

// Offsets in struct linux_dirent64 (getdents(2)).
const (
	direntLength = 16
	direntName   = 19
)

// parseNumbers appends the names in a buffer of getdents64 that are decimal
// numbers.
func parseNumbers(b []byte, numbers []int32) []int32 {
	for len(b) > direntName {
		length := int(binary.NativeEndian.Uint16(b[direntLength:]))
		if length <= direntName || length > len(b) {
			return numbers
		}
		if n, rest, ok := procfs.ParseUint(b[direntName:length], 1<<31-1); ok && len(rest) > 0 && rest[0] == 0 {
			numbers = append(numbers, int32(n))
		}
		b = b[length:]
	}
	return numbers
}
