package netns

import (
	"bytes"
	"strings"

	"ephtop/source/procfs"
)

// mount is a network namespace that is mounted on a file.
type mount struct {
	id    uint64 // of the mount
	netns uint64
	path  string
}

// parseMounts appends the mounts of network namespaces that
// /proc/self/mountinfo lists (proc_pid_mountinfo(5)).
func parseMounts(mounts []mount, file []byte) []mount {
	for line := range bytes.Lines(file) {
		if !bytes.Contains(line, []byte(" - nsfs ")) {
			continue
		}
		field := bytes.Fields(line)
		if len(field) < 7 {
			continue
		}
		id, rest, ok1 := procfs.ParseUint(field[0], 1<<63-1)
		netns, ok2 := parseLink(field[3])
		if ok1 && ok2 && len(rest) == 0 {
			mounts = append(mounts, mount{id, netns, unescape(string(field[4]))})
		}
	}
	return mounts
}

// parseLink reads what /proc/PID/ns/net links to: "net:[4026531840]".
func parseLink(link []byte) (netns uint64, ok bool) {
	digits, ok := bytes.CutPrefix(link, []byte("net:["))
	if !ok {
		return 0, false
	}
	n, rest, ok := procfs.ParseUint(digits, 1<<64-1)
	return n, ok && n > 0 && string(rest) == "]"
}

// name is what people call the mount: its file, where it is below a directory
// for that. rank says which of several mounts has the better name.
func (m *mount) name() string { return m.path[strings.LastIndexByte(m.path, '/')+1:] }

func (m *mount) rank() int {
	switch {
	case !m.byHand():
		return 0
	case strings.HasPrefix(m.name(), "cni-"):
		return 1
	}
	return 2
}

// byHand reports whether the mount is where ip-netns(8) puts it.
func (m *mount) byHand() bool {
	return strings.HasPrefix(m.path, "/run/netns/") || strings.HasPrefix(m.path, "/var/run/netns/")
}
