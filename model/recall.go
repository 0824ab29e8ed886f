package model

import (
	"cmp"
	"math"
	"time"

	"ephtop/source"
)

// memory is what is remembered of one socket from snapshot to snapshot.
type memory struct {
	id         uint64 // source.Socket.Identity
	cookie     uint64 // 0 as long as no row told it
	since      int64  // ns since 1970
	inode      uint32 // 0 as long as no row told it
	process    int32  // number in the registry, or NoProcess
	tuple      int32  // number in the tuple table where it was counted last turn, or noTuple
	tier       Tier
	sinceStart bool
	waiting    bool // in TIME_WAIT
	sign       sign
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
// Expected is what has the same identity and is not contradicted, for another
// socket may have taken the four-tuple meanwhile ([memory.is]).
//
// So a look-up in a map, and making the map, is paid only for what changed. A
// stretch of last that is gone is longer than 16 places where many connections
// closed together; after some misses in a row one socket is therefore looked
// for much further on, but not so often that a host on which nothing is where
// it was would pay for it.
type recall struct {
	last, next []memory
	fresh      uint32 // see freshTimeWait
	*recallScratch
}

// recallScratch is what is needed of a recall during an update only.
type recallScratch struct {
	match   []int32 // index into last by row, or forgotten
	taken   []bool  // by index into last
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

// begin matches the sockets with those of the snapshot before, since when so
// much time has passed for sure. recall.next then has a memory for each, new
// ones zero but for what their row tells.
func (r *recall) begin(sockets []source.Socket, set *source.Settings, passed time.Duration, scratch *recallScratch) {
	r.recallScratch, r.fresh = scratch, freshTimeWait(set, passed)
	r.last, r.next = r.next, r.last
	r.next = resize(r.next, len(sockets))
	r.match = resize(r.match, len(sockets))
	r.taken = resize(r.taken, len(r.last))
	clear(r.taken)
	r.matchInOrder(sockets)
	r.matchRest(sockets)
}

// freshTimeWait is the time left, in milliseconds, above which a TIME_WAIT began
// after the snapshot before.
func freshTimeWait(set *source.Settings, passed time.Duration) uint32 {
	if passed <= 0 {
		return math.MaxUint32
	}
	return uint32(min(max(0, set.TimeWait-passed).Milliseconds(), math.MaxUint32))
}

// is tells whether a row of the same identity can be the socket of m. Another
// one is told by its cookie or inode; and none comes back from TIME_WAIT, nor
// begins it a second time.
func (m *memory) is(s *source.Socket, fresh uint32) bool {
	switch {
	case m.cookie != 0 && m.cookie == s.Cookie:
		return true
	case source.Other(m.cookie, s.Cookie, m.inode, s.Inode):
		return false
	}
	return !m.waiting || s.State == source.TimeWait && !(s.Timer == source.TimerTimeWait && s.Expires > fresh)
}

func (r *recall) matchInOrder(sockets []source.Socket) {
	r.missing = r.missing[:0]
	at, misses, tries := 0, 0, farTries
	for i := range sockets {
		s := &sockets[i]
		id := s.Identity()
		r.next[i].id = id
		reach := near
		if misses >= patience && tries > 0 {
			reach = far
			tries--
			misses = 0
		}
		r.match[i] = forgotten
		for j := at; j < min(at+reach, len(r.last)); j++ {
			if l := &r.last[j]; l.id == id && l.is(s, r.fresh) {
				r.take(i, j, s)
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

// take carries a memory over, and adds what the row tells.
func (r *recall) take(row, from int, s *source.Socket) {
	r.match[row] = int32(from)
	m := &r.next[row]
	*m = r.last[from]
	m.waiting = s.State == source.TimeWait
	m.cookie, m.inode = cmp.Or(s.Cookie, m.cookie), cmp.Or(s.Inode, m.inode)
	r.taken[from] = true
}

// matchRest looks through what is left of the snapshot before.
func (r *recall) matchRest(sockets []source.Socket) {
	if len(r.missing) == 0 {
		return
	}
	if r.index == nil {
		r.index = make(map[uint64]int32)
	}
	clear(r.index)
	for j := range r.last {
		if !r.taken[j] {
			r.index[r.last[j].id] = int32(j)
		}
	}
	for _, i := range r.missing {
		id, s := r.next[i].id, &sockets[i]
		if j, ok := r.index[id]; ok && !r.taken[j] && r.last[j].is(s, r.fresh) {
			r.take(int(i), int(j), s)
			continue
		}
		r.next[i] = memory{
			id: id, cookie: s.Cookie, inode: s.Inode, process: source.NoProcess, tuple: noTuple, waiting: s.State == source.TimeWait,
		}
	}
}

// isNew tells whether a row was not there before.
func (r *recall) isNew(row int) bool { return r.match[row] == forgotten }

// hasClosed tells whether a row in TIME_WAIT was alive at the look before.
func (r *recall) hasClosed(row int) bool {
	return !r.isNew(row) && !r.last[r.match[row]].waiting
}
