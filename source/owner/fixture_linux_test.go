package owner

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"ephtop/source"
)

// fixture is a directory that looks like /proc.
type fixture struct {
	t    testing.TB
	root string
}

// person is a process in a fixture.
type person struct {
	pid     int
	start   int
	name    string
	command string
	uid     uint32
	fds     map[int]string
}

func newFixture(t testing.TB, people ...person) *fixture {
	f := &fixture{t, t.TempDir()}
	for _, p := range people {
		f.add(p)
	}
	return f
}

func (f *fixture) must(err error) {
	f.t.Helper()
	if err != nil {
		f.t.Fatal(err)
	}
}

func (f *fixture) path(pid int, rest ...string) string {
	return filepath.Join(append([]string{f.root, strconv.Itoa(pid)}, rest...)...)
}

func (f *fixture) add(p person) {
	f.t.Helper()
	f.must(os.MkdirAll(f.path(p.pid, "fd"), 0o755))
	f.describe(p)
	for n, target := range p.fds {
		f.link(p.pid, n, target)
	}
}

func (f *fixture) describe(p person) {
	f.t.Helper()
	stat := fmt.Sprintf("%d (%s) S 1 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 %d 0 0\n", p.pid, p.name, p.start)
	status := fmt.Sprintf("Name:\t%s\nTgid:\t%d\nUid:\t0\t%d\t%d\t%d\n", p.name, p.pid, p.uid, p.uid, p.uid)
	f.must(os.WriteFile(f.path(p.pid, "stat"), []byte(stat), 0o644))
	f.must(os.WriteFile(f.path(p.pid, "status"), []byte(status), 0o644))
	f.must(os.WriteFile(f.path(p.pid, "cmdline"), []byte(p.command), 0o644))
}

// link makes descriptor n what target says, whatever it was before; "" closes
// it.
func (f *fixture) link(pid, n int, target string) {
	f.t.Helper()
	path := f.path(pid, "fd", strconv.Itoa(n))
	if err := os.Remove(path); err != nil && !os.IsNotExist(err) {
		f.t.Fatal(err)
	}
	if target != "" {
		f.must(os.Symlink(target, path))
	}
}

func (f *fixture) end(pid int) {
	f.t.Helper()
	f.must(os.RemoveAll(f.path(pid)))
}

func (f *fixture) tracker() *Tracker {
	f.t.Helper()
	return newTracker(f.t, f.root)
}

func newTracker(t testing.TB, root string) *Tracker {
	t.Helper()
	tracker, err := New(root)
	if err != nil {
		t.Fatal(err)
	}
	return tracker
}

func socket(inode int) string { return fmt.Sprintf("socket:[%d]", inode) }

// dump makes established sockets with these inodes.
func dump(inodes ...uint32) []source.Socket {
	sockets := make([]source.Socket, len(inodes))
	for i, inode := range inodes {
		sockets[i] = source.Socket{Proto: source.TCP, State: source.Established, Inode: inode, Process: 77}
	}
	return sockets
}

// assigner is a Tracker or a Finder.
type assigner interface {
	Assign(context.Context, []source.Socket, []source.Process) ([]source.Process, Report, error)
}

// finder is a Finder that is told what the links of the fixture say.
func (f *fixture) finder() *Finder {
	finder := NewFinder(f.root, f.list)
	finder.alive = func(pid int32) bool {
		_, err := os.Stat(f.path(int(pid)))
		return err == nil
	}
	return finder
}

// list is a Lister. It yields what is not sought, too, as a Lister may.
func (f *fixture) list(_ []uint32, yield func(pid, fd int32, inode uint32)) error {
	links, err := filepath.Glob(filepath.Join(f.root, "*", "fd", "*"))
	slices.Reverse(links) // in no order of pids
	for _, link := range links {
		var pid, fd int32
		if _, err := fmt.Sscanf(strings.TrimPrefix(link, f.root), "/%d/fd/%d", &pid, &fd); err != nil {
			return err
		}
		target, err := os.Readlink(link)
		if err != nil {
			return err
		}
		if inode, ok := parseLink([]byte(target)); ok {
			yield(pid, fd, inode)
		}
	}
	return err
}

// owners polls once and gives the pid that holds each inode, 0 for none.
func owners(t testing.TB, tracker assigner, inodes ...uint32) []int32 {
	t.Helper()
	pids, _ := poll(t, tracker, inodes...)
	return pids
}

func poll(t testing.TB, tracker assigner, inodes ...uint32) ([]int32, Report) {
	t.Helper()
	sockets := dump(inodes...)
	processes, report, err := tracker.Assign(context.Background(), sockets, nil)
	if err != nil {
		t.Fatal(err)
	}
	pids := make([]int32, len(sockets))
	seen := make(map[int32]bool)
	for _, p := range processes {
		if seen[p.PID] {
			t.Errorf("process %d is returned twice", p.PID)
		}
		seen[p.PID] = true
	}
	for i, s := range sockets {
		if s.Process != source.NoProcess {
			pids[i] = processes[s.Process].PID
		}
	}
	return pids, report
}
