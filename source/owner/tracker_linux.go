package owner

import (
	"context"
	"fmt"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/procfs"
)

// Tracker finds the processes that hold sockets. It is not safe for
// concurrent use.
type Tracker struct {
	proc procfs.Reader

	poll      uint32 // number of the present poll, from 1
	table     table
	processes []process // pid 0 marks a free place
	free      []int32   // free places in processes
	byPID     map[int32]int32

	missing int  // inodes sought and not found yet
	cut     bool // the search was ended by its context
	hand    int  // process that was checked last
	// suspectHand is the same among the processes that changed.
	suspectHand int
	lastWalk    uint32 // poll of the last list of processes
	deepNext    uint32 // poll from which the next deep search may be made
	deepGap     uint32 // polls between deep searches that find nothing
	report      Report
	refused     bool  // a link of the process at hand
	err         error // first error of this poll that is not a process's end

	// Memory used again by each poll.
	wanted   []int32 // indices of the sockets whose inodes are sought
	cgroups  []uint64
	uids     []uint32
	order    []ranked
	numbers  []int32
	merged   []descriptor
	path     []byte
	link     []byte
	buf      []byte
	fileInfo unix.Stat_t
}

// Report says how the last Assign went.
type Report struct {
	// Hidden is the number of processes whose descriptors we may not read, as
	// far as searches had to look.
	Hidden int
	// Unowned is the number of sockets that have an inode and for which no
	// process was found.
	Unowned int
	// Scanned and Read are the work done: processes opened, and descriptors
	// whose link was read or tried.
	Scanned, Read int
	// Late names a file that does not answer, "" for none: names and command lines
	// are missing for as long.
	Late string
}

// New makes a tracker for the processes below root, which is /proc but in
// tests.
func New(root string) (*Tracker, error) {
	if _, err := os.Stat(root); err != nil {
		return nil, err
	}
	return &Tracker{
		proc:  procfs.Reader{Root: root},
		byPID: make(map[int32]int32),
		link:  make([]byte, 64),
		buf:   make([]byte, 32<<10),
	}, nil
}

// SetCgroup has the Cgroup of processes told by their /proc/PID/cgroup, as
// procfs.Reader.Cgroup says.
func (t *Tracker) SetCgroup(id func(file []byte) uint64) { t.proc.Cgroup = id }

// Assign sets the Process of every socket, to an index into the returned
// processes where the socket has an inode and its holder is found, else to
// source.NoProcess. The holders are appended to processes, once each.
//
// Of several holders of one socket, the one that was found first stays for as
// long as it holds it; of those that are found together it is the one with the
// lowest pid. Sockets and processes that end meanwhile are no error. After an
// error (no more descriptors, /proc can't be read, or ctx is done) everything is
// filled in that could be found out, and the next Assign goes on from there.
func (t *Tracker) Assign(ctx context.Context, sockets []source.Socket, processes []source.Process) ([]source.Process, Report, error) {
	t.poll++
	t.missing, t.cut, t.report, t.err = 0, false, Report{}, nil
	t.wanted, t.cgroups, t.uids = t.wanted[:0], t.cgroups[:0], t.uids[:0]

	t.watch()
	processes, seen := t.lookUp(sockets, processes)
	if t.missing > 0 {
		t.search(ctx)
	} else if t.poll-t.lastWalk >= walkGap {
		t.listProcesses()
	}
	processes = t.settle(sockets, processes)
	if gone := t.table.used - seen; gone > seen/16 || gone > 0 && t.poll%walkGap == 0 {
		t.table.sweep(t.poll)
	}
	t.report.Hidden, t.report.Late = t.countHidden(), t.proc.Late()
	if t.cut {
		t.err = ctx.Err()
	}
	return processes, t.report, t.err
}

// walkGap is the number of polls after which processes that have ended are
// forgotten even if nothing is searched.
const walkGap = 32

// lookUp sets the process of every socket whose holder is known, and collects
// the others. It returns the number of different inodes.
func (t *Tracker) lookUp(sockets []source.Socket, processes []source.Process) (_ []source.Process, seen int) {
	for i := range sockets {
		s := &sockets[i]
		s.Process = source.NoProcess
		if !s.HasOwner() {
			continue
		}
		e := t.table.find(s.Inode)
		if e == nil {
			e = t.table.put(s.Inode)
		}
		if e.seen != t.poll {
			e.seen = t.poll
			seen++
		}
		if e.holder < 0 {
			t.want(e, s, int32(i))
			continue
		}
		processes = t.point(s, e.holder, processes)
	}
	return processes, seen
}

// point makes a socket point to its holder.
func (t *Tracker) point(s *source.Socket, holder int32, processes []source.Process) []source.Process {
	p := &t.processes[holder]
	if p.polled != t.poll {
		p.polled, p.out = t.poll, int32(len(processes))
		p.cgroup = s.Cgroup
		processes = append(processes, p.info)
	}
	p.owned++
	s.Process = p.out
	return processes
}

// maxHints bounds the cgroups and users that are remembered as a hint for the
// search.
const maxHints = 16

// want notes a socket whose holder is not known, unless it was searched in
// vain and the time to try again has not come.
func (t *Tracker) want(e *entry, s *source.Socket, i int32) {
	if e.holder == nobody && !isDue(t.poll, e.since) {
		t.report.Unowned++
		return
	}
	t.wanted = append(t.wanted, i)
	if e.holder == sought {
		return
	}
	if e.holder == unknown {
		e.since = t.poll
	}
	e.holder = sought
	t.missing++
	t.cgroups = hint(t.cgroups, s.Cgroup)
	t.uids = hint(t.uids, s.UID)
}

func hint[T comparable](hints []T, value T) []T {
	if len(hints) == maxHints || slices.Contains(hints, value) {
		return hints
	}
	return append(hints, value)
}

// longestWait is the most polls between two searches for the same inode. It
// is a power of two.
const longestWait = 64

// isDue tells whether an inode that was searched in vain since a poll is to be
// searched again: 1, 2, 4 … polls later, and in the end all together.
func isDue(poll, since uint32) bool {
	if age := poll - since; age < longestWait {
		return age&(age-1) == 0
	}
	return poll%longestWait == 0
}

// settle points the sockets that were searched for to what was found.
func (t *Tracker) settle(sockets []source.Socket, processes []source.Process) []source.Process {
	vain := nobody
	if t.cut {
		vain = unknown
	}
	for _, i := range t.wanted {
		s := &sockets[i]
		e := t.table.find(s.Inode)
		switch {
		case e.holder >= 0:
			processes = t.point(s, e.holder, processes)
		case e.holder == sought:
			e.holder = vain
			fallthrough
		default:
			t.report.Unowned++
		}
	}
	return processes
}

func (t *Tracker) countHidden() int {
	n := 0
	for i := range t.processes {
		if p := &t.processes[i]; p.hidden && !p.kernel {
			n++
		}
	}
	return n
}

// fail keeps the first error of a poll.
func (t *Tracker) fail(doing string, err error) {
	if t.err == nil && !isGone(err) {
		t.err = fmt.Errorf("%s: %w", doing, err)
	}
}
