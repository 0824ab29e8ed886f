package list

import (
	"slices"

	"ephtop/model"
	"ephtop/source"
)

// Mark names a row, so that it is found again in a later state: a socket by its
// four-tuple, and by what tells those apart that share it (listeners with
// SO_REUSEPORT, sockets on one wildcard); a fold by tuple and owner.
type Mark struct {
	tuple  source.Tuple
	cookie uint64
	inode  uint32
	folded bool
	fold   foldKey
}

// Mark returns the mark of a row.
func (l *List) Mark(st *model.State, r Row) Mark {
	if f := l.Fold(r); f != nil {
		return Mark{folded: true, fold: f.key}
	}
	s := &st.Snapshot.Sockets[r]
	return Mark{tuple: s.Tuple(), cookie: s.Cookie, inode: s.Inode}
}

// Find returns the place of the row. Failing that, it is that of a socket with
// its four-tuple (a TIME_WAIT may have lost its cookie), of the fold that it
// is in now, or of the first one that was in the fold. It returns -1 where
// there is none.
func (l *List) Find(m *Mark, st *model.State) int {
	if m.folded {
		return l.findFold(&m.fold, st)
	}
	same := -1
	for i, r := range l.Rows {
		if r < 0 {
			continue
		}
		s := &st.Snapshot.Sockets[r]
		if !m.shares(s) {
			continue
		}
		if s.Cookie == m.cookie && s.Inode == m.inode {
			return i
		}
		if same < 0 || s.Cookie == m.cookie {
			same = i
		}
	}
	if same >= 0 || len(l.Folds) == 0 {
		return same
	}
	at := slices.IndexFunc(st.Snapshot.Sockets, func(s source.Socket) bool { return s.State == source.TimeWait && m.shares(&s) })
	if at < 0 {
		return -1
	}
	key := foldOf(st, &st.Snapshot.Sockets[at], &st.Rows[at])
	return l.findFold(&key, st)
}

// shares reports whether a socket has the four-tuple.
func (m *Mark) shares(s *source.Socket) bool {
	return s.LocalPort == m.tuple.LocalPort && s.Tuple() == m.tuple
}

// findFold returns the place of a fold, or of the first socket of it.
func (l *List) findFold(key *foldKey, st *model.State) int {
	return slices.IndexFunc(l.Rows, func(r Row) bool {
		if f := l.Fold(r); f != nil {
			return f.key == *key
		}
		s := &st.Snapshot.Sockets[r]
		return s.State == source.TimeWait && s.Remote == key.remote && foldOf(st, s, &st.Rows[r]) == *key
	})
}
