package list

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"

	"ephtop/model"
	"ephtop/source"
)

// sortKey is what a row is sorted by: words holds as much of the order as
// fits, the most significant word first, so that rows are seldom looked at.
type sortKey struct {
	words [3]uint64
	row   Row
}

// sort puts s.keys in order. A radix sort, byte by byte from the least
// significant one, takes less than half the time of one that compares: few of
// the bytes differ between the sockets of one host, the others are skipped.
func (s *Selection) sort(l *List, st *model.State) {
	s.spare = slices.Grow(s.spare[:0], len(s.keys))[:len(s.keys)]
	for w := len(sortKey{}.words) - 1; w >= 0; w-- {
		differ := uint64(0)
		for i := range s.keys {
			differ |= s.keys[i].words[w] ^ s.keys[0].words[w]
		}
		for shift := 0; shift < 64; shift += 8 {
			if differ>>shift&0xff != 0 {
				sortByte(s.spare, s.keys, w, shift)
				s.keys, s.spare = s.spare, s.keys
			}
		}
	}
	for start := 0; start < len(s.keys); {
		end := start + 1
		for end < len(s.keys) && s.keys[end].words == s.keys[start].words {
			end++
		}
		if end-start > 1 {
			slices.SortFunc(s.keys[start:end], func(a, b sortKey) int { return compareRows(l, st, a.row, b.row) })
		}
		start = end
	}
}

// sortByte copies keys to dst, sorted by one byte, equal ones in the order
// that they had.
func sortByte(dst, keys []sortKey, word, shift int) {
	var at [256]int
	for i := range keys {
		at[byte(keys[i].words[word]>>shift)]++
	}
	next := 0
	for i, n := range at {
		at[i] = next
		next += n
	}
	for i := range keys {
		b := byte(keys[i].words[word] >> shift)
		dst[at[b]] = keys[i]
		at[b]++
	}
}

// rankProcesses numbers the processes by name, pid and start. Entries that
// agree in all of them get the same number.
func (s *Selection) rankProcesses(processes []source.Process) {
	s.processes = s.processes[:0]
	for i := range processes {
		s.processes = append(s.processes, int32(i))
	}
	compare := func(i, j int32) int {
		a, b := &processes[i], &processes[j]
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.PID, b.PID), cmp.Compare(a.Start, b.Start))
	}
	slices.SortFunc(s.processes, compare)
	s.ranks = slices.Grow(s.ranks[:0], len(processes))[:len(processes)]
	rank := int32(0)
	for n, i := range s.processes {
		if n > 0 && compare(s.processes[n-1], i) != 0 {
			rank++
		}
		s.ranks[i] = rank
	}
}

// rankTuples numbers the destinations, the worst first. A private pool goes with
// the range towards the same destination: sockets don't tell them apart.
func (s *Selection) rankTuples(st *model.State) {
	if s.tuples == nil {
		s.tuples = make(map[model.TupleKey]int32)
	}
	clear(s.tuples)
	for i := range st.TCP.Pressure.Tuples {
		key := rangeKey(&st.TCP.Pressure.Tuples[i])
		if _, there := s.tuples[key]; !there {
			s.tuples[key] = int32(i)
		}
	}
}

// rangeKey is the key that a tuple's sockets have.
func rangeKey(t *model.TupleUse) model.TupleKey {
	key := t.TupleKey
	key.Pool = model.PoolRange
	return key
}

// keyMaker makes the words of sort keys.
type keyMaker struct {
	st           *model.State
	order        Order
	stateRanks   [source.NumStates]uint64
	processRanks []int32
	tuples       map[model.TupleKey]int32
}

// words gives words that compare as Order says, as far as they tell two rows
// apart: what is equal in them is left to compareRows.
func (k *keyMaker) words(s *source.Socket, r *model.Row) [3]uint64 {
	switch k.order.Column {
	case ColumnLocal:
		return k.endWords(&s.Local, s.LocalPort, s.RemotePort, &s.Remote)
	case ColumnRemote:
		return k.endWords(&s.Remote, s.RemotePort, s.LocalPort, &s.Local)
	case ColumnWorst:
		return k.worstWords(s, r)
	}
	key, last := k.columnKey(s, r)
	switch {
	case last:
		key = math.MaxUint64
	case k.order.Reverse:
		// Stays below that of the rows that come last.
		key = math.MaxUint64 - 1 - key
	}
	ports := uint64(s.LocalPort)<<16 | uint64(s.RemotePort)
	return [3]uint64{key, ports, binary.BigEndian.Uint64(s.Remote[8:])}
}

// columnKey gives the place of a row in its column, below 1<<64 - 1, and
// whether it comes last in either direction.
func (k *keyMaker) columnKey(s *source.Socket, r *model.Row) (key uint64, last bool) {
	switch k.order.Column {
	case ColumnState:
		return k.stateRanks[s.State%source.NumStates], false
	case ColumnPID:
		if r.Process == source.NoProcess {
			return 0, true
		}
		return uint64(k.st.Processes[r.Process].PID), false
	case ColumnProcess:
		if r.Process == source.NoProcess {
			return 0, true
		}
		return uint64(k.processRanks[r.Process]), false
	case ColumnAge:
		return ageKey(r), false
	case ColumnLeft:
		return uint64(s.Expires), s.State != source.TimeWait || s.Timer != source.TimerTimeWait
	}
	return uint64(s.Proto), false
}

// ageKey puts the oldest first, and goes by more than the age in seconds, by
// which two rows would change places as the seconds turn.
func ageKey(r *model.Row) uint64 { return uint64(^r.Age) }

// mostlyWaits reports whether more ports wait towards a destination than are in
// use: then those are what is worst there.
func mostlyWaits(t *model.TupleUse) bool { return t.TimeWait > t.Live }

// worstWords makes the words for the order of urgency. Only a fold has no local
// port, and is put before what lives: single ones would hide it. Folds of one destination
// keep their places: all of them are as old as a TIME_WAIT gets.
func (k *keyMaker) worstWords(s *source.Socket, r *model.Row) [3]uint64 {
	rank, ok := int32(0), false
	if s.Proto == source.TCP && s.RemotePort != 0 {
		rank, ok = k.tuples[k.st.Key(s)]
	}
	if !ok {
		rank = math.MaxInt32 - 1
	}
	part := uint64(1)
	switch {
	case s.State == source.Listen:
		rank = math.MaxInt32
	case s.State == source.TimeWait && s.LocalPort == 0 && ok && mostlyWaits(&k.st.TCP.Pressure.Tuples[rank]):
		part = 0
	case s.State == source.TimeWait:
		part = 2
	}
	first, second := uint64(rank)<<2|part, ageKey(r)
	if k.order.Reverse {
		first, second = ^first, ^second
	}
	return [3]uint64{first, second, uint64(s.LocalPort)<<16 | uint64(s.RemotePort)}
}

// endWords makes the words for a column of addresses: address and port of
// that end, then what breaks ties.
func (k *keyMaker) endWords(a *source.Addr, port, farPort uint16, far *source.Addr) [3]uint64 {
	hi, lo, p := binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(a[8:]), port
	if k.order.Reverse {
		hi, lo, p = ^hi, ^lo, ^p
	}
	tie := uint64(farPort)<<32 | uint64(binary.BigEndian.Uint32(far[12:]))
	return [3]uint64{hi, lo, uint64(p)<<48 | tie}
}

// compareRows orders rows whose column is equal.
func compareRows(l *List, st *model.State, i, j Row) int {
	a, b := l.end(st, i), l.end(st, j)
	return cmp.Or(
		cmp.Compare(a.LocalPort, b.LocalPort),
		cmp.Compare(a.RemotePort, b.RemotePort),
		compareAddrs(&a.Remote, &b.Remote),
		compareAddrs(&a.Local, &b.Local),
		cmp.Compare(a.Proto, b.Proto),
		cmp.Compare(a.Cookie, b.Cookie),
		cmp.Compare(a.Inode, b.Inode),
		compareFolds(l, i, j),
	)
}

// end is the socket that a row is, or one like its fold.
func (l *List) end(st *model.State, r Row) source.Socket {
	if f := l.Fold(r); f != nil {
		s, _ := f.alike(st)
		return s
	}
	return st.Snapshot.Sockets[r]
}

func compareAddrs(a, b *source.Addr) int {
	return cmp.Or(
		cmp.Compare(binary.BigEndian.Uint64(a[:8]), binary.BigEndian.Uint64(b[:8])),
		cmp.Compare(binary.BigEndian.Uint64(a[8:]), binary.BigEndian.Uint64(b[8:])),
	)
}
