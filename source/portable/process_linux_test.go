package portable

import (
	"context"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source"
)

func TestStartOf(t *testing.T) {
	own, err := newDescriber().start(context.Background(), int32(os.Getpid()))
	if err != nil || own == 0 {
		t.Errorf("this process: %d, %v", own, err)
	}
	if _, err := newDescriber().start(context.Background(), -1); !os.IsNotExist(err) {
		t.Errorf("no process: %v, want not-exist", err)
	}
}

// The namespace has the name that events of package trace give it.
func TestNetns(t *testing.T) {
	t.Parallel()
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/net", &st); err != nil {
		t.Fatal(err)
	}
	var m source.Moment
	poll(t, New(), &m)
	if got := m.Snapshots[0].Scope.Netns; got != st.Ino {
		t.Errorf("snapshot of namespace %d, want %d", got, st.Ino)
	}
}
