package trace

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"ephtop/source"
)

// fixture is a /proc of our own.
type fixture struct {
	t     *testing.T
	path  string
	netns uint64 // of the thread that was written last
}

func (f *fixture) resolver() *resolver {
	return newResolver(f.path, func() map[int32]string { return nil })
}

// thread writes a thread that belongs to a process and began at a tick.
func (f *fixture) thread(tid, pid int, comm string, start int) {
	f.t.Helper()
	dir := filepath.Join(f.path, strconv.Itoa(tid))
	command := "/usr/bin/" + comm + "\x00--serve\x00"
	if leader, err := os.ReadFile(filepath.Join(f.path, strconv.Itoa(pid), "cmdline")); err == nil && tid != pid {
		command = string(leader) // all threads have one
	}
	for name, text := range map[string]string{
		"stat":    fmt.Sprintf("%d (%s) S 1 1 1 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 %d 0 0\n", tid, comm, start),
		"status":  fmt.Sprintf("Name:\t%s\nTgid:\t%d\nPid:\t%d\nUid:\t0\t4242424\t0\t0\n", comm, pid, tid),
		"cmdline": command,
		"ns/net":  "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			f.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			f.t.Fatal(err)
		}
	}
	var st unix.Stat_t
	if err := unix.Stat(filepath.Join(dir, "ns/net"), &st); err != nil {
		f.t.Fatal(err)
	}
	f.netns = st.Ino
}

func (f *fixture) remove(path string) {
	f.t.Helper()
	if err := os.RemoveAll(filepath.Join(f.path, path)); err != nil {
		f.t.Fatal(err)
	}
}

func TestResolver(t *testing.T) {
	t.Parallel()
	const second = 100 * tick
	api := source.Process{PID: 50, Start: 300, Name: "api", Command: "/usr/bin/api --serve", UID: 4242424, User: "4242424"}
	for _, test := range []struct {
		name string
		// do brings the fixture to where the thread 51 is looked up.
		do     func(f *fixture, r *resolver)
		at     uint64
		want   source.Process
		placed bool // in the namespace of the thread 51
	}{
		{
			name: "a thread is its process", at: 10 * second, want: api, placed: true,
			do: func(f *fixture, r *resolver) {
				f.thread(50, 50, "api", 300)
				f.thread(51, 50, "worker", 400)
				r.begin(10 * second)
			},
		},
		{
			name: "its namespace can't be read", at: 10 * second, want: api,
			do: func(f *fixture, r *resolver) {
				f.thread(50, 50, "api", 300)
				f.thread(51, 50, "worker", 400)
				f.remove("51/ns/net")
				r.begin(10 * second)
			},
		},
		{
			name: "ended before it was looked up", at: 10 * second, want: source.Process{PID: 51, Name: "saved"},
			do: func(_ *fixture, r *resolver) {
				r.comms = func() map[int32]string { return map[int32]string{51: "saved"} }
				r.begin(10 * second)
			},
		},
		{
			name: "began after the event", at: 3 * second, want: source.Process{PID: 51},
			do: func(f *fixture, r *resolver) {
				f.thread(51, 51, "late", 400)
				r.begin(10 * second)
			},
		},
		{
			name: "ended since it was looked up", at: 11 * second, want: api, placed: true,
			do: func(f *fixture, r *resolver) {
				f.thread(50, 50, "api", 300)
				f.thread(51, 50, "worker", 400)
				r.begin(10 * second)
				r.process(51, 10*second)
				f.remove("51")
				r.begin(11 * second)
			},
		},
		{
			name: "ended long after it was looked up", at: 14 * second, want: source.Process{PID: 51},
			do: func(f *fixture, r *resolver) {
				f.thread(50, 50, "api", 300)
				f.thread(51, 50, "worker", 400)
				r.begin(10 * second)
				r.process(51, 10*second)
				f.remove("51")
				r.begin(14 * second)
			},
		},
		{
			name: "its id is another's now", at: 12 * second, placed: true, want: source.Process{
				PID: 51, Start: 1100, Name: "new", Command: "/usr/bin/new --serve", UID: 4242424, User: "4242424",
			},
			do: func(f *fixture, r *resolver) {
				f.thread(51, 51, "old", 400)
				r.begin(10 * second)
				r.process(51, 10*second)
				f.thread(51, 51, "new", 1100)
				r.begin(12 * second)
			},
		},
		{
			name: "its id is another's since the event", at: 10 * second, want: source.Process{PID: 51},
			do: func(f *fixture, r *resolver) {
				f.thread(51, 51, "old", 400)
				r.begin(10 * second)
				r.process(51, 10*second)
				f.thread(51, 51, "new", 1100)
				r.begin(12 * second)
			},
		},
		{
			name: "it has become another program", at: 12 * second, placed: true, want: source.Process{
				PID: 51, Start: 400, Name: "curl", Command: "/usr/bin/curl --serve", UID: 4242424, User: "4242424",
			},
			do: func(f *fixture, r *resolver) {
				f.thread(51, 51, "sh", 400)
				r.begin(10 * second)
				r.process(51, 10*second)
				f.thread(51, 51, "curl", 400)
				r.begin(12 * second)
			},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := &fixture{t: t, path: t.TempDir()}
			r := f.resolver()
			test.do(f, r)
			for range 2 { // the second answer is from memory
				got, netns := r.process(51, test.at)
				if diff := cmp.Diff(test.want, got); diff != "" {
					t.Errorf("process (-want +got):\n%s", diff)
				}
				if want := f.netns; test.placed && netns != want || !test.placed && netns != 0 {
					t.Errorf("namespace %d; placed: %v, in %d", netns, test.placed, want)
				}
			}
		})
	}
}

func TestResolverIsBounded(t *testing.T) {
	t.Parallel()
	f := &fixture{t: t, path: t.TempDir()}
	r := f.resolver()
	for tid := range int32(maxThreads) {
		r.known[1000+tid] = &thread{}
	}
	f.thread(51, 51, "api", 1)
	r.begin(tick)
	r.process(51, tick)
	if len(r.known) != 1 || r.known[51] == nil {
		t.Errorf("%d threads are remembered", len(r.known))
	}
}

func TestParseComms(t *testing.T) {
	t.Parallel()
	got := parseComms("12 sh\n13 a b\nx y\n14\n99999999999 z\n")
	if diff := cmp.Diff(map[int32]string{12: "sh", 13: "a b"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func FuzzSaved(f *testing.F) {
	f.Add("12 sh\n13 a b\n")
	f.Add("overrun: 7\ncommit overrun: 2\n")
	f.Fuzz(func(t *testing.T, text string) {
		for tid, comm := range parseComms(text) {
			if !strings.Contains(text, strconv.Itoa(int(tid))) || !strings.Contains(text, comm) {
				t.Errorf("%d %q is not in %q", tid, comm, text)
			}
		}
		parseLost(text)
	})
}

// What a kernel thread does, it does for whoever: kthreadd is one.
func TestKernelThreadsAreNobody(t *testing.T) {
	t.Parallel()
	if comm, err := os.ReadFile("/proc/2/comm"); err != nil || string(comm) != "kthreadd\n" {
		t.Skip("no kernel threads are seen here")
	}
	r := newResolver("/proc", func() map[int32]string { return nil })
	r.begin(traceTime())
	if p, netns := r.process(2, traceTime()); p != (source.Process{}) || netns != 0 {
		t.Errorf("%+v in namespace %d, want nobody, nowhere", p, netns)
	}
}
