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

// kernelThread is PF_KTHREAD of linux/sched.h.
const kernelThread = 0x00200000

// Names below /proc/PID, ended by NUL for openat.
var (
	pathFD      = []byte("fd\x00")
	pathStat    = []byte("stat\x00")
	pathStatus  = []byte("status\x00")
	pathCommand = []byte("cmdline\x00")
)

// openProcess opens the directory of a process and makes sure that it is the
// one that is remembered; where its pid was reused, what was remembered is
// dropped. What is opened below the directory can't be another process's, for
// the kernel ties it to the process and not to its number. An error says that
// there is no such process; it is dropped then.
func (t *Tracker) openProcess(i int32) (dir int, err error) {
	p := &t.processes[i]
	dir, err = openat(t.root, t.pidPath(p.pid), unix.O_PATH|unix.O_DIRECTORY)
	if err == nil {
		var s procfs.Stat
		if s, err = t.readStat(dir); err == nil {
			if p.known && p.start != s.Start {
				t.forget(i)
			}
			if string(p.comm) != string(s.Comm) {
				p.comm, p.hasInfo = append(p.comm[:0], s.Comm...), false
			}
			p.known, p.start, p.kernel = true, s.Start, s.Flags&kernelThread != 0
			return dir, nil
		}
		defer unix.Close(dir)
	}
	switch {
	case isGone(err):
		t.drop(i)
	case isDenied(err) && dir >= 0:
		// /proc is mounted with hidepid=1: the directory is listed, and that
		// is all.
		t.hide(i)
	default:
		t.fail("open a process", err)
	}
	return -1, err
}

func (t *Tracker) pidPath(pid int32) []byte {
	t.path = appendPath(t.path[:0], int64(pid))
	return t.path
}

// readFile reads the beginning of a file of a process into the tracker's
// buffer. A file of /proc comes whole in one read.
func (t *Tracker) readFile(dir int, path []byte) ([]byte, error) {
	fd, err := openat(dir, path, unix.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, t.buf)
	return t.buf[:max(n, 0)], err
}

func (t *Tracker) readStat(dir int) (procfs.Stat, error) {
	b, err := t.readFile(dir, pathStat)
	if err != nil {
		return procfs.Stat{}, err
	}
	return procfs.ParseStat(b)
}

// describe reads what is shown of a process. What can't be read is left as it
// was: a process may end at any moment.
func (t *Tracker) describe(dir int, p *process) {
	p.hasInfo, p.described = true, t.poll
	p.info.PID, p.info.Start = p.pid, p.start
	if p.info.Name != string(p.comm) {
		p.info.Name = string(p.comm)
	}
	if b, err := t.readFile(dir, pathCommand); err == nil {
		if b = procfs.JoinCommand(b); p.info.Command != string(b) {
			p.info.Command = string(b)
		}
	}
	if b, err := t.readFile(dir, pathStatus); err == nil {
		if st, ok := procfs.ParseStatus(b); ok {
			p.info.UID, p.info.User = st.UID, t.users.Name(st.UID)
		}
	}
}

// countDescriptors gives the number of descriptors that a process has, in
// microseconds, which the size of /proc/PID/fd says since Linux 6.2
// (proc_fd_getattr); before that it is always 0.
func (t *Tracker) countDescriptors(p *process) (int64, error) {
	t.path = appendPath(t.path[:0], int64(p.pid))
	t.path[len(t.path)-1] = '/'
	t.path = append(t.path, pathFD...)
	dir, err := openat(t.root, t.path, unix.O_PATH|unix.O_DIRECTORY)
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
	dir, err := openat(t.root, []byte(".\x00"), unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		t.fail("list processes", err)
		return
	}
	defer unix.Close(dir)
	t.numbers, err = readNumbers(dir, t.buf, t.numbers[:0])
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
