package owner

import (
	"slices"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/procfs"
)

// process is what is remembered of one process.
type process struct {
	// What the look-up of each socket touches comes first.
	polled uint32 // poll in which out was set
	out    int32  // index in the processes that Assign returns
	owned  int    // sockets of the present poll
	before int    // sockets of the poll before

	pid    int32
	start  uint64
	known  bool  // start, kernel and comm are read
	kernel bool  // a kernel thread: it has no descriptors
	hidden bool  // its descriptors may not be read
	listed bool  // its descriptors were read at least once
	size   int64 // number of descriptors, since Linux 6.2; else 0

	suspect bool // changed, and its descriptors were not all checked since
	cursor  int  // descriptor to check next

	found   uint32 // poll in which a search found a socket here last
	walked  uint32 // poll whose walk over /proc saw the process last
	cgroup  uint64 // cgroup of one of its sockets
	comm    []byte
	hasInfo bool
	// described is the poll in which info was read last.
	described uint32
	info      source.Process

	descriptors []descriptor // by ascending number
}

// descriptor is what is remembered of one descriptor of a process.
type descriptor struct {
	number int32
	inode  uint32 // of the socket, for kinds foreign and dumped
	kind   kind
}

// kind says when a descriptor must be read again: its number can be closed
// and opened as something else at any time.
type kind uint8

const (
	unread  kind = iota // never read: at the next search
	other               // not a socket: when nothing else explains an inode
	foreign             // a socket that was in no dump (another family, another namespace): likewise
	dumped              // a socket that was in a dump: once it is in there no more
)

// openProcess opens the directory of a process and makes sure that it is the
// one that is remembered; where its pid was reused, what was remembered is
// dropped. An error says that there is no such process, which is dropped then,
// or that it may not be read.
func (t *Tracker) openProcess(i int32) (int, error) {
	p := &t.processes[i]
	dir, s, err := t.proc.Open(p.pid)
	if err != nil {
		// Denied where /proc is mounted with hidepid=1: the directory is listed,
		// and that is all.
		t.passOver(i, "open a process", err)
		return -1, err
	}
	if p.known && p.start != s.Start {
		t.forget(i)
	}
	if string(p.comm) != string(s.Comm) {
		p.comm, p.hasInfo = append(p.comm[:0], s.Comm...), false
	}
	p.known, p.start, p.kernel = true, s.Start, s.Kernel()
	return dir, nil
}

// passOver drops a process that has ended, and hides one that may not be read.
func (t *Tracker) passOver(i int32, doing string, err error) {
	switch {
	case isGone(err):
		t.drop(i)
	case isDenied(err):
		t.hide(i)
	default:
		t.fail(doing, err)
	}
}

// describe reads what is shown of a process.
func (t *Tracker) describe(dir int, p *process) {
	p.hasInfo, p.described = true, t.poll
	p.info.PID, p.info.Start = p.pid, p.start
	if p.info.Name != string(p.comm) {
		p.info.Name = string(p.comm)
	}
	t.proc.Describe(dir, p.pid, &p.info)
}

// countDescriptors gives the number of descriptors that a process has, in
// microseconds, which the size of /proc/PID/fd says since Linux 6.2
// (proc_fd_getattr); before that it is always 0.
func (t *Tracker) countDescriptors(p *process) (int64, error) {
	dir, err := procfs.OpenAt(unix.AT_FDCWD, t.proc.Path(p.pid, "/fd"), unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return 0, err
	}
	defer unix.Close(dir)
	if err := unix.Fstat(dir, &t.fileInfo); err != nil {
		return 0, err
	}
	return t.fileInfo.Size, nil
}

// listProcesses brings the list of processes up to date.
func (t *Tracker) listProcesses() {
	dir, err := unix.Open(t.proc.Root, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.fail("list processes", err)
		return
	}
	defer unix.Close(dir)
	t.numbers, err = procfs.ReadNumbers(dir, t.buf, t.numbers[:0])
	if err != nil {
		t.fail("list processes", err)
		return
	}
	t.lastWalk = t.poll
	for _, pid := range t.numbers {
		i, ok := t.byPID[pid]
		if !ok {
			i = t.add(pid)
		}
		t.processes[i].walked = t.poll
	}
	for i := range t.processes {
		if p := &t.processes[i]; p.pid != 0 && p.walked != t.poll {
			t.drop(int32(i))
		}
	}
}

func (t *Tracker) add(pid int32) int32 {
	var i int32
	if n := len(t.free); n > 0 {
		i, t.free = t.free[n-1], t.free[:n-1]
	} else {
		i = int32(len(t.processes))
		t.processes = append(t.processes, process{})
	}
	t.processes[i] = process{pid: pid}
	t.byPID[pid] = i
	return i
}

// drop forgets a process that has ended.
func (t *Tracker) drop(i int32) {
	t.release(i)
	delete(t.byPID, t.processes[i].pid)
	t.processes[i] = process{}
	t.free = append(t.free, i)
}

// forget makes a process a stranger whose number alone is known.
func (t *Tracker) forget(i int32) {
	t.release(i)
	p := &t.processes[i]
	*p = process{pid: p.pid, walked: p.walked}
}

// release takes all sockets from a process.
func (t *Tracker) release(i int32) {
	for _, d := range t.processes[i].descriptors {
		t.lose(i, d)
	}
}

// hide marks a process whose descriptors may not be read.
func (t *Tracker) hide(i int32) {
	t.release(i)
	p := &t.processes[i]
	p.descriptors, p.hidden, p.cursor = nil, true, 0
}

// lose takes the socket of a descriptor from a process, if it is the holder.
func (t *Tracker) lose(i int32, d descriptor) {
	if d.kind != dumped {
		return
	}
	if e := t.table.find(d.inode); e != nil && e.holder == i {
		e.holder = unknown
	}
}

// trim gives memory back once a process has far fewer descriptors.
func trim(d []descriptor) []descriptor {
	if cap(d) > 4*len(d)+64 {
		return slices.Clone(d)
	}
	return d
}
