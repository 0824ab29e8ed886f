package netns

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// accepted says what Resolve takes, and its callers beside it.
const accepted = "use all, self, or the name, process id or path of a network namespace"

// Resolve finds the namespace that a person names: by a process in it, by a
// file that stands for it, by its name below /run/netns, or by the name that the
// list has for it. The error is one line.
func (l *Lister) Resolve(ctx context.Context, arg string) (Namespace, error) {
	list, err := l.Update(ctx)
	if err != nil {
		return Namespace{}, err
	}
	if strings.Contains(arg, "/") {
		return l.resolvePath(ctx, arg)
	}
	if pid, err := strconv.ParseInt(arg, 10, 32); err == nil {
		if p, ok := l.look(int32(pid)); ok && p.netns != 0 && p.start != 0 {
			if s := l.spaces[p.netns]; s != nil {
				return s.Namespace, nil
			}
			return l.resolvePath(ctx, fmt.Sprintf("%s/%d/ns/net", l.proc.Root, pid)) // of a thread
		}
	}
	if path := l.root + "/run/netns/" + arg; arg != "" && arg != "." && arg != ".." {
		if there, err := l.number(path); there != 0 || err != nil {
			return l.resolvePath(ctx, path)
		}
	}
	var found []Namespace
	for _, n := range list {
		if n.Scope.Name == arg {
			found = append(found, n)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Namespace{}, fmt.Errorf("unknown network namespace %q: %s", arg, accepted)
	}
	return Namespace{}, fmt.Errorf("%d network namespaces are called %q: use the process id of one, such as %d or %d",
		len(found), arg, found[0].Oldest, found[1].Oldest)
}

// resolvePath finds the namespace that a file stands for, and watches it.
func (l *Lister) resolvePath(ctx context.Context, path string) (Namespace, error) {
	netns, err := l.identify(path)
	if err != nil {
		return Namespace{}, fmt.Errorf("network namespace %q: %w", path, err)
	}
	if l.spaces[netns] == nil {
		l.Watch(path)
		if _, err := l.Update(ctx); err != nil {
			return Namespace{}, err
		}
	}
	if s := l.spaces[netns]; s != nil {
		return s.Namespace, nil
	}
	return Namespace{}, fmt.Errorf("network namespace %q: %w", path, ErrGone)
}

// errNoNamespace says that a file is something else.
var errNoNamespace = errors.New("it is no network namespace")

// identify does what the function does, but does not wait for a file server.
func (l *Lister) identify(path string) (uint64, error) {
	var netns uint64
	var err error
	if late := l.paths.Do(path, func() { netns, err = identify(path) }); late != nil {
		return 0, late
	}
	return netns, err
}

// identify gives the inode number of the network namespace that a file stands
// for.
func identify(path string) (uint64, error) {
	var fs unix.Statfs_t
	if err := unix.Statfs(path, &fs); err != nil {
		return 0, err
	}
	if fs.Type != unix.NSFS_MAGIC { // not opened: it may be a pipe
		return 0, errNoNamespace
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	if kind, err := unix.IoctlRetInt(fd, unix.NS_GET_NSTYPE); err != nil || kind != unix.CLONE_NEWNET {
		return 0, errNoNamespace
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	return st.Ino, err
}
