package netns

import (
	"io"
	"os"
	"slices"

	"golang.org/x/sys/unix"
)

// mountTable knows the mounts of network namespaces. It reads them again when
// the kernel says that they changed.
type mountTable struct {
	path   string
	file   *os.File // kept: poll(2) on it tells of changes
	buf    []byte
	mounts []mount
	spare  []mount
}

// update brings the mounts up to date and reports whether they changed.
func (t *mountTable) update() (changed bool, err error) {
	if t.file == nil {
		if t.file, err = os.Open(t.path); err != nil {
			return false, err
		}
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
	fds := [1]unix.PollFd{{Fd: int32(t.file.Fd()), Events: unix.POLLPRI}}
	n, err := unix.Poll(fds[:], 0)
	return err == nil && n > 0
}

func (t *mountTable) read() error {
	if _, err := t.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	t.buf = t.buf[:0]
	for {
		t.buf = slices.Grow(t.buf, 4096)
		n, err := t.file.Read(t.buf[len(t.buf):cap(t.buf)])
		t.buf = t.buf[:len(t.buf)+n]
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func (t *mountTable) close() error {
	if t.file == nil {
		return nil
	}
	return t.file.Close()
}
