package model

import "ephtop/source"

// tracedLooks is how many looks at its namespace an event waits for its socket:
// a close that is told now may only be in the next dump. Where nobody looks, it
// waits for so many moments.
const (
	tracedLooks = 2
	tracedTurns = 60
)

// traced are the closes that the kernel told of and that have not met their
// TIME_WAIT yet.
type traced map[source.Tuple]tracedClose

type tracedClose struct {
	process    int32
	look, turn uint32
	// unsure says that the thread had ended before it could be looked up: its
	// id may not be its process's.
	unsure bool
}

// trace takes in the closes among the events. The registry's numbers of their
// processes stay in use while they wait.
func (o *ownership) trace(m *source.Moment, events []int32) {
	for t, c := range o.traced {
		if o.looks-c.look > tracedLooks || o.turn-c.turn > tracedTurns {
			delete(o.traced, t)
			continue
		}
		o.registry.keep(c.process, o.turn)
	}
	for _, i := range events {
		e := &m.Events[i]
		if e.Kind != source.Closed {
			continue
		}
		if o.traced == nil {
			o.traced = make(traced)
		}
		// The latest close of a four-tuple is the one whose TIME_WAIT is there.
		o.traced[e.Tuple] = tracedClose{o.registry.closer(&e.Process, o.turn), o.looks, o.turn, e.Process.Start == 0}
	}
}

// closer gives the number of a process that closed a connection. One that had
// ended before it could be looked up is a known process of that pid and name.
func (r *registry) closer(p *source.Process, turn uint32) int32 {
	if p.Start != 0 {
		return r.number(p, turn)
	}
	r.indexNames(turn)
	name := namedProcess{p.PID, p.Name}
	n, ok := r.named[name]
	if !ok {
		n = r.number(p, turn)
		r.named[name] = n
	}
	r.keep(n, turn)
	return n
}

// namedProcess is what is left of a process that ended before it could be
// looked up.
type namedProcess struct {
	pid  int32
	name string
}

// indexNames finds the processes by pid and name, once a turn. Of several of
// one pid, the last one started counts.
func (r *registry) indexNames(turn uint32) {
	if r.named != nil && r.namedTurn == turn {
		return
	}
	if r.named == nil {
		r.named = make(map[namedProcess]int32)
	}
	clear(r.named)
	r.namedTurn = turn
	for key, n := range r.index {
		name := namedProcess{key.PID, r.processes[n].Name}
		if other, ok := r.named[name]; !ok || r.processes[other].Start < key.Start {
			r.named[name] = n
		}
	}
}

// closedBy gives the process that closed a socket which the dump shows
// without an owner. An unsure one gives way to one that was observed.
func (o *ownership) closedBy(s *source.Socket, observed bool) (process int32, ok bool) {
	if len(o.traced) == 0 || s.HasOwner() || s.RemotePort == 0 {
		return source.NoProcess, false
	}
	t := s.Tuple()
	c, ok := o.traced[t]
	if ok {
		delete(o.traced, t)
	}
	return c.process, ok && !(c.unsure && observed)
}
