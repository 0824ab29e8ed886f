package model

import (
	"cmp"
	"math"
	"time"

	"ephtop/source"
)

// memory is what is remembered of one socket from snapshot to snapshot.
type memory struct {
	since      Span  // when it was first seen, from ownership.epoch on
	process    int32 // number in the registry, or NoProcess
	tuple      int32 // number in the tuple table where it was counted last turn, or noTuple
	tier       Tier
	sinceStart bool
	seen       seen
	sign       sign
}

// identity is what a socket is found again by.
type identity struct {
	id     uint64 // source.Socket.Identity
	cookie uint32 // foldCookie; 0 as long as no row told it
	inode  uint32 // 0 as long as no row told it
}

// foldCookie keeps enough of a cookie to tell two sockets of one identity apart:
// the kernel counts them.
func foldCookie(cookie uint64) uint32 { return uint32(cookie) ^ uint32(cookie>>32) }

// seen says how the last two looks saw a socket.
type seen uint8

const (
	waitsNow   seen = 1 << iota // in TIME_WAIT
	waitedThen                  // at the look before too
	firstSight                  // not at the look before
	opensNow                    // in SYN_SENT
	openedThen                  // at the look before
)

// seenNow is that of a socket in TIME_WAIT, in SYN_SENT, or in neither.
func seenNow(s *source.Socket) seen {
	switch s.State {
	case source.TimeWait:
		return waitsNow
	case source.SynSent:
		return opensNow
	}
	return 0
}

// recall finds the sockets of one snapshot again in the next one. Most of them
// stand in the same order ([source.Align]):
//
//	last   a  b  c  d  e  f  g        those of the snapshot before
//	       |  |     |     |  |
//	next   a  b     d  x  f  g  c     those of now
//
//	in order   a b d f g  are where they are expected, or a few places on
//	           x c        are not: missing
//	the rest   c          is in a map of what of last has no match, c and e
//	           x          is not, so it is new
//
// Expected is what has the same identity and is not contradicted, for another
// socket may have taken the four-tuple meanwhile ([identity.is]).
//
// So a look-up in a map, and making the map, is paid only for what changed.
type recall struct {
	shelf[memory]
	identities shelf[identity]
	fresh      uint32 // see freshTimeWait
	once       bool   // no snapshot follows, so identities stays empty
	*recallScratch
}

// recallScratch is what is needed of a recall during an update only.
type recallScratch struct {
	left    []remembered // those of last that are not where they are expected
	missing []int32      // rows not found in order
	index   map[uint64]int32
}

type remembered struct {
	memory
	identity
}

// begin matches the sockets with those of the snapshot before, since when so
// much time has passed for sure. recall.next then has a memory for each, new
// ones zero but for what their row tells.
func (r *recall) begin(sockets []source.Socket, set *source.Settings, passed time.Duration, scratch *recallScratch) {
	r.recallScratch, r.fresh = scratch, freshTimeWait(set, passed)
	r.left, r.missing = r.left[:0], r.missing[:0]
	r.shelf.begin(len(sockets))
	if r.once {
		for i := range sockets {
			r.next[i] = newMemory(&sockets[i])
		}
		return
	}
	r.identities.begin(len(sockets))
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
func (k *identity) is(s *source.Socket, m *memory, fresh uint32) bool {
	cookie := foldCookie(s.Cookie)
	switch {
	case k.cookie != 0 && k.cookie == cookie:
		return true
	case source.Other(k.cookie, cookie, k.inode, s.Inode):
		return false
	}
	return m.seen&waitsNow == 0 || s.State == source.TimeWait && !(s.Timer == source.TimerTimeWait && s.Expires > fresh)
}

func (r *recall) matchInOrder(sockets []source.Socket) {
	of, id, at := -1, uint64(0), 0
	source.Align(len(sockets), len(r.last), func(i, j int) bool {
		if of != i {
			of, id = i, sockets[i].Identity()
		}
		k := &r.identities.last[j]
		return k.id == id && k.is(&sockets[i], &r.last[j], r.fresh)
	}, func(i, j int) {
		if j < 0 {
			if r.reaches(i, at) {
				r.widen(i, at)
				r.identities.widen(i, at)
			}
			r.meet(i, &sockets[i])
			if len(r.last) > 0 {
				r.missing = append(r.missing, int32(i))
			}
			return
		}
		r.leave(at, j)
		r.take(i, remembered{r.last[j], r.identities.last[j]}, &sockets[i])
		at = j + 1
	})
	r.leave(at, len(r.last))
	r.last, r.identities.last = nil, nil
}

// leave puts a part of last aside.
func (r *recall) leave(from, to int) {
	for j := from; j < to; j++ {
		r.left = append(r.left, remembered{r.last[j], r.identities.last[j]})
	}
}

// take carries a memory over, and adds what the row tells.
func (r *recall) take(row int, m remembered, s *source.Socket) {
	m.seen = m.seen&waitsNow*waitedThen | m.seen&opensNow<<1 | seenNow(s)
	m.cookie, m.inode = cmp.Or(foldCookie(s.Cookie), m.cookie), cmp.Or(s.Inode, m.inode)
	r.next[row], r.identities.next[row] = m.memory, m.identity
}

// meet makes the memory of a socket that was not there before.
func (r *recall) meet(row int, s *source.Socket) {
	r.next[row] = newMemory(s)
	r.identities.next[row] = identity{s.Identity(), foldCookie(s.Cookie), s.Inode}
}

func newMemory(s *source.Socket) memory {
	return memory{process: source.NoProcess, tuple: noTuple, seen: firstSight | seenNow(s)}
}

// matchRest looks through what is left of the snapshot before.
func (r *recall) matchRest(sockets []source.Socket) {
	if r.index == nil {
		r.index = make(map[uint64]int32)
	}
	clear(r.index)
	if len(r.left) == 0 || len(r.missing) == 0 {
		return
	}
	for j := range r.left {
		r.index[r.left[j].id] = int32(j)
	}
	for _, i := range r.missing {
		id, s := r.identities.next[i].id, &sockets[i]
		if j, ok := r.index[id]; ok && r.left[j].is(s, &r.left[j].memory, r.fresh) {
			r.take(int(i), r.left[j], s)
			delete(r.index, id)
		}
	}
}

// isNew tells whether a row was not there before.
func (r *recall) isNew(row int) bool { return r.next[row].seen&firstSight != 0 }

// hasClosed tells whether a row in TIME_WAIT was alive at the look before.
func (r *recall) hasClosed(row int) bool { return r.next[row].seen&(firstSight|waitedThen) == 0 }
