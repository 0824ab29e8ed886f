package sysctl

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// ErrGone says that the network namespace of a reader that Keep made has ended.
var ErrGone = errors.New("the network namespace has ended")

// keptFile is a file that is kept open, or why it could not be opened.
type keptFile struct {
	fd  int
	err error
}

// Keep makes a reader of the settings of the calling thread's network namespace
// that tells of it from any other, until it is closed: a file of /proc/sys/net
// is of the namespace in which it was opened, and unlike most else that could be
// kept it does not hold that up. Once it has ended, Read says ErrGone.
//
// Readers that are used in turn can share the memory of one scratch.
func Keep(scratch *[]byte) (*Reader, error) {
	r := New()
	r.kept, r.buf = new([numFiles]keptFile), scratch
	for i := range r.kept {
		f := &r.kept[i]
		if f.fd, f.err = unix.Open(r.paths[i], unix.O_RDONLY|unix.O_CLOEXEC, 0); f.err != nil && !isAbsent(f.err) {
			r.Close()
			return nil, fmt.Errorf("read %s: %w", names[i], f.err)
		}
	}
	return r, nil
}

// Alive is ErrGone once the namespace of a reader that Keep made has ended, and
// costs a sixth of a Read.
func (r *Reader) Alive() error {
	var b [1]byte
	if _, err := r.readOnce(localRange, b[:]); err == unix.ENOENT && r.kept[localRange].err == nil {
		return ErrGone
	}
	return nil
}

// Close closes the files that are kept open.
func (r *Reader) Close() {
	if r.kept == nil {
		return
	}
	for i := range r.kept {
		if f := &r.kept[i]; f.err == nil && f.fd > 0 {
			unix.Close(f.fd)
		}
		r.kept[i] = keptFile{err: unix.EBADF}
	}
}
