package netns

import (
	"bytes"
	"os"
	"path/filepath"

	"ephtop/source/procfs"
)

// sockstat is what we use of /proc/PID/net/sockstat.
type sockstat struct {
	used     int // sockets of any kind
	inuse    int // of these, TCP over IPv4 with a port
	udp      int
	timeWait int
	alloc    int // TCP sockets of the whole host
}

// Sockets returns how many sockets the network namespace of a process has, at
// most and as far as /proc/PID/net/sockstat tells: those without a port are among
// them. dir is the process's directory in /proc.
func Sockets(dir string) int {
	file, _ := os.ReadFile(filepath.Join(dir, "net/sockstat"))
	s, _ := parseSockstat(file)
	return s.bound()
}

// parseSockstat reads the file; what it does not hold is 0. It is not ok if the
// number of sockets is not there.
func parseSockstat(file []byte) (s sockstat, ok bool) {
	for line := range bytes.Lines(file) {
		name, rest, _ := bytes.Cut(line, []byte(":"))
		switch string(name) {
		case "sockets":
			s.used, ok = counter(rest, "used")
		case "TCP":
			s.inuse, _ = counter(rest, "inuse")
			s.timeWait, _ = counter(rest, "tw")
			s.alloc, _ = counter(rest, "alloc")
		case "UDP":
			s.udp, _ = counter(rest, "inuse")
		}
	}
	return s, ok
}

// parseTCP6 reads how many TCP sockets over IPv6 have a port from sockstat6.
func parseTCP6(file []byte) int {
	for line := range bytes.Lines(file) {
		if rest, ok := bytes.CutPrefix(line, []byte("TCP6:")); ok {
			n, _ := counter(rest, "inuse")
			return n
		}
	}
	return 0
}

// counter reads the number behind a name: "inuse 3 orphan 0". One below zero,
// which a count that several processors keep can be for a moment, is 0.
func counter(line []byte, name string) (int, bool) {
	for {
		line = bytes.TrimLeft(line, " ")
		word, rest, ok := bytes.Cut(line, []byte(" "))
		if !ok {
			return 0, false
		}
		if string(word) == name {
			if bytes.HasPrefix(rest, []byte("-")) {
				return 0, true
			}
			n, _, ok := procfs.ParseUint(rest, 1<<31-1)
			return int(n), ok
		}
		line = rest
	}
}

// bound is the most ports that any tuple can hold, and unexplained how many of
// the sockets have no port that the file tells of: those that are bound and no
// more are among them.
func (s *sockstat) bound() int       { return max(s.used, s.inuse) + s.timeWait }
func (s *sockstat) unexplained() int { return s.used - s.inuse - s.udp }
