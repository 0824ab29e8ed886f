package live

import (
	"cmp"
	"context"
	"slices"

	"golang.org/x/sys/unix"

	"ephtop/source"
	"ephtop/source/procfs"
)

// exits says in each moment which processes have ended, of those that the
// moments before named as the owners of sockets: whoever leaves nothing but
// TIME_WAIT behind may be idle, or gone.
type exits struct {
	source.Source
	proc  procfs.Reader
	turn  uint32
	named map[source.ProcessKey]naming
}

// naming is when a process was named: at all, and as one that holds a socket.
type naming struct{ last, held uint32 }

// A process that nobody names any more is forgotten after so many polls; in
// some of them, all of what is known of it is looked at.
const (
	keepNamed = 300
	exitGap   = 16
)

func watchExits(src source.Source) source.Source {
	return &exits{Source: src, proc: procfs.Reader{Root: "/proc"}, named: make(map[source.ProcessKey]naming)}
}

// Poll polls the source behind.
func (e *exits) Poll(ctx context.Context, m *source.Moment) error {
	if err := e.Source.Poll(ctx, m); err != nil {
		return err
	}
	e.turn++
	for i := range m.Processes {
		e.named[m.Processes[i].Key()] = naming{e.turn, e.turn}
	}
	for i := range m.Events {
		if p := &m.Events[i].Process; p.PID != 0 && p.Start != 0 {
			e.named[p.Key()] = naming{e.turn, e.named[p.Key()].held}
		}
	}
	begin := len(m.Exited)
	for key, n := range e.named {
		switch {
		case n.held == e.turn:
		case e.gone(key, e.turn-n.last <= 1 || (e.turn+uint32(key.PID))%exitGap == 0):
			m.Exited = append(m.Exited, key)
			delete(e.named, key)
		case e.turn-n.last > keepNamed:
			delete(e.named, key)
		}
	}
	slices.SortFunc(m.Exited[begin:], func(a, b source.ProcessKey) int {
		return cmp.Or(cmp.Compare(a.PID, b.PID), cmp.Compare(a.Start, b.Start))
	})
	return nil
}

// gone reports whether a process has ended. Only a closer look tells one that
// waits for its parent, or whose number another has.
func (e *exits) gone(key source.ProcessKey, closer bool) bool {
	if unix.Kill(int(key.PID), 0) == unix.ESRCH {
		return true
	}
	if !closer {
		return false
	}
	dir, s, err := e.proc.Open(key.PID)
	if err != nil {
		return false // it may be hidden from us
	}
	unix.Close(dir)
	return s.Start != key.Start || s.Exiting()
}
