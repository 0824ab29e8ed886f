package owner

import (
	"context"
	"math"

	"golang.org/x/sys/unix"

	"ephtop/source/procfs"
)

// depth is how thoroughly a process is searched.
type depth uint8

const (
	// quick reads the descriptors whose inode has gone from the dump, and
	// tries the free numbers. The kernel gives a new descriptor the lowest
	// number that is free (open(2)), so that is where new sockets are; to list
	// 36,000 descriptors costs about a third of the dump.
	quick depth = iota
	// full lists the descriptors, and reads those that are new or whose inode
	// has gone.
	full
	// deep reads the descriptors too that were something else the last time.
	deep
)

// maxMisses is the number of free descriptors in a row after which a quick
// search tries no more.
const maxMisses = 16

// maxOthers is the number of descriptors that are not sockets up to which a
// quick search reads them again: servers that open a file for each request
// keep few of them open.
const maxOthers = 64

// scan searches one process for the inodes that are sought.
func (t *Tracker) scan(ctx context.Context, i int32, how depth) {
	if t.ends(ctx) {
		return
	}
	dir, fds, err := t.openDescriptors(i)
	if err != nil {
		return
	}
	defer unix.Close(dir)
	defer unix.Close(fds)
	p := &t.processes[i]
	if !p.listed && how == quick {
		how = full // the pid was reused
	}
	if unix.Fstat(fds, &t.fileInfo) == nil {
		p.size = t.fileInfo.Size
	}
	t.merged = t.merged[:0]
	if how == quick {
		t.probe(ctx, i, fds)
	} else if !t.list(ctx, i, fds, how) {
		return
	}
	if t.refused {
		t.hide(i)
		return
	}
	p.descriptors = trim(append(p.descriptors[:0], t.merged...))
	p.cursor = min(p.cursor, len(p.descriptors))
	if !p.hasInfo && (p.found == t.poll || p.owned > 0) {
		t.describe(dir, p)
	}
}

// list collects the descriptors of a process by listing them.
func (t *Tracker) list(ctx context.Context, i int32, fds int, how depth) bool {
	var err error
	t.numbers, err = procfs.ReadNumbers(fds, t.buf, t.numbers[:0])
	if err != nil {
		t.fail("list a process's descriptors", err)
		return false
	}
	p := &t.processes[i]
	p.listed = true
	old := p.descriptors
	for _, number := range t.numbers {
		for len(old) > 0 && old[0].number < number {
			t.lose(i, old[0])
			old = old[1:]
		}
		d := descriptor{number: number}
		if len(old) > 0 && old[0].number == number {
			d, old = old[0], old[1:]
		}
		if t.visit(ctx, i, fds, &d, how) {
			t.merged = append(t.merged, d)
		}
	}
	for _, d := range old {
		t.lose(i, d)
	}
	return true
}

// probe collects the descriptors of a process by what is remembered of it,
// and by trying the numbers that are free, lowest first.
func (t *Tracker) probe(ctx context.Context, i int32, fds int) {
	next, misses, others := int32(0), 0, 0
	try := func(until int32) {
		for ; next < until && misses < maxMisses && t.missing > 0 && !t.refused; next++ {
			misses++
			d := descriptor{number: next}
			if t.visit(ctx, i, fds, &d, full) {
				t.merged = append(t.merged, d)
				misses = 0
			}
		}
	}
	for _, d := range t.processes[i].descriptors {
		try(d.number)
		next = d.number + 1
		if t.visit(ctx, i, fds, &d, full) {
			t.merged = append(t.merged, d)
			if d.kind == other || d.kind == foreign {
				others++
			}
		}
	}
	try(math.MaxInt32)
	if t.missing == 0 || others > maxOthers {
		return
	}
	kept := t.merged[:0]
	for _, d := range t.merged {
		if t.visit(ctx, i, fds, &d, deep) {
			kept = append(kept, d)
		}
	}
	t.merged = kept
}

// visit looks at one descriptor, reads its link where that can help to find
// an inode, and tells whether it is open as far as we know.
func (t *Tracker) visit(ctx context.Context, i int32, fds int, d *descriptor, how depth) bool {
	var e *entry
	if d.kind == dumped || d.kind == foreign {
		if e = t.table.find(d.inode); e != nil && e.seen != t.poll {
			e = nil
		}
	}
	switch {
	case t.missing == 0, t.refused, t.ends(ctx):
		return true
	case e != nil && e.holder != sought && !t.comesBefore(i, e):
		d.kind = dumped
	case e != nil, d.kind == unread, d.kind == dumped, how == deep:
		if !t.reread(i, fds, d) {
			return false
		}
	}
	t.claim(i, d)
	return true
}

// claim makes a process the holder of a descriptor's inode if that is sought.
func (t *Tracker) claim(i int32, d *descriptor) {
	if d.inode == 0 {
		return
	}
	e := t.table.find(d.inode)
	if e == nil || e.seen != t.poll {
		return
	}
	d.kind = dumped
	switch {
	case e.holder == sought:
		t.missing--
	case !t.comesBefore(i, e):
		return
	}
	e.holder, e.since = i, t.poll
	t.processes[i].found = t.poll
}

// comesBefore tells whether a process has a lower pid than the one in which
// this same search found an inode.
func (t *Tracker) comesBefore(i int32, e *entry) bool {
	return e.holder >= 0 && e.since == t.poll && t.processes[i].pid < t.processes[e.holder].pid
}
