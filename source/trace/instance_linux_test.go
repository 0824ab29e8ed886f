package trace

import (
	"errors"
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"ephtop/source/netlab"
)

// tracefs opens tracefs beside the tracer under test.
func tracefs(t *testing.T) *os.Root {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root for tracefs")
	}
	root, err := openTracefs()
	if err != nil {
		t.Skipf("no tracefs: %v", err)
	}
	t.Cleanup(func() { root.Close() })
	return root
}

func names(t *testing.T, root *os.Root) []string {
	t.Helper()
	entries, err := fs.ReadDir(root.FS(), "instances")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

// What dead processes left behind is removed at the next start, and nothing
// else.
func TestStaleInstances(t *testing.T) {
	root := tracefs(t)
	h := netlab.New(t, "")
	killed := startChild(t, h, "trace")
	stale := killed.line()
	if !slices.Contains(names(t, root), stale) {
		t.Fatalf("no instance %s: the test is wrong", stale)
	}
	killed.kill()
	if !slices.Contains(names(t, root), stale) {
		t.Fatalf("instance %s is gone by itself: the test is wrong", stale)
	}
	living := startChild(t, h, "trace").line()
	if all := names(t, root); slices.Contains(all, stale) || !slices.Contains(all, living) {
		t.Errorf("instances %v, want %s and not %s", all, living, stale)
	}

	reused := instanceName(int32(os.Getpid()), 1, 0) // our pid, and another process
	stranger := "ephtop-test-stranger"
	for _, name := range []string{reused, stranger} {
		if err := root.Mkdir(instances+name, 0o700); err != nil {
			t.Fatal(err)
		}
		defer root.Remove(instances + name)
	}
	first, second := openIn(t, h), openIn(t, h)
	all := names(t, root)
	for _, want := range []string{living, stranger, first.reader.name, second.reader.name} {
		if !slices.Contains(all, want) {
			t.Errorf("instance %s is gone", want)
		}
	}
	if slices.Contains(all, reused) {
		t.Errorf("instance %s is still there", reused)
	}
	if err := first.Close(); err != nil {
		t.Error(err)
	}
	if all := names(t, root); slices.Contains(all, first.reader.name) {
		t.Errorf("Close left the instance %s", first.reader.name)
	}
}

// Only our event is enabled, only in our instance, with the kernel's filter.
func TestInstanceIsPrivate(t *testing.T) {
	root := tracefs(t)
	tr := openIn(t, netlab.New(t, ""))
	for _, test := range []struct {
		dir        *os.Root
		path, want string
	}{
		{root, eventPath + "/enable", "0"},
		{root, eventPath + "/filter", "none"},
		{tr.reader.dir, "set_event", "sock:inet_sock_set_state"},
		{tr.reader.dir, eventPath + "/filter", eventFilter},
	} {
		got, err := test.dir.ReadFile(test.path)
		if err != nil {
			t.Fatal(err)
		}
		if strings.TrimSpace(string(got)) != test.want {
			t.Errorf("%s: %q, want %q", test.path, got, test.want)
		}
	}
}

// Nothing appears among the host's mounts.
func TestMountsAreUnchanged(t *testing.T) {
	tracefs(t)
	if lines := startChild(t, nil, "mounts").rest(); len(lines) > 0 {
		t.Errorf("mounts changed:\n%s", strings.Join(lines, "\n"))
	}
}

// A tracefs that is mounted is used as it is.
func TestMountedTracefs(t *testing.T) {
	tracefs(t)
	h := netlab.New(t, "")
	l := h.Listen(addr("127.0.0.1"))
	var tr *Tracer
	err := onOwnThread(func() error {
		root, err := mountTracefs() // for this thread alone
		switch {
		case errors.Is(err, unix.EBUSY): // it is mounted there for all
		case err != nil:
			return err
		default:
			defer root.Close()
		}
		before, err := tracefsMounts("thread-self")
		if err != nil {
			return err
		}
		if !strings.Contains(before, " "+tracefsPath+" ") {
			t.Error("tracefs is not mounted: the test is wrong")
		}
		netns, err := os.Open(h.Path())
		if err != nil {
			return err
		}
		defer netns.Close()
		if err := unix.Setns(int(netns.Fd()), unix.CLONE_NEWNET); err != nil {
			return err
		}
		if tr, err = Open(); err != nil {
			return err
		}
		after, err := tracefsMounts("thread-self")
		if after != before {
			t.Errorf("mounts with a tracer:\n%s\nbefore:\n%s", after, before)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.Close()
	if err := h.TimeWait(l, addr("127.0.0.1"), 10); err != nil {
		t.Fatal(err)
	}
	if events := await(t, tr, 10); len(events) != 10 {
		t.Errorf("%d events, want 10", len(events))
	}
}

func TestInstanceName(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		pid   int32
		start uint64
		ok    bool
	}{
		{"ephtop-12-345-0", 12, 345, true},
		{"ephtop-12-345-7", 12, 345, true},
		{"ephtop-12-345", 0, 0, false},
		{"ephtop-012-345-0", 0, 0, false},
		{"ephtop-x-345-0", 0, 0, false},
		{"ephtop-12--345-0", 0, 0, false},
		{"bpftrace-12-345-0", 0, 0, false},
		{"ephtop-99999999999-345-0", 0, 0, false},
	} {
		pid, start, ok := parseInstanceName(test.name)
		if pid != test.pid || start != test.start || ok != test.ok {
			t.Errorf("%s: %d %d %v, want %d %d %v", test.name, pid, start, ok, test.pid, test.start, test.ok)
		}
	}
}

func TestDefaultBuffer(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ cpus, want int }{
		{0, 2048}, {1, 2048}, {8, 2048}, {16, 1024}, {128, 128}, {1024, 64},
	} {
		if got := bufferKB(test.cpus); got != test.want {
			t.Errorf("%d CPUs: %d KB, want %d", test.cpus, got, test.want)
		}
	}
}

func TestParseLost(t *testing.T) {
	t.Parallel()
	const stats = "entries: 3\noverrun: 7\ncommit overrun: 2\nbytes: 228\noldest event ts: 12.5\n" +
		"now ts: 13.5\ndropped events: 1\nread events: 9\n"
	for text, want := range map[string]uint64{stats: 10, "": 0, "overrun: x\n": 0, "overrun": 0} {
		if got := parseLost(text); got != want {
			t.Errorf("%q: %d lost, want %d", text, got, want)
		}
	}
}
