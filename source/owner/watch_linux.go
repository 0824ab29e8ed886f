package owner

import (
	"strconv"

	"golang.org/x/sys/unix"

	"ephtop/source/procfs"
)

// Each poll reads at most so many links again, of processes that changed and
// of others in turn: thousands would cost as much as the dump itself.
const (
	suspectBudget = 192
	othersBudget  = 96
	shareBudget   = 96 // of one process
	processCost   = 16 // what opening a process costs, in links
)

// describeGap is the number of polls after which a command line is read again.
// That of a program with another name is read at once.
const describeGap = 30

// watch looks at every process that held a socket in the poll before. One
// that has ended loses its sockets. A few descriptors are checked again, for a
// socket can be handed over to another process, or stay with a child, without
// any sign of it in the dump.
func (t *Tracker) watch() {
	for i := range t.processes {
		p := &t.processes[i]
		p.before, p.owned = p.owned, 0
		if p.before == 0 {
			continue
		}
		size, err := t.countDescriptors(p)
		switch {
		case err == nil:
			p.suspect = p.suspect || size != p.size
			p.size = size
		case isGone(err):
			t.drop(int32(i))
		case isDenied(err):
			p.suspect = true
		default:
			t.fail("watch a process", err)
		}
	}
	t.checkInTurn(&t.suspectHand, suspectBudget, func(p *process) bool { return p.suspect })
	t.checkInTurn(&t.hand, othersBudget, func(*process) bool { return true })
}

// checkInTurn checks the picked processes, from where it left off the last
// time.
func (t *Tracker) checkInTurn(hand *int, budget int, picked func(*process) bool) {
	for n := len(t.processes); n > 0 && budget > 0; n-- {
		*hand = (*hand + 1) % len(t.processes)
		if p := &t.processes[*hand]; p.before > 0 && picked(p) {
			budget -= t.check(int32(*hand), min(budget, shareBudget))
		}
	}
}

// check reads the links of a process's sockets again, as far as the budget
// goes, and tells what that cost.
func (t *Tracker) check(i int32, budget int) (cost int) {
	cost = processCost
	p := &t.processes[i]
	dir, fds, err := t.openDescriptors(i)
	if err != nil {
		return cost
	}
	defer unix.Close(dir)
	defer unix.Close(fds)
	if !p.hasInfo || t.poll-p.described >= describeGap {
		t.describe(dir, p)
	}
	for ; p.cursor < len(p.descriptors); p.cursor++ {
		d := &p.descriptors[p.cursor]
		if d.kind != dumped {
			continue
		}
		if e := t.table.find(d.inode); e == nil || e.holder != i {
			continue
		}
		if cost >= budget {
			return cost
		}
		cost++
		if t.reread(i, fds, d); t.refused {
			t.hide(i)
			return cost
		}
	}
	p.cursor, p.suspect = 0, false
	return cost
}

var pathFD = []byte("fd\x00")

// openDescriptors opens the directory of a process and that of its
// descriptors.
func (t *Tracker) openDescriptors(i int32) (dir, fds int, err error) {
	t.report.Scanned++
	dir, err = t.openProcess(i)
	if err != nil {
		return -1, -1, err
	}
	fds, err = procfs.OpenAt(dir, pathFD, unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		t.passOver(i, "read a process's descriptors", err)
		unix.Close(dir)
		return -1, -1, err
	}
	t.processes[i].hidden, t.refused = false, false
	return dir, fds, nil
}

// reread reads the link of a descriptor that is remembered, and tells whether
// it is open.
func (t *Tracker) reread(i int32, fds int, d *descriptor) bool {
	was := *d
	open := t.readDescriptor(fds, d)
	if !open || d.inode != was.inode || d.kind == other {
		t.lose(i, was)
	} else {
		d.kind = was.kind
	}
	return open
}

// readDescriptor reads the link of a descriptor and tells whether it is open.
// Where one is refused, so are all of the process: the kernel asks for the
// right to trace it, which it does not ask of who lists them.
func (t *Tracker) readDescriptor(fds int, d *descriptor) bool {
	t.report.Read++
	t.path = append(strconv.AppendInt(t.path[:0], int64(d.number), 10), 0)
	d.inode, d.kind = 0, other
	n, err := procfs.ReadlinkAt(fds, t.path, t.link)
	if err != nil {
		t.refused = isDenied(err)
		if !t.refused {
			t.fail("read a descriptor", err)
		}
		return !isGone(err)
	}
	if inode, ok := parseLink(t.link[:n]); ok {
		d.inode, d.kind = inode, foreign
	}
	return true
}
