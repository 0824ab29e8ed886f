package trace

import (
	"bytes"
	"strconv"
	"strings"
)

// stat is what we use of /proc/PID/stat (proc_pid_stat(5)).
type stat struct {
	comm  string
	start uint64 // field 22, clock ticks since boot
}

// parseStat reads /proc/PID/stat. The name in the second field may hold
// anything, but none of the fields behind it holds a parenthesis.
func parseStat(b []byte) (stat, bool) {
	open, end := bytes.IndexByte(b, '('), bytes.LastIndexByte(b, ')')
	if open < 0 || end < open {
		return stat{}, false
	}
	const firstField, startField = 3, 22
	fields := bytes.Fields(b[end+1:])
	if len(fields) <= startField-firstField {
		return stat{}, false
	}
	start, err := strconv.ParseUint(string(fields[startField-firstField]), 10, 64)
	return stat{string(b[open+1 : end]), start}, err == nil
}

// status is what we use of /proc/PID/status (proc_pid_status(5)).
type status struct {
	pid int32  // of the process that the thread belongs to
	uid uint32 // effective, as ps shows it
}

func parseStatus(b []byte) (status, bool) {
	pid, ok := statusField(b, "Tgid:", 0, 31)
	if !ok || pid == 0 {
		return status{}, false
	}
	uid, ok := statusField(b, "Uid:", 1, 32)
	return status{int32(pid), uint32(uid)}, ok
}

// statusField reads the nth number of a line.
func statusField(b []byte, name string, nth, bits int) (uint64, bool) {
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			words := bytes.Fields(rest)
			if nth >= len(words) {
				return 0, false
			}
			n, err := strconv.ParseUint(string(words[nth]), 10, bits)
			return n, err == nil
		}
	}
	return 0, false
}

// maxCommand is how much of a command line is kept, in bytes.
const maxCommand = 4096

// joinCommand turns /proc/PID/cmdline, arguments ended by NUL, into one line.
func joinCommand(b []byte) string {
	b = bytes.TrimRight(b[:min(len(b), maxCommand)], "\x00")
	return strings.ReplaceAll(string(b), "\x00", " ")
}

// parseComms reads the file saved_cmdlines of tracefs: a thread id and its
// name on each line.
func parseComms(text string) map[int32]string {
	comms := make(map[int32]string)
	for line := range strings.Lines(text) {
		digits, comm, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		tid, err := strconv.ParseInt(digits, 10, 32)
		if ok && err == nil {
			comms[int32(tid)] = comm
		}
	}
	return comms
}
