package portable

import (
	"context"

	"ephtop/source"
)

// processes looks up processes by pid, and remembers them for as long as each
// poll sees them, so that only new ones are looked up.
type processes struct {
	// start gives what tells apart two processes of one pid.
	start func(context.Context, int32) (uint64, error)
	// describe gives the rest of what is known; false for a process that has
	// gone.
	describe func(context.Context, int32) (source.Process, bool)

	known map[int32]*entry
	poll  uint64
}

type entry struct {
	process source.Process
	gone    bool   // vanished before it could be looked up
	index   int32  // in Moment.Processes of this poll
	poll    uint64 // the last poll that saw the pid
}

func newProcesses(start func(context.Context, int32) (uint64, error), describe func(context.Context, int32) (source.Process, bool)) *processes {
	return &processes{start: start, describe: describe, known: make(map[int32]*entry)}
}

// begin starts a poll.
func (p *processes) begin() { p.poll++ }

// end forgets the processes that this poll did not see.
func (p *processes) end() {
	for pid, e := range p.known {
		if e.poll != p.poll {
			delete(p.known, pid)
		}
	}
}

// index gives the place in m.Processes of a pid, where it is put if need be.
// It is source.NoProcess for a process that has gone since the list was made.
func (p *processes) index(ctx context.Context, pid int32, m *source.Moment) int32 {
	e := p.known[pid]
	if e != nil && e.poll == p.poll {
		return e.index
	}
	start, err := p.start(ctx, pid)
	switch {
	case e != nil && !e.gone && (err != nil || start == e.process.Start):
		// as it was; on an error it has just gone, or hides its start
	default:
		e = new(entry)
		var ok bool
		e.process, ok = p.describe(ctx, pid)
		e.process.Start = start
		e.gone = !ok
		p.known[pid] = e
	}
	e.poll = p.poll
	e.index = source.NoProcess
	if !e.gone {
		e.index = int32(len(m.Processes))
		m.Processes = append(m.Processes, e.process)
	}
	return e.index
}
