package model

import "ephtop/source"

// tracedTurns is how many snapshots an event waits for its socket: a close
// that is told now may only be in the next dump.
const tracedTurns = 2

// traced are the closes that the kernel told of and that have not met their
// TIME_WAIT yet.
type traced map[source.Tuple]tracedClose

type tracedClose struct {
	process int32
	turn    uint32
}

// trace takes in the closes of a snapshot. The registry's numbers of their
// processes stay in use while they wait.
func (o *ownership) trace(snap *source.Snapshot) {
	for t, c := range o.traced {
		if o.turn-c.turn > tracedTurns {
			delete(o.traced, t)
			continue
		}
		o.registry.keep(c.process, o.turn)
	}
	for i := range snap.Events {
		e := &snap.Events[i]
		if e.Kind != source.Closed {
			continue
		}
		if o.traced == nil {
			o.traced = make(traced)
		}
		o.traced[e.Tuple] = tracedClose{o.registry.number(&e.Process, o.turn), o.turn}
	}
}

// closedBy gives the process that closed a socket which the dump shows
// without an owner.
func (o *ownership) closedBy(s *source.Socket) (process int32, ok bool) {
	if len(o.traced) == 0 || s.HasOwner() || s.RemotePort == 0 {
		return source.NoProcess, false
	}
	t := s.Tuple()
	c, ok := o.traced[t]
	if ok {
		delete(o.traced, t)
	}
	return c.process, ok
}
