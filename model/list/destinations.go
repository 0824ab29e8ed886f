package list

import (
	"cmp"
	"slices"
	"time"

	"ephtop/model"
	"ephtop/source"
)

// Destinations lists the destinations that a socket which passes leads to, in an
// order of their own, as indices into st.TCP.Pressure.Tuples, in the memory of
// dst.
func (s *Selection) Destinations(dst []int32, st *model.State, o Order) []int32 {
	dst = dst[:0]
	tuples := st.TCP.Pressure.Tuples
	all := len(s.Filter.Terms()) == 0
	if !all {
		s.markTuples(st)
	}
	for i := range tuples {
		if all || s.hit[s.tuples[rangeKey(&tuples[i])]] {
			dst = append(dst, int32(i))
		}
	}
	if o.Column == ColumnWorst {
		if o.Reverse {
			slices.Reverse(dst)
		}
		return dst
	}
	slices.SortStableFunc(dst, func(i, j int32) int {
		n := compareTuples(st, &tuples[i], &tuples[j], o.Column)
		if o.Descending() {
			return -n
		}
		return n
	})
	return dst
}

// markTuples sets s.hit of the tuples that a socket which passes leads to.
func (s *Selection) markTuples(st *model.State) {
	s.rankTuples(st)
	s.hit = slices.Grow(s.hit[:0], len(st.TCP.Pressure.Tuples))[:len(st.TCP.Pressure.Tuples)]
	clear(s.hit)
	for i := range st.Snapshot.Sockets {
		socket := &st.Snapshot.Sockets[i]
		if socket.Proto != source.TCP || socket.RemotePort == 0 || !s.Filter.Match(st, i) {
			continue
		}
		if rank, ok := s.tuples[st.Key(socket)]; ok {
			s.hit[rank] = true
		}
	}
}

// compareTuples compares what a column shows.
func compareTuples(st *model.State, a, b *model.TupleUse, c Column) int {
	switch c {
	case ColumnUsed:
		return cmp.Compare(a.Percent(), b.Percent())
	case ColumnFree:
		return cmp.Compare(a.Free, b.Free)
	case ColumnLive:
		return cmp.Compare(a.Live, b.Live)
	case ColumnTimeWait:
		return cmp.Compare(a.TimeWait, b.TimeWait)
	case ColumnRate:
		return cmp.Compare(a.Outlook.Rate, b.Outlook.Rate)
	case ColumnOutlook:
		return cmp.Compare(urgency(&a.Outlook), urgency(&b.Outlook))
	case ColumnHolder:
		return cmp.Compare(holder(st, a), holder(st, b))
	}
	return cmp.Or(compareAddrs(&a.Destination, &b.Destination), cmp.Compare(a.Port, b.Port), compareAddrs(&a.Source, &b.Source))
}

// urgency puts the outlooks in order: those that get full by when they do.
func urgency(o *model.Outlook) time.Duration {
	if o.Trend == model.TrendFull {
		return o.In
	}
	return 1 << 62
}

// holder is the name of the tuple's process; nobody's comes last.
func holder(st *model.State, t *model.TupleUse) string {
	if t.Process < 0 {
		return "\U0010ffff"
	}
	return st.Processes[t.Process].Name
}
