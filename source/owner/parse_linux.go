package owner

import (
	"bytes"
	"errors"
)

// maxCommand is how much of a command line is kept, in bytes.
const maxCommand = 4096

// parseUint reads the decimal digits that b begins with, without leading
// zeros, and gives what follows them. It is false where there are none or the
// number is above limit.
func parseUint(b []byte, limit uint64) (n uint64, rest []byte, ok bool) {
	i := 0
	for ; i < len(b) && '0' <= b[i] && b[i] <= '9'; i++ {
		digit := uint64(b[i] - '0')
		if n > (limit-digit)/10 || i > 0 && n == 0 {
			return 0, nil, false
		}
		n = 10*n + digit
	}
	return n, b[i:], i > 0
}

// parseLink reads the target of a link in /proc/PID/fd: "socket:[123]" gives
// 123, everything else is not a socket (sockfs_dname in net/socket.c).
func parseLink(link []byte) (inode uint32, ok bool) {
	digits, ok := bytes.CutPrefix(link, []byte("socket:["))
	if !ok {
		return 0, false
	}
	n, rest, ok := parseUint(digits, 1<<32-1)
	if !ok || n == 0 || len(rest) != 1 || rest[0] != ']' {
		return 0, false
	}
	return uint32(n), true
}

// stat is what we use of /proc/PID/stat (proc_pid_stat(5)).
type stat struct {
	comm  []byte // part of the input
	flags uint64 // field 9, the PF_ flags of linux/sched.h
	start uint64 // field 22, clock ticks since boot
}

var errStat = errors.New("malformed stat of a process")

// parseStat reads /proc/PID/stat. The name in the second field may hold
// anything, parentheses, blanks and newlines too, but none of the fields
// behind it holds a parenthesis.
func parseStat(b []byte) (stat, error) {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open {
		return stat{}, errStat
	}
	s := stat{comm: b[open+1 : end]}
	rest := b[end+1:]
	for field := 3; field <= 22; field++ {
		rest = bytes.TrimLeft(rest, " ")
		word := rest
		if i := bytes.IndexAny(rest, " \n"); i >= 0 {
			word = rest[:i]
		}
		rest = rest[len(word):]
		if field != 9 && field != 22 {
			if len(word) == 0 {
				return stat{}, errStat
			}
			continue
		}
		n, tail, ok := parseUint(word, 1<<64-1)
		if !ok || len(tail) != 0 {
			return stat{}, errStat
		}
		if field == 9 {
			s.flags = n
		} else {
			s.start = n
		}
	}
	return s, nil
}

// parseUID finds the effective user in /proc/PID/status, the one that ps
// shows too.
func parseUID(b []byte) (uint32, bool) {
	for line := range bytes.Lines(b) {
		ids, ok := bytes.CutPrefix(line, []byte("Uid:"))
		if !ok {
			continue
		}
		_, rest, ok := parseUint(bytes.TrimLeft(ids, "\t "), 1<<32-1)
		if !ok {
			return 0, false
		}
		uid, _, ok := parseUint(bytes.TrimLeft(rest, "\t "), 1<<32-1)
		return uint32(uid), ok
	}
	return 0, false
}

// joinCommand turns /proc/PID/cmdline into one line, in place: arguments are
// ended by NUL there, and programs that rewrite theirs leave many at the end.
func joinCommand(b []byte) []byte {
	b = bytes.TrimRight(b[:min(len(b), maxCommand)], "\x00")
	for i, c := range b {
		if c == 0 {
			b[i] = ' '
		}
	}
	return b
}
