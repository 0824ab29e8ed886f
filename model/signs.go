package model

import (
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
	count  int
	oldest time.Duration
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
	w.oldest = max(w.oldest, age)
}
