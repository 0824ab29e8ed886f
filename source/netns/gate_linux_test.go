package netns

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/netlab"
	"ephtop/source/procfs"
)

func TestMain(m *testing.M) {
	netlab.Main()
	if pid := os.Getenv(asUser); pid != "" {
		os.Exit(tellNamespaces(pid))
	}
	os.Exit(m.Run())
}

// newGate makes a gate before the namespaces of this host.
func newGate(t testing.TB) *Gate {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root to enter network namespaces")
	}
	l := New("")
	g := NewGate(l)
	t.Cleanup(func() { g.Close(); l.Close() })
	return g
}

// look takes one moment through a gate. The host's own namespace is not looked
// at.
func look(t testing.TB, g *Gate, o GateOptions) *source.Moment {
	t.Helper()
	m := new(source.Moment)
	o.Own = hostNetns(t)
	if err := g.Poll(context.Background(), m, o); err != nil {
		t.Fatal(err)
	}
	return m
}

// hostNetns is the host's own namespace.
var hostNetns = func() func(testing.TB) uint64 {
	list, err := New("").Update(context.Background())
	return func(t testing.TB) uint64 {
		for i := range list {
			if list[i].Scope.Kind == source.ScopeHost {
				return list[i].Scope.Netns
			}
		}
		t.Fatal("the host's own namespace is not listed: ", err)
		return 0
	}
}()

// lab is a namespace with a process that holds connections.
type lab struct {
	*netlab.Host
	*netlab.Holder
	netns uint64
}

// newLab makes a namespace with so many sockets, one listener and the ends of
// connections to it.
func newLab(t testing.TB, portRange string, sockets int) *lab {
	t.Helper()
	h := netlab.New(t, portRange)
	return &lab{h, h.Hold("127.0.0.1:80", (sockets-1)/2), procfs.Netns(unix.AT_FDCWD, h.Path())}
}

func snapshotOf(m *source.Moment, netns uint64) *source.Snapshot {
	for i := range m.Snapshots {
		if m.Snapshots[i].Scope.Netns == netns {
			return &m.Snapshots[i]
		}
	}
	return nil
}

func briefOf(m *source.Moment, netns uint64) *source.Brief {
	for i := range m.Quiet {
		if m.Quiet[i].Scope.Netns == netns {
			return &m.Quiet[i]
		}
	}
	return nil
}

// Those that can be near trouble are dumped, and of the others one number says
// that they are not.
func TestGateLooksWhereItMatters(t *testing.T) {
	g := newGate(t)
	near := newLab(t, "40000 40099", 61) // 30 ports of 100
	far := newLab(t, "", 41)
	m := look(t, g, GateOptions{Warn: 60})
	if s := snapshotOf(m, near.netns); s == nil {
		t.Error("61 sockets on 100 ports were not looked at")
	} else if len(s.Sockets) < 61 || s.Settings.Usable() != 100 || s.Settings.Assumed || s.Age != 0 || !s.Inodes {
		t.Errorf("%d sockets on %d ports, assumed %t, %v old; want 61 on 100, read now", len(s.Sockets), s.Settings.Usable(), s.Settings.Assumed, s.Age)
	}
	b := briefOf(m, far.netns)
	if snapshotOf(m, far.netns) != nil || b == nil {
		t.Fatal("41 sockets on 28,232 ports were looked at")
	}
	if b.Bound < 41 || b.Bound > 60 || b.Usable != 28232 {
		t.Errorf("at most %d of %d ports in use, want a few more than 41 of 28232", b.Bound, b.Usable)
	}
	if b.Scope.Cookie == 0 || b.Scope.PID == 0 || b.Scope.Name == "" {
		t.Errorf("scope %+v, want it to have a cookie, a process and a name", b.Scope)
	}

	for what, o := range map[string]GateOptions{
		"the focus":              {Focus: far.netns},
		"where a connect failed": {Failed: map[uint64]bool{far.netns: true}},
		"the only one":           {Only: far.netns},
		"half of a low warning":  {Warn: 0.2},
	} {
		if s := snapshotOf(look(t, g, o), far.netns); s == nil || len(s.Sockets) < 41 {
			t.Errorf("%s is not looked at", what)
		}
	}
	if m := look(t, g, GateOptions{Only: far.netns}); len(m.Snapshots) != 1 || len(m.Quiet) != 0 {
		t.Errorf("%d snapshots and %d others of one that was to be looked at alone", len(m.Snapshots), len(m.Quiet))
	}
}

// A namespace whose sockets can't be counted, as where descriptors are short, may
// be in trouble: it is looked at, or said to be unknown.
func TestGateCannotCount(t *testing.T) {
	newGate(t) // skips where none can be
	near := newLab(t, "40000 40099", 61)
	f := newFixture(t, person{pid: 7, start: 1, netns: near.netns, comm: "app"})
	if err := os.MkdirAll(f.root+"/proc/7/net/sockstat", 0o755); err != nil { // reading it is an error
		t.Fatal(err)
	}
	if err := os.Symlink(near.Path(), fmt.Sprintf("%s/proc/7/ns/net:[%d]", f.root, near.netns)); err != nil {
		t.Fatal(err)
	}
	g := NewGate(f.lister())
	defer g.Close()
	if s := snapshotOf(look(t, g, GateOptions{Warn: 60}), near.netns); s == nil || len(s.Sockets) < 61 {
		t.Error("what can't be counted is not looked at")
	}

	l := f.lister()
	l.visitor.err = unix.EMFILE
	g = NewGate(l)
	defer g.Close()
	m := look(t, g, GateOptions{Warn: 60})
	if b := briefOf(m, near.netns); b == nil || !b.Assumed || b.Bound != b.Usable {
		t.Errorf("%+v of what can't be looked at, want it to be of any size", b)
	}
	if want := (source.Limit{Code: source.LimitNetns, Detail: "1 too many open files"}); !slices.Contains(m.Limits, want) {
		t.Errorf("limits %v, want %v", m.Limits, want)
	}
}

// Rows of all namespaces stand side by side, behind what the caller has.
func TestGateAddsToAMoment(t *testing.T) {
	g := newGate(t)
	near := newLab(t, "40000 40099", 61)
	m := &source.Moment{Room: []source.Socket{{LocalPort: 1}, {LocalPort: 2}}}
	m.Add(source.Scope{Name: "own"}).Sockets = m.Room
	if err := g.Poll(context.Background(), m, GateOptions{Only: near.netns}); err != nil {
		t.Fatal(err)
	}
	own, other := m.Snapshots[0].Sockets, m.Snapshots[1].Sockets
	if len(own) != 2 || own[1].LocalPort != 2 || len(own)+len(other) != len(m.Room) || &own[0] != &m.Room[0] || &other[0] != &m.Room[2] {
		t.Errorf("windows of %d and %d rows in %d, want them side by side", len(own), len(other), len(m.Room))
	}
}

// Those in between are looked at in turn, and what was seen last is shown with
// its age meanwhile.
func TestGateLooksInTurn(t *testing.T) {
	g := newGate(t)
	g.budget = 0 // so that each poll looks at one
	var labs []*lab
	for range 3 {
		labs = append(labs, newLab(t, "40000 40999", 41)) // about 4 %
	}
	fresh := func(m *source.Moment) (n int) {
		for i := range m.Snapshots {
			if m.Snapshots[i].Age == 0 {
				n++
			}
		}
		return n
	}
	others := 0 // turns of others of this host, which come and go
	for poll := 1; poll <= 6+others; poll++ {
		m := look(t, g, GateOptions{Warn: 60})
		if !slices.ContainsFunc(labs, func(l *lab) bool { return l.netns == g.inTurn[0].Scope.Netns }) {
			if others++; others > 100 {
				t.Fatal("it is always the turn of another one")
			}
		}
		shown := 0
		for _, l := range labs {
			if s := snapshotOf(m, l.netns); s != nil {
				shown++
				if len(s.Sockets) < 41 {
					t.Errorf("poll %d: %d sockets are shown, want 41", poll, len(s.Sockets))
				}
			} else if briefOf(m, l.netns) == nil {
				t.Errorf("poll %d: a namespace is missing", poll)
			}
		}
		if want := min(poll-others, len(labs)); shown < want || fresh(m) == 0 {
			t.Errorf("poll %d: %d are shown and %d of them new, want %d and at least one", poll, shown, fresh(m), want)
		}
	}
}

// A socket that is bound and not connected is found though not each dump asks
// for those.
func TestGateSeesBoundSockets(t *testing.T) {
	g := newGate(t)
	l := newLab(t, "40000 40099", 61)
	bound := func() (n int) {
		m := look(t, g, GateOptions{Warn: 60})
		s := snapshotOf(m, l.netns)
		if s == nil || !s.BoundListed {
			t.Skip("this kernel lists no bound sockets")
		}
		for i := range s.Sockets {
			if s.Sockets[i].State == source.Bound && s.Sockets[i].Proto == source.TCP {
				n++
			}
		}
		return n
	}
	for poll := range 2 * fullEvery {
		if poll == 3 {
			for range 5 {
				if _, err := l.Bind("127.0.0.1:0"); err != nil {
					t.Fatal(err)
				}
			}
		}
		want := 0
		if poll >= 3 {
			want = 5
		}
		if got := bound(); got != want {
			t.Fatalf("poll %d: %d bound sockets, want %d", poll, got, want)
		}
	}
}

// ip runs ip(8).
func ip(t testing.TB, args ...string) {
	t.Helper()
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("needs ip(8)")
	}
	if out, err := exec.Command("ip", args...).CombinedOutput(); err != nil {
		t.Fatalf("ip %s: %v: %s", strings.Join(args, " "), err, out)
	}
}

// add makes a named namespace without a process.
func add(t testing.TB, name string) uint64 {
	t.Helper()
	ip(t, "netns", "add", name)
	t.Cleanup(func() { exec.Command("ip", "netns", "del", name).Run() }) // it may be gone
	return procfs.Netns(unix.AT_FDCWD, "/run/netns/"+name)
}

// eventually waits for the kernel, which ends a namespace when it has time.
func eventually(t *testing.T, what string, done func() bool) {
	t.Helper()
	for end := time.Now().Add(time.Minute); !done(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("in vain waited for this: ", what)
		}
	}
}

// A namespace that is looked at ends when it is deleted: its end of a cable
// takes the other with it.
func TestNothingIsKeptAlive(t *testing.T) {
	g := newGate(t)
	netns := add(t, "ephtop-pin")
	ip(t, "link", "add", "ephpin0", "type", "veth", "peer", "name", "ephpin1", "netns", "ephtop-pin")
	t.Cleanup(func() { exec.Command("ip", "link", "del", "ephpin0").Run() }) // it may be gone
	for range 3 {
		m := look(t, g, GateOptions{Focus: netns})
		if s := snapshotOf(m, netns); s == nil || s.Scope.Name != "ephtop-pin" || s.Scope.Kind != source.ScopeNamed {
			t.Fatalf("snapshot %+v, want ephtop-pin", s)
		}
	}
	ip(t, "netns", "del", "ephtop-pin")
	eventually(t, "the other end of the cable goes", func() bool {
		_, err := os.Stat("/sys/class/net/ephpin0")
		return os.IsNotExist(err)
	})
	if m := look(t, g, GateOptions{Focus: netns}); snapshotOf(m, netns) != nil || briefOf(m, netns) != nil {
		t.Error("it is shown after its end")
	}
	if g.spaces[netns] != nil {
		t.Error("it is remembered after its end")
	}
}

// A namespace that has the number and the name of one that ended is another.
func TestNumberThatComesBack(t *testing.T) {
	g := newGate(t)
	const name = "ephtop-again"
	netns := add(t, name)
	first := snapshotOf(look(t, g, GateOptions{Focus: netns}), netns).Scope
	again := uint64(0)
	for try := 0; try < 50 && again != netns; try++ {
		ip(t, "netns", "del", name)
		ip(t, "netns", "add", name)
		again = procfs.Netns(unix.AT_FDCWD, "/run/netns/"+name)
	}
	if again != netns {
		t.Skip("this kernel does not give numbers away again at once")
	}
	var second source.Scope
	eventually(t, "the new one is seen", func() bool {
		s := snapshotOf(look(t, g, GateOptions{Focus: netns}), netns)
		if s != nil {
			second = s.Scope
		}
		return s != nil && s.Scope.Cookie != first.Cookie
	})
	if second.Netns != first.Netns || second.Name != name {
		t.Errorf("the new one is %+v, want it like %+v but for the cookie", second, first)
	}
}

// Fifty namespaces, of which one is full, one at 30 %, one without a process,
// and one ends while it is looked at.
func TestFiftyNamespaces(t *testing.T) {
	g := newGate(t)
	full := netlab.New(t, "40000 40099")
	full.Listen("127.0.0.1:80")
	hold(t, full)
	if n, err := full.Fill("127.0.0.1:80", 200); n != 100 || err == nil {
		t.Fatalf("%d connections, error %v, want 100 and a refusal", n, err)
	}
	third := netlab.New(t, "40000 40099")
	third.Listen("127.0.0.1:80")
	hold(t, third)
	if n, err := third.Fill("127.0.0.1:80", 30); err != nil {
		t.Fatalf("%d connections: %v", n, err)
	}
	empty := add(t, "ephtop-empty")
	dying := add(t, "ephtop-dying")
	var quiet []uint64
	for range 46 {
		h := netlab.New(t, "")
		hold(t, h)
		quiet = append(quiet, procfs.Netns(unix.AT_FDCWD, h.Path()))
	}
	m := look(t, g, GateOptions{Warn: 60})
	for what, want := range map[string]struct {
		netns   uint64
		clients int
	}{"the full one": {procfs.Netns(unix.AT_FDCWD, full.Path()), 100}, "the third": {procfs.Netns(unix.AT_FDCWD, third.Path()), 30}} {
		s := snapshotOf(m, want.netns)
		if s == nil {
			t.Errorf("%s is not looked at", what)
			continue
		}
		clients := 0
		for i := range s.Sockets {
			if s.Settings.Ephemeral(s.Sockets[i].LocalPort) {
				clients++
			}
		}
		if clients != want.clients {
			t.Errorf("%s has %d ports in use, want %d", what, clients, want.clients)
		}
	}
	for _, netns := range append(quiet, empty, dying) {
		if b := briefOf(m, netns); b == nil || b.Bound > 40 || b.Usable != 28232 {
			t.Fatalf("of namespace %d is known %+v, want a few sockets on 28232 ports", netns, b)
		}
	}
	if b := briefOf(m, empty); b.Scope.Name != "ephtop-empty" || b.Scope.PID != 0 || b.Bound != 0 {
		t.Errorf("the one without a process is %+v", b)
	}
	// The kernel has ended it, and the list does not say so yet.
	list, err := g.lister.Update(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	settings := g.spaces[dying].settings
	ip(t, "netns", "del", "ephtop-dying")
	eventually(t, "the namespace ends", func() bool { return settings.Alive() != nil })
	g.poll++
	if err := g.look(context.Background(), list, GateOptions{Focus: dying}); err != nil {
		t.Fatal(err)
	}
	for _, s := range g.looked {
		if s.Scope.Netns == dying {
			t.Error("the one that ended is still looked at")
		}
	}
}

// hold keeps a process in a namespace while the test lasts.
func hold(t testing.TB, h *netlab.Host) {
	t.Helper()
	h.Child(t, exec.Command("cat"))
}

// What a namespace is to be looked at for, and has ended.
func TestTheOnlyOneEnds(t *testing.T) {
	g := newGate(t)
	netns := add(t, "ephtop-only")
	look(t, g, GateOptions{Only: netns})
	ip(t, "netns", "del", "ephtop-only")
	eventually(t, "it is gone", func() bool {
		err := g.Poll(context.Background(), new(source.Moment), GateOptions{Only: netns})
		return err != nil && err.Error() == ErrGone.Error()
	})
}

// The thread that enters namespaces ends with its owner, at home.
func TestVisitorStaysNowhere(t *testing.T) {
	g := newGate(t)
	newLab(t, "40000 40099", 61)
	look(t, g, GateOptions{Warn: 60})
	var at uint64
	if err := g.lister.visitor.do(func(th *thread) error {
		at = procfs.Netns(unix.AT_FDCWD, "/proc/thread-self/ns/net")
		if unix.Gettid() == unix.Getpid() {
			return fmt.Errorf("it is the first thread")
		}
		return nil
	}); err != nil {
		t.Error(err)
	}
	if want := hostNetns(t); at != want {
		t.Errorf("between visits the thread is in %d, want %d", at, want)
	}
	g.lister.Close()
	if err := g.lister.visitor.do(func(*thread) error { return nil }); err == nil {
		t.Error("it takes visits after its end")
	}
}
