package model

import (
	"strings"

	"ephtop/source"
)

// tracedLooks is how many looks at its namespace an event waits for its socket:
// a close that is told now may only be in the next dump. Where nobody looks, it
// waits for so many moments.
const (
	tracedLooks = 2
	tracedTurns = 60
)

// kernelWorker is how the names of the kernel's workers begin. One that closes a
// socket does so for another (MPTCP's subflows), and is not to blame.
const kernelWorker = "kworker/"

// traced are events that have not met their socket yet: closes, and connects of
// sockets that were bound.
type traced map[source.Tuple]tracedEvent

type tracedEvent struct {
	process    int32 // or source.NoProcess
	look, turn uint32
	// unsure says that the thread had ended before it could be looked up: its
	// id may not be its process's.
	unsure bool
}

// trace takes in what the events tell of sockets. The registry's numbers of
// their processes stay in use while they wait.
func (o *ownership) trace(m *source.Moment, events []int32) {
	o.keepTraced(o.closed)
	o.keepTraced(o.bound)
	for _, i := range events {
		switch e := &m.Events[i]; e.Kind {
		case source.Closed:
			if !strings.HasPrefix(e.Process.Name, kernelWorker) {
				o.wait(&o.closed, e)
			}
		case source.BoundFirst:
			o.wait(&o.bound, e)
		}
	}
}

// wait adds an event. The latest one of a four-tuple is the one whose socket is
// there.
func (o *ownership) wait(list *traced, e *source.Event) {
	if *list == nil {
		*list = make(traced)
	}
	process := source.NoProcess
	if e.Process.PID != 0 {
		process = o.registry.closer(&e.Process, o.turn)
	}
	(*list)[e.Tuple] = tracedEvent{process, o.looks, o.turn, e.Process.Start == 0}
}

// keepTraced drops what has waited in vain.
func (o *ownership) keepTraced(list traced) {
	for t, e := range list {
		if o.looks-e.look > tracedLooks || o.turn-e.turn > tracedTurns {
			delete(list, t)
			continue
		}
		if e.process != source.NoProcess {
			o.registry.keep(e.process, o.turn)
		}
	}
}

// noteBound tells whether a socket is one that was bound before it was
// connected, as the kernel told. Only one that is new can be, or that was at the
// look before: the event may have come after it.
func (o *ownership) noteBound(s *source.Socket, m *memory, isNew bool) {
	if s.RemotePort == 0 || !isNew && m.since < o.before {
		return
	}
	t := s.Tuple()
	e, ok := o.bound[t]
	if !ok {
		return
	}
	delete(o.bound, t)
	m.sign = told
	if m.process == source.NoProcess && e.process != source.NoProcess {
		m.process, m.tier = e.process, OwnerTraced
	}
}

// closer gives the number of a process that an event names. One that had
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
		r.exits[n] = r.now
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
	if len(o.closed) == 0 || s.HasOwner() || s.RemotePort == 0 {
		return source.NoProcess, false
	}
	t := s.Tuple()
	c, ok := o.closed[t]
	if ok {
		delete(o.closed, t)
	}
	return c.process, ok && c.process != source.NoProcess && !(c.unsure && observed)
}
