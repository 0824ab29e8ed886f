package netns

import (
	"fmt"

	"golang.org/x/sys/unix"

	"ephtop/source"
)

// Into gives what runs f in the namespace of a scope, on a thread of its own, as
// Lister.Away does. Path is a file that stands for it, "" where the scope is enough to
// find one. It is nil where the calling thread is in that namespace, or the scope has no
// number.
func Into(scope *source.Scope, path string) func(f func() error) error {
	if scope.Netns == 0 || inode("/proc/thread-self/ns/net") == scope.Netns {
		return nil
	}
	d := doors{netns: scope.Netns, err: fmt.Errorf("no way into the network namespace net:[%d]", scope.Netns)}
	for _, path := range []string{path, fmt.Sprintf("/proc/%d/ns/net", scope.PID), "/run/netns/" + scope.Name} {
		if inode(path) == scope.Netns {
			d.paths = append(d.paths, path)
		}
	}
	return d.away
}

// inode is the inode number of a file, 0 if it has none.
func inode(path string) uint64 {
	var st unix.Stat_t
	if unix.Stat(path, &st) != nil {
		return 0
	}
	return st.Ino
}
