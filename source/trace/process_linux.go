package trace

import (
	"errors"
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/procfs"
)

// checkPIDs makes sure that /proc knows threads by the numbers that the kernel
// puts into events, which are the host's.
func checkPIDs() error {
	if procfs.OwnPIDs() {
		return errors.New("it takes the process ids of the host: run ephtop outside the container, " +
			"or in one that shares them (--pid=host)")
	}
	return nil
}

// resolver turns thread ids into processes. It remembers what it found, and
// asks again in each pass whether the thread is still the same. What it can't
// read is no error: threads end at any moment.
type resolver struct {
	proc   procfs.Reader
	comms  func() map[int32]string // names that the kernel saved
	saved  map[int32]string        // what comms gave in this pass, nil before
	pass   uint64
	now    uint64 // of this pass, nanoseconds of the trace clock
	known  map[int32]*thread
	failed map[int32]bool // threads that are gone, in this pass
}

// thread is what is remembered of a thread.
type thread struct {
	comm    string
	start   uint64 // clock ticks since boot
	process source.Process
	netns   uint64 // as in source.Scope
	kernel  bool   // one of the kernel's own
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

func newResolver(proc string, comms func() map[int32]string) *resolver {
	return &resolver{
		proc: procfs.Reader{Root: proc}, comms: comms,
		known: make(map[int32]*thread), failed: make(map[int32]bool),
	}
}

// begin starts a pass at a moment of the trace clock.
func (r *resolver) begin(now uint64) {
	r.pass++
	r.now, r.saved = now, nil
	clear(r.failed)
}

// process gives the process of a thread at a moment not after the pass began,
// and its network namespace, 0 where that is not known.
func (r *resolver) process(tid int32, at uint64) (p source.Process, netns uint64) {
	t := r.thread(tid)
	if t == nil || t.start*tick > at || t.seen+keep < at {
		// The thread has ended, and what has its id now, if anything, came
		// later.
		return source.Process{PID: tid, Name: r.savedName(tid)}, 0
	}
	if t.kernel { // which works for whatever namespace
		return source.Process{}, 0
	}
	return t.process, t.netns
}

// thread brings what is known of a thread up to date.
func (r *resolver) thread(tid int32) *thread {
	t := r.known[tid]
	if t != nil && t.pass == r.pass || r.failed[tid] {
		return t
	}
	dir, now, err := r.proc.Open(tid)
	if err != nil {
		r.failed[tid] = true
		return t
	}
	defer unix.Close(dir)
	if t != nil && t.start != now.Start {
		delete(r.known, tid) // another thread has its id now
		t = nil
	}
	if t == nil || t.comm != string(now.Comm) {
		next := r.describe(dir, tid, now)
		if next == nil {
			r.failed[tid] = true
			return t
		}
		if len(r.known) >= maxThreads {
			clear(r.known)
		}
		t = next
		r.known[tid] = t
	}
	t.pass, t.seen = r.pass, r.now
	return t
}

// describe reads what is shown of the process that a thread belongs to; nil if
// it has ended meanwhile.
func (r *resolver) describe(dir int, tid int32, s procfs.Stat) *thread {
	t := &thread{comm: string(s.Comm), start: s.Start, netns: procfs.Netns(dir, "ns/net"), kernel: s.Kernel()}
	t.process.Name, t.process.Start = t.comm, t.start
	if !r.proc.Describe(dir, tid, &t.process) {
		return nil
	}
	if t.process.PID != tid {
		dir, leader, err := r.proc.Open(t.process.PID)
		if err != nil {
			return nil
		}
		unix.Close(dir)
		t.process.Name, t.process.Start = string(leader.Comm), leader.Start
	}
	return t
}

func (r *resolver) savedName(tid int32) string {
	if r.saved == nil {
		r.saved = r.comms()
	}
	return r.saved[tid]
}
