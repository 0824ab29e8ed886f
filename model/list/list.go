// Package list selects and sorts the connections that are listed, folds those
// in TIME_WAIT, and follows a line from poll to poll.
package list

import (
	"slices"

	"ephtop/model"
	"ephtop/model/filter"
	"ephtop/source"
)

// List is what Selection.List lists of one state.
type List struct {
	// Rows are the lines, in order.
	Rows []Row
	// Folds are what the rows that are folds stand for.
	Folds []Fold
	// Sockets is how many sockets pass, Waiting how many of these are in
	// TIME_WAIT.
	Sockets, Waiting int
}

// Row is a line of a list: a socket, by its index in State.Snapshot.Sockets, or
// else a fold.
type Row int32

// Fold is the connections in TIME_WAIT of one tuple and owner in one line: which
// of their ports there are changes with each poll, and says nothing.
type Fold struct {
	// Socket is one of them: of those whose owner is known best, the first. Row
	// and Socket of the others differ from it in port, time and Tier.
	Socket int32
	// Ports is how many there are, AtRemote that their ports are those of the
	// remote end: they are a server's.
	Ports    int
	AtRemote bool
	// Likely counts those whose owner is merely inferred.
	Likely int
	// Left is the longest time that is left of one, in milliseconds.
	Left uint32

	age model.Span // of the oldest
	key foldKey
}

// Fold returns the fold that a row is, or nil for a socket.
func (l *List) Fold(r Row) *Fold {
	if r >= 0 {
		return nil
	}
	return &l.Folds[^r]
}

// Socket returns the index of the socket that a row is, or of one of its fold.
func (l *List) Socket(r Row) int32 {
	if r >= 0 {
		return int32(r)
	}
	return l.Folds[^r].Socket
}

// Selection says which connections are listed, and in which order. It keeps
// memory between calls of its methods, which must not overlap.
type Selection struct {
	Filter filter.Filter
	Order  Order
	// TCP and UDP say which protocols are listed, Fold whether TIME_WAIT is
	// folded.
	TCP, UDP, Fold bool

	keys, spare []sortKey
	processes   []int32 // scratch of rankProcesses
	ranks       []int32
	tuples      map[model.TupleKey]int32 // of rankTuples
	folds       map[foldKey]int32
	near        [1 << 8]int32 // a fold for each foldKey.near
	hit         []bool        // scratch of Destinations
}

// List lists the sockets that pass, sorted, in the memory of l.
func (s *Selection) List(l *List, st *model.State) {
	k := s.selectRows(l, st)
	s.keyFolds(l, &k)
	s.sort(l, st)
	l.Rows = slices.Grow(l.Rows[:0], len(s.keys))
	for i := range s.keys {
		l.Rows = append(l.Rows, s.keys[i].row)
	}
}

// selectRows puts the sockets that pass into s.keys, but for those that are
// folded, and into l.Folds.
func (s *Selection) selectRows(l *List, st *model.State) keyMaker {
	s.keys = s.keys[:0]
	l.Folds, l.Sockets, l.Waiting = l.Folds[:0], 0, 0
	if s.folds == nil {
		s.folds = make(map[foldKey]int32)
	}
	clear(s.folds)
	k := keyMaker{st: st, order: s.Order}
	for rank, state := range model.LifeOrder {
		k.stateRanks[state] = uint64(rank)
	}
	switch s.Order.Column {
	case ColumnProcess:
		s.rankProcesses(st.Processes)
		k.processRanks = s.ranks
	case ColumnWorst:
		s.rankTuples(st)
		k.tuples = s.tuples
	}
	for i := range st.Snapshot.Sockets {
		socket := &st.Snapshot.Sockets[i]
		if !s.passes(st, i) {
			continue
		}
		l.Sockets++
		if waits := socket.State == source.TimeWait; waits {
			l.Waiting++
			if s.Fold {
				s.fold(l, st, i)
				continue
			}
		}
		s.keys = append(s.keys, sortKey{k.words(socket, &st.Rows[i]), Row(i)})
	}
	return k
}

// passes reports whether a socket is listed.
func (s *Selection) passes(st *model.State, i int) bool {
	if st.Snapshot.Sockets[i].Proto == source.UDP {
		return s.UDP && s.Filter.Match(st, i)
	}
	return s.TCP && s.Filter.Match(st, i)
}
