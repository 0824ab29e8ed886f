package list

import (
	"ephtop/model"
	"ephtop/source"
)

// Mark names a socket, so that it is found again in a later state: by its
// four-tuple, and by what tells those apart that share it (listeners with
// SO_REUSEPORT, sockets on one wildcard).
type Mark struct {
	tuple  source.Tuple
	cookie uint64
	inode  uint32
}

// MarkOf returns the mark of a socket.
func MarkOf(s *source.Socket) Mark { return Mark{s.Tuple(), s.Cookie, s.Inode} }

// Find returns the place in rows of the very socket, and failing that of one
// with its four-tuple: a TIME_WAIT may have lost its cookie. It returns -1
// where there is none.
func (m *Mark) Find(st *model.State, rows []int32) int {
	same := -1
	for i, row := range rows {
		s := &st.Snapshot.Sockets[row]
		if s.LocalPort != m.tuple.LocalPort || s.Tuple() != m.tuple {
			continue
		}
		if s.Cookie == m.cookie && s.Inode == m.inode {
			return i
		}
		if same < 0 || s.Cookie == m.cookie {
			same = i
		}
	}
	return same
}
