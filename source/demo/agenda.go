package demo

import (
	"container/heap"
	"time"
)

// agenda is what will happen, earliest first; of what happens at the same
// time, what was entered first.
type agenda struct {
	entries entries
	count   uint64
}

type entry struct {
	at  time.Duration
	seq uint64
	do  func()
}

func (a *agenda) add(at time.Duration, do func()) {
	a.count++
	heap.Push(&a.entries, entry{at, a.count, do})
}

// first is when the earliest entry is due.
func (a *agenda) first() (at time.Duration, ok bool) {
	if len(a.entries) == 0 {
		return 0, false
	}
	return a.entries[0].at, true
}

// next takes out the earliest entry that is due by a time.
func (a *agenda) next(by time.Duration) (e entry, ok bool) {
	if len(a.entries) == 0 || a.entries[0].at > by {
		return entry{}, false
	}
	return heap.Pop(&a.entries).(entry), true
}

// entries implements heap.Interface.
type entries []entry

func (e entries) Len() int      { return len(e) }
func (e entries) Swap(i, j int) { e[i], e[j] = e[j], e[i] }

func (e entries) Less(i, j int) bool {
	if e[i].at != e[j].at {
		return e[i].at < e[j].at
	}
	return e[i].seq < e[j].seq
}

func (e *entries) Push(x any) { *e = append(*e, x.(entry)) }

func (e *entries) Pop() any {
	last := len(*e) - 1
	x := (*e)[last]
	(*e)[last] = entry{}
	*e = (*e)[:last]
	return x
}
