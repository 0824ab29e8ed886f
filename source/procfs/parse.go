package procfs

import (
	"bytes"
	"errors"
)

// MaxCommand is how much of a command line is kept, in bytes.
const MaxCommand = 4096

// ParseUint reads the decimal digits that b begins with, without leading
// zeros, and gives what follows them. It is false where there are none or the
// number is above limit.
func ParseUint(b []byte, limit uint64) (n uint64, rest []byte, ok bool) {
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

// Stat is what we use of /proc/PID/stat (proc_pid_stat(5)).
type Stat struct {
	Comm  []byte // part of the input
	Flags uint64 // field 9, the PF_ flags of linux/sched.h
	Start uint64 // field 22, clock ticks since boot
}

// Kernel reports whether it is one of the kernel's own threads.
func (s *Stat) Kernel() bool { return s.Flags&0x200000 != 0 } // PF_KTHREAD

// Exiting reports whether it ends or has ended, and its parent was not told yet.
func (s *Stat) Exiting() bool { return s.Flags&0x4 != 0 } // PF_EXITING

// ErrStat says that the file is none of the kernel's.
var ErrStat = errors.New("malformed stat of a process")

// ParseStat reads /proc/PID/stat. The name in the second field may hold
// anything, parentheses, blanks and newlines too, but none of the fields
// behind it holds a parenthesis.
func ParseStat(b []byte) (Stat, error) {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open {
		return Stat{}, ErrStat
	}
	s := Stat{Comm: b[open+1 : end]}
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
				return Stat{}, ErrStat
			}
			continue
		}
		n, tail, ok := ParseUint(word, 1<<64-1)
		if !ok || len(tail) != 0 {
			return Stat{}, ErrStat
		}
		if field == 9 {
			s.Flags = n
		} else {
			s.Start = n
		}
	}
	return s, nil
}

// Status is what we use of /proc/PID/status (proc_pid_status(5)).
type Status struct {
	PID int32  // of the process that a thread belongs to
	UID uint32 // effective, as ps shows it
	// NSPID is the pid in the innermost pid namespace, where that is another
	// than the reader's; else 0.
	NSPID int32
}

// ParseStatus reads /proc/PID/status, also that of a thread.
func ParseStatus(b []byte) (Status, bool) {
	pid, ok := statusField(b, "Tgid:", 0, 1<<31-1)
	if !ok || pid == 0 {
		return Status{}, false
	}
	uid, ok := statusField(b, "Uid:", 1, 1<<32-1)
	return Status{int32(pid), uint32(uid), innerPID(b)}, ok
}

// innerPID reads the last number of the line "NSpid:", which has one for each
// pid namespace, from the reader's inwards.
func innerPID(b []byte) int32 {
	inner := uint64(0)
	for nth := 1; ; nth++ {
		n, ok := statusField(b, "NSpid:", nth, 1<<31-1)
		if !ok {
			return int32(inner)
		}
		inner = n
	}
}

// statusField reads the nth number of a line, from 0.
func statusField(b []byte, name string, nth int, limit uint64) (uint64, bool) {
	for line := range bytes.Lines(b) {
		numbers, ok := bytes.CutPrefix(line, []byte(name))
		if !ok {
			continue
		}
		for ; ; nth-- {
			n, rest, ok := ParseUint(bytes.TrimLeft(numbers, "\t "), limit)
			if !ok || nth == 0 {
				return n, ok
			}
			numbers = rest
		}
	}
	return 0, false
}

// JoinCommand turns /proc/PID/cmdline into one line, in place: arguments are
// ended by NUL there, and programs that rewrite theirs leave many at the end.
func JoinCommand(b []byte) []byte {
	b = bytes.TrimRight(b[:min(len(b), MaxCommand)], "\x00")
	for i, c := range b {
		if c == 0 {
			b[i] = ' '
		}
	}
	return b
}
