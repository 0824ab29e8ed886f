package netns

import (
	"errors"
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"

	"ephtop/source/guard"
)

// visitor enters namespaces, on a thread of its own that is locked for life:
// it ends with its goroutine, and nothing else ever runs on it in a foreign
// namespace. It is opened by the first visit.
type visitor struct {
	visits chan func(*thread)
	done   chan struct{}
	err    error // why there is no thread any more
}

// thread is the visitor's thread.
type thread struct {
	net, uts int // the namespaces where it is at home: those of this process
	lost     error
}

// do runs f on the thread and waits.
func (v *visitor) do(f func(*thread) error) error {
	if v.err != nil {
		return v.err
	}
	if v.visits == nil {
		if err := v.start(); err != nil {
			return err // a want of descriptors passes
		}
	}
	var err error
	done := make(chan error, 1)
	v.visits <- func(t *thread) {
		err = guard.Do(func() error { return f(t) })
		done <- t.lost
	}
	if lost := <-done; lost != nil {
		v.close()
		v.err = fmt.Errorf("return from a network namespace: %w", lost)
	}
	return err
}

func (v *visitor) start() error {
	v.visits, v.done = make(chan func(*thread)), make(chan struct{})
	started := make(chan error, 1)
	go v.serve(started)
	err := <-started
	if err != nil {
		v.visits = nil
	}
	return err
}

func (v *visitor) serve(started chan<- error) {
	runtime.LockOSThread() // and never unlocked, but for the first thread
	if unix.Gettid() == unix.Getpid() {
		// The first thread stands for the process in /proc: it stays at home.
		next := make(chan struct{})
		go func() { defer close(next); v.serve(started) }()
		<-next
		runtime.UnlockOSThread()
		return
	}
	t := &thread{net: -1, uts: -1}
	defer close(v.done)
	defer func() { unix.Close(t.net); unix.Close(t.uts) }()
	var err1, err2 error
	t.net, err1 = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	t.uts, err2 = unix.Open("/proc/thread-self/ns/uts", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	err := errors.Join(err1, err2)
	started <- err
	if err != nil {
		return
	}
	for visit := range v.visits {
		visit(t)
	}
}

// close ends the thread and waits for it.
func (v *visitor) close() {
	if v.visits != nil {
		close(v.visits)
		<-v.done
		v.visits = nil
	}
	v.err = errors.New("closed")
}

// enter runs f in the network namespace that a file stands for, if that has the
// inode number netns: else the error is ErrGone. Nothing of it is kept: not the
// descriptor, and the thread is home again before it returns.
func (t *thread) enter(path string, netns uint64, f func() error) error {
	return t.within(path, netns, unix.CLONE_NEWNET, t.net, f)
}

func (t *thread) within(path string, inode uint64, kind, home int, f func() error) error {
	if t.lost != nil {
		return t.lost
	}
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && st.Ino != inode {
		err = ErrGone
	}
	if err == nil {
		err = unix.Setns(fd, kind)
	}
	unix.Close(fd)
	if err != nil {
		return err
	}
	err = guard.Do(f) // home again, whatever it does
	t.lost = unix.Setns(home, kind)
	return err
}

// hostname gives the host name that a process sees, "" where that is ours or
// may not be asked.
func (v *visitor) hostname(proc string) string {
	var name string
	v.do(func(t *thread) error {
		var ours, theirs unix.Stat_t
		if unix.Fstat(t.uts, &ours) != nil || unix.Stat(proc+"/ns/uts", &theirs) != nil || ours.Ino == theirs.Ino {
			return nil
		}
		var home, there unix.Utsname
		if err := unix.Uname(&home); err != nil {
			return err
		}
		err := t.within(proc+"/ns/uts", theirs.Ino, unix.CLONE_NEWUTS, t.uts, func() error { return unix.Uname(&there) })
		if err == nil && there.Nodename != home.Nodename {
			name = unix.ByteSliceToString(there.Nodename[:])
		}
		return err
	})
	return name
}
