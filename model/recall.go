package model

import "ephtop/source"

// memory is what is remembered of one socket from snapshot to snapshot.
type memory struct {
	id         uint64
	since      int64 // ns since 1970
	process    int32 // number in the registry, or NoProcess
	tuple      int32 // number in the tuple table where it was counted last, or noTuple
	tier       Tier
	sinceStart bool
	matched    bool
}

// recall finds the sockets of one snapshot again in the next one. Most of them
// stand in the same order, since the kernel walks the same hash table:
//
//	last   a  b  c  d  e  f  g        those of the snapshot before
//	       |  |     |     |  |
//	next   a  b     d  x  f  g  c     those of now
//
//	in order   a b g  are where they are expected: one comparison each
//	           d f    are a few places on, for c and e are not there any more
//	           x c    are not within the next 16 places: missing
//	the rest   c      is in a map of what of last has no match, c and e
//	           x      is not, so it is new
//
// So a look-up in a map, and making the map, is paid only for what changed. A
// stretch of last that is gone is longer than 16 places where many connections
// closed together; after some misses in a row one socket is therefore looked
// for much further on, but not so often that a host on which nothing is where
// it was would pay for it.
type recall struct {
	last, next []memory
	*recallScratch
}

// recallScratch is what is needed of a recall during an update only.
type recallScratch struct {
	match   []int32 // index into last by row, or forgotten
	missing []int32 // rows not found in order
	index   map[uint64]int32
}

// forgotten is the match of a socket that was not there before.
const forgotten int32 = -1

const (
	near     = 16   // places to look at for each socket
	far      = 4096 // after so many misses in a row as patience says,
	patience = 4
	farTries = 64 // and so often in all
)

// begin matches the sockets with those of the snapshot before. recall.next
// then has a memory for each, new ones zero but for their id.
func (r *recall) begin(sockets []source.Socket, scratch *recallScratch) {
	r.recallScratch = scratch
	r.last, r.next = r.next, r.last
	r.next = resize(r.next, len(sockets))
	r.match = resize(r.match, len(sockets))
	r.matchInOrder(sockets)
	r.matchRest()
}

func (r *recall) matchInOrder(sockets []source.Socket) {
	r.missing = r.missing[:0]
	at, misses, tries := 0, 0, farTries
	for i := range sockets {
		id := sockets[i].Identity()
		r.next[i].id = id
		reach := near
		if misses >= patience && tries > 0 {
			reach = far
			tries--
			misses = 0
		}
		r.match[i] = forgotten
		for j := at; j < min(at+reach, len(r.last)); j++ {
			if r.last[j].id == id {
				r.take(i, j)
				at, misses = j+1, 0
				break
			}
		}
		if r.match[i] == forgotten {
			r.missing = append(r.missing, int32(i))
			misses++
		}
	}
}

// take carries a memory over.
func (r *recall) take(row, from int) {
	r.match[row] = int32(from)
	r.last[from].matched = true
	r.next[row] = r.last[from]
	r.next[row].matched = false
}

// matchRest looks through what is left of the snapshot before.
func (r *recall) matchRest() {
	if len(r.missing) == 0 {
		return
	}
	if r.index == nil {
		r.index = make(map[uint64]int32)
	}
	clear(r.index)
	for j := range r.last {
		if !r.last[j].matched {
			r.index[r.last[j].id] = int32(j)
		}
	}
	for _, i := range r.missing {
		id := r.next[i].id
		if j, ok := r.index[id]; ok && !r.last[j].matched {
			r.take(int(i), int(j))
			continue
		}
		r.next[i] = memory{id: id, process: source.NoProcess, tuple: noTuple}
	}
}

// isNew tells whether a row was not there before.
func (r *recall) isNew(row int) bool { return r.match[row] == forgotten }
