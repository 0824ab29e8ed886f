package recording

import (
	"reflect"
	"slices"
	"strconv"
	"time"

	"ephtop/source"
)

// row is a socket as it is recorded. The Process and Expires of its socket are
// 0: Owner and Until say these in the terms of the recording.
type row struct {
	ID    uint32        `json:"id"`
	Owner uint32        `json:"process"` // id of the process, or 0
	Until time.Duration `json:"until"`   // since the start, in whole milliseconds
	source.Socket
}

// left is what is left at now of a timer that runs out at until, in
// milliseconds.
func left(until, now time.Duration) int64 { return max(0, until.Milliseconds()-now.Milliseconds()) }

// sockets are those of one namespace, from moment to moment. The id of each is
// one more than its index in rows; that of a socket that is gone is free again.
type sockets struct {
	rows  []row
	seen  []seen // by the same index
	free  []uint32
	order []uint32 // the indices of the sockets of the last moment
	spare []uint32
	turn  uint32

	// What the last match found, by their indices.
	gone, fresh []uint32

	missed []int // sockets of the moment that are not where they were
	byKey  map[uint64]uint32
}

// seen says when a socket was seen last, and under which key.
type seen struct {
	key  uint64
	turn uint32
	// fresh says that it was for the first time.
	fresh bool
}

// reset forgets all sockets.
func (t *sockets) reset() {
	t.rows, t.seen, t.free, t.order = t.rows[:0], t.seen[:0], t.free[:0], t.order[:0]
}

// match finds the sockets of a moment among those of the one before, and notes
// which are new and gone. What changed of the others, update says. owners gives
// the ids of the moment's processes.
func (t *sockets) match(list []source.Socket, owners []uint32, now time.Duration) {
	t.turn++
	t.gone, t.fresh, t.missed = t.gone[:0], t.fresh[:0], t.missed[:0]
	next := resize(t.spare, len(list))
	of, key := -1, uint64(0)
	source.Align(len(list), len(t.order), func(i, j int) bool {
		if of != i {
			of, key = i, list[i].Identity()
		}
		return t.is(t.order[j], key, &list[i])
	}, func(i, j int) {
		if j < 0 {
			t.missed = append(t.missed, i)
			return
		}
		next[i] = t.order[j]
		t.seen[next[i]] = seen{key: key, turn: t.turn}
	})
	t.index()
	if room := len(t.missed) - len(t.free); room > 0 { // to grow by and by leaves garbage
		t.rows, t.seen = slices.Grow(t.rows, room), slices.Grow(t.seen, room)
	}
	for _, i := range t.missed {
		s := &list[i]
		key := s.Identity()
		n, ok := t.byKey[key]
		if ok && t.is(n, key, s) {
			t.seen[n] = seen{key: key, turn: t.turn}
		} else {
			n = t.add(key, s, ownerOf(s, owners), now)
		}
		next[i] = n
	}
	t.sweep()
	t.order, t.spare = next, t.order
}

// index fills byKey with what no socket was found to be, if any is looked for.
func (t *sockets) index() {
	if t.byKey == nil {
		t.byKey = make(map[uint64]uint32)
	}
	clear(t.byKey)
	if len(t.missed) == 0 {
		return
	}
	for _, n := range t.order {
		if m := &t.seen[n]; m.turn != t.turn {
			t.byKey[m.key] = n
		}
	}
}

// resize gives a slice of n elements, in the old memory where it suffices.
func resize(s []uint32, n int) []uint32 { return slices.Grow(s[:0], n)[:n] }

// is tells whether an index is that of the socket and not taken yet. The key is
// a hash, which may lie, and another socket may have taken the four-tuple.
func (t *sockets) is(n uint32, key uint64, s *source.Socket) bool {
	m, r := &t.seen[n], &t.rows[n]
	return m.key == key && m.turn != t.turn && r.Tuple() == s.Tuple() && !source.Other(r.Cookie, s.Cookie, r.Inode, s.Inode)
}

// update takes over what changed of the socket with an index, and gives what was.
func (t *sockets) update(n uint32, s *source.Socket, owner uint32, now time.Duration) (was row, changed bool) {
	r := &t.rows[n]
	is := row{r.ID, owner, r.Until, *s}
	is.Process, is.Expires = 0, 0
	off := left(r.Until, now) - int64(s.Expires)
	if s.Timer != r.Timer || max(off, -off) > TimerTolerance.Milliseconds() {
		is.Until = deadline(s, now)
	}
	if is == *r {
		return row{}, false
	}
	was, *r = *r, is
	return was, true
}

// deadline is when the timer of a socket runs out.
func deadline(s *source.Socket, now time.Duration) time.Duration {
	if s.Expires == 0 {
		return 0
	}
	return now.Truncate(time.Millisecond) + time.Duration(s.Expires)*time.Millisecond
}

// add takes in a new socket.
func (t *sockets) add(key uint64, s *source.Socket, owner uint32, now time.Duration) uint32 {
	n := uint32(len(t.rows))
	if k := len(t.free); k > 0 {
		n, t.free = t.free[k-1], t.free[:k-1]
	} else {
		t.rows, t.seen = append(t.rows, row{}), append(t.seen, seen{})
	}
	r := &t.rows[n]
	*r = row{n + 1, owner, deadline(s, now), *s}
	r.Process, r.Expires = 0, 0
	t.seen[n] = seen{key: key, turn: t.turn, fresh: true}
	t.fresh = append(t.fresh, n)
	return n
}

// sweep drops the sockets that this moment has not.
func (t *sockets) sweep() {
	for _, n := range t.order {
		if t.seen[n].turn != t.turn {
			t.gone = append(t.gone, n)
			t.rows[n], t.seen[n] = row{}, seen{}
		}
	}
	t.free = append(t.free, t.gone...)
}

func ownerOf(s *source.Socket, ids []uint32) uint32 {
	if s.Process < 0 || int(s.Process) >= len(ids) {
		return 0
	}
	return ids[s.Process]
}

// appendChanged appends the fields that changed of sockets.
func (w *Writer) appendChanged(s *source.Snapshot, t *sockets) error {
	begin := `,"changed":[`
	var base values
	for i, n := range t.order {
		if t.seen[n].fresh {
			continue
		}
		k := &s.Sockets[i]
		was, changed := t.update(n, k, ownerOf(k, w.known.ids), w.now)
		if !changed {
			continue
		}
		base = w.socket.values(base, reflect.ValueOf(&was).Elem())
		b := strconv.AppendUint(append(append(w.b, begin...), `{"id":`...), uint64(n)+1, 10)
		w.b = append(w.socket.append(b, base, reflect.ValueOf(&t.rows[n]).Elem()), '}')
		begin = ","
		if len(w.b) > piece {
			if err := w.pack(); err != nil {
				return err
			}
		}
	}
	if begin == "," {
		w.b = append(w.b, ']')
	}
	return nil
}

// appendFresh appends the sockets that are new.
func (w *Writer) appendFresh(t *sockets) error {
	begin := `,"sockets":[`
	last := uint32(0)
	for _, n := range t.fresh {
		r := t.rows[n]
		if last++; r.ID == last {
			r.ID = 0
		} else {
			last = r.ID
		}
		w.b = append(append(w.b, begin...), '{')
		w.b = append(w.socket.append(w.b, w.socket.zero, reflect.ValueOf(&r).Elem()), '}')
		begin = ","
		if len(w.b) > piece {
			if err := w.pack(); err != nil {
				return err
			}
		}
	}
	if begin == "," {
		w.b = append(w.b, ']')
	}
	return nil
}
