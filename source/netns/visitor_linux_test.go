package netns

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source/guard"
	"ephtop/source/netlab"
	"ephtop/source/procfs"
)

// A fault in a foreign namespace is an error; the thread is home again.
func TestAFaultOfAVisit(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "")
	var v visitor
	defer v.close()
	home := procfs.Netns(unix.AT_FDCWD, "/proc/self/ns/net")
	away := procfs.Netns(unix.AT_FDCWD, h.Path())
	var fault *guard.Panic
	err := v.do(func(t *thread) error { return t.enter(h.Path(), away, func() error { panic("away") }) })
	if !errors.As(err, &fault) {
		t.Errorf("%v, want the fault", err)
	}
	if err := v.do(func(t *thread) error {
		if at := procfs.Netns(unix.AT_FDCWD, "/proc/thread-self/ns/net"); at != home {
			return errors.New("the thread is not home")
		}
		panic("at home")
	}); !errors.As(err, &fault) {
		t.Errorf("%v, want the fault", err)
	}
}
