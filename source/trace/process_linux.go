package trace

import (
	"fmt"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/procfs"
)

// stat is what we use of /proc/PID/stat.
type stat struct {
	comm  string
	start uint64 // clock ticks since boot
}

// processes reads /proc. What it can't read is no error: processes end at any
// moment.
type processes struct {
	root  directory
	buf   []byte
	users procfs.Users
}

func openProcesses() (*processes, error) {
	root, err := openDirectory(unix.AT_FDCWD, "/proc")
	if err != nil {
		return nil, err
	}
	return &processes{root: root, buf: make([]byte, 8<<10)}, nil
}

// file reads the beginning of a file of a process or thread, which comes whole
// in one read, into a buffer that the next call overwrites.
func (p *processes) file(id int32, name string) ([]byte, bool) {
	fd, err := unix.Openat(int(p.root), strconv.Itoa(int(id))+name, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, false
	}
	defer unix.Close(fd)
	n, err := unix.Read(fd, p.buf)
	if err != nil {
		return nil, false
	}
	return p.buf[:n], true
}

// stat looks a process or thread up; false if there is none.
func (p *processes) stat(id int32) (stat, bool) {
	b, ok := p.file(id, "/stat")
	if !ok {
		return stat{}, false
	}
	s, err := procfs.ParseStat(b)
	return stat{string(s.Comm), s.Start}, err == nil
}

func (p *processes) status(id int32) (procfs.Status, bool) {
	b, ok := p.file(id, "/status")
	if !ok {
		return procfs.Status{}, false
	}
	return procfs.ParseStatus(b)
}

// describe reads what is shown of the process that a thread belongs to.
func (p *processes) describe(tid int32, thread stat) (source.Process, bool) {
	s, ok := p.status(tid)
	if !ok {
		return source.Process{}, false
	}
	leader := thread
	if s.PID != tid {
		if leader, ok = p.stat(s.PID); !ok {
			return source.Process{}, false
		}
	}
	process := source.Process{
		PID: s.PID, Start: leader.start, Name: leader.comm, UID: s.UID, User: p.users.Name(s.UID),
	}
	if b, ok := p.file(s.PID, "/cmdline"); ok {
		process.Command = string(procfs.JoinCommand(b))
	}
	return process, true
}

// namespace is the identity of a namespace: the file that stands for it.
type namespace struct{ device, inode uint64 }

func (p *processes) netns(tid int32) (namespace, bool) {
	return statNamespace(int(p.root), strconv.Itoa(int(tid))+"/ns/net")
}

func statNamespace(at int, path string) (namespace, bool) {
	var st unix.Stat_t
	if err := unix.Fstatat(at, path, &st, 0); err != nil {
		return namespace{}, false
	}
	return namespace{uint64(st.Dev), st.Ino}, true
}

// checkPIDs makes sure that /proc knows threads by the numbers that the kernel
// puts into events, which are the host's.
func checkPIDs() error {
	if procfs.OwnPIDs() {
		return fmt.Errorf("tracing needs the process ids of the host: run ephtop outside the container, " +
			"or in one that shares them (--pid=host), or without --trace")
	}
	return nil
}

// resolver turns thread ids into processes. It remembers what it found, and
// asks again in each pass whether the thread is still the same.
type resolver struct {
	procs  *processes
	netns  namespace
	comms  func() map[int32]string // names that the kernel saved
	saved  map[int32]string        // what comms gave in this pass, nil before
	pass   uint64
	now    uint64 // of this pass, nanoseconds of the trace clock
	known  map[int32]*thread
	failed map[int32]bool // threads that are gone, in this pass
}

// thread is what is remembered of a thread.
type thread struct {
	stat
	process source.Process
	foreign bool   // in another network namespace
	pass    uint64 // in which it was looked up last
	seen    uint64 // when that was, nanoseconds of the trace clock
}

const (
	// tick is the unit of start times: USER_HZ is 100 everywhere Go runs.
	tick = uint64(time.Second / 100)

	// keep is how long an answer holds for a thread that has ended since: too
	// short for the kernel to come round to the same id.
	keep = uint64(3 * time.Second)

	// maxThreads bounds what is remembered.
	maxThreads = 4096
)

func newResolver(procs *processes, netns namespace, comms func() map[int32]string) *resolver {
	return &resolver{
		procs: procs, netns: netns, comms: comms,
		known: make(map[int32]*thread), failed: make(map[int32]bool),
	}
}

// begin starts a pass at a moment of the trace clock.
func (r *resolver) begin(now uint64) {
	r.pass++
	r.now, r.saved = now, nil
	clear(r.failed)
}

// process gives the process of a thread at a moment not after the pass began.
// foreign says that it is known to be in another network namespace.
func (r *resolver) process(tid int32, at uint64) (p source.Process, foreign bool) {
	t := r.thread(tid)
	if t == nil || t.start*tick > at || t.seen+keep < at {
		// The thread has ended, and what has its id now, if anything, came
		// later.
		return source.Process{PID: tid, Name: r.savedName(tid)}, false
	}
	return t.process, t.foreign
}

// thread brings what is known of a thread up to date.
func (r *resolver) thread(tid int32) *thread {
	t := r.known[tid]
	if t != nil && t.pass == r.pass || r.failed[tid] {
		return t
	}
	now, ok := r.procs.stat(tid)
	if !ok {
		r.failed[tid] = true
		return t
	}
	if t != nil && t.start != now.start {
		delete(r.known, tid) // another thread has its id now
		t = nil
	}
	if t == nil || t.comm != now.comm {
		next := &thread{stat: now}
		if next.process, ok = r.procs.describe(tid, now); !ok {
			r.failed[tid] = true
			return t
		}
		ns, ok := r.procs.netns(tid)
		next.foreign = ok && ns != r.netns
		if len(r.known) >= maxThreads {
			clear(r.known)
		}
		t = next
		r.known[tid] = t
	}
	t.pass, t.seen = r.pass, r.now
	return t
}

func (r *resolver) savedName(tid int32) string {
	if r.saved == nil {
		r.saved = r.comms()
	}
	return r.saved[tid]
}
