package recording

import (
	"reflect"
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
//
// The kernel lists most sockets in the same order each time, so a socket is
// first looked for behind the one found last, and only then by its key.
type sockets struct {
	rows  []row
	seen  []seen // by the same index
	free  []uint32
	byKey map[uint64]uint32 // the index of a key
	order []uint32          // indices in the order of the last moment
	spare []uint32
	turn  uint32

	// What the last match found.
	gone    []uint32 // indices
	changed []change
	fresh   []uint32 // indices
}

// seen says when and where a socket was seen last.
type seen struct {
	key   uint64
	turn  uint32
	place uint32
}

// change is a socket of which something changed.
type change struct {
	index uint32
	was   row
}

// reset forgets all sockets.
func (t *sockets) reset() {
	if t.byKey == nil {
		t.byKey = make(map[uint64]uint32)
	}
	clear(t.byKey)
	t.rows, t.seen, t.free, t.order = t.rows[:0], t.seen[:0], t.free[:0], t.order[:0]
}

// match finds the sockets of a moment among those of the one before, and notes
// which are new, changed and gone. owners gives the ids of the moment's
// processes.
func (t *sockets) match(list []source.Socket, owners []uint32, now time.Duration) {
	t.turn++
	t.gone, t.changed, t.fresh = t.gone[:0], t.changed[:0], t.fresh[:0]
	next := t.spare[:0]
	at := 0
	for i := range list {
		s := &list[i]
		key := s.Identity()
		n, ok := t.find(key, s, at)
		if ok {
			at = int(t.seen[n].place) + 1
			t.update(n, s, ownerOf(s, owners), now)
		} else {
			n = t.add(key, s, ownerOf(s, owners), now)
		}
		t.seen[n] = seen{key, t.turn, uint32(i)}
		next = append(next, n)
	}
	t.sweep()
	t.order, t.spare = next, t.order
}

// find looks for a socket, first at a place in the order of the last moment.
func (t *sockets) find(key uint64, s *source.Socket, at int) (uint32, bool) {
	if at < len(t.order) {
		if n := t.order[at]; t.is(n, key, s) {
			return n, true
		}
	}
	n, ok := t.byKey[key]
	return n, ok && t.is(n, key, s)
}

// is tells whether an index is that of the socket and not taken yet. The key is
// a hash, which may lie, and another socket may have taken the four-tuple.
func (t *sockets) is(n uint32, key uint64, s *source.Socket) bool {
	m, r := &t.seen[n], &t.rows[n]
	return m.key == key && m.turn != t.turn && r.Tuple() == s.Tuple() && !source.Other(r.Cookie, s.Cookie, r.Inode, s.Inode)
}

// update takes over what changed of a socket.
func (t *sockets) update(n uint32, s *source.Socket, owner uint32, now time.Duration) {
	r := &t.rows[n]
	is := row{r.ID, owner, r.Until, *s}
	is.Process, is.Expires = 0, 0
	off := left(r.Until, now) - int64(s.Expires)
	if s.Timer != r.Timer || max(off, -off) > TimerTolerance.Milliseconds() {
		is.Until = deadline(s, now)
	}
	if is != *r {
		t.changed = append(t.changed, change{n, *r})
		*r = is
	}
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
	t.byKey[key] = n
	t.fresh = append(t.fresh, n)
	return n
}

// sweep drops the sockets that this moment has not.
func (t *sockets) sweep() {
	for _, n := range t.order {
		m := &t.seen[n]
		if m.turn == t.turn {
			continue
		}
		t.gone = append(t.gone, n)
		if t.byKey[m.key] == n {
			delete(t.byKey, m.key)
		}
		t.rows[n] = row{}
		*m = seen{}
	}
	t.free = append(t.free, t.gone...)
}

func ownerOf(s *source.Socket, ids []uint32) uint32 {
	if s.Process < 0 || int(s.Process) >= len(ids) {
		return 0
	}
	return ids[s.Process]
}

// entry is a process as it is recorded; one whose id is 0 is none.
type entry struct {
	ID uint32 `json:"id"`
	source.Process
}

// processes follows the processes from moment to moment. Their ids are as
// those of sockets.
type processes struct {
	entries []entry
	turns   []uint32 // the last moment that had it, by the same index
	free    []uint32
	index   map[source.ProcessKey]uint32
	turn    uint32

	ids []uint32 // of the moment's processes, in its order
	// What the last match found.
	ended   []uint32 // indices
	changed []entryChange
}

// entryChange is a process that is new (was is empty) or changed.
type entryChange struct {
	index uint32
	was   source.Process
}

// reset forgets all processes.
func (t *processes) reset() {
	if t.index == nil {
		t.index = make(map[source.ProcessKey]uint32)
	}
	clear(t.index)
	t.entries, t.turns, t.free = t.entries[:0], t.turns[:0], t.free[:0]
}

// match finds the processes of a moment among those of the one before.
func (t *processes) match(list []source.Process) {
	t.turn++
	t.ids, t.ended, t.changed = t.ids[:0], t.ended[:0], t.changed[:0]
	for i := range list {
		p := &list[i]
		key := p.Key()
		n, known := t.index[key]
		if !known || t.turns[n] == t.turn {
			n = t.add(key)
		}
		if e := &t.entries[n]; e.ID == 0 || e.Process != *p {
			t.changed = append(t.changed, entryChange{n, e.Process})
			*e = entry{n + 1, *p}
		}
		t.turns[n] = t.turn
		t.ids = append(t.ids, n+1)
	}
	for n := range t.entries {
		if e := &t.entries[n]; e.ID != 0 && t.turns[n] != t.turn {
			t.ended = append(t.ended, uint32(n))
			key := e.Key()
			if t.index[key] == uint32(n) {
				delete(t.index, key)
			}
			*e = entry{}
		}
	}
	t.free = append(t.free, t.ended...)
}

// add makes room for a process.
func (t *processes) add(key source.ProcessKey) uint32 {
	n := uint32(len(t.entries))
	if k := len(t.free); k > 0 {
		n, t.free = t.free[k-1], t.free[:k-1]
	} else {
		t.entries, t.turns = append(t.entries, entry{}), append(t.turns, 0)
	}
	t.index[key] = n
	return n
}

// textBytes is how long the texts of the processes are, made clean.
func textBytes(entries []entry) int {
	total := 0
	for i := range entries {
		p := reflect.ValueOf(&entries[i].Process).Elem()
		for f := range p.NumField() {
			if v := p.Field(f); v.Kind() == reflect.String {
				total += len(clean(v.String()))
			}
		}
	}
	return total
}
