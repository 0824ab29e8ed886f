package recording

import (
	"testing"

	"ephtop/source"
)

// A socket keeps its id through TIME_WAIT; another one on the same four-tuple gets
// one of its own, and so does one of which the cookie becomes known.
func TestIDsOfSocketsOnOneTuple(t *testing.T) {
	t.Parallel()
	base := source.Socket{Proto: source.TCP, State: source.Established, LocalPort: 40000, RemotePort: 443, Process: source.NoProcess}
	row := func(state source.State, cookie uint64, inode uint32) source.Socket {
		s := base
		s.State, s.Cookie, s.Inode = state, cookie, inode
		return s
	}
	var table sockets
	table.reset(0)
	for i, step := range []struct {
		s     source.Socket
		fresh bool
	}{
		{row(source.Established, 0, 7), true},
		{row(source.Established, 5, 7), true},
		{row(source.TimeWait, 5, 0), false},
		{row(source.TimeWait, 6, 0), true},
		{row(source.Established, 6, 8), false},
	} {
		table.match([]source.Socket{step.s})
		if fresh := table.rows[table.order[0]].fresh; fresh != step.fresh || fresh != (len(table.gone) == 1) && i > 0 {
			t.Errorf("step %d: a new id is %v, want %v; %d gone", i, fresh, step.fresh, len(table.gone))
		}
	}
}
