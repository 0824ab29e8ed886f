package model

import (
	"time"

	"ephtop/source"
)

// stampsPast remembers what net.ipv4.tcp_timestamps was before it was changed.
type stampsPast struct {
	now, before int
	changed     int64 // State.Clock at the first look after it
	known       bool
}

// follow goes on to the settings of now.
func (p *stampsPast) follow(st *State) {
	now := st.Snapshot.Settings.Timestamps
	if p.known && now != p.now {
		p.before, p.changed = p.now, st.Clock
	}
	p.now, p.known = now, true
}

// at is what the setting was for a connection that was there at a time.
func (p *stampsPast) at(clock int64) int {
	if clock < p.changed {
		return p.before
	}
	return p.now
}

// askPeers remembers with each destination whether it sends timestamps, where live
// connections to it tell. One that does not counts.
func (c *census) askPeers(st *State, o *ownership) {
	for _, stamps := range [...]source.Stamps{source.StampsBoth, source.StampsNone} {
		for _, i := range c.asked {
			s := &st.Snapshot.Sockets[i]
			if d := c.domains.of(s.Interface); s.Stamps == stamps && d.countsForTuple(s, &st.Rows[i]) {
				n := c.tuples.number(s, o.recall.next[i].tuple)
				c.tuples.dests.places[c.tuples.tuples[n].dest].stamps = stamps
			}
		}
	}
}

// loopbackInterface is LOOPBACK_IFINDEX of the kernel.
const loopbackInterface = 1

// takesOver reports whether the setting lets connect() take over what is in
// TIME_WAIT between two addresses. With 2, one loopback end suffices.
func takesOver(set *source.Settings, local, remote source.Addr, iface uint32) bool {
	return set.ReuseTimeWait == 1 ||
		set.ReuseTimeWait == 2 && (local.IsLoopback() || remote.IsLoopback() || iface == loopbackInterface)
}

// reusable reports whether connect() may take over a TIME_WAIT of a tuple
// that is known since a time (tcp_twsk_unique).
func (c *census) reusable(st *State, s *source.Socket, seen time.Duration, tuple int32) bool {
	set := &st.Snapshot.Settings
	age, ok := waited(s, set)
	if !ok || age < set.ReuseDelay || !takesOver(set, s.Local, s.Remote, s.Interface) {
		return false
	}
	// What counts is what the connection had, and not the setting of now. A dump
	// does not tell: then its peer may be known, or the setting of its time.
	stamps := s.Stamps
	if stamps == source.StampsUnknown {
		stamps = c.tuples.dests.places[c.tuples.tuples[tuple].dest].stamps
	}
	began := st.Clock - max(seen, age).Nanoseconds()
	return stamps == source.StampsBoth || stamps == source.StampsUnknown && c.stamps.at(began) > 0
}
