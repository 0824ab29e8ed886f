package live

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
	"ephtop/source/netns"
	"ephtop/source/procfs"
)

// nearLimit makes a namespace in which a process holds 30 of 100 ports.
func nearLimit(t *testing.T) (*netlab.Host, *netlab.Holder, uint64) {
	h := netlab.New(t, "40000 40099")
	return h, h.Hold("127.0.0.1:80", 30), procfs.Netns(unix.AT_FDCWD, h.Path())
}

// index gives the place of a namespace among the snapshots, -1 for none.
func index(m *source.Moment, netns uint64) int {
	return slices.IndexFunc(m.Snapshots, func(s source.Snapshot) bool { return s.Scope.Netns == netns })
}

// Other namespaces stand beside the own one, and their sockets have processes
// and control groups.
func TestAllNamespaces(t *testing.T) {
	own := netlab.New(t, "50000 50099")
	own.Listen("127.0.0.1:81")
	_, holder, other := nearLimit(t)
	src := openInside(t, own, Options{Kind: Sockdiag})
	for range 3 {
		m := pollInside(t, own, src)
		if s := &m.Snapshots[0]; s.Scope.Netns != procfs.Netns(unix.AT_FDCWD, own.Path()) || s.Settings.Range.Low != 50000 || len(s.Sockets) != 1 {
			t.Errorf("first comes %+v with %d sockets, want the own namespace with one", s.Scope, len(s.Sockets))
		}
		i := index(m, other)
		if i < 0 {
			t.Fatalf("%d snapshots, and none of namespace %d", len(m.Snapshots), other)
		}
		s := &m.Snapshots[i]
		if len(s.Sockets) != 61 || s.Settings.Range.Low != 40000 {
			t.Errorf("%d sockets on %v, want 61 on 40000-40099", len(s.Sockets), s.Settings.Range)
		}
		for i := range s.Sockets {
			if k := &s.Sockets[i]; k.Process == source.NoProcess || m.Processes[k.Process].PID != int32(holder.PID) {
				t.Fatalf("socket %+v, want it to be of process %d", k, holder.PID)
			}
		}
		if len(m.Cgroups) == 0 || !slices.IsSortedFunc(m.Cgroups, func(a, b source.Cgroup) int { return int(int64(a.ID) - int64(b.ID)) }) {
			t.Errorf("control groups %+v, want some, by rising id", m.Cgroups)
		}
	}
}

func TestOwnNamespaceAlone(t *testing.T) {
	own := netlab.New(t, "")
	nearLimit(t)
	if m := pollInside(t, own, openInside(t, own, Options{Kind: Sockdiag, Netns: OwnNetns})); len(m.Snapshots) != 1 || len(m.Quiet) != 0 {
		t.Errorf("%d snapshots and %d others, want the own namespace alone", len(m.Snapshots), len(m.Quiet))
	}
}

// One that is named is looked at alone, until it ends.
func TestOneNamespace(t *testing.T) {
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip(8)")
	}
	_, holder, other := nearLimit(t)
	src, err := Open(Options{Netns: fmt.Sprint(holder.PID)})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if m := poll(t, src); len(m.Snapshots) != 1 || m.Snapshots[0].Scope.Netns != other || len(m.Snapshots[0].Sockets) != 61 || len(m.Quiet) != 0 {
		t.Errorf("%d snapshots, want namespace %d alone", len(m.Snapshots), other)
	}

	if out, err := exec.Command("ip", "netns", "add", "ephtop-live").CombinedOutput(); err != nil {
		t.Skipf("cannot make a named namespace: %v: %s", err, out)
	}
	t.Cleanup(func() { exec.Command("ip", "netns", "del", "ephtop-live").Run() }) // it may be gone
	if src, err = Open(Options{Netns: "ephtop-live"}); err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	if m := poll(t, src); m.Snapshots[0].Scope.Name != "ephtop-live" || m.Snapshots[0].Scope.Kind != source.ScopeNamed {
		t.Errorf("scope %+v, want ephtop-live", m.Snapshots[0].Scope)
	}
	if out, err := exec.Command("ip", "netns", "del", "ephtop-live").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		err := src.Poll(context.Background(), new(source.Moment))
		if err != nil {
			if want := `network namespace "ephtop-live": the network namespace has ended`; err.Error() != want {
				t.Errorf("after its end, error %q, want %q", err, want)
			}
			return
		}
		if time.Now().After(end) {
			t.Fatal("it is polled after its end")
		}
	}
}

// What a person looks at is dumped though it is far from trouble.
func TestFocus(t *testing.T) {
	own, other := netlab.New(t, ""), netlab.New(t, "")
	other.Hold("127.0.0.1:80", 3)
	inode := procfs.Netns(unix.AT_FDCWD, other.Path())
	var focus atomic.Uint64
	src := openInside(t, own, Options{Kind: Sockdiag, Focus: &focus})
	if m := pollInside(t, own, src); index(m, inode) >= 0 {
		t.Error("it is looked at without need")
	}
	focus.Store(inode)
	if m := pollInside(t, own, src); index(m, inode) < 0 {
		t.Error("it is not looked at")
	}
}

// Where connects fail is where the next poll looks.
func TestFailures(t *testing.T) {
	t.Parallel()
	f := failures{7: true}
	f.note([]source.Event{{Kind: source.ConnectFailed, Netns: 1}, {Kind: source.Closed, Netns: 2}, {Kind: source.BindFailed, Netns: 3}, {Kind: source.AddressRefused, Netns: 4}})
	if len(f) != 2 || !f[1] || !f[3] {
		t.Errorf("ports were wanted in vain in %v, want 1 and 3", f)
	}
}

func TestOneNamespaceIsRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		o    Options
		want string
	}{
		{Options{Netns: "no-such"}, `unknown network namespace "no-such": use all, self, or the name`},
		{Options{Kind: Portable, Netns: "web"}, `network namespace "web": source portable sees its own only: use all or self`},
	} {
		if _, err := Open(test.o); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%+v: error %v, want %q", test.o, err, test.want)
		}
	}
}

// Who may not enter other namespaces is told so, and why. What is shown all the
// same is known by files that everyone may read.
func TestNamespacesThatMayNotBeEntered(t *testing.T) {
	h := netlab.New(t, "")
	self := netlab.ReadableSelf(t)
	nearLimit(t)
	const user = "setpriv --reuid=65533 --regid=65533 --clear-groups "
	for _, test := range []struct {
		name, command string
		want          string // "" for nothing that is not seen
	}{
		{"all rights", "setpriv --bounding-set=-net_raw", ""},
		{"no right to enter", "setpriv --bounding-set=-sys_admin", "namespaces-unseen [0-9]+ CAP_SYS_ADMIN\n"},
		{"no right to open links", "setpriv --bounding-set=-sys_ptrace", "namespaces-unseen [0-9]+ CAP_SYS_PTRACE\n"},
		{"a user", user, "namespaces-unseen [0-9]+ CAP_SYS_ADMIN CAP_SYS_PTRACE\n"},
		{"a user who may open links", user + "--inh-caps=+sys_ptrace --ambient-caps=+sys_ptrace", "namespaces-unseen [0-9]+ CAP_SYS_ADMIN\n"},
		{"a user who may do both", user + "--inh-caps=+sys_ptrace,+sys_admin,+dac_read_search --ambient-caps=+sys_ptrace,+sys_admin,+dac_read_search", ""},
		{"another user namespace", "unshare -r", "namespaces-unseen [0-9]+ .*(permission denied|not permitted)\n"},
		{"another pid namespace", "unshare -pf --mount-proc", "namespaces-unseen other-pids\n"},
	} {
		t.Run(test.name, func(t *testing.T) {
			command := strings.Fields(test.command)
			if _, err := exec.LookPath(command[0]); err != nil {
				t.Skip("needs ", command[0])
			}
			var got string
			for line := range strings.Lines(h.Output("env", append(append([]string{asPoller + "=sockdiag all"}, command...), self)...)) {
				if strings.HasPrefix(line, string(source.LimitNetns)) {
					got += line
				}
			}
			if !regexp.MustCompile("^" + test.want + "$").MatchString(got) {
				t.Errorf("not seen: %q, want %q", got, test.want)
			}
		})
	}
}

// BenchmarkGate compares polls of 300 namespaces, one of 20,000 sockets, through
// the gate with dumps of all of them.
func BenchmarkGate(b *testing.B) {
	crowd := netlab.NewCrowd(b, 20_000, 0)
	floors := []*netlab.Floor{crowd.Host.Floor()}
	for range 299 {
		h := netlab.New(b, "")
		h.Hold("127.0.0.1:80", 9)
		floors = append(floors, h.Floor())
	}
	l := netns.New("")
	defer l.Close()
	g := netns.NewGate(l)
	defer g.Close()
	var m source.Moment
	var all, gated time.Duration
	turn := func() {
		start := time.Now()
		for _, f := range floors {
			if err := f.Run(); err != nil {
				b.Fatal(err)
			}
		}
		all += time.Since(start)
		start = time.Now()
		m.Reset()
		if err := g.Poll(context.Background(), &m, netns.GateOptions{Warn: usualWarning}); err != nil {
			b.Fatal(err)
		}
		gated += time.Since(start)
	}
	for range 3 {
		turn()
	}
	all, gated = 0, 0
	b.ReportAllocs()
	for b.Loop() {
		turn()
	}
	b.ReportMetric(0, "ns/op")
	b.ReportMetric(float64(len(m.Snapshots)+len(m.Quiet)), "namespaces")
	b.ReportMetric(float64(len(m.Room)), "sockets")
	var memory runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&memory)
	b.ReportMetric(float64(memory.HeapAlloc)/1e6, "heap-MB")
	b.ReportMetric(float64(all.Microseconds())/float64(b.N)/1000, "dumps-ms")
	b.ReportMetric(float64(gated.Microseconds())/float64(b.N)/1000, "gate-ms")
	b.ReportMetric(float64(gated)/float64(all), "gate-x-dumps")
}
