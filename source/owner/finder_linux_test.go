package owner

import (
	"context"
	"errors"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

func TestFinderDescribesProcesses(t *testing.T) {
	t.Parallel()
	p := person{pid: 7, start: 1234, name: "sh", command: "sh\x00start", uid: 4294967290, fds: map[int]string{3: socket(30)}}
	f := newFixture(t, p)
	finder := f.finder()
	describe := func() []source.Process {
		processes, _, err := finder.Assign(context.Background(), dump(30), nil)
		if err != nil {
			t.Fatal(err)
		}
		return processes
	}
	want := []source.Process{{PID: 7, Start: 1234, Name: "sh", Command: "sh start", UID: 4294967290, User: "4294967290"}}
	if diff := cmp.Diff(want, describe()); diff != "" {
		t.Errorf("processes (-want +got):\n%s", diff)
	}
	p.name, p.command = "server", "server\x00--all"
	f.describe(p)
	for range describeGap {
		describe()
	}
	want[0].Name, want[0].Command = "server", "server --all"
	if diff := cmp.Diff(want, describe()); diff != "" {
		t.Errorf("processes after exec (-want +got):\n%s", diff)
	}
}

// A steady dump is listed for once in a while, and an inode that nobody holds
// ever less often.
func TestFinderAsksForWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	f, inodes := crowd(t, 3, 30)
	var all, some int
	finder := f.finder()
	finder.list = func(sought []uint32, yield func(pid, fd int32, inode uint32)) error {
		if sought == nil {
			all++
		} else {
			some++
		}
		return f.list(sought, yield)
	}
	for range 2 * listGap {
		owners(t, finder, inodes...)
	}
	if all != 2 || some != 0 {
		t.Errorf("%d listings of all and %d of some in %d steady polls, want 2 and 0", all, some, 2*listGap)
	}
	for range 64 {
		if got := owners(t, finder, append(inodes, 999)...)[30]; got != 0 {
			t.Fatalf("inode 999, which nobody holds, belongs to %d", got)
		}
	}
	if some > 7 {
		t.Errorf("an inode that nobody holds was asked for %d times in 64 polls", some)
	}
}

func TestFinderForgets(t *testing.T) {
	t.Parallel()
	f, inodes := crowd(t, 10, 1000)
	finder := f.finder()
	owners(t, finder, inodes...)
	for n := range 3 * listGap {
		owners(t, finder, inodes[0], uint32(90000+n))
	}
	if finder.table.used > 2*listGap || len(finder.table.entries) > 4*minTable {
		t.Errorf("the table keeps %d inodes in %d places, for 2 in the dump", finder.table.used, len(finder.table.entries))
	}
	if len(finder.byPID) != 1 {
		t.Errorf("%d processes remembered, one holds a socket", len(finder.byPID))
	}
}

func TestFinderGoesOnAfterAnError(t *testing.T) {
	t.Parallel()
	f, inodes := crowd(t, 2, 10)
	finder := f.finder()
	broken := errors.New("broken")
	finder.list = func([]uint32, func(pid, fd int32, inode uint32)) error { return broken }
	sockets := dump(inodes...)
	if _, report, err := finder.Assign(context.Background(), sockets, nil); !errors.Is(err, broken) || report.Unowned != 10 {
		t.Fatalf("%d unowned, error %v; want 10 and that of the list", report.Unowned, err)
	}
	finder.list = f.list
	canceled, cancel := context.WithCancel(context.Background())
	cancel()
	if _, _, err := finder.Assign(canceled, sockets, nil); !errors.Is(err, context.Canceled) {
		t.Fatalf("error %v with a context that is done", err)
	}
	for i, pid := range owners(t, finder, inodes...) {
		if want := int32(1000 + i%2); pid != want {
			t.Errorf("then inode %d belongs to %d, want %d", inodes[i], pid, want)
		}
	}
}

// A process of whom nothing may be read is counted as hidden, and keeps its
// number.
func TestFinderCountsTheHidden(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root may read everything")
	}
	f, inodes := crowd(t, 2, 4)
	f.must(os.Chmod(f.path(1000), 0))
	t.Cleanup(func() { os.Chmod(f.path(1000), 0o755) })
	finder := f.finder()
	finder.list = func(_ []uint32, yield func(pid, fd int32, inode uint32)) error {
		for i, inode := range inodes {
			yield(int32(1000+i%2), int32(3+i/2), inode)
		}
		return nil
	}
	pids, report := poll(t, finder, inodes...)
	if report.Hidden != 1 || pids[0] != 1000 {
		t.Errorf("%d hidden, the first socket belongs to %d; want 1 and 1000", report.Hidden, pids[0])
	}
}
