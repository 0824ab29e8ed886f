package netns

import (
	"bytes"
	"path"
	"slices"
	"strings"
)

// hierarchy is a mounted tree of control groups.
type hierarchy struct {
	controllers []string // of version 1, or its name; none for version 2
	root        string   // which group is mounted
	dir         string   // where
}

// unified reports whether the tree is of version 2.
func (h *hierarchy) unified() bool { return len(h.controllers) == 0 }

// at gives the directory of a group by its path in /proc/PID/cgroup, "" where
// the mount does not show it.
func (h *hierarchy) at(group string) string {
	below, ok := strings.CutPrefix(group, strings.TrimSuffix(h.root, "/"))
	if !ok || below != "" && below[0] != '/' || slices.Contains(strings.Split(below, "/"), "..") {
		return ""
	}
	return path.Join(h.dir, below)
}

// parseHierarchies reads the mounts of control groups from
// /proc/self/mountinfo.
func parseHierarchies(file []byte) []hierarchy {
	var list []hierarchy
	for line := range bytes.Lines(file) {
		before, after, ok := strings.Cut(string(line), " - cgroup")
		mounted, super := strings.Fields(before), strings.Fields(after)
		if !ok || len(mounted) < 5 {
			continue
		}
		h := hierarchy{root: unescape(mounted[3]), dir: unescape(mounted[4])}
		switch {
		case strings.HasPrefix(after, "2 "):
		case strings.HasPrefix(after, " ") && len(super) >= 2:
			h.controllers = strings.Split(super[len(super)-1], ",")
		default:
			continue
		}
		list = append(list, h)
	}
	return list
}

// find gives the tree that a line of /proc/PID/cgroup is about, nil for none.
func find(list []hierarchy, line cgroupLine) *hierarchy {
	first, _, _ := strings.Cut(string(line.controllers), ",")
	for i := range list {
		if h := &list[i]; h.unified() == line.unified() && (h.unified() || slices.Contains(h.controllers, first)) {
			return h
		}
	}
	return nil
}
