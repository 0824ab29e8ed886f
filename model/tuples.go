package model

import (
	"slices"
	"time"

	"ephtop/source"
)

// noTuple is the number of a row that holds no port towards a destination.
const noTuple int32 = -1

// destination is a remote address and port.
type destination struct {
	addr source.Addr
	port uint16
}

// tuplePlace is a place in a tupleTable.
type tuplePlace struct {
	use TupleUse
	// all is how its used ports grow, and held how those do that are not in
	// TIME_WAIT.
	all, held growth
	// moved is how held changed in the last seconds.
	moved moves
	turn  uint32 // when it was counted last
	// fullOnce says that its first half was crowded since it holds ports of the
	// second.
	fullOnce bool
	// crowded says that its connect() may have had to take ports of the second
	// half, wasCrowded that this was so in the turn before.
	crowded, wasCrowded bool
	// wasFull says that it was full, and has hardly come down since.
	wasFull bool
	// stopped says that closes came to an end, and none came since.
	stopped bool
	// order is that of its sockets when they were orderOf, and firstOrder that of
	// those on ports that connect() tries first.
	order, firstOrder order
	orderOf           int
	dest              int32 // number in the destination table

	// What follows holds for one turn.
	lastPort uint16 // with which it was counted last
	most     int    // sockets of use.Process
	inferred int    // those of them that are likely its own
	// suspected counts its suspected sockets, firstSuspected those of them on
	// ports that connect() tries first; open counts those on the others that are
	// not judged yet, openLow those of these in the lower half of the range.
	suspected, firstSuspected, open, openLow int
	// openWaits counts those of open in TIME_WAIT, openClosing those of them that
	// are new to it, and openLeft is what the oldest has left.
	openWaits, openClosing int
	openLeft               time.Duration
	// openFirst counts those not judged yet on ports that connect() tries first,
	// shared those of them whose port another tuple of the same source has too.
	openFirst, shared int
	asked             bool // for its order
	// blocked counts its own ports that are blocked for everyone, firstBlocked
	// those of them that connect() tries first.
	blocked, firstBlocked int
	// ownWaits counts its TIME_WAIT on ports that are blocked for everyone, or
	// likely so.
	ownWaits   int
	secondLive int // the part of use.Live on ports of the second half
	// young counts its TIME_WAIT by their age in seconds, untimed those of which
	// it is not known.
	young   closes
	untimed int32
	ends    ends // of the range, that it holds
	// reused says that connect() takes over its TIME_WAIT, stays that these are as
	// many for good, settles how many there are in the end, and drains is
	// future.drains.
	reused, stays   bool
	settles, drains float64

	pool int32 // of its source address
	// bound is the first of the tuples that are this one but for an interface, next
	// the one after it.
	bound, next int32
	// mayRange says that its sockets may have a range of their own: then ownRange is
	// the number of that pool, and inRange how many they are.
	mayRange          bool
	ownRange, inRange int32
	destGroup         int32 // its consumer by destination
	service           int32 // its consumer by service
	wasSighted        bool  // likely is known
	likely            sighting
}

// tupleTable numbers tuples, so that a socket that stays finds its tuple
// without a look-up. Numbers are reused once no socket holds the tuple.
type tupleTable struct {
	index  map[TupleKey]int32
	tuples []tuplePlace
	active []int32 // those of this turn
	free   []int32
	turn   uint32
	dests  destinationTable
	// sieve has those that are kept, nil for all, and room says for how many more
	// tuples of all namespaces there is room in this turn.
	sieve *sizes
	room  *int
}

func (t *tupleTable) begin() {
	if t.index == nil {
		t.index = make(map[TupleKey]int32)
	}
	t.turn++
	t.active = t.active[:0]
	t.dests.begin()
}

// reserve makes room for so many tuples.
func (t *tupleTable) reserve(n int) {
	t.tuples = slices.Grow(t.tuples, max(0, n-len(t.tuples)))
	t.dests.places = slices.Grow(t.dests.places, max(0, n-len(t.dests.places)))
}

// number gives the number of a socket's tuple, noTuple where that is left out;
// hint is the one with which the same socket was counted in the turn before, or
// noTuple.
func (t *tupleTable) number(s *source.Socket, hint int32) int32 {
	if t.sieve != nil && !t.sieve.keeps(hashTuple(s)) {
		return noTuple
	}
	if hint != noTuple && t.tuples[hint].use.Interface == s.Interface {
		return t.touch(hint)
	}
	key := keyOf(s)
	n, ok := t.index[key]
	if !ok {
		if *t.room <= 0 {
			return noTuple
		}
		n = t.slot()
		t.index[key] = n
		t.tuples[n] = tuplePlace{use: TupleUse{TupleKey: key}, dest: t.dests.number(destination{key.Destination, key.Port})}
	}
	return t.touch(n)
}

// touch makes a tuple one of this turn, if there is room.
func (t *tupleTable) touch(n int32) int32 {
	u := &t.tuples[n]
	if u.turn == t.turn {
		return n
	}
	if *t.room <= 0 {
		return noTuple
	}
	*t.room--
	*u = tuplePlace{
		use: TupleUse{TupleKey: u.use.TupleKey, Process: source.NoProcess}, all: u.all, held: u.held, moved: u.moved, turn: t.turn, dest: u.dest,
		wasCrowded: u.crowded, wasFull: u.wasFull, stopped: u.stopped, order: u.order, firstOrder: u.firstOrder, orderOf: u.orderOf,
		fullOnce: u.fullOnce, pool: noGroup, bound: noTuple, next: noTuple, destGroup: noGroup, service: noGroup,
	}
	t.dests.touch(u.dest)
	t.active = append(t.active, n)
	return n
}

func (t *tupleTable) slot() int32 {
	if k := len(t.free); k > 0 {
		n := t.free[k-1]
		t.free = t.free[:k-1]
		return n
	}
	t.tuples = push(t.tuples, tuplePlace{})
	return int32(len(t.tuples) - 1)
}

// finish frees what this turn has not seen.
func (t *tupleTable) finish() {
	if len(t.active) == len(t.index) {
		return
	}
	for key, n := range t.index {
		if t.tuples[n].turn != t.turn {
			delete(t.index, key)
			t.free = append(t.free, n)
		}
	}
	t.dests.finish()
}

// destinationTable numbers destinations and remembers who was seen alive with
// each.
type destinationTable struct {
	index  map[destination]int32
	places []destinationPlace
	free   []int32
	turn   uint32
	count  int // of this turn
}

type destinationPlace struct {
	destination
	turn  uint32
	group int32 // its consumer, for one turn
	// stamps says whether it sends timestamps, as far as a live connection told.
	stamps source.Stamps
	seen   sightings
}

func (d *destinationTable) begin() {
	if d.index == nil {
		d.index = make(map[destination]int32)
	}
	d.turn++
	d.count = 0
}

func (d *destinationTable) number(key destination) int32 {
	n, ok := d.index[key]
	if ok {
		return n
	}
	if k := len(d.free); k > 0 {
		n = d.free[k-1]
		d.free = d.free[:k-1]
	} else {
		n = int32(len(d.places))
		d.places = push(d.places, destinationPlace{})
	}
	d.index[key] = n
	d.places[n] = destinationPlace{destination: key}
	return n
}

func (d *destinationTable) touch(n int32) {
	if p := &d.places[n]; p.turn != d.turn {
		p.turn, p.group = d.turn, noGroup
		d.count++
	}
}

func (d *destinationTable) finish() {
	if d.count == len(d.index) {
		return
	}
	for key, n := range d.index {
		if d.places[n].turn != d.turn {
			delete(d.index, key)
			d.free = append(d.free, n)
		}
	}
}
