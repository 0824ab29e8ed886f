//go:build amd64 || arm64

package tables

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/procfs"
	"ephtop/source/sysctl"
)

// selfTries is how often the self-test may fail: somebody may change a setting,
// or close our connection, while we look.
const selfTries = 3

// selfTest opens sockets of each kind in our own network namespace, and walks:
// they must come back exactly, and so must the settings and we ourselves as the
// owner. What cannot be opened, as on a host that is out of ports or whose
// loopback interface is down, is not tested.
func (e *Engine) selfTest() (err error) {
	for range selfTries {
		e.namespaces.reset() // reads the reserved ports anew
		if err = e.selfTestOnce(); err == nil {
			break
		}
	}
	e.namespaces.reset()
	return err
}

func (e *Engine) selfTestOnce() error {
	var c cast
	defer c.close()
	c.open()
	if len(c.want) == 0 {
		return errors.New("no socket can be opened to test with")
	}
	// All rows of a large host, only to find a few of them, would take more memory
	// than anything that comes later.
	e.tested = new(source.PortSet)
	defer func() { e.tested = nil }()
	for i := range c.want {
		e.tested.Add(c.want[i].socket.LocalPort)
	}
	s, err := e.own(c.fds[0])
	if err != nil {
		return err
	}
	for i := range c.want {
		x := &c.want[i]
		if x.socket.Timer == source.TimerTimeWait && e.dropsTimeWaits(s) {
			continue
		}
		if err := x.check(s); err != nil {
			return err
		}
	}
	if err := checkSettings(s); err != nil {
		return err
	}
	return e.checkOwner(&c.want[0])
}

// own walks the namespace of a socket.
func (e *Engine) own(fd int) (*source.Snapshot, error) {
	cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
	if err != nil {
		return nil, fmt.Errorf("ask for our network namespace: %w", err)
	}
	if err := e.list(); err != nil {
		return nil, err
	}
	for _, ns := range e.namespaces.list {
		if ns.scope.Cookie != cookie {
			continue
		}
		var m source.Moment
		if _, err := e.Walk(context.Background(), ns.scope.Netns, &m); err != nil {
			return nil, err
		}
		if len(m.Snapshots) == 1 {
			return &m.Snapshots[0], nil
		}
	}
	return nil, fmt.Errorf("our own network namespace is not among %d", len(e.namespaces.list))
}

// expected is a socket that the walk must find.
type expected struct {
	name    string
	fd      int
	socket  source.Socket
	blocked bool // it was bound, so that its port is blocked
}

// check reports in which field the socket differs from the row with its tuple.
func (x *expected) check(s *source.Snapshot) error {
	want := &x.socket
	var got *source.Socket
	for i := range s.Sockets {
		switch k := &s.Sockets[i]; {
		case k.Tuple() != want.Tuple():
		case got != nil:
			return fmt.Errorf("%s is there twice", x.name)
		default:
			got = k
		}
	}
	if got == nil {
		return fmt.Errorf("%s is missing among %d sockets", x.name, len(s.Sockets))
	}
	for _, field := range []struct {
		name      string
		got, want any
	}{
		{"state", got.State, want.State}, {"timer", got.Timer, want.Timer}, {"cookie", got.Cookie, want.Cookie},
		{"inode", got.Inode, want.Inode}, {"uid", got.UID, want.UID}, {"family", got.Family6, want.Family6},
		{"time left", got.Expires > selfLinger*1000, false},
	} {
		if field.got != field.want {
			return fmt.Errorf("%s: %s is %v, want %v", x.name, field.name, field.got, field.want)
		}
	}
	if x.blocked && !isBlocked(s, want.LocalPort) {
		return fmt.Errorf("%s: its port is not among %d blocked ones", x.name, len(s.Blocked))
	}
	return nil
}

// dropsTimeWaits reports whether a namespace has about as many as it may have
// (tcp_max_tw_buckets), so that ours may have been dropped.
func (e *Engine) dropsTimeWaits(s *source.Snapshot) bool {
	i := max(e.namespaces.find(uint32(s.Scope.Netns)), 0)
	return int(e.memory.namespaces[i].timeWaits) >= s.Settings.MaxTimeWait*7/8
}

func isBlocked(s *source.Snapshot, port uint16) bool {
	has := func(ports []uint16) bool { _, ok := slices.BinarySearch(ports, port); return ok }
	return has(s.Blocked) || slices.ContainsFunc(s.VRFs, func(v source.VRF) bool { return has(v.Blocked) })
}

// checkSettings compares with what /proc says, as far as it can be read.
func checkSettings(s *source.Snapshot) error {
	var m source.Moment
	var proc source.Snapshot
	if err := sysctl.New().Read(context.Background(), &m, &proc); err != nil || len(m.Limits) > 0 {
		return nil
	}
	got, want := s.Settings, proc.Settings
	if !slices.Equal(got.Reserved, want.Reserved) {
		return fmt.Errorf("reserved ports are %v, want %v", got.Reserved, want.Reserved)
	}
	got.Reserved, want.Reserved = nil, nil
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		return fmt.Errorf("settings are %s, want %s", g, w)
	}
	return nil
}

// checkOwner looks for ourselves among the owners.
func (e *Engine) checkOwner(x *expected) error {
	anyone := procfs.OwnPIDs() // our pid there is not the one that we know
	found := false
	err := e.Owners([]uint32{x.socket.Inode}, func(pid, fd int32, inode uint32) {
		found = found || inode == x.socket.Inode && int(fd) == x.fd && (anyone || int(pid) == os.Getpid())
	})
	if err == nil && !found {
		err = fmt.Errorf("%s: its owner was not found", x.name)
	}
	return err
}
