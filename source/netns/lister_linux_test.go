package netns

import (
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// listed says of each namespace "inode: name, kind, processes".
func listed(list []Namespace) []string {
	var lines []string
	for _, n := range list {
		lines = append(lines, fmt.Sprintf("%d: %s, %s, %d", n.Scope.Netns, n.Scope.Name, n.Scope.Kind, n.Processes))
	}
	return lines
}

// The list follows processes and mounts.
func TestListFollowsTheHost(t *testing.T) {
	t.Parallel()
	f := newFixture(t, person{pid: 1, netns: 100, comm: "init"}, person{pid: 7, start: 3, netns: 100, comm: "sshd"},
		person{pid: 9, start: 5, netns: 200, comm: "api", cgroup: "/lxc/web"})
	f.mount(300, "/run/netns/blue")
	l := f.lister()
	for _, step := range []struct {
		what   string
		change func()
		want   []string
	}{
		{"what is there", func() {}, []string{"100: host, host, 2", "200: web, container, 1", "300: blue, named, 0"}},
		{"nothing changes", func() {}, []string{"100: host, host, 2", "200: web, container, 1", "300: blue, named, 0"}},
		{"a process begins", func() { f.add(person{pid: 8, start: 9, netns: 200, comm: "worker"}) },
			[]string{"100: host, host, 2", "200: web, container, 2", "300: blue, named, 0"}},
		{"a process moves", func() { f.move(7, 400) },
			[]string{"100: host, host, 1", "200: web, container, 2", "300: blue, named, 0", "400: sshd (7), unnamed, 1"}},
		{"the last process ends", func() { f.end(7) },
			[]string{"100: host, host, 1", "200: web, container, 2", "300: blue, named, 0"}},
		{"the one that named it ends", func() { f.end(9) },
			[]string{"100: host, host, 1", "200: worker (8), unnamed, 1", "300: blue, named, 0"}},
	} {
		step.change()
		if diff := cmp.Diff(step.want, listed(update(t, l))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", step.what, diff)
		}
	}
}

// An inode number that comes back is another namespace, with another name; one
// in which a process stays is the same.
func TestReusedNumberIsAnotherNamespace(t *testing.T) {
	t.Parallel()
	f := newFixture(t, person{pid: 1, netns: 100}, person{pid: 9, start: 5, netns: 200, cgroup: "/lxc/old"}, person{pid: 10, start: 6, netns: 200})
	l := f.lister()
	first := update(t, l)[1].Scope
	f.end(9)
	f.add(person{pid: 12, start: 8, netns: 200, cgroup: "/lxc/more"})
	if s := update(t, l)[1].Scope; s.Cookie != first.Cookie {
		t.Errorf("process 10 stayed, but %+v is another namespace than %+v", s, first)
	}
	f.end(10)
	f.end(12)
	f.add(person{pid: 14, start: 9, netns: 200, cgroup: "/lxc/new"})
	if s := update(t, l)[1].Scope; s.Cookie == first.Cookie || s.Name != "new" || s.PID != 14 {
		t.Errorf("all processes are new, but %+v is the namespace of before, %+v", s, first)
	}
}

// A process that has the number of one that ended is another one.
func TestReusedPID(t *testing.T) {
	t.Parallel()
	f := newFixture(t, person{pid: 1, netns: 100}, person{pid: 9, start: 5, netns: 200, cgroup: "/lxc/old"})
	l := f.lister()
	before := update(t, l)[1]
	f.end(9)
	f.add(person{pid: 9, start: 50, netns: 200, cgroup: "/lxc/new"})
	l.hand = 1 // its turn
	if s := update(t, l)[1]; s.Scope.Cookie == before.Scope.Cookie || s.Start != 50 || s.Scope.Name != "new" {
		t.Errorf("after the process ended, %+v is like %+v", s, before)
	}
}

// Young processes are looked at by each poll, the others in turn.
func TestProcessesAreLookedAtAgain(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const many = 100
	for pid := 1; pid <= many; pid++ {
		f.add(person{pid: pid, start: 100, netns: 100})
	}
	l := f.lister()
	now := uint64(3600 * ticks)
	l.now = func() uint64 { return now }
	update(t, l)
	f.move(many, 300) // nobody asked when it began
	if got := len(update(t, l)); got != 2 {
		t.Errorf("%d namespaces one poll after a process moved that may be young, want 2", got)
	}
	f.add(person{pid: many + 1, start: 3601 * ticks, netns: 300, comm: "young"})
	now += 5 * ticks
	update(t, l)
	f.move(many+1, 400)
	now += 3 * ticks
	if got := len(update(t, l)); got != 3 {
		t.Errorf("%d namespaces one poll after a young process moved, want 3", got)
	}
	now += 60 * ticks
	for pid := 1; pid <= many; pid++ {
		f.move(pid, 200)
	}
	polls := 1
	for ; l.spaces[100] != nil && polls <= many; polls++ {
		update(t, l)
	}
	if want := many/turn + 2; polls < want-3 || polls > want {
		t.Errorf("all were looked at after %d polls, want about %d", polls, want)
	}
}

// What is known of nothing is called by its number.
func TestNameOfAnUnknownNamespace(t *testing.T) {
	t.Parallel()
	l := newFixture(t).lister()
	update(t, l)
	if got := l.Name(77); got.Name != "net:[77]" || got.Kind != source.ScopeUnnamed || got.Netns != 77 {
		t.Errorf("scope %+v, want net:[77]", got)
	}
}

func TestUpdateEndsWithItsContext(t *testing.T) {
	t.Parallel()
	f := newFixture(t, person{pid: 1, netns: 100})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := f.lister().Update(ctx); err == nil {
		t.Error("no error though the context has ended")
	}
}

// Once warm, an update allocates nothing.
func TestUpdateAllocatesNothing(t *testing.T) {
	f := newFixture(t, person{pid: 1, netns: 100}, person{pid: 9, start: 5, netns: 200, cgroup: "/lxc/web"})
	l := f.lister()
	for range 20 {
		update(t, l)
	}
	if n := testing.AllocsPerRun(20, func() { update(t, l) }); n > 0 {
		t.Errorf("%.0f allocations an update, want none", n)
	}
}

func BenchmarkUpdate(b *testing.B) {
	f := newFixture(b)
	for pid := 1; pid <= 500; pid++ {
		f.add(person{pid: pid, start: 100, netns: uint64(100 + pid/50)})
	}
	for name, l := range map[string]*Lister{"fixture=500": f.lister(), "host": New("")} {
		b.Run(name, func(b *testing.B) {
			for range 20 {
				update(b, l)
			}
			b.ReportAllocs()
			for b.Loop() {
				update(b, l)
			}
			b.ReportMetric(float64(len(l.procs)), "processes")
		})
	}
}

func BenchmarkFirstUpdate(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		l := New("")
		update(b, l)
		l.Close()
	}
}
