// Package memory says how much memory the program may take, keeps it within
// that, and says for how many sockets that is enough.
//
//	GOMEMLIMIT     what somebody set, as it is
//	control group  the least memory.max from our own up to the root (version 2),
//	               or memory.limit_in_bytes (version 1), less a fifth
//
// It must not know what the memory is for.
package memory

import (
	"bufio"
	"math"
	"os"
	"path"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
)

// Bound has the runtime keep within what the control group allows, if GOMEMLIMIT
// does not say better. What is mapped of files below root is told there: "/" but
// in tests.
func Bound(root string) {
	if Limit() > 0 {
		return
	}
	if most := ofCgroup(root); most > 0 {
		debug.SetMemoryLimit(most - max(most/5, min(most/2, beside)))
	}
}

// Limit is what the runtime keeps within, in bytes; 0 where there is no limit.
func Limit() int64 {
	if limit := debug.SetMemoryLimit(-1); limit < math.MaxInt64 {
		return limit
	}
	return 0
}

// beside is what is charged beside what the runtime knows of: maps of BPF, the
// kernel's own for us, and pages of the program.
const beside = 20 << 20

// What is needed without any socket, and for each that is kept in full: two
// moments of it, what the model makes of them and remembers, and the past.
const (
	base   = 16 << 20
	perRow = 800
	fewest = 1000
)

// Rows is for how many sockets a limit is enough, 0 for any number.
func Rows(limit int64) int {
	if limit <= 0 {
		return 0
	}
	return int(max(fewest, (limit-base)/perRow))
}

// Tuples is of how many tuples figures can be kept, beside so many sockets; 0 for
// any number. A row takes half of perRow where all go to few destinations, and
// six halves are enough for a tuple.
func Tuples(limit int64) int { return Rows(limit) / 6 }

// ofCgroup is the least limit of our control group and those above it, 0 for
// none.
func ofCgroup(root string) int64 {
	f, err := os.Open(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0
	}
	defer f.Close()
	least := int64(math.MaxInt64)
	for lines := bufio.NewScanner(f); lines.Scan(); {
		parts := strings.SplitN(lines.Text(), ":", 3) // number, controllers, path (cgroups(7))
		switch {
		case len(parts) < 3:
		case parts[1] == "":
			for _, mount := range []string{"sys/fs/cgroup", "sys/fs/cgroup/unified"} {
				least = min(least, leastOf(filepath.Join(root, mount), parts[2], "memory.max"))
			}
		case strings.Contains(","+parts[1]+",", ",memory,"):
			least = min(least, leastOf(filepath.Join(root, "sys/fs/cgroup/memory"), parts[2], "memory.limit_in_bytes"))
		}
	}
	if least >= unlimited {
		return 0
	}
	return least
}

// unlimited is more than any host has: version 1 says so for no limit.
const unlimited = 1 << 60

// leastOf is the least limit from a control group up to the root of the mount,
// which in a container is its own group, whatever the path says.
func leastOf(mount, group, file string) int64 {
	least := int64(math.MaxInt64)
	for group = path.Clean("/" + group); ; group = path.Dir(group) {
		text, err := os.ReadFile(filepath.Join(mount, group, file))
		if err == nil {
			if n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil {
				least = min(least, n) // "max" is none
			}
		}
		if group == "/" {
			return least
		}
	}
}
