package owner

import (
	"cmp"
	"context"
	"slices"
)

// ranked is a process in the order of a search.
type ranked struct {
	rank  rank
	pid   int32
	index int32
}

// rank says how likely a process is to hold the inodes that are sought,
// likeliest first.
type rank uint8

const (
	changed    rank = iota // its sockets or the number of its descriptors changed
	stranger               // never read, so most of the time new
	sameCgroup             // of the cgroup of a socket that is sought
	sameUser               // of the user of such a socket
	unlikely
	closed // known to be unreadable, or a kernel thread
)

// search looks for the holders of the inodes that are sought, until all are
// found or there is nowhere left to look.
func (t *Tracker) search(ctx context.Context) {
	t.rankProcesses()
	for _, r := range t.order {
		if r.rank == changed && t.missing > 0 {
			t.scan(ctx, r.index, quick)
		}
	}
	if t.missing == 0 {
		return
	}
	t.listProcesses()
	t.rankProcesses()
	for _, r := range t.order {
		if r.rank != closed && t.missing > 0 {
			t.scan(ctx, r.index, full)
		}
	}
	if t.missing > 0 && t.poll >= t.deepNext {
		t.searchDeep(ctx)
	}
}

// ends tells whether ctx ends the search. What it has not found is then left to
// the next one, and it goes on as if nothing were missing.
func (t *Tracker) ends(ctx context.Context) bool {
	if !t.cut && ctx.Err() != nil {
		t.cut, t.missing = true, 0
	}
	return t.cut
}

// longestDeepGap is the most polls between deep searches.
const longestDeepGap = 16

// searchDeep reads again what normally never holds a socket of the dump. For
// as long as that finds nothing it is done less and less often.
func (t *Tracker) searchDeep(ctx context.Context) {
	before := t.missing
	for _, r := range t.order {
		if t.missing > 0 {
			t.scan(ctx, r.index, deep)
		}
	}
	if t.missing < before {
		t.deepGap = 0
	} else {
		t.deepGap = min(max(1, 2*t.deepGap), longestDeepGap)
	}
	t.deepNext = t.poll + t.deepGap
}

// rankProcesses puts the processes into the order of a search.
func (t *Tracker) rankProcesses() {
	t.order = t.order[:0]
	for i := range t.processes {
		if p := &t.processes[i]; p.pid != 0 {
			t.order = append(t.order, ranked{t.rankOf(p), p.pid, int32(i)})
		}
	}
	slices.SortFunc(t.order, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.pid, b.pid))
	})
}

// recent is for how many polls a process in which a socket was found counts as
// changed.
const recent = 3

func (t *Tracker) rankOf(p *process) rank {
	switch {
	case p.hidden, p.kernel:
		return closed
	case !p.listed:
		return stranger
	case p.owned < p.before, p.suspect, p.found != 0 && t.poll-p.found <= recent:
		return changed
	case p.cgroup != 0 && slices.Contains(t.cgroups, p.cgroup):
		return sameCgroup
	case p.hasInfo && slices.Contains(t.uids, p.info.UID):
		return sameUser
	}
	return unlikely
}
