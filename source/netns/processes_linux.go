package netns

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"ephtop/source/procfs"
)

// process is what is remembered of a process.
type process struct {
	pid   int32
	start uint64 // 0 where nobody asked
	netns uint64 // 0 where it has none, or it can't be read
	// stayed says that it was in this namespace at the poll before.
	stayed bool
	open   bool // its link may be read
}

// ticks are clock ticks in a second (USER_HZ).
const ticks = 100

// young is the age up to which a process may still be on its way into a
// namespace of its own, in clock ticks.
const young = 10 * ticks

// turn is how many of the other processes are looked at again by each poll; at
// the first of these more closely, whether its number was given away.
const turn = 8

func sinceBoot() uint64 {
	var ts unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts); err != nil {
		return 0
	}
	return uint64(ts.Nano()) / (1e9 / ticks)
}

// listProcesses brings the list of processes up to date and reports whether
// anything changed. Only those are looked at that are new or young, and a few
// of the others in turn: a process may move at any time (unshare(2), setns(2)).
func (l *Lister) listProcesses(ctx context.Context) (changed bool, err error) {
	dir, err := procfs.OpenAt(unix.AT_FDCWD, l.dir, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return false, err
	}
	defer unix.Close(dir)
	if l.numbers, err = procfs.ReadNumbers(dir, l.buf, l.numbers[:0]); err != nil {
		return false, err
	}
	now := l.now()
	if l.poll == 1 {
		l.began = now
	}
	from, to := l.hand, l.hand+turn
	if l.hand = to; to >= len(l.numbers) {
		l.hand = 0
	}
	old, host := l.procs, uint64(0)
	l.next = l.next[:0]
	for i, pid := range l.numbers {
		for len(old) > 0 && old[0].pid < pid {
			old, changed = old[1:], true
		}
		known := len(old) > 0 && old[0].pid == pid
		p := process{pid: pid}
		if known {
			p, old = old[0], old[1:]
			p.stayed = true
		}
		turned, fresh := i >= from && i < to, p.start+young > now || p.start == 0 && l.began+young > now
		if known && !turned && !fresh {
			l.next = append(l.next, p)
			continue
		}
		if i%256 == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		// Of the host's own processes, which are the most, the first poll does not
		// ask when they began. The first whose link may be read is of them.
		if (known && i != from || l.poll == 1) && l.glance(&p) && (known || p.netns == cmp.Or(host, p.netns)) {
			host = p.netns
			changed = changed || !known
			l.next = append(l.next, p)
			continue
		}
		q, ok := l.look(pid)
		q.stayed = known && q.netns == p.netns && (q.start == p.start || p.start == 0)
		changed = changed || !q.stayed || q.start != p.start
		if !ok {
			continue // it has ended
		}
		p = q
		l.next = append(l.next, p)
	}
	l.procs, l.next = l.next, l.procs
	l.join()
	return changed || len(old) > 0, nil
}

// glance asks in which namespace a process is and no more: a tenth of what look
// costs. It is false where that can't be told, or is another than is known.
func (l *Lister) glance(p *process) bool {
	n, err := procfs.ReadlinkAt(unix.AT_FDCWD, l.proc.Path(p.pid, "/ns/net"), l.link)
	netns, ok := parseLink(l.link[:n])
	if err != nil || !ok || p.netns != 0 && netns != p.netns {
		return false
	}
	p.netns, p.open = netns, true
	return true
}

// look asks in which namespace a process is. It is not ok if there is no such
// process.
func (l *Lister) look(pid int32) (process, bool) {
	dir, stat, err := l.proc.Open(pid)
	if err != nil {
		return process{pid: pid}, isDenied(err)
	}
	defer unix.Close(dir)
	p := process{pid: pid, start: stat.Start}
	n, err := procfs.ReadlinkAt(dir, pathNet, l.link)
	switch {
	case err == nil:
		p.netns, p.open = parseLink(l.link[:n])
	case isDenied(err):
		l.denied = true
		p.netns = procfs.Netns(dir, "net/tcp")
		p.netns = cmp.Or(l.keys[p.netns], p.netns)
	}
	return p, true
}

// join makes one of the two numbers by which a namespace is known where the
// links of some of its processes may be read, and not those of others.
func (l *Lister) join() {
	if !l.denied {
		return
	}
	for i := range l.procs {
		if p := &l.procs[i]; p.open && !l.keyed[p.netns] {
			l.keyed[p.netns] = true
			l.keys[procfs.Netns(unix.AT_FDCWD, fmt.Sprintf("%s/%d/net/tcp", l.proc.Root, p.pid))] = p.netns
		}
	}
	for i := range l.procs {
		p := &l.procs[i]
		p.netns = cmp.Or(l.keys[p.netns], p.netns)
	}
}

var pathNet = []byte("ns/net\x00")

func isDenied(err error) bool { return errors.Is(err, unix.EACCES) || errors.Is(err, unix.EPERM) }
