package owner

import (
	"bytes"
	"errors"

	"golang.org/x/sys/unix"

	"ephtop/source/procfs"
)

// isGone tells whether an error says that a process or descriptor has ended.
func isGone(err error) bool {
	return errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ESRCH)
}

// isDenied tells whether an error says that we may not look.
func isDenied(err error) bool {
	return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM)
}

// parseLink reads the target of a link in /proc/PID/fd: "socket:[123]" gives
// 123, everything else is not a socket (sockfs_dname in net/socket.c).
func parseLink(link []byte) (inode uint32, ok bool) {
	digits, ok := bytes.CutPrefix(link, []byte("socket:["))
	if !ok {
		return 0, false
	}
	n, rest, ok := procfs.ParseUint(digits, 1<<32-1)
	if !ok || n == 0 || len(rest) != 1 || rest[0] != ']' {
		return 0, false
	}
	return uint32(n), true
}
