package recording

import (
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"
	"time"

	"ephtop/source"
)

// sockets follows the sockets from moment to moment. The kernel lists most of
// them in the same order each time, so a socket is first looked for behind the
// one found last, and only then by its key.
//
// What each socket is asked for at each moment is kept apart from the rest
// (marks and rows): a hundred thousand sockets don't fit in the cache.
type sockets struct {
	marks  []mark
	rows   []row // by the same index
	free   []int32
	sorted []int32          // indices in use, by id
	byKey  map[uint64]int32 // the index of a key
	order  []int32          // indices in the order of the last snapshot
	spare  []int32
	lastID uint64
	turn   uint32

	moved      []source.Socket // memory of sort
	spareMarks []mark          // and of renumber
	spareRows  []row

	// What the last match found.
	gone    []uint64
	changed []change
	fresh   int // how many at the end of sorted are new
}

// mark is what tells whether a socket is there and unchanged.
type mark struct {
	key   uint64
	sum   uint64 // of all fields but the time left
	until int64  // as in the row
	turn  uint32 // the last moment that had it
	at    int32  // its place in that moment
}

// change is a socket of which something changed.
type change struct {
	index int32
	was   row
}

// match finds the sockets of a snapshot among those of the one before, and
// notes which are new, changed and gone. processes gives the ids of the
// snapshot's processes.
func (t *sockets) match(list []source.Socket, processes []uint64, now time.Duration) {
	if t.byKey == nil {
		t.byKey = make(map[uint64]int32, len(list))
	}
	t.turn++
	t.gone, t.changed, t.fresh = t.gone[:0], t.changed[:0], 0
	next := t.spare[:0]
	at := 0
	for i := range list {
		s := &list[i]
		key := s.Identity()
		found, ok := t.find(key, s, at)
		if ok {
			// Until here, at is the place in the moment before.
			at = int(t.marks[found].at) + 1
			t.update(found, s, processOf(s, processes), now)
		} else {
			found = t.add(key, s, processOf(s, processes), now)
		}
		t.marks[found].at, t.marks[found].turn = int32(i), t.turn
		next = append(next, found)
	}
	t.order, t.spare = next, t.order
	t.sweep()
	slices.SortFunc(t.changed, func(a, b change) int { return cmp.Compare(a.was.id, b.was.id) })
}

// find looks for a socket, first at a place in the order of the last snapshot.
func (t *sockets) find(key uint64, s *source.Socket, at int) (int32, bool) {
	if at < len(t.order) {
		n := t.order[at]
		if t.is(n, key, s) {
			return n, true
		}
	}
	n, ok := t.byKey[key]
	return n, ok && t.is(n, key, s)
}

// is tells whether an index is that of the socket and not taken yet. Without a
// cookie the key is a hash, which may lie.
func (t *sockets) is(n int32, key uint64, s *source.Socket) bool {
	m := &t.marks[n]
	return m.key == key && m.turn != t.turn && (s.Cookie != 0 || t.rows[n].socket.Tuple() == s.Tuple())
}

// update takes over what changed of a socket.
func (t *sockets) update(n int32, s *source.Socket, process uint64, now time.Duration) {
	m := &t.marks[n]
	sum := sumOf(s, process)
	same := within(left(m.until, now), int64(s.Expires))
	if sum == m.sum && same {
		return
	}
	r := &t.rows[n]
	t.changed = append(t.changed, change{n, *r})
	if s.Timer != r.socket.Timer || !same {
		m.until = deadline(s, now)
	}
	m.sum = sum
	r.set(s, process, m.until)
}

// set takes over all of a socket.
func (r *row) set(s *source.Socket, process uint64, until int64) {
	r.socket, r.process, r.until = *s, process, until
	r.socket.Process, r.socket.Expires = 0, 0
}

func within(a, b int64) bool {
	return max(a-b, b-a) <= TimerTolerance.Milliseconds()
}

// deadline is when the timer of a socket runs out.
func deadline(s *source.Socket, now time.Duration) int64 {
	if s.Expires == 0 {
		return 0
	}
	return now.Milliseconds() + int64(s.Expires)
}

// add takes in a new socket.
func (t *sockets) add(key uint64, s *source.Socket, process uint64, now time.Duration) int32 {
	var n int32
	if k := len(t.free); k > 0 {
		n = t.free[k-1]
		t.free = t.free[:k-1]
	} else {
		n = int32(len(t.marks))
		t.marks, t.rows = append(t.marks, mark{}), append(t.rows, row{})
	}
	t.lastID++
	t.marks[n] = mark{key: key, sum: sumOf(s, process), until: deadline(s, now)}
	t.rows[n].id = t.lastID
	t.rows[n].set(s, process, t.marks[n].until)
	t.byKey[key] = n
	t.sorted = append(t.sorted, n)
	t.fresh++
	return n
}

// sweep drops the sockets that this moment has not.
func (t *sockets) sweep() {
	kept := t.sorted[:0]
	for _, n := range t.sorted {
		m := &t.marks[n]
		if m.turn == t.turn {
			kept = append(kept, n)
			continue
		}
		t.gone = append(t.gone, t.rows[n].id)
		if t.byKey[m.key] == n {
			delete(t.byKey, m.key)
		}
		t.free = append(t.free, n)
		*m = mark{}
	}
	t.sorted = kept
}

// renumber gives ids from 1 on in the order of the present snapshot, and puts
// all in this order in memory too, where the next snapshots go through it.
func (t *sockets) renumber() {
	marks, rows := slices.Grow(t.spareMarks[:0], len(t.order)), slices.Grow(t.spareRows[:0], len(t.order))
	clear(t.byKey)
	t.sorted = t.sorted[:0]
	for i, n := range t.order {
		at := int32(i)
		marks, rows = append(marks, t.marks[n]), append(rows, t.rows[n])
		rows[at].id = uint64(i) + 1
		t.byKey[marks[at].key] = at
		t.sorted = append(t.sorted, at)
		t.order[i] = at
	}
	t.marks, t.spareMarks = marks, t.marks
	t.rows, t.spareRows = rows, t.rows
	t.free = t.free[:0]
	t.lastID = uint64(len(rows))
}

// sort gives the sockets of a snapshot in the order of their ids, as a reader
// will get them, and keeps the memory of list.
func (t *sockets) sort(list []source.Socket, known *finder, processes []uint64, now time.Duration) []source.Socket {
	sorted := slices.Grow(t.moved[:0], len(list))
	for _, n := range t.sorted {
		m := &t.marks[n]
		sorted = append(sorted, list[m.at])
		s := &sorted[len(sorted)-1]
		s.Expires = uint32(left(m.until, now))
		s.Process = known.find(processOf(s, processes))
	}
	t.moved = list
	return sorted
}

func processOf(s *source.Socket, ids []uint64) uint64 {
	if s.Process < 0 || int(s.Process) >= len(ids) {
		return 0
	}
	return ids[s.Process]
}

// sumOf mixes all fields of a socket but Process and Expires with the id of
// its process, so that two sockets with one sum are the same. It goes in two
// halves, which the processor works on at the same time.
func sumOf(s *source.Socket, process uint64) uint64 {
	a := mix(process, binary.LittleEndian.Uint64(s.Local[:8]))
	b := mix(s.Cookie, binary.LittleEndian.Uint64(s.Remote[:8]))
	a = mix(a, binary.LittleEndian.Uint64(s.Local[8:]))
	b = mix(b, binary.LittleEndian.Uint64(s.Remote[8:]))
	a = mix(a, uint64(s.LocalPort)|uint64(s.RemotePort)<<16|uint64(s.Proto)<<32|uint64(s.State)<<40|
		uint64(s.Timer)<<48|uint64(s.Retransmits)<<56)
	b = mix(b, uint64(s.ReceiveQueue)|uint64(s.SendQueue)<<32)
	a = mix(a, uint64(s.Interface)|uint64(s.UID)<<32)
	inode := uint64(s.Inode)
	if s.Family6 {
		inode |= 1 << 32
	}
	b = mix(b, inode)
	return mix(mix(a, s.Cgroup), b)
}

// mix multiplies to 128 bits and folds.
func mix(h, w uint64) uint64 {
	high, low := bits.Mul64(h^0x9e3779b97f4a7c15, w^0xd6e8feb86659fd93)
	return high ^ low ^ bits.RotateLeft64(h, 31) ^ w
}

// processes follows the processes from moment to moment.
type processes struct {
	entries []entry // by id
	index   map[source.ProcessKey]uint64
	lastID  uint64
	bytes   int // of all texts

	ids []uint64 // of the snapshot's processes, in its order
	// What the last match found.
	ended   []uint64
	changed []entryChange
}

// entryChange is a process that is new (was is empty) or changed.
type entryChange struct {
	id      uint64
	was, is source.Process
}

// match finds the processes of a snapshot among those of the one before.
func (t *processes) match(list []source.Process) {
	next := make(map[source.ProcessKey]uint64, len(list))
	before := t.entries
	t.entries = make([]entry, 0, len(list))
	t.ids, t.ended, t.changed, t.bytes = t.ids[:0], t.ended[:0], t.changed[:0], 0
	for i := range list {
		is := clipped(&list[i])
		key := is.Key()
		id, known := t.index[key]
		if _, twice := next[key]; twice || !known {
			t.lastID++
			id = t.lastID
			t.changed = append(t.changed, entryChange{id: id, is: is})
		} else if n, _ := slices.BinarySearchFunc(before, id, entryID); before[n].process != is {
			t.changed = append(t.changed, entryChange{id, before[n].process, is})
		}
		next[key] = id
		t.ids = append(t.ids, id)
		t.entries = append(t.entries, entry{is, id})
		t.bytes += textBytes(&is)
	}
	slices.SortFunc(t.entries, func(a, b entry) int { return cmp.Compare(a.id, b.id) })
	slices.SortFunc(t.changed, func(a, b entryChange) int { return cmp.Compare(a.id, b.id) })
	for i := range before {
		if _, ok := slices.BinarySearchFunc(t.entries, before[i].id, entryID); !ok {
			t.ended = append(t.ended, before[i].id)
		}
	}
	t.index = next
}

func entryID(e entry, id uint64) int { return cmp.Compare(e.id, id) }

func clipped(p *source.Process) source.Process {
	c := *p
	c.Name, c.Command, c.User = clip(p.Name), clip(p.Command), clip(p.User)
	return c
}

func textBytes(p *source.Process) int { return len(p.Name) + len(p.Command) + len(p.User) }
