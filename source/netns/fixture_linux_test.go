package netns

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"ephtop/source"
)

// fixture is a directory that looks like a host's root.
type fixture struct {
	t    testing.TB
	root string
}

// person is a process in a fixture.
type person struct {
	pid, start int
	netns      uint64
	comm       string
	command    string
	cgroup     string // the path of version 2
}

func newFixture(t testing.TB, people ...person) *fixture {
	f := &fixture{t, t.TempDir()}
	f.write("proc/self/mountinfo", "")
	for _, p := range people {
		f.add(p)
	}
	return f
}

func (f *fixture) write(path, content string) {
	f.t.Helper()
	path = filepath.Join(f.root, path)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) add(p person) {
	f.t.Helper()
	dir := fmt.Sprintf("proc/%d/", p.pid)
	f.write(dir+"stat", fmt.Sprintf("%d (%s) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 %d 0 0\n", p.pid, p.comm, p.start))
	f.write(dir+"comm", p.comm+"\n")
	f.write(dir+"cmdline", p.command)
	f.write(dir+"cgroup", "0::"+p.cgroup+"\n")
	f.move(p.pid, p.netns)
}

// move puts a process into another namespace.
func (f *fixture) move(pid int, netns uint64) {
	f.t.Helper()
	link := filepath.Join(f.root, fmt.Sprintf("proc/%d/ns/net", pid))
	os.Remove(link) // there may be none
	if err := os.MkdirAll(filepath.Dir(link), 0o755); err != nil {
		f.t.Fatal(err)
	}
	if err := os.Symlink(fmt.Sprintf("net:[%d]", netns), link); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) end(pid int) {
	f.t.Helper()
	if err := os.RemoveAll(filepath.Join(f.root, fmt.Sprint("proc/", pid))); err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) mount(netns uint64, path string) {
	f.write("proc/self/mountinfo", fmt.Sprintf("41 26 0:4 net:[%d] %s rw shared:1 - nsfs nsfs rw\n", netns, path))
}

// lister makes a lister of the fixture, an hour after its start.
func (f *fixture) lister() *Lister {
	f.t.Helper()
	l := New(f.root)
	l.now = func() uint64 { return 3600 * ticks }
	f.t.Cleanup(func() { l.Close() })
	return l
}

func update(t testing.TB, l *Lister) []Namespace {
	t.Helper()
	list, err := l.Update(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// scope gives the scope of a namespace of the fixture.
func (f *fixture) scope(netns uint64) source.Scope {
	f.t.Helper()
	l := f.lister()
	update(f.t, l)
	return l.Name(netns)
}
