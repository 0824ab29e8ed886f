package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
	"ephtop/source/netlink"
	"ephtop/source/owner"
	"ephtop/source/procfs"
	"ephtop/source/sockdiag"
)

// What the release says of this kernel is what it does.
func TestBoundListed(t *testing.T) {
	h := netlab.New(t, "")
	if _, err := h.Bind("127.0.0.1:40000"); err != nil {
		t.Fatal(err)
	}
	src := openInside(t, h, Options{Kind: Sockdiag})
	s := pollInside(t, h, src)
	if listed := len(s.Snapshots[0].Sockets) == 1 && s.Snapshots[0].Sockets[0].State == source.Bound; listed != s.Snapshots[0].BoundListed {
		t.Errorf("Linux %s lists bound sockets: %v, but the snapshot says %v", s.Kernel, listed, s.Snapshots[0].BoundListed)
	}
}

func openInside(t *testing.T, h *netlab.Host, o Options) (src source.Source) {
	t.Helper()
	h.Must(func() (err error) { src, err = Open(o); return err })
	t.Cleanup(func() { src.Close() })
	return src
}

func pollInside(t *testing.T, h *netlab.Host, src source.Source) *source.Moment {
	t.Helper()
	s := new(source.Moment)
	h.Must(func() error { return src.Poll(context.Background(), s) })
	return s
}

func TestKernelPoll(t *testing.T) {
	h := netlab.New(t, "40000 40099")
	h.Sysctl("net.ipv4.ip_local_reserved_ports", "40010-40019")
	h.Sysctl("net.ipv4.tcp_tw_reuse", "1")
	h.Listen("127.0.0.1:80")
	if _, err := h.Fill("127.0.0.1:80", 3); err != nil {
		t.Fatal(err)
	}
	s := pollInside(t, h, openInside(t, h, Options{Kind: Sockdiag, Netns: OwnNetns}))
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if s.Source != Sockdiag || s.OS != runtime.GOOS || s.Host != host || s.Kernel == "" || !s.Snapshots[0].Inodes || s.Took <= 0 || len(s.Limits) != 0 {
		t.Errorf("snapshot of source %q, system %q, host %q, kernel %q, took %v, limits %q",
			s.Source, s.OS, s.Host, s.Kernel, s.Took, s.Limits)
	}
	if got := s.Snapshots[0].Settings; got.Range != (source.PortRange{Low: 40000, High: 40099}) || got.Usable() != 90 || got.Assumed || got.ReuseTimeWait != 1 {
		t.Errorf("settings %+v", got)
	}
	count := make(map[string]int)
	for _, k := range s.Snapshots[0].Sockets {
		pid := int32(0)
		if k.Process != source.NoProcess {
			pid = s.Processes[k.Process].PID
		}
		count[fmt.Sprintf("%v port 80: %v, mine: %v", k.State, k.LocalPort == 80, pid == int32(os.Getpid()))]++
	}
	want := map[string]int{
		"LISTEN port 80: true, mine: true":       1,
		"ESTABLISHED port 80: true, mine: false": 3, // not accepted: nobody's
		"ESTABLISHED port 80: false, mine: true": 3,
	}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Errorf("sockets (-want +got):\n%s", diff)
	}
}

// What is traced belongs to the namespace in which it happened, and to the
// process that did it.
// Where events come too fast for what they may cost, tracing ends, and the polls
// go on; 1 % is what 5,000 a second cost.
func TestTracingStopsInAFlood(t *testing.T) {
	for _, kind := range []string{Tables, Sockdiag} {
		t.Run(kind, func(t *testing.T) {
			h := netlab.New(t, "40000 40000")
			h.Listen("127.0.0.1:80")
			if _, err := h.Fill("127.0.0.1:80", 1); err != nil {
				t.Fatal(err)
			}
			tracing := new(source.Tracing)
			src := openInside(t, h, Options{Kind: kind, Netns: OwnNetns, Trace: TraceAuto, Tracing: tracing})
			if state, why := tracing.State(); state != source.TraceOn {
				t.Skip(why)
			}
			traced := src.(*abandoner).Source.(*exits).Source.(*traced)
			traced.budget.percent = 1
			var m *source.Moment
			for turn := 0; turn < 60 && traced.stopped == ""; turn++ {
				h.Must(func() error { return flood("127.0.0.1:80", 500*time.Millisecond) })
				m = pollInside(t, h, src)
			}
			if state, why := tracing.State(); state != source.TraceStopped || !strings.HasSuffix(why, " 1") {
				t.Errorf("tracing stands at %d: %s", state, why)
			}
			if last := m.Limits[len(m.Limits)-1]; !m.Traced || len(m.Events) == 0 || last.Code != source.LimitTraceStopped {
				t.Errorf("%d events at the end, limits %v", len(m.Events), m.Limits)
			}
			if m = pollInside(t, h, src); m.Traced || len(m.Events) > 0 || len(m.Room) == 0 {
				t.Errorf("then traced is %v, with %d events and %d sockets", m.Traced, len(m.Events), len(m.Room))
			}
		})
	}
}

// flood connects in vain, some 15,000 times a second.
func flood(to string, length time.Duration) error {
	for start := time.Now(); time.Since(start) < length; time.Sleep(10 * time.Millisecond) {
		for range 150 {
			if fd, err := netlab.ConnectHere(to); !errors.Is(err, unix.EADDRNOTAVAIL) {
				unix.Close(fd)
				return fmt.Errorf("connect: %v, want it to find no port", err)
			}
		}
	}
	return nil
}

func TestTracedNamespace(t *testing.T) {
	const to = "127.0.0.1:7392"
	for _, kind := range []string{Tables, Sockdiag} {
		t.Run(kind, func(t *testing.T) {
			h := netlab.New(t, "")
			l := h.Listen(to)
			open(t, h, kind) // skips where it can't be
			src := openInside(t, h, Options{Kind: kind, Trace: TraceAuto})
			if m := pollInside(t, h, src); !m.Traced {
				t.Skipf("cannot trace here: %v", m.Limits)
			}
			if err := h.TimeWait(l, to, 10); err != nil {
				t.Fatal(err)
			}
			m := pollInside(t, h, src)
			n, scope := 0, snapshotOf(m, h).Scope
			for i := range m.Events {
				e := &m.Events[i]
				if e.Tuple.RemotePort != 7392 {
					continue // of a process that has ended, elsewhere
				}
				if n++; e.Netns != scope.Netns || e.Process.PID != int32(os.Getpid()) || e.Process.Start == 0 || e.Process.Command == "" {
					t.Errorf("event of namespace %d by %+v, want one of %d by this process", e.Netns, e.Process, scope.Netns)
				}
			}
			if n != 10 || scope.Netns == 0 {
				t.Errorf("%d events of namespace %d, want 10", n, scope.Netns)
			}
		})
	}
}

// The range that was asked for stands in for that of the namespace.
func TestKernelRange(t *testing.T) {
	h := netlab.New(t, "40000 40099")
	src := openInside(t, h, Options{Range: &source.PortRange{Low: 50000, High: 50009}})
	s := pollInside(t, h, src)
	if s.Source != Sockdiag || s.Snapshots[0].Settings.Usable() != 10 {
		t.Errorf("source %q with %d ports, want sockdiag and 10", s.Source, s.Snapshots[0].Settings.Usable())
	}
}

func TestRefused(t *testing.T) {
	tests := []struct {
		err  error
		want bool
	}{
		{fmt.Errorf("dump tcp sockets: %w", unix.EPERM), true},
		{fmt.Errorf("open netlink socket: %w", unix.EPROTONOSUPPORT), true},
		{fmt.Errorf("dump udp sockets: %w: message type 99", netlink.ErrMalformed), true},
		{unix.EACCES, true}, {unix.ENOSYS, true}, {unix.EAFNOSUPPORT, true}, {unix.EOPNOTSUPP, true}, {unix.ENOENT, true}, {unix.EINVAL, true},
		{unix.ENOBUFS, false}, {unix.EINTR, false}, {unix.EMFILE, false}, {unix.ENOMEM, false},
		{context.Canceled, false}, {context.DeadlineExceeded, false},
		{fmt.Errorf("net.ipv4.ip_local_port_range: %w", source.ErrRange), false},
	}
	for _, tt := range tests {
		if got := refused(tt.err); got != tt.want {
			t.Errorf("refused(%v) = %v, want %v", tt.err, got, tt.want)
		}
	}
}

func TestKernelLimits(t *testing.T) {
	root, user := procfs.Rights{}, procfs.Rights{Missing: []string{"CAP_SYS_PTRACE"}}
	trouble := errors.New("read /proc: too many open files")
	tests := []struct {
		name   string
		rights procfs.Rights
		dumped sockdiag.Report
		owned  owner.Report
		err    error
		want   []source.Limit
	}{
		{"all well", user, sockdiag.Report{Retries: 2}, owner.Report{}, nil, nil},
		{"interrupted dump", root, sockdiag.Report{Interrupted: true}, owner.Report{}, nil, []source.Limit{{Code: source.LimitInterrupted}}},
		{"processes not read", root, sockdiag.Report{}, owner.Report{Unowned: 3}, trouble, []source.Limit{{Code: source.LimitOwners, Detail: "read /proc: too many open files"}}},
		{"hidden from a user", user, sockdiag.Report{}, owner.Report{Unowned: 3, Hidden: 12}, nil,
			[]source.Limit{{Code: source.LimitHidden, Detail: "12 CAP_SYS_PTRACE"}}},
		{"hidden, but every socket has its process", user, sockdiag.Report{}, owner.Report{Hidden: 12}, nil, nil},
		{"without a process, seen by root", root, sockdiag.Report{}, owner.Report{Unowned: 3}, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			k := &kernel{rights: tt.rights}
			var s source.Moment
			k.say(&s, tt.dumped, tt.owned, tt.err)
			if diff := cmp.Diff(tt.want, s.Limits); diff != "" {
				t.Errorf("limits (-want +got):\n%s", diff)
			}
		})
	}
}
