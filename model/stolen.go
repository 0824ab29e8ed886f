package model

import (
	"cmp"
	"slices"
	"time"

	"ephtop/source"
)

// Stolen is a TCP port of the range that a server asked for in vain, or that it
// listened on, and that an outgoing connection has.
type Stolen struct {
	Port uint16
	// Row is that of the connection.
	Row int32
	// Wanted is who asked for the port last, or who listened on it; with PID 0 it
	// is not known.
	Wanted source.Process
	// Refused counts the binds to it that failed in the last HistorySpan.
	Refused int
	// Listened is when a server was seen to listen on it last; zero for never.
	Listened time.Time
	lately   bool // a bind has just failed
}

// listened remembers the servers on ports of the range.
type listened map[uint16]listener

type listener struct {
	local   source.Addr
	process source.Process
	clock   int64 // State.Clock when it was there last
	time    time.Time
}

const (
	// listenedSpan is how long a server is remembered after it has gone, and
	// maxListened of how many.
	listenedSpan = time.Hour
	maxListened  = 256
)

// note takes in who listens now, and forgets who did long ago.
func (l *listened) note(st *State, s *signs) {
	for port, was := range *l {
		if st.Clock-was.clock > listenedSpan.Nanoseconds() {
			delete(*l, port)
		}
	}
	for _, row := range s.listeners {
		k := &st.Snapshot.Sockets[row]
		was, known := (*l)[k.LocalPort]
		if !known && len(*l) >= maxListened {
			continue
		}
		if *l == nil {
			*l = make(listened)
		}
		if p := st.Process(int(row)); p != nil {
			was.process = *p
		}
		was.local, was.clock, was.time = k.Local, st.Clock, st.Moment.Time
		(*l)[k.LocalPort] = was
	}
}

// steal fills in st.Stolen: nobody listens on the port, and a connection has it
// that did not come in through the listener that is gone.
func (st *State) steal(l listened, s *signs) {
	st.Stolen = st.Stolen[:0]
	sought := make(map[uint16]bool)
	for port := range l {
		if !s.listening.Has(port) {
			sought[port] = true
		}
	}
	for i := range st.Failures.TakenBy {
		if port := st.Failures.TakenBy[i].LocalPort; !s.listening.Has(port) {
			sought[port] = true
		}
	}
	for i := 0; i < len(st.Rows) && len(sought) > 0; i++ {
		k := &st.Snapshot.Sockets[i]
		if k.Proto != source.TCP || k.RemotePort == 0 || !st.Rows[i].Ephemeral || !sought[k.LocalPort] {
			continue
		}
		if f, ok := st.stolen(i, l); ok {
			st.Stolen = append(st.Stolen, f)
			delete(sought, k.LocalPort)
		}
	}
	slices.SortStableFunc(st.Stolen, func(a, b Stolen) int {
		return cmp.Or(cmp.Compare(b.Refused, a.Refused), cmp.Compare(a.Port, b.Port))
	})
}

// stolen says whether the port of a row is wanted by a server on its address, and
// by which.
func (st *State) stolen(row int, l listened) (Stolen, bool) {
	k, r := &st.Snapshot.Sockets[row], &st.Rows[row]
	f := Stolen{Port: k.LocalPort, Row: int32(row)}
	if was, ok := l[k.LocalPort]; ok && share(was.local, k.Local) {
		if r.Age >= SpanOf(time.Duration(st.Clock-was.clock)) || r.Blocking && (r.Process == source.NoProcess || st.Processes[r.Process].Same(&was.process)) {
			return f, false // it came in through the listener
		}
		f.Wanted, f.Listened = was.process, was.time
	}
	var last time.Time
	for i := range st.Failures.TakenBy {
		b := &st.Failures.TakenBy[i]
		if b.Proto != source.TCP || b.LocalPort != k.LocalPort || !share(b.Local, k.Local) {
			continue
		}
		f.Refused += b.Count
		f.lately = f.lately || !st.Failures.past(b)
		if !b.Last.Before(last) {
			f.Wanted, last = b.Process, b.Last
		}
	}
	if f.Refused == 0 && f.Listened.IsZero() || r.Process != source.NoProcess && st.Processes[r.Process].Same(&f.Wanted) {
		return f, false
	}
	// Without an owner, and without the kernel's word, it may be the server's own.
	return f, r.Process != source.NoProcess || st.Snapshot.BlockedKnown && !r.Blocking
}

// share tells whether one port on both addresses is in each other's way.
func share(a, b source.Addr) bool { return a == b || a.IsWildcard() || b.IsWildcard() }

func findStolen(st *State, list []Finding) []Finding {
	for i := range st.Stolen[:min(len(st.Stolen), maxStolenReports)] {
		s := &st.Stolen[i]
		r := &st.Rows[s.Row]
		f := Finding{
			Problem: StolenPort, Process: r.Process, Tier: r.Tier, Tuple: st.Key(&st.Snapshot.Sockets[s.Row]),
			Count: s.Refused, Ports: []uint16{s.Port}, Index: i, Past: !s.lately,
		}
		if s.Refused > 0 {
			f.Level = LevelWarning
		}
		list = append(list, f)
	}
	return list
}
