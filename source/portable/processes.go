package portable

import (
	"context"
	"maps"

	"ephtop/source"
)

// processes looks up processes by pid, and remembers them for as long as each
// poll sees them, so that only new ones are looked up.
type processes struct {
	look  lookup
	known map[int32]*entry
	poll  uint64
}

// lookup asks the system.
type lookup interface {
	// start gives what tells apart two processes of one pid.
	start(ctx context.Context, pid int32) (uint64, error)
	// describe gives the rest of what is known; false for a process that has
	// gone.
	describe(ctx context.Context, pid int32) (source.Process, bool)
	// late names what does not answer, "" for nothing.
	late() string
}

type entry struct {
	process source.Process
	gone    bool   // vanished before it could be looked up
	index   int32  // in Moment.Processes of this poll
	poll    uint64 // the last poll that saw the pid
}

func newProcesses(look lookup) *processes {
	return &processes{look: look, known: make(map[int32]*entry)}
}

// begin starts a poll.
func (p *processes) begin() { p.poll++ }

// end forgets the processes that this poll did not see.
func (p *processes) end() {
	maps.DeleteFunc(p.known, func(_ int32, e *entry) bool { return e.poll != p.poll })
}

// index gives the place in m.Processes of a pid, where it is put if need be.
// It is source.NoProcess for a process that has gone since the list was made.
func (p *processes) index(ctx context.Context, pid int32, m *source.Moment) int32 {
	e := p.known[pid]
	if e != nil && e.poll == p.poll {
		return e.index
	}
	start, err := p.look.start(ctx, pid)
	// On an error one that is known has just gone, or hides its start.
	if e == nil || e.gone || err == nil && start != e.process.Start {
		process, ok := p.look.describe(ctx, pid)
		process.Start = start
		e = &entry{process: process, gone: !ok}
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
