//go:build amd64 || arm64

package tables

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
	"ephtop/source/sysctl"
)

// settings are those of a namespace by /proc.
func settings(t *testing.T, h *netlab.Host) source.Settings {
	t.Helper()
	var m source.Moment
	var s source.Snapshot
	h.Must(func() error { return sysctl.New().Read(context.Background(), &m, &s) })
	return s.Settings
}

// Every namespace comes with its own sockets and its own settings, and all
// sockets lie in one piece of memory.
func TestManyNamespaces(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e *Engine) {
		hosts := make([]*netlab.Host, 40)
		for i := range hosts {
			hosts[i] = netlab.New(t, fmt.Sprintf("%d %d", 20000+i, 30001+i))
			hosts[i].Sysctl("net.ipv4.tcp_tw_reuse", fmt.Sprint(i%3))
			hosts[i].Sysctl("net.ipv4.tcp_timestamps", fmt.Sprint(i%2))
			hosts[i].Sysctl("net.ipv4.tcp_max_tw_buckets", fmt.Sprint(1000+i))
			hosts[i].Sysctl("net.ipv4.ip_local_reserved_ports", fmt.Sprintf("0,63,64,%d-%d,65535", 100*i+70, 100*i+500))
			hosts[i].Listen("127.0.0.1:80")
			if _, err := hosts[i].Fill("127.0.0.1:80", 2*i); err != nil {
				t.Fatal(err)
			}
		}
		for range 2 { // another is the largest in the second
			m := walk(t, e, nil)
			end := 0
			for _, s := range m.Snapshots {
				end += len(s.Sockets)
			}
			if end != len(m.Room) {
				t.Errorf("%d sockets in %d", end, len(m.Room))
			}
			for i, h := range hosts {
				s := snapshot(t, m, h)
				want := dump(t, dumper(t, h)).rows
				if len(s.Sockets) != 4*i+1 || len(want) != len(s.Sockets) {
					t.Errorf("%d sockets, want %d: the dump has %d", len(s.Sockets), 4*i+1, len(want))
				}
				if d := cmp.Diff(settings(t, h), s.Settings); d != "" {
					t.Errorf("(-proc +walk):\n%s", d)
				}
				if !slices.Equal(s.Blocked, []uint16{80}) || s.VRFs != nil {
					t.Errorf("blocked: %v, %v", s.Blocked, s.VRFs)
				}
			}
		}
	})
}

// A new range is there at once, and new reserved ports after a few walks. What
// was handed out before stays as it was.
func TestSettingsChange(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e *Engine) {
		h := netlab.New(t, "40000 40099")
		h.Sysctl("net.ipv4.ip_local_reserved_ports", "40010")
		fd, err := h.Bind("127.0.0.1:40050")
		if err != nil {
			t.Fatal(err)
		}
		before := walk(t, e, nil)
		h.Sysctl("net.ipv4.ip_local_port_range", "30000 30999")
		h.Sysctl("net.ipv4.ip_local_reserved_ports", "30020-30030")
		h.Close(fd)
		if _, err := h.Bind("127.0.0.1:40060"); err != nil {
			t.Fatal(err)
		}
		if s := snapshot(t, walk(t, e, nil), h); s.Settings.Range.String() != "30000-30999" || !isBlocked(s, 40060) || isBlocked(s, 40050) {
			t.Errorf("%+v, blocked %v", s.Settings, s.Blocked)
		}
		for range reservedEvery {
			walk(t, e, nil)
		}
		if got := snapshot(t, walk(t, e, nil), h).Settings; !cmp.Equal(got, settings(t, h)) {
			t.Errorf("%+v", got)
		}
		if s := snapshot(t, before, h); !s.Settings.IsReserved(40010) || !slices.Equal(s.Blocked, []uint16{40050}) {
			t.Errorf("the moment before has changed: %+v, blocked %v", s.Settings, s.Blocked)
		}
	})
}

// A namespace that has gone is gone, and one that comes is there.
func TestNamespacesComeAndGo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e *Engine) {
		var was uint64
		t.Run("inside", func(t *testing.T) {
			h := netlab.New(t, "")
			was = snapshot(t, walk(t, e, nil), h).Scope.Cookie
		})
		has := func() bool {
			return slices.ContainsFunc(walk(t, e, nil).Snapshots, func(s source.Snapshot) bool { return s.Scope.Cookie == was })
		}
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); { // it is taken down some time after its last thread has ended
			if !has() {
				return
			}
		}
		t.Error("it is still there")
	})
}

// What was listed and has ended is not walked: its memory may look as it did,
// but the tables that it points to may be something else.
func TestEndedNamespaceIsNotWalked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e *Engine) {
		var ended source.Scope
		var listed int32
		t.Run("inside", func(t *testing.T) {
			h := netlab.New(t, "")
			ended = snapshot(t, walk(t, e, nil), h).Scope
			listed = e.namespaces.find(uint32(ended.Netns))
		})
		other := engine(t, e.variant)
		for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) { // it is taken down some time after its last thread has ended
			m := walk(t, other, nil)
			if !slices.ContainsFunc(m.Snapshots, func(s source.Snapshot) bool { return s.Scope.Cookie == ended.Cookie }) {
				break
			}
			if time.Now().After(end) {
				t.Fatal("it is still there")
			}
		}
		e.memory.request = request{descriptor: uint32(e.socket), rows: e.variant.rows, steps: tableSteps, netns: uint32(listed)}
		if err := e.run(walkTCP); err != errGone {
			t.Errorf("error %v, want %v", err, errGone)
		}
	})
}

// A namespace may have tables of its own, for TCP and for UDP.
func TestOwnTables(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "")
	ownTable(t, h, "64")
	zoo(t, h)
	t.Run("UDP", func(t *testing.T) {
		own := netlab.New(t, "")
		if err := own.Do(func() error {
			return os.WriteFile("/proc/sys/net/ipv4/udp_child_hash_entries", []byte("128\n"), 0o644)
		}); err != nil {
			t.Skipf("this kernel has one table for all: %v", err)
		}
		own.Renew()
		if _, err := own.BindUDP("127.0.0.1:53"); err != nil {
			t.Fatal(err)
		}
		each(t, func(t *testing.T, e *Engine) {
			for _, only := range []*netlab.Host{nil, own} {
				if s := snapshot(t, walk(t, e, only), own); len(s.Sockets) != 1 || s.Sockets[0].LocalPort != 53 {
					t.Errorf("%+v", s.Sockets)
				}
			}
		})
	})
	d := dumper(t, h)
	each(t, func(t *testing.T, e *Engine) {
		for _, only := range []*netlab.Host{nil, h} {
			before := dump(t, d)
			walked := snapshot(t, walk(t, e, only), h).Sockets
			compare(t, before, walked, dump(t, d)).fields()
		}
	})
}

// Owners finds every descriptor of every process.
func TestOwners(t *testing.T) {
	t.Parallel()
	h := netlab.New(t, "")
	const connections = 100
	holders := []*netlab.Holder{h.Hold("127.0.0.1:80", connections), h.Hold("127.0.0.1:81", connections)}
	each(t, func(t *testing.T, e *Engine) {
		type descriptor struct{ pid, fd int32 }
		owners := func(sought []uint32) map[uint32]descriptor {
			all := make(map[uint32]descriptor)
			if err := e.Owners(sought, func(pid, fd int32, inode uint32) { all[inode] = descriptor{pid, fd} }); err != nil {
				t.Fatal(err)
			}
			return all
		}
		all := owners(nil)
		var sought []uint32
		for _, s := range snapshot(t, walk(t, e, h), h).Sockets {
			server := s.LocalPort
			if server > 81 {
				server = s.RemotePort
			}
			pid := holders[server-80].PID
			d, ok := all[s.Inode]
			if !ok || int(d.pid) != pid {
				t.Fatalf("%+v is of %+v, want %d", s, d, pid)
			}
			var st unix.Stat_t
			if err := unix.Stat(fmt.Sprintf("/proc/%d/fd/%d", d.pid, d.fd), &st); err != nil || uint32(st.Ino) != s.Inode {
				t.Fatalf("%+v: inode %d, %v", d, st.Ino, err)
			}
			sought = append(sought, s.Inode)
		}
		if n := 2 * (2*connections + 1); len(sought) != n {
			t.Fatalf("%d sockets, want %d", len(sought), n)
		}
		some := owners(sought[:10])
		if len(some) < 10 || len(some) > 20 {
			t.Errorf("%d found of 10 sought", len(some))
		}
		for _, inode := range sought[:10] {
			if some[inode] != all[inode] {
				t.Errorf("%d is of %+v, and of %+v among all", inode, some[inode], all[inode])
			}
		}
	})
}

// A walk once warm allocates nothing.
func TestWalkAllocatesNothing(t *testing.T) {
	h := netlab.New(t, "")
	h.Listen("127.0.0.1:80")
	if _, err := h.Fill("127.0.0.1:80", 1000); err != nil {
		t.Fatal(err)
	}
	each(t, func(t *testing.T, e *Engine) {
		var m source.Moment
		n := testing.AllocsPerRun(2*reservedEvery, func() {
			m.Reset()
			if _, err := e.Walk(context.Background(), 0, &m); err != nil {
				t.Fatal(err)
			}
		})
		if n > 5 { // a few functions, whatever the number of sockets
			t.Errorf("%v allocations", n)
		}
	})
}

// Who does not want to wait any more does not.
func TestWalkIsCancelled(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, e *Engine) {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := e.Walk(ctx, 0, new(source.Moment)); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

// Of a chain that no buffer holds the beginning is shown, and told that it is
// that. Whoever makes one, as any user may, hides nothing of others. It runs alone, since other tests walk all namespaces.
func TestLongChain(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute where a machine is emulated")
	}
	for _, test := range []struct {
		name string
		make func(t *testing.T, h *netlab.Host)
	}{
		{"connections", func(t *testing.T, h *netlab.Host) {
			ownTable(t, h, "1")
			h.Sysctl("net.ipv4.ip_local_port_range", "1024 65535")
			h.Listen("127.0.0.1:80")
			if _, err := h.Fill("127.0.0.1:80", maxRows/2+10); err != nil {
				t.Fatal(err)
			}
		}},
		{"UDP", func(t *testing.T, h *netlab.Host) {
			for i := range maxRows + 10 {
				if _, err := h.BindUDP(fmt.Sprintf("127.0.%d.%d:53", i/250, 1+i%250)); err != nil {
					t.Fatal(err)
				}
			}
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			h, other := netlab.New(t, "1024 65535"), netlab.New(t, "")
			moreFiles(t, 1<<15)
			other.Listen("127.0.0.1:81")
			test.make(t, h)
			each(t, func(t *testing.T, e *Engine) {
				m := walk(t, e, nil)
				if n := len(snapshot(t, m, h).Sockets); n < maxRows || n > maxRows+10 {
					t.Errorf("%d sockets, want about %d", n, maxRows)
				}
				if n := len(snapshot(t, m, other).Sockets); n != 1 {
					t.Errorf("%d sockets in another namespace, want 1", n)
				}
				if len(m.Limits) != 1 {
					t.Errorf("limits are %v, want one", m.Limits)
				}
			})
		})
	}
}

// moreFiles lets us have so many descriptors, if we may.
func moreFiles(t *testing.T, n uint64) {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	if files.Cur < n {
		files = unix.Rlimit{Cur: n, Max: max(n, files.Max)}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
			t.Skipf("may not have %d descriptors: %v", n, err)
		}
	}
}
