package model

import (
	"time"

	"ephtop/source"
)

// noteRest counts the states of the connections that have no rows.
func (st *State) noteRest() {
	for i := range st.Snapshot.Rest {
		r := &st.Snapshot.Rest[i]
		st.TCP.States[r.State] += r.Count
	}
}

// countRest counts the ports of the connections that have no rows, for their
// tuples and for the pool. Whose they are is not known of them.
func (c *census) countRest(st *State, p *Pressure) {
	live := false
	for i := range st.Snapshot.Rest {
		r := &st.Snapshot.Rest[i]
		live = live || r.State != source.TimeWait
		if r.RemotePort != 0 {
			c.countRestTuple(st, p, r)
		}
	}
	for _, ports := range st.Snapshot.RestPorts {
		for port := int(ports.Low); port <= int(ports.High); port++ {
			c.countRestPort(p, uint16(port), live)
		}
	}
}

func (c *census) countRestTuple(st *State, p *Pressure, r *source.Rest) {
	s := socketOf(r)
	n := c.tuples.number(&s, noTuple)
	if n == noTuple {
		p.Scattered += r.Count
		return
	}
	t := &c.tuples.tuples[n]
	second := min(r.Odd, r.Count)
	if c.usable.low&1 != 0 {
		second = r.Count - second
	}
	t.use.FirstHalf += r.Count - second
	if r.State != source.TimeWait {
		t.use.Live += r.Count
		t.secondLive += second
		return
	}
	t.use.TimeWait += r.Count
	if c.reusable(st, &s, 0, n) {
		t.use.Reusable += r.Count
		t.use.FirstReusable += r.Count - second
	}
	age, timed := waited(&s, &st.Snapshot.Settings)
	switch {
	case !timed:
		t.untimed += int32(r.Count)
	case age < ClosingSpan:
		t.young[age/time.Second] += int32(r.Count)
		t.use.Closing += r.Count
	}
}

// socketOf is what those connections have in common.
func socketOf(r *source.Rest) source.Socket {
	s := source.Socket{
		Proto: source.TCP, State: r.State, Local: r.Local, Remote: r.Remote, RemotePort: r.RemotePort, Interface: r.Interface, Stamps: r.Stamps,
	}
	if r.Expires > 0 {
		s.Timer, s.Expires = source.TimerTimeWait, uint32(r.Expires-1)*1000
	}
	return s
}

// countRestPort counts a port of the pool, if no row held it.
func (c *census) countRestPort(p *Pressure, port uint16, live bool) {
	if !c.usable.Has(port) || p.Map.has(port) {
		return
	}
	p.InUse++
	p.Map.add(port)
	switch {
	case c.domains[0].blocked.Has(port):
		p.Blocked++
	case live:
		p.Live++
	default:
		p.TimeWait++
		c.waits.add(noAge)
	}
}
