package recording

import (
	"reflect"
	"testing"
	"time"

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

// A host has hundreds of thousands of sockets, and little memory for what looks
// at it.
func TestLittleIsKeptOfASocket(t *testing.T) {
	t.Parallel()
	if size := reflect.TypeFor[digest]().Size(); size > 32 {
		t.Errorf("%d bytes of each socket, want at most 32", size)
	}
}

// A moment is written without garbage for each of its sockets, also one that
// stands alone.
func TestNoGarbageOfSockets(t *testing.T) { // not parallel: it counts what is allocated
	m := &source.Moment{}
	s := m.Add(source.Scope{})
	for i := range 10_000 {
		s.Sockets = append(s.Sockets, source.Socket{Proto: source.TCP, LocalPort: uint16(i), Cookie: uint64(i), Process: source.NoProcess})
	}
	r, err := NewRing(time.Hour, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if n := testing.AllocsPerRun(2*FullEvery, func() {
		for i := range 10 {
			s.Sockets[i].SendQueue++
		}
		if err := r.Write(m); err != nil {
			t.Fatal(err)
		}
	}); n > 100 {
		t.Errorf("%v allocations a moment of 10,000 sockets, want at most 100", n)
	}
}
