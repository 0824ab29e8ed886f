package procfs

import (
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"unsafe"

	"golang.org/x/sys/unix"
)

// ReadNumbers appends the names in an open directory that are decimal
// numbers, in ascending order. buf is scratch space.
func ReadNumbers(dir int, buf []byte, numbers []int32) ([]int32, error) {
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
		if n, rest, ok := ParseUint(b[direntName:length], 1<<31-1); ok && len(rest) > 0 && rest[0] == 0 {
			numbers = append(numbers, int32(n))
		}
		b = b[length:]
	}
	return numbers
}

// ReadlinkAt is for readlinkat(2) what OpenAt is for openat(2).
func ReadlinkAt(dir int, path, buf []byte) (int, error) {
	n, _, errno := unix.Syscall6(unix.SYS_READLINKAT, uintptr(dir), uintptr(unsafe.Pointer(&path[0])),
		uintptr(unsafe.Pointer(&buf[0])), uintptr(len(buf)), 0, 0)
	runtime.KeepAlive(path)
	runtime.KeepAlive(buf)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}
