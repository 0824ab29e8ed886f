package model

import (
	"encoding/binary"

	"ephtop/source"
)

// ownership remembers, for every socket of the last snapshot, since when it is
// known and which process was seen with it: a TIME_WAIT has lost its owner,
// and only those who looked before know it.
type ownership struct {
	known    map[uint64]memory
	started  bool
	turn     uint32
	registry registry
	seen     map[destination]*sightings
	traced   traced
}

// memory is what is remembered of one socket.
type memory struct {
	since      int64
	process    int32 // index in the registry, or NoProcess
	turn       uint32
	tier       Tier
	sinceStart bool
}

// identity is the key under which a socket is remembered: its cookie, or a hash of its
// four-tuple where the source knows no cookies. (A cookie is a small counter,
// sock_gen_cookie, so the top bit tells the two apart.)
func identity(s *source.Socket) uint64 {
	if s.Cookie != 0 {
		return s.Cookie &^ (1 << 63)
	}
	return hashTuple(s) | 1<<63
}

// hashTuple mixes the four-tuple (FNV-1a over 64-bit words).
func hashTuple(s *source.Socket) uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	for _, w := range [...]uint64{
		binary.LittleEndian.Uint64(s.Local[:8]), binary.LittleEndian.Uint64(s.Local[8:]),
		binary.LittleEndian.Uint64(s.Remote[:8]), binary.LittleEndian.Uint64(s.Remote[8:]),
		uint64(s.LocalPort)<<32 | uint64(s.RemotePort)<<16 | uint64(s.Proto)<<8 | uint64(s.Interface)<<48,
	} {
		h = (h ^ w) * prime
		h ^= h >> 29
	}
	return h
}

// observe fills in st.Rows from what the snapshot says and what was seen
// before. finish must follow.
func (o *ownership) observe(snap *source.Snapshot, st *State) {
	if o.known == nil {
		o.known = make(map[uint64]memory, len(snap.Sockets))
		o.seen = make(map[destination]*sightings)
	}
	o.turn++
	now := snap.Time.UnixNano()
	toRegistry := o.registry.enter(snap.Processes, o.turn)
	o.trace(snap)
	st.Rows = resize(st.Rows, len(snap.Sockets))
	for i := range snap.Sockets {
		s := &snap.Sockets[i]
		id := identity(s)
		m, ok := o.known[id]
		if !ok {
			m = memory{since: firstSeen(s, &snap.Settings, now), process: source.NoProcess, sinceStart: !o.started}
		}
		fresh := false
		if s.Process != source.NoProcess {
			fresh = m.process == source.NoProcess
			m.process, m.tier = toRegistry[s.Process], OwnerObserved
		} else if p, ok := o.closedBy(s, m.process != source.NoProcess); ok {
			fresh = m.process == source.NoProcess
			m.process, m.tier = p, OwnerTraced
		}
		if m.process != source.NoProcess {
			o.registry.keep(m.process, o.turn)
		}
		m.turn = o.turn
		o.known[id] = m
		st.Rows[i] = Row{
			Process: m.process, Tier: m.tier, SinceStart: m.sinceStart, fresh: fresh, Since: m.since,
		}
	}
	o.started = true
}

// firstSeen is now, but for a TIME_WAIT that tells how old it is.
func firstSeen(s *source.Socket, set *source.Settings, now int64) int64 {
	if s.State != source.TimeWait || s.Timer != source.TimerTimeWait {
		return now
	}
	return now - max(0, set.TimeWait.Nanoseconds()-int64(s.Expires)*1e6)
}

// finish fills in st.Processes and drops what this turn has not seen.
func (o *ownership) finish(st *State) {
	for id, m := range o.known {
		if m.turn != o.turn {
			delete(o.known, id)
		}
	}
	for d, s := range o.seen {
		if s.turn != o.turn {
			delete(o.seen, d)
		}
	}
	o.registry.sweep(o.turn)
	st.Processes = append(st.Processes[:0], o.registry.processes...)
}

// registry numbers processes, so that a number means the same process from
// turn to turn as long as a socket points to it.
type registry struct {
	processes []source.Process
	turns     []uint32 // last turn in which a socket pointed there
	index     map[processKey]int32
	free      []int32
	mapping   []int32
}

type processKey struct {
	pid   int32
	start uint64
}

// enter gives the number of each process, in the same order. The result is
// good until the next call.
func (r *registry) enter(list []source.Process, turn uint32) []int32 {
	r.mapping = r.mapping[:0]
	for i := range list {
		r.mapping = append(r.mapping, r.number(&list[i], turn))
	}
	return r.mapping
}

// number gives the number of a process and keeps what is newest of it.
func (r *registry) number(p *source.Process, turn uint32) int32 {
	if r.index == nil {
		r.index = make(map[processKey]int32)
	}
	key := processKey{p.PID, p.Start}
	n, ok := r.index[key]
	if !ok {
		n = r.slot()
		r.index[key] = n
	}
	r.processes[n] = *p
	r.turns[n] = turn
	return n
}

func (r *registry) slot() int32 {
	if k := len(r.free); k > 0 {
		n := r.free[k-1]
		r.free = r.free[:k-1]
		return n
	}
	r.processes = append(r.processes, source.Process{})
	r.turns = append(r.turns, 0)
	return int32(len(r.processes) - 1)
}

func (r *registry) keep(n int32, turn uint32) { r.turns[n] = turn }

// sweep frees the numbers that no socket points to any more.
func (r *registry) sweep(turn uint32) {
	for key, n := range r.index {
		if r.turns[n] != turn {
			delete(r.index, key)
			r.processes[n] = source.Process{}
			r.free = append(r.free, n)
		}
	}
}

// resize gives a slice of n elements, in the old memory where it suffices.
// The elements are not cleared.
func resize[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}
