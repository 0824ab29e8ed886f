package netns

import (
	"slices"

	"golang.org/x/sys/unix"
)

// mountTable knows the mounts of network namespaces. It reads them again when
// the kernel says that they changed.
type mountTable struct {
	path string
	// fd is kept: poll(2) on it tells of changes, to the first who asks. An
	// os.File would have the runtime ask.
	fd     int
	opened bool
	buf    []byte
	mounts []mount
	spare  []mount
}

// update brings the mounts up to date and reports whether they changed.
func (t *mountTable) update() (changed bool, err error) {
	if !t.opened {
		if t.fd, err = unix.Open(t.path, unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
			return false, err
		}
		t.opened = true
	} else if !t.stirred() {
		return false, nil
	}
	if err := t.read(); err != nil {
		return false, err
	}
	t.spare = parseMounts(t.spare[:0], t.buf)
	changed = !slices.Equal(t.spare, t.mounts)
	t.spare, t.mounts = t.mounts, t.spare
	return changed, nil
}

// stirred reports whether anything was mounted or unmounted since the last read.
func (t *mountTable) stirred() bool {
	fds := [1]unix.PollFd{{Fd: int32(t.fd), Events: unix.POLLPRI}}
	n, err := unix.Poll(fds[:], 0)
	return err == nil && n > 0
}

func (t *mountTable) read() error {
	t.buf = t.buf[:0]
	for {
		t.buf = slices.Grow(t.buf, 4096)
		n, err := unix.Pread(t.fd, t.buf[len(t.buf):cap(t.buf)], int64(len(t.buf)))
		if err != nil || n == 0 {
			return err
		}
		t.buf = t.buf[:len(t.buf)+n]
	}
}

func (t *mountTable) close() error {
	if !t.opened {
		return nil
	}
	t.opened = false
	return unix.Close(t.fd)
}
