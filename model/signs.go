package model

import (
	"cmp"
	"slices"
	"time"

	"ephtop/source"
)

// signs counts, while the sockets are gone through for other reasons, what
// findings are made of: so that a finding costs nothing but its figures,
// however many sockets there are.
type signs struct {
	orphans []int32 // rows of the range without a process
	// listeners are the first rows of each port of the range that is listened
	// on.
	listeners []int32
	listening source.PortSet
	// waiting are the destinations that do not answer, by first sight.
	waiting []unanswered
	index   map[destination]int32
}

// unanswered counts the connects to a destination that linger in SYN_SENT.
type unanswered struct {
	row    int32 // the first of them
	state  int   // whose row it is, where several namespaces are counted
	count  int
	oldest time.Duration
	// sinceStart says that the oldest was there at the first look.
	sinceStart bool
}

func (s *signs) begin() {
	if s.index == nil {
		s.index = make(map[destination]int32)
	}
	if len(s.listeners) > 0 {
		s.listening = source.PortSet{}
	}
	clear(s.index)
	s.orphans, s.listeners, s.waiting = s.orphans[:0], s.listeners[:0], s.waiting[:0]
}

// note looks at one TCP socket, whose row is filled in.
func (s *signs) note(st *State, row int) {
	switch k := &st.Snapshot.Sockets[row]; k.State {
	case source.FinWait1, source.FinWait2, source.Closing, source.LastAck:
		if k.Inode == 0 && st.Rows[row].Ephemeral {
			s.orphans = append(s.orphans, int32(row))
		}
	case source.Listen:
		if st.Rows[row].Ephemeral && !s.listening.Has(k.LocalPort) {
			s.listening.Add(k.LocalPort)
			s.listeners = append(s.listeners, int32(row))
		}
	case source.SynSent:
		s.wait(st, row)
	}
}

// wait counts a connect that nobody has answered for a while.
func (s *signs) wait(st *State, row int) {
	k, age := &st.Snapshot.Sockets[row], st.Age(row)
	if age < lingering && k.Retransmits < 2 {
		return
	}
	to := destination{k.Remote, k.RemotePort}
	n, ok := s.index[to]
	if !ok {
		n = int32(len(s.waiting))
		s.index[to] = n
		s.waiting = append(s.waiting, unanswered{row: int32(row)})
	}
	w := &s.waiting[n]
	w.count++
	if since := st.Rows[row].SinceStart; age > w.oldest || since && age == w.oldest {
		w.oldest, w.sinceStart = age, since
	}
}

func (s *signs) findSynSent(st *State, list []Finding) []Finding {
	if len(s.waiting) > maxUnanswered {
		slices.SortStableFunc(s.waiting, func(a, b unanswered) int { return cmp.Compare(b.count, a.count) })
		s.waiting = s.waiting[:maxUnanswered]
	}
	for i := range s.waiting {
		w := &s.waiting[i]
		k, r := &st.Snapshot.Sockets[w.row], &st.Rows[w.row]
		f := Finding{
			Problem: SynSent, Tuple: st.Key(k),
			Process: r.Process, Tier: r.Tier, Count: w.count, Span: w.oldest, SinceStart: w.sinceStart,
		}
		if f.Count >= lingeringMany {
			f.Level = LevelWarning
		}
		list = append(list, f)
	}
	return list
}

func (s *signs) findOrphans(st *State, list []Finding) []Finding {
	orphans, finWait2 := 0, 0
	for _, row := range s.orphans {
		// The port of a listener is the listener's, whatever becomes of what it
		// accepted.
		if k := &st.Snapshot.Sockets[row]; !s.listening.Has(k.LocalPort) {
			orphans++
			finWait2 += one(k.State == source.FinWait2)
		}
	}
	usable := st.TCP.Pressure.Usable
	if !st.Snapshot.Inodes || orphans == 0 || orphans < minOrphans && float64(orphans) < minBoundShare*float64(usable) {
		return list
	}
	level := LevelOK
	if float64(orphans) >= minBoundShare*float64(usable) {
		level = LevelWarning
	}
	return append(list, Finding{Problem: Orphans, Level: level, Process: source.NoProcess, Count: orphans, FinWait2: finWait2, Of: usable})
}
