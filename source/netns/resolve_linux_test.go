package netns

import (
	"context"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source/netlab"
	"ephtop/source/procfs"
)

// A namespace is found by everything that people have to name it.
func TestResolve(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root to make a network namespace")
	}
	l := New("")
	defer l.Close()
	named := add(t, "ephtop-name")
	lab := newLab(t, "", 3)
	threads := netlab.New(t, "") // of which no process is in it, but one of its threads
	for _, test := range []struct {
		arg  string
		want uint64
	}{
		{"ephtop-name", named},
		{"/run/netns/ephtop-name", named},
		{strconv.Itoa(lab.PID), lab.netns},
		{"/proc/" + strconv.Itoa(lab.PID) + "/ns/net", lab.netns},
		{threads.Path(), procfs.Netns(unix.AT_FDCWD, threads.Path())},
		{"host", hostNetns(t)},
	} {
		got, err := l.Resolve(context.Background(), test.arg)
		if err != nil || got.Scope.Netns != test.want || got.Scope.Netns == 0 {
			t.Errorf("%s is namespace %d, error %v, want %d", test.arg, got.Scope.Netns, err, test.want)
		}
	}
}

func TestResolveRefuses(t *testing.T) {
	t.Parallel()
	l := New("")
	defer l.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := unix.Mkfifo(pipe, 0o644); err != nil {
		t.Fatal(err)
	}
	for arg, want := range map[string]string{
		"no-such-name":       `unknown network namespace "no-such-name": use all, self, or the name, process id or path`,
		"":                   `unknown network namespace ""`,
		"..":                 `unknown network namespace ".."`,
		"2147483647":         `unknown network namespace "2147483647"`,
		"99999999999":        `unknown network namespace "99999999999"`,
		"-1":                 `unknown network namespace "-1"`,
		file:                 "it is no network namespace",
		pipe:                 "it is no network namespace",
		"/no/such/file":      "no such file or directory",
		"/proc/self/ns/mnt":  "it is no network namespace",
		"/proc/self/ns/none": "no such file or directory",
	} {
		if _, err := l.Resolve(context.Background(), arg); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: error %v, want %q in one line", arg, err, want)
		}
	}
}

func TestResolveTwoOfOneName(t *testing.T) {
	t.Parallel()
	f := newFixture(t, person{pid: 1, netns: 100}, person{pid: 9, netns: 200, cgroup: "/lxc/web"}, person{pid: 12, netns: 300, cgroup: "/lxc/web"})
	_, err := f.lister().Resolve(context.Background(), "web")
	if want := `2 network namespaces are called "web": use the process id of one, such as 9 or 12`; err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
