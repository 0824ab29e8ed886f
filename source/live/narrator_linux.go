package live

import (
	"time"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/procfs"
	"ephtop/source/tables"
	"ephtop/source/trace"
)

// narrator adds to what the kernel tells who the processes are, as long as
// they can be asked for: an event has only their number and name.
type narrator struct {
	*tables.Events
	proc  procfs.Reader
	known map[int32]acquaintance
	turn  int
	asks  time.Duration // of a processor, that asking took
}

// acquaintance is a process that did something.
type acquaintance struct {
	source.Process
	since time.Time // when it began
	asked int       // turn in which it was asked for last
	told  int       // turn in which it did something last
}

// maxAcquaintances bounds the processes that are remembered.
const maxAcquaintances = 4096

func newNarrator(events *tables.Events, cgroup func(file []byte) uint64) *narrator {
	return &narrator{
		Events: events, proc: procfs.Reader{Root: "/proc", Cgroup: cgroup}, known: make(map[int32]acquaintance),
	}
}

// Drain tells what happened since the Drain before.
func (n *narrator) Drain(dst []source.Event) (events []source.Event, lost int, err error) {
	events, lost, err = n.Events.Drain(dst)
	n.asks += trace.Measured(func() { n.introduceAll(events[len(dst):]) })
	return events, lost, err
}

// Spent is what the events have taken of a processor, and to ask who they are.
func (n *narrator) Spent() time.Duration { return n.Events.Spent() + n.asks }

func (n *narrator) introduceAll(events []source.Event) {
	n.turn++
	booted := bootTime()
	for i := range events {
		n.introduce(&events[i], booted)
	}
	for pid, a := range n.known {
		if n.turn-a.told > 2 || len(n.known) > maxAcquaintances {
			delete(n.known, pid) // before its number can be another's
		}
	}
}

// introduce completes the process of an event.
func (n *narrator) introduce(e *source.Event, booted time.Time) {
	pid := e.Process.PID
	if pid == 0 {
		return
	}
	a := n.known[pid]
	if a.asked != n.turn {
		n.ask(&a, pid, booted)
	}
	a.told = n.turn
	n.known[pid] = a
	// What has the number now may have begun later.
	if a.PID == pid && !a.since.After(e.Time) {
		cgroup := e.Process.Cgroup
		e.Process = a.Process
		if cgroup != 0 {
			e.Process.Cgroup = cgroup
		}
	}
}

// ask reads what is shown of a process. One that has ended stays what it was.
func (n *narrator) ask(a *acquaintance, pid int32, booted time.Time) {
	a.asked = n.turn
	dir, s, err := n.proc.Open(pid)
	if err != nil {
		return
	}
	defer unix.Close(dir)
	if a.PID == pid && a.Start == s.Start && a.Name == string(s.Comm) {
		return
	}
	p := source.Process{PID: pid, Start: s.Start, Name: string(s.Comm)}
	if n.proc.Describe(dir, pid, &p) {
		// A tick early, for the kernel cuts the start to whole ones.
		a.Process, a.since = p, booted.Add(time.Duration(s.Start)*tick)
	}
}

// tick is the unit of start times: USER_HZ is 100 everywhere Go runs.
const tick = time.Second / 100

// bootTime is when the clock of start times stood at 0.
func bootTime() time.Time {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return time.Time{}
	}
	return time.Now().Add(-time.Duration(ts.Nano()))
}
