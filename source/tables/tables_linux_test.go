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

// of returns what tells whether a namespace is that of a host. Its number is
// not enough: the kernel gives a new namespace that of one that ended just now,
// whose TIME_WAITs and events are still told.
func of(t testing.TB, h *netlab.Host) func(netns, cookie uint64) bool {
	t.Helper()
	var want uint64
	err := h.Do(func() error {
		return withSocket(unix.AF_INET, unix.SOCK_DGRAM, 0, func(fd int) (err error) {
			want, err = unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_NETNS_COOKIE)
			if err == unix.ENOPROTOOPT { // before Linux 5.14
				return nil
			}
			return err
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	number := inode(t, h)
	return func(netns, cookie uint64) bool { return netns == number && (want == 0 || cookie == want) }
}

// snapshot picks the one of a namespace.
func snapshot(t testing.TB, m *source.Moment, h *netlab.Host) *source.Snapshot {
	t.Helper()
	mine := of(t, h)
	for i := range m.Snapshots {
		if s := &m.Snapshots[i]; mine(s.Scope.Netns, s.Scope.Cookie) {
			return s
		}
	}
	t.Fatalf("the namespace is not among %d", len(m.Snapshots))
	return nil
}

func TestTheSelfTestTestsAllKinds(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "")
	each(t, func(t *testing.T, e *Engine) {
		most := 0
		err := h.Do(func() error {
			for range 20 { // it does not wait long for its own packets
				var c cast
				c.open()
				most = max(most, len(c.want))
				c.close()
			}
			return e.selfTest()
		})
		if err != nil || most != 6 {
			t.Errorf("%d kinds, %v", most, err)
		}
		if m := walk(t, e, h); len(m.Room) != 0 {
			t.Errorf("the self-test left %d sockets: %+v", len(m.Room), m.Room)
		}
	})
}

// A self-test that finds a difference says in which field.
func TestTheSelfTestSaysWhatDiffers(t *testing.T) {
	t.Parallel()
	want := source.Socket{Local: source.Addr{15: 1}, LocalPort: 40000, State: source.Listen, Inode: 7, UID: 1000, Cookie: 9}
	for _, test := range []struct {
		change func(s *source.Snapshot)
		want   string
	}{
		{func(*source.Snapshot) {}, ""},
		{func(s *source.Snapshot) { s.Sockets[0].Inode = 8 }, "it: inode is 8, want 7"},
		{func(s *source.Snapshot) { s.Sockets[0].State = source.Bound }, "it: state is BOUND, want LISTEN"},
		{func(s *source.Snapshot) { s.Sockets[0].UID = 0 }, "it: uid is 0, want 1000"},
		{func(s *source.Snapshot) { s.Sockets = append(s.Sockets, s.Sockets[0]) }, "it is there twice"},
		{func(s *source.Snapshot) { s.Sockets[0].LocalPort++ }, "it is missing among 1 sockets"},
		{func(s *source.Snapshot) { s.Blocked = []uint16{39999, 40001} }, "it: its port is not among 2 blocked ones"},
	} {
		s := source.Snapshot{Sockets: []source.Socket{want}, Blocked: []uint16{40000}}
		test.change(&s)
		got := ""
		if err := (&expected{name: "it", socket: want, blocked: true}).check(&s); err != nil {
			got = err.Error()
		}
		if got != test.want {
			t.Errorf("%q, want %q", got, test.want)
		}
	}
}
