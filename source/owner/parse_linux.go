package owner

import (
	"bytes"

	"ephtop/source/procfs"
)

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
