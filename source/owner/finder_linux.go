package owner

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/procfs"
)

// Lister calls yield for each descriptor of a socket that a process has: at
// least for those of the inodes that are sought, of all where sought is nil.
type Lister func(sought []uint32, yield func(pid, fd int32, inode uint32)) error

// Finder finds the processes that hold sockets where all descriptors can be
// listed at little cost (package source/tables: some 0.1 µs each). So it need
// not rank, follow and try as a [Tracker] does: it remembers who was found, asks
// for the inodes that nobody is known for, and for all now and then. It is not
// safe for concurrent use.
type Finder struct {
	list  Lister
	proc  procfs.Reader
	alive func(pid int32) bool

	poll    uint32
	table   table
	holders []found // pid 0 marks a free place
	free    []int32
	byPID   map[int32]int32
	due     uint32 // poll of the next listing of all
	report  Report

	// Memory used again by each poll.
	wanted []int32 // indices of the sockets that are to be pointed to their holders
	sought []uint32
	shared []descriptorOf
}

// found is a process that held a socket.
type found struct {
	pid       int32
	out       int32  // index in the processes that Assign returns
	polled    uint32 // poll in which out was set
	described uint32 // poll in which info was read last, 0 for never
	hidden    bool   // info may not be read
	info      source.Process
}

// descriptorOf is a socket's descriptor in a process other than its holder.
type descriptorOf struct {
	pid   int32
	inode uint32
}

// listGap is the number of polls after which all descriptors are listed again,
// since a socket can be handed to another process without any sign of it.
const listGap = 16

// NewFinder makes a Finder that describes the processes below root, which is
// /proc but in tests. The pids that list tells must be those of root.
func NewFinder(root string, list Lister) *Finder {
	return &Finder{list: list, proc: procfs.Reader{Root: root}, alive: alive, byPID: make(map[int32]int32)}
}

// alive reports whether there is a process with that pid.
func alive(pid int32) bool { return unix.Kill(int(pid), 0) != unix.ESRCH }

// Assign does what that of a Tracker does.
func (f *Finder) Assign(ctx context.Context, sockets []source.Socket, processes []source.Process) ([]source.Process, Report, error) {
	f.poll++
	f.report, f.wanted, f.sought = Report{}, f.wanted[:0], f.sought[:0]
	f.bury()
	all := f.poll >= f.due
	processes, seen := f.enter(sockets, processes, all)
	err := ctx.Err()
	if err == nil {
		err = f.ask(all)
	}
	for _, i := range f.wanted {
		processes = f.point(&sockets[i], f.table.find(sockets[i].Inode), processes)
	}
	if gone := f.table.used - seen; gone > seen/16 || gone > 0 && f.poll%listGap == 0 {
		f.table.sweep(f.poll)
	}
	f.forget()
	f.report.Late = f.proc.Late()
	return processes, f.report, err
}

// bury takes the sockets of the processes that have ended away from them: a
// child may hold them still.
func (f *Finder) bury() {
	dead := false
	for i := range f.holders {
		h := &f.holders[i]
		if h.pid != 0 && !f.alive(h.pid) {
			f.drop(int32(i))
			dead = true
		}
	}
	if !dead {
		return
	}
	for i := range f.table.entries {
		if e := &f.table.entries[i]; e.holder >= 0 && e.inode != 0 && f.holders[e.holder].pid == 0 {
			e.holder = unknown
		}
	}
}

// enter marks the inodes that are there, and collects those that nobody is
// known for. The others find their holders at once, unless all are asked for.
// It returns the number of different inodes.
func (f *Finder) enter(sockets []source.Socket, processes []source.Process, all bool) (_ []source.Process, seen int) {
	for i := range sockets {
		s := &sockets[i]
		s.Process = source.NoProcess
		if !s.HasOwner() {
			continue
		}
		e := f.table.put(s.Inode)
		if all || e.holder < 0 {
			f.wanted = append(f.wanted, int32(i))
		} else {
			processes = f.point(s, e, processes)
		}
		if e.seen == f.poll {
			continue
		}
		e.seen = f.poll
		seen++
		switch {
		case e.holder == unknown, e.holder == sought: // and not asked for, since that poll was ended
			e.since = f.poll
			e.holder = sought
			f.sought = append(f.sought, s.Inode)
		case e.holder == nobody && isDue(f.poll, e.since):
			e.holder = sought
			f.sought = append(f.sought, s.Inode)
		}
	}
	return processes, seen
}

// ask lists the descriptors of what is sought, or all.
func (f *Finder) ask(all bool) error {
	if !all && len(f.sought) == 0 {
		return nil
	}
	inodes := f.sought
	if all {
		inodes, f.due = nil, f.poll+listGap
	}
	f.shared = f.shared[:0]
	err := f.list(inodes, func(pid, _ int32, inode uint32) {
		f.report.Read++
		f.told(pid, inode)
	})
	if err != nil {
		return fmt.Errorf("list the descriptors of processes: %w", err)
	}
	if all {
		f.loseRest()
	}
	slices.SortFunc(f.shared, func(a, b descriptorOf) int { return cmp.Compare(a.pid, b.pid) })
	for _, d := range f.shared {
		f.claim(d)
	}
	for _, inode := range f.sought {
		if e := f.table.find(inode); e != nil && e.holder == sought {
			e.holder = nobody
		}
	}
	return nil
}

// told notes that a process has a descriptor of an inode. The holder stays
// who it is for as long as it has one; what else has one is put aside.
func (f *Finder) told(pid int32, inode uint32) {
	e := f.table.find(inode)
	if e == nil || e.seen != f.poll {
		return
	}
	if e.holder >= 0 && f.holders[e.holder].pid == pid {
		e.since = f.poll
		return
	}
	f.shared = append(f.shared, descriptorOf{pid, inode})
}

// loseRest takes the inodes from the holders that have no descriptor of theirs
// any more.
func (f *Finder) loseRest() {
	for i := range f.table.entries {
		e := &f.table.entries[i]
		if e.inode != 0 && e.seen == f.poll && e.holder >= 0 && e.since != f.poll {
			e.holder, e.since = sought, f.poll
			f.sought = append(f.sought, e.inode)
		}
	}
}

// claim makes a process the holder of an inode that is sought.
func (f *Finder) claim(d descriptorOf) {
	if e := f.table.find(d.inode); e.holder == sought {
		e.holder, e.since = f.holder(d.pid), f.poll
	}
}

// holder gives the place of a process.
func (f *Finder) holder(pid int32) int32 {
	n, ok := f.byPID[pid]
	if ok {
		return n
	}
	if k := len(f.free); k > 0 {
		n, f.free = f.free[k-1], f.free[:k-1]
	} else {
		n, f.holders = int32(len(f.holders)), append(f.holders, found{})
	}
	f.holders[n] = found{pid: pid, polled: f.poll - 1}
	f.byPID[pid] = n
	return n
}

// drop frees the place of a process.
func (f *Finder) drop(n int32) {
	delete(f.byPID, f.holders[n].pid)
	f.holders[n] = found{}
	f.free = append(f.free, n)
}

// forget drops the processes that hold nothing, once the table has been swept
// of what they held.
func (f *Finder) forget() {
	for i := range f.holders {
		if h := &f.holders[i]; h.pid != 0 && f.poll-h.polled > 2*listGap {
			f.drop(int32(i))
		}
	}
}

// point makes a socket point to its holder.
func (f *Finder) point(s *source.Socket, e *entry, processes []source.Process) []source.Process {
	if e.holder < 0 {
		f.report.Unowned++
		return processes
	}
	h := &f.holders[e.holder]
	if h.polled != f.poll {
		f.describe(h)
		h.polled, h.out = f.poll, int32(len(processes))
		processes = append(processes, h.info)
		if h.hidden {
			f.report.Hidden++
		}
	}
	s.Process = h.out
	return processes
}

// describe reads what is shown of a process: at first, and in turn with others
// again. One that ends meanwhile keeps its number.
func (f *Finder) describe(h *found) {
	if h.described != 0 && f.poll-h.described < describeGap {
		return
	}
	f.report.Scanned++
	h.described = f.poll
	h.info.PID = h.pid
	dir, s, err := f.proc.Open(h.pid)
	if h.hidden = isDenied(err); err != nil {
		return
	}
	defer unix.Close(dir)
	if h.info.Start != s.Start || h.info.Name != string(s.Comm) {
		h.info = source.Process{PID: h.pid, Start: s.Start, Name: string(s.Comm)}
	}
	f.proc.Describe(dir, h.pid, &h.info)
}

// SetCgroup does what that of a Tracker does.
func (f *Finder) SetCgroup(id func(file []byte) uint64) { f.proc.Cgroup = id }
