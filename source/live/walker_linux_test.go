package live

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
	"ephtop/source/procfs"
)

// snapshotOf gives the snapshot of a host in a moment, or nil.
func snapshotOf(m *source.Moment, h *netlab.Host) *source.Snapshot {
	netns := procfs.Netns(unix.AT_FDCWD, h.Path())
	for i := range m.Snapshots {
		if s := &m.Snapshots[i]; s.Scope.Netns == netns {
			return s
		}
	}
	return nil
}

// tell counts the sockets of a snapshot by what matters.
func tell(m *source.Moment, s *source.Snapshot) map[string]int {
	count := make(map[string]int)
	for _, k := range s.Sockets {
		pid := int32(0)
		if k.Process != source.NoProcess {
			pid = m.Processes[k.Process].PID
		}
		count[fmt.Sprintf("%v port 80: %v, mine: %v", k.State, k.LocalPort == 80, pid == int32(os.Getpid()))]++
	}
	return count
}

// One poll has the sockets, settings and processes of every namespace.
func TestWalkerPoll(t *testing.T) {
	const hosts = 5
	var labs []*netlab.Host
	for i := range hosts {
		h := netlab.New(t, fmt.Sprintf("40000 %d", 40099+i))
		h.Sysctl("net.ipv4.ip_local_reserved_ports", "40010-40019")
		h.Listen("127.0.0.1:80")
		if _, err := h.Bind("127.0.0.1:40020"); err != nil {
			t.Fatal(err)
		}
		if _, err := h.Fill("127.0.0.1:80", 3+i); err != nil {
			t.Fatal(err)
		}
		labs = append(labs, h)
	}
	src := open(t, labs[0], Tables)
	for range 3 {
		m := pollInside(t, labs[0], src)
		if m.Source != Tables || m.OS != runtime.GOOS || m.Host == "" || m.Kernel == "" || m.Took <= 0 {
			t.Errorf("moment of source %q, system %q, host %q, kernel %q, took %v", m.Source, m.OS, m.Host, m.Kernel, m.Took)
		}
		for i, h := range labs {
			s := snapshotOf(m, h)
			if s == nil {
				t.Fatalf("namespace %d of %d is not there", i, len(m.Snapshots))
			}
			if s.Scope.Host != m.Host || s.Scope.Name == "" || s.Scope.Cookie == 0 {
				t.Errorf("namespace %d is %+v", i, s.Scope)
			}
			if got := s.Settings; got.Usable() != 90+i || got.Assumed || !s.BlockedKnown || !s.Inodes {
				t.Errorf("namespace %d: settings %+v, blocked known %v, inodes %v", i, got, s.BlockedKnown, s.Inodes)
			}
			want := map[string]int{
				"LISTEN port 80: true, mine: true":       1,
				"BOUND port 80: false, mine: true":       1,
				"ESTABLISHED port 80: true, mine: false": 3 + i, // not accepted: nobody's
				"ESTABLISHED port 80: false, mine: true": 3 + i,
			}
			if diff := cmp.Diff(want, tell(m, s)); diff != "" {
				t.Errorf("namespace %d: sockets (-want +got):\n%s", i, diff)
			}
		}
	}
}

// With auto, the first poll is that of sock_diag, and the tables take over when
// they are ready; where there is no second poll, the first waits for them.
func TestTablesTakeOver(t *testing.T) {
	h := netlab.New(t, "40000 40099")
	open(t, h, Tables) // skips where they can't be read
	src := openInside(t, h, Options{})
	if m := pollInside(t, h, src); m.Source == Tables {
		t.Log("they were ready at once")
	}
	b := src.(*abandoner).Source.(*exits).Source.(*beside)
	b.wait = true
	if m := pollInside(t, h, src); m.Source != Tables || len(m.Limits) > 0 {
		t.Errorf("the second poll is of source %q with limits %v", m.Source, m.Limits)
	}
	if m := pollInside(t, h, openInside(t, h, Options{Once: true})); m.Source != Tables {
		t.Errorf("the only poll is of source %q", m.Source)
	}
}

func TestWalkEndsWithItsContext(t *testing.T) {
	h := netlab.New(t, "")
	src := open(t, h, Tables)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	var m source.Moment
	if err := src.Poll(ctx, &m); err == nil {
		t.Error("a poll whose context is done gives no error")
	}
	pollInside(t, h, src) // and the next one is whole
}
