//go:build amd64 || arm64

package tables

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/cilium/ebpf/btf"
	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
	"ephtop/source/procfs"
)

func TestMain(m *testing.M) {
	netlab.Main()
	os.Exit(m.Run())
}

// each runs a test with each variant that this kernel has.
func each(t *testing.T, f func(t *testing.T, e *Engine)) {
	t.Helper()
	for _, v := range variants {
		t.Run(v.name, func(t *testing.T) { f(t, engine(t, v)) })
	}
}

// engine loads a variant, tested. It is closed when the test ends.
func engine(t testing.TB, v *variant) *Engine {
	t.Helper()
	e, err := load(v, btf.NewCache())
	switch {
	case errors.Is(err, unix.EPERM):
		t.Skipf("needs CAP_BPF and CAP_PERFMON: %v", err)
	case err != nil && v.name == "direct" && olderThan(6, 2):
		t.Skipf("this kernel has no bpf_rdonly_cast: %v", shorten(err))
	case err != nil:
		t.Fatal(shorten(err))
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

func olderThan(major, minor int) bool {
	before, ok := procfs.ReleaseBefore(procfs.Release(), major, minor)
	return ok && before
}

// walk walks one namespace, or all for nil, into a new moment.
func walk(t testing.TB, e *Engine, h *netlab.Host) *source.Moment {
	t.Helper()
	m := new(source.Moment)
	only := uint64(0)
	if h != nil {
		only = inode(t, h)
	}
	if _, err := e.Walk(context.Background(), only, m); err != nil {
		t.Fatal(err)
	}
	return m
}

// inode is the number of a namespace.
func inode(t testing.TB, h *netlab.Host) uint64 {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(h.Path(), &st); err != nil {
		t.Fatal(err)
	}
	return st.Ino
}

// snapshot picks the one of a namespace.
func snapshot(t testing.TB, m *source.Moment, h *netlab.Host) *source.Snapshot {
	t.Helper()
	for i := range m.Snapshots {
		if s := &m.Snapshots[i]; s.Scope.Netns == inode(t, h) {
			return s
		}
	}
	t.Fatalf("the namespace is not among %d", len(m.Snapshots))
	return nil
}

func TestTheSelfTestTestsAllKinds(t *testing.T) {
	h := netlab.New(t, "")
	each(t, func(t *testing.T, e *Engine) {
		err := h.Do(func() error {
			var c cast
			defer c.close()
			c.open()
			if len(c.want) != 6 {
				t.Errorf("%d kinds of socket: %+v", len(c.want), c.want)
			}
			return e.selfTest()
		})
		if err != nil {
			t.Error(err)
		}
		m := walk(t, e, h)
		if n := len(m.Room); n != 0 {
			t.Errorf("the self-test left %d sockets: %+v", n, m.Room)
		}
	})
}
