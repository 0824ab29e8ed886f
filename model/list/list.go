// Package list selects and sorts the connections that are listed, and follows
// one of them from poll to poll.
package list

import (
	"slices"

	"ephtop/model"
	"ephtop/model/filter"
	"ephtop/source"
)

// Column is a column of the list of connections, by which it can be sorted.
type Column uint8

// The columns, in the order in which they stand and in which the key s goes
// through them.
const (
	ColumnProto Column = iota
	ColumnLocal
	ColumnRemote
	ColumnState
	ColumnPID
	ColumnProcess
	ColumnAge

	NumColumns = 7
)

// String gives the header of the column.
func (c Column) String() string {
	return [...]string{"PROTO", "LOCAL", "REMOTE", "STATE", "PID", "PROCESS", "AGE"}[c%NumColumns]
}

// Next gives the column to the right, and after the last one the first.
func (c Column) Next() Column { return (c + 1) % NumColumns }

// Order is how connections are sorted. Without Reverse it is the direction
// that people expect of the column: the oldest first by age, else from low to
// high.
//
//   - LOCAL and REMOTE go by the bytes of the address, then the port, so that
//     IPv6 below ::ffff:0:0/96 comes first, then IPv4, then all other IPv6.
//   - STATE goes by the life of a port ([model.LifeOrder]).
//   - PROCESS goes by name, then pid. Rows of no known process come last, by
//     PROCESS and by PID, in either direction.
//   - AGE goes by the time since the socket was first seen, for TIME_WAIT too,
//     whose time left is what is shown: so a row keeps its place when its
//     connection closes.
//
// Rows that are equal so far go by local port, remote port, the rest of the
// four-tuple and the kernel's cookie, in either direction: the same sockets
// stand in the same order at every poll.
type Order struct {
	Column  Column
	Reverse bool
}

// Descending tells whether what the column shows falls from top to bottom.
func (o Order) Descending() bool { return (o.Column == ColumnAge) != o.Reverse }

// Selection says which connections are listed, and in which order. It keeps
// memory between calls of Rows, which must not overlap.
type Selection struct {
	Filter filter.Filter
	Order  Order
	// TCP and UDP say which protocols are listed.
	TCP, UDP bool

	keys, spare []sortKey
	processes   []int32 // scratch of rankProcesses
	ranks       []int32
}

// Rows lists the sockets that pass, sorted, as indices into
// st.Snapshot.Sockets, in the memory of dst.
func (s *Selection) Rows(dst []int32, st *model.State) []int32 {
	s.selectRows(st)
	s.sort(st)
	dst = slices.Grow(dst[:0], len(s.keys))
	for i := range s.keys {
		dst = append(dst, s.keys[i].row)
	}
	return dst
}

// selectRows puts the sockets that pass into s.keys.
func (s *Selection) selectRows(st *model.State) {
	s.keys = s.keys[:0]
	k := keyMaker{st: st, order: s.Order}
	for rank, state := range model.LifeOrder {
		k.stateRanks[state] = uint64(rank)
	}
	if s.Order.Column == ColumnProcess {
		s.rankProcesses(st.Processes)
		k.processRanks = s.ranks
	}
	for i := range st.Snapshot.Sockets {
		socket := &st.Snapshot.Sockets[i]
		if socket.Proto == source.UDP && !s.UDP || socket.Proto != source.UDP && !s.TCP || !s.Filter.Match(st, i) {
			continue
		}
		s.keys = append(s.keys, sortKey{k.words(socket, &st.Rows[i]), int32(i)})
	}
}
