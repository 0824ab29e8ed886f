package owner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"ephtop/source"
)

// step is a change to the fixture, followed by a poll.
type step struct {
	name   string
	change func(f *fixture)
	dump   []uint32
	want   []int32 // pid of each inode, 0 for none
	polls  int     // polls until want is due, 0 for 1
}

func TestAssignFollowsChanges(t *testing.T) {
	t.Parallel()
	api := func() person {
		return person{pid: 100, start: 5, name: "api", fds: map[int]string{0: "/dev/null", 3: socket(30), 4: "anon_inode:[eventpoll]"}}
	}
	db := func() person {
		return person{pid: 200, start: 6, name: "db", fds: map[int]string{3: socket(40)}}
	}
	tests := []struct {
		name   string
		people []person
		steps  []step
	}{
		{"each socket has its process", []person{api(), db()}, []step{
			{dump: []uint32{40, 30}, want: []int32{200, 100}},
			{name: "again", dump: []uint32{30, 40}, want: []int32{100, 200}},
		}},
		{"a number is used again for another socket", []person{api(), db()}, []step{
			{dump: []uint32{30, 40}, want: []int32{100, 200}},
			{change: func(f *fixture) { f.link(100, 3, socket(31)) }, dump: []uint32{31, 40}, want: []int32{100, 200}},
		}},
		{"a number moves to another process", []person{api(), db()}, []step{
			{dump: []uint32{30, 40}, want: []int32{100, 200}},
			{change: func(f *fixture) { f.link(100, 3, ""); f.link(200, 4, socket(31)) }, dump: []uint32{31, 40}, want: []int32{200, 200}},
		}},
		{"a file's number is used again for a socket", []person{api(), db()}, []step{
			{dump: []uint32{30, 40}, want: []int32{100, 200}},
			{change: func(f *fixture) { f.link(100, 0, socket(32)) }, dump: []uint32{30, 32, 40}, want: []int32{100, 100, 200}},
		}},
		{"a file's number is used again in a process that was long idle", []person{api(), db()}, []step{
			{dump: []uint32{30, 40}, want: []int32{100, 200}, polls: recent + 3},
			{change: func(f *fixture) { f.link(100, 0, socket(32)) }, dump: []uint32{30, 32, 40}, want: []int32{100, 100, 200}},
		}},
		{"a socket of another kind becomes one of the dump", []person{api(), db()}, []step{
			{change: func(f *fixture) { f.link(100, 5, socket(50)) }, dump: []uint32{30, 40}, want: []int32{100, 200}},
			{name: "the same socket, connected now", dump: []uint32{30, 40, 50}, want: []int32{100, 200, 100}},
			{change: func(f *fixture) { f.link(200, 9, socket(51)) }, dump: []uint32{30, 40}, want: []int32{100, 200}},
			{name: "another socket in its place", change: func(f *fixture) { f.link(200, 9, socket(52)) },
				dump: []uint32{30, 52, 40}, want: []int32{100, 200, 200}},
		}},
		{"a new process", []person{api()}, []step{
			{dump: []uint32{30}, want: []int32{100}},
			{change: func(f *fixture) { f.add(db()) }, dump: []uint32{30, 40}, want: []int32{100, 200}},
		}},
		{"a process ends and its child keeps the socket", []person{api(), {pid: 101, start: 9, name: "child", fds: map[int]string{3: socket(30)}}}, []step{
			{dump: []uint32{30}, want: []int32{100}},
			{change: func(f *fixture) { f.end(100) }, dump: []uint32{30}, want: []int32{101}},
		}},
		{"a socket is handed over", []person{api(), db()}, []step{
			{dump: []uint32{30, 40}, want: []int32{100, 200}},
			{change: func(f *fixture) { f.link(100, 3, ""); f.link(200, 7, socket(30)) }, dump: []uint32{30, 40}, want: []int32{200, 200}, polls: 2},
		}},
		{"a socket keeps its process in a second descriptor", []person{api(), {pid: 50, start: 1, name: "low"}}, []step{
			{dump: []uint32{30}, want: []int32{100}},
			{change: func(f *fixture) { f.link(100, 3, ""); f.link(100, 8, socket(30)) }, dump: []uint32{30}, want: []int32{100}, polls: 2},
		}},
		{"of the workers that share a listener the lowest pid owns it",
			[]person{{pid: 302, start: 1, name: "w", fds: map[int]string{6: socket(60)}}, {pid: 301, start: 1, name: "w", fds: map[int]string{6: socket(60)}},
				{pid: 303, start: 1, name: "w", fds: map[int]string{6: socket(60)}}}, []step{
				{dump: []uint32{60}, want: []int32{301}},
				{name: "a lower pid that comes later does not take it", change: func(f *fixture) {
					f.add(person{pid: 30, start: 9, name: "w", fds: map[int]string{6: socket(60), 7: socket(61)}})
				}, dump: []uint32{60, 61}, want: []int32{301, 30}},
				{name: "the owner ends", change: func(f *fixture) { f.end(301) }, dump: []uint32{60, 61}, want: []int32{30, 30}},
			}},
		{"the lowest pid owns it too if it is searched later", []person{api(), db()}, []step{
			{dump: []uint32{30, 40}, want: []int32{100, 200}, polls: recent + 3},
			{change: func(f *fixture) { f.link(200, 3, socket(62)); f.link(100, 9, socket(62)) },
				dump: []uint32{30, 62, 99}, want: []int32{100, 100, 0}},
		}},
		{"a pid is used again", []person{api()}, []step{
			{dump: []uint32{30}, want: []int32{100}},
			{change: func(f *fixture) {
				f.end(100)
				f.add(person{pid: 100, start: 99, name: "late", fds: map[int]string{3: socket(33)}})
			}, dump: []uint32{30, 33}, want: []int32{0, 100}},
		}},
		{"an unknown inode is found once it turns up", []person{api()}, []step{
			{dump: []uint32{30, 90}, want: []int32{100, 0}},
			{change: func(f *fixture) { f.link(100, 9, socket(90)) }, dump: []uint32{30, 90}, want: []int32{100, 100}},
		}},
		{"a row that stands twice", []person{api()}, []step{
			{dump: []uint32{30, 30, 91, 91}, want: []int32{100, 100, 0, 0}},
		}},
		{"nothing", nil, []step{{dump: nil, want: []int32{}}, {dump: []uint32{1}, want: []int32{0}}}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, test.people...)
			follow(t, f, f.tracker(), test.steps, 1)
		})
		// A Finder sees that a socket was handed over when it lists all.
		t.Run("Finder: "+test.name, func(t *testing.T) {
			f := newFixture(t, test.people...)
			follow(t, f, f.finder(), test.steps, listGap)
		})
	}
}

// follow makes the changes and polls after each, least times or as often as
// the step says.
func follow(t *testing.T, f *fixture, a assigner, steps []step, least int) {
	t.Helper()
	for n, step := range steps {
		if step.change != nil {
			step.change(f)
		}
		var got []int32
		for range max(least, step.polls) {
			got = owners(t, a, step.dump...)
		}
		if diff := cmp.Diff(step.want, got); diff != "" {
			t.Fatalf("step %d %s: owners (-want +got):\n%s", n+1, step.name, diff)
		}
	}
}

func TestAssignDescribesProcesses(t *testing.T) {
	t.Parallel()
	f := newFixture(t, person{pid: 7, start: 1234, name: "a (b) c\n)", command: "run\x00--fast\x00\x00\x00", uid: 4294967290, fds: map[int]string{3: socket(30)}})
	tracker := f.tracker()
	sockets := dump(30, 31)
	sockets[1].State = source.TimeWait
	first := source.Process{PID: 1, Name: "there already"}
	got, report, err := tracker.Assign(context.Background(), sockets, []source.Process{first})
	if err != nil {
		t.Fatal(err)
	}
	want := []source.Process{first, {PID: 7, Start: 1234, Name: "a (b) c\n)", Command: "run --fast", UID: 4294967290, User: "4294967290"}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("processes (-want +got):\n%s", diff)
	}
	if sockets[0].Process != 1 || sockets[1].Process != source.NoProcess {
		t.Errorf("processes of the sockets are %d and %d, want 1 and %d", sockets[0].Process, sockets[1].Process, source.NoProcess)
	}
	if report.Unowned != 0 {
		t.Errorf("%d sockets unowned; a TIME_WAIT has no owner to be missed", report.Unowned)
	}
}

func TestAssignSeesExec(t *testing.T) {
	t.Parallel()
	p := person{pid: 7, start: 1234, name: "sh", command: "sh\x00start", fds: map[int]string{3: socket(30)}}
	f := newFixture(t, p)
	tracker := f.tracker()
	owners(t, tracker, 30)
	p.name, p.command, p.uid = "server", "server\x00--all", 65534
	f.describe(p)
	processes, _, err := tracker.Assign(context.Background(), dump(30), nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(processes) != 1 || processes[0].Name != "server" || processes[0].Command != "server --all" || processes[0].UID != 65534 {
		t.Errorf("after exec the process is %+v", processes)
	}
}

func TestReusedPidIsAnotherProcess(t *testing.T) {
	t.Parallel()
	p := person{pid: 7, start: 1, name: "same", fds: map[int]string{3: socket(30)}}
	f := newFixture(t, p)
	tracker := f.tracker()
	owners(t, tracker, 30)
	p.start = 2
	f.end(7)
	f.add(p)
	processes, _, err := tracker.Assign(context.Background(), dump(30), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := []source.Process{{PID: 7, Start: 2, Name: "same", UID: 0, User: tracker.proc.Users.Name(0)}}
	if diff := cmp.Diff(want, processes); diff != "" {
		t.Errorf("processes (-want +got):\n%s", diff)
	}
}

func TestEndIsSeenAmongMany(t *testing.T) {
	t.Parallel()
	f, inodes := crowd(t, 60, 60)
	f.add(person{pid: 5000, start: 1, name: "heir", fds: map[int]string{3: socket(10050)}})
	tracker := f.tracker()
	if got := owners(t, tracker, inodes...)[50]; got != 1050 {
		t.Fatalf("the socket belongs to %d, want 1050", got)
	}
	f.end(1050)
	if got := owners(t, tracker, inodes...)[50]; got != 5000 {
		t.Errorf("after its process ended the socket belongs to %d, want 5000", got)
	}
}

func TestSteadyPollDoesNoSearch(t *testing.T) {
	t.Parallel()
	f, inodes := crowd(t, 5, 600)
	tracker := f.tracker()
	_, report := poll(t, tracker, inodes...)
	if report.Read < 600 {
		t.Errorf("first poll read %d links of 600", report.Read)
	}
	for range 3 {
		_, report := poll(t, tracker, inodes...)
		if limit := suspectBudget + othersBudget; report.Read > limit {
			t.Errorf("a steady poll read %d links, want at most %d", report.Read, limit)
		}
	}
}

func TestChurnReadsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	f, inodes := crowd(t, 2, 1200)
	tracker := f.tracker()
	owners(t, tracker, inodes...)
	for i := range 20 { // the crowd's first process has the even places
		inodes[2*i] = uint32(50000 + i)
		f.link(1000, 3+i, socket(50000+i))
	}
	pids, report := poll(t, tracker, inodes...)
	for i, pid := range pids {
		if want := int32(1000 + i%2); pid != want {
			t.Fatalf("inode %d belongs to %d, want %d", inodes[i], pid, want)
		}
	}
	if limit := 20 + maxMisses + suspectBudget + othersBudget; report.Read > limit {
		t.Errorf("20 changes made it read %d links, want at most %d", report.Read, limit)
	}
}

func TestVainSearchesBackOff(t *testing.T) {
	t.Parallel()
	f, inodes := crowd(t, 3, 30)
	tracker := f.tracker()
	inodes = append(inodes, 999999)
	var searched []int
	for n := range 70 {
		pids, report := poll(t, tracker, inodes...)
		if report.Unowned != 1 || pids[30] != 0 {
			t.Fatalf("poll %d: %d unowned, want 1", n+1, report.Unowned)
		}
		// The three processes are opened to check them in any case.
		if report.Scanned > 3 {
			searched = append(searched, n+1)
		}
	}
	if len(searched) > 10 {
		t.Errorf("searched in polls %v for an inode that nobody holds, want the gaps to grow", searched)
	}
	f.link(1002, 99, socket(777))
	if pids := owners(t, tracker, append(inodes, 777)...); pids[31] != 1002 {
		t.Errorf("a new inode beside a vain one belongs to %d, want 1002", pids[31])
	}
}

func TestMemoryFollowsThePresent(t *testing.T) {
	t.Parallel()
	f, inodes := crowd(t, 10, 1000)
	tracker := f.tracker()
	owners(t, tracker, inodes...)
	for pid := 1001; pid < 1010; pid++ {
		f.end(pid)
	}
	for n := range walkGap + 1 {
		owners(t, tracker, inodes[0], uint32(90000+n))
	}
	if tracker.table.used > 70 || len(tracker.table.entries) > 4*minTable {
		t.Errorf("the table keeps %d inodes in %d places, for 2 in the dump", tracker.table.used, len(tracker.table.entries))
	}
	if len(tracker.byPID) != 1 {
		t.Errorf("%d processes remembered, one is left", len(tracker.byPID))
	}
}

func TestErrors(t *testing.T) {
	t.Parallel()
	if _, err := New(t.TempDir() + "/none"); err == nil {
		t.Error("New of a directory that does not exist gives no error")
	}
	f := newFixture(t, person{pid: 1, start: 1, name: "bad"}, person{pid: 2, start: 1, name: "good", fds: map[int]string{3: socket(30)}})
	f.must(os.WriteFile(f.path(1, "stat"), []byte("nonsense"), 0o644))
	sockets := dump(30)
	processes, _, err := f.tracker().Assign(context.Background(), sockets, nil)
	if err == nil {
		t.Error("a malformed stat gives no error")
	}
	if len(processes) != 1 || processes[0].PID != 2 || sockets[0].Process != 0 {
		t.Errorf("the other process was not found beside it: %+v", processes)
	}
}

// crowd is a fixture of processes from pid 1000 that share sockets in turn,
// in descriptors from 3, and the inodes of these.
func crowd(t testing.TB, people, sockets int) (*fixture, []uint32) {
	f := newFixture(t)
	for i := range people {
		f.add(person{pid: 1000 + i, start: 1, name: fmt.Sprintf("p%d", i)})
	}
	inodes := make([]uint32, sockets)
	for i := range inodes {
		inodes[i] = uint32(10000 + i)
		f.must(os.Symlink(socket(10000+i), f.path(1000+i%people, "fd", fmt.Sprint(3+i/people))))
	}
	return f, inodes
}

// patience is a context that is done after so many looks at it.
type patience struct {
	context.Context
	looks int
}

func (p *patience) Err() error {
	if p.looks--; p.looks < 0 {
		return context.Canceled
	}
	return nil
}

func TestSearchEndsWithItsContext(t *testing.T) {
	t.Parallel()
	const looks = 100
	for _, test := range []struct {
		name            string
		people, sockets int
	}{
		{"over many processes", 400, 400},
		{"over many descriptors", 1, 400},
	} {
		t.Run(test.name, func(t *testing.T) {
			f, inodes := crowd(t, test.people, test.sockets)
			tracker := f.tracker()
			_, report, err := tracker.Assign(&patience{context.Background(), looks}, dump(inodes...), nil)
			if !errors.Is(err, context.Canceled) || report.Read == 0 || report.Read > looks || report.Unowned != test.sockets-report.Read {
				t.Fatalf("%+v, %v; want it to end within %d descriptors", report, err, looks)
			}
			for range 2 { // what is never searched to the end is not given up
				if _, _, err := tracker.Assign(&patience{context.Background(), 10}, dump(inodes...), nil); !errors.Is(err, context.Canceled) {
					t.Fatal(err)
				}
			}
			for i, pid := range owners(t, tracker, inodes...) {
				if want := int32(1000 + i%test.people); pid != want {
					t.Fatalf("then inode %d belongs to %d, want %d", inodes[i], pid, want)
				}
			}
		})
	}
}

// A process has the control group and the pid in its own namespace from the
// files that describe it.
func TestAssignTellsWhereAProcessLives(t *testing.T) {
	t.Parallel()
	f := newFixture(t, person{pid: 70, start: 1, name: "api", fds: map[int]string{3: socket(5)}})
	f.must(os.WriteFile(f.path(70, "cgroup"), []byte("0::/shop\n"), 0o644))
	f.must(os.WriteFile(f.path(70, "status"), []byte("Tgid:\t70\nUid:\t0\t1\t1\t1\nNSpid:\t70\t1\n"), 0o644))
	tracker := f.tracker()
	tracker.SetCgroup(func(file []byte) uint64 {
		if string(file) != "0::/shop\n" {
			t.Errorf("asked for the cgroup of %q", file)
		}
		return 4711
	})
	processes, _, err := tracker.Assign(context.Background(), dump(5), nil)
	if err != nil || len(processes) != 1 || processes[0].Cgroup != 4711 || processes[0].NSPID != 1 {
		t.Errorf("processes %+v, error %v, want one in cgroup 4711 with pid 1 of its own", processes, err)
	}
}
