package list

import (
	"cmp"
	"encoding/binary"
	"time"

	"ephtop/model"
	"ephtop/source"
)

// foldKey is a fold's identity from one state to the next: the two ends, of
// which one has no port, and the owner.
type foldKey struct {
	local, remote         source.Addr
	localPort, remotePort uint16
	iface                 uint32
	pid                   int32 // 0 where the owner is not known
	start                 uint64
}

// near is a number below 256 for Selection.near, where the fold with this key may
// be found sooner than by a hash of all of it.
func (k *foldKey) near() uint8 {
	n := binary.BigEndian.Uint32(k.remote[12:]) ^ binary.BigEndian.Uint32(k.local[12:])<<1 ^
		uint32(k.pid)<<8 ^ uint32(k.remotePort)<<4 ^ uint32(k.localPort)
	return uint8(n * 0x9e3779b1 >> 24) // Fibonacci hashing
}

// foldOf gives the key of a socket's fold.
func foldOf(st *model.State, s *source.Socket, r *model.Row) foldKey {
	k := foldKey{local: s.Local, remote: s.Remote, iface: s.Interface}
	if atRemote(st, s, r) {
		k.localPort = s.LocalPort
	} else {
		k.remotePort = s.RemotePort
	}
	if r.Process != source.NoProcess {
		p := &st.Processes[r.Process]
		k.pid, k.start = p.PID, p.Start
	}
	return k
}

// atRemote reports whether a connection's local port is a server's, so that it
// is the remote one that differs from one to the next.
func atRemote(st *model.State, s *source.Socket, r *model.Row) bool {
	return !r.Outgoing && (r.Ephemeral || s.LocalPort < s.RemotePort && s.RemotePort >= st.Snapshot.Settings.Range.Low)
}

// fold adds a socket to its fold.
func (s *Selection) fold(l *List, st *model.State, i int) {
	socket, row := &st.Snapshot.Sockets[i], &st.Rows[i]
	key := foldOf(st, socket, row)
	near := &s.near[key.near()]
	if *near >= int32(len(l.Folds)) || l.Folds[*near].key != key {
		at, there := s.folds[key]
		if !there {
			at = int32(len(l.Folds))
			s.folds[key] = at
			l.Folds = append(l.Folds, Fold{Socket: int32(i), AtRemote: atRemote(st, socket, row), age: row.Age, key: key})
		}
		*near = at
	}
	f := &l.Folds[*near]
	if row.Tier > st.Rows[f.Socket].Tier {
		f.Socket = int32(i)
	}
	f.Ports++
	if row.Tier == model.OwnerInferred {
		f.Likely++
	}
	f.age = max(f.age, row.Age)
	if socket.Timer == source.TimerTimeWait {
		f.Left = max(f.Left, socket.Expires)
	}
}

// keyFolds puts the folds into s.keys; a single connection as the socket that
// it is.
func (s *Selection) keyFolds(l *List, k *keyMaker) {
	for i := range l.Folds {
		f := &l.Folds[i]
		if f.Ports == 1 {
			s.keys = append(s.keys, sortKey{k.words(&k.st.Snapshot.Sockets[f.Socket], &k.st.Rows[f.Socket]), Row(f.Socket)})
			continue
		}
		socket, row := f.alike(k.st)
		s.keys = append(s.keys, sortKey{k.words(&socket, &row), ^Row(i)})
	}
}

// foldAge is how exactly the age of a fold tells: its oldest is nearly as old as
// a TIME_WAIT gets, now a little more and now a little less.
const foldAge = 10 * time.Second

// alike makes a socket that sorts as the fold does, wherever it stays the same:
// without what differs between its sockets.
func (f *Fold) alike(st *model.State) (source.Socket, model.Row) {
	s, r := st.Snapshot.Sockets[f.Socket], st.Rows[f.Socket]
	s.LocalPort, s.RemotePort, s.Cookie, s.Inode = f.key.localPort, f.key.remotePort, 0, 0
	s.Expires = (f.Left + 999) / 1000 * 1000
	r.Age = model.SpanOf(f.age.Duration().Round(foldAge))
	return s, r
}

// compareFolds orders rows that differ in nothing else: a fold before sockets,
// and by owner, the unknown one last.
func compareFolds(l *List, i, j Row) int {
	a, b := l.Fold(i), l.Fold(j)
	if a == nil || b == nil {
		return cmp.Compare(i, j)
	}
	return cmp.Or(cmp.Compare(uint32(a.key.pid-1), uint32(b.key.pid-1)), cmp.Compare(a.key.start, b.key.start))
}
