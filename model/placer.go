package model

import (
	"slices"

	"ephtop/source"
)

// placer finds the namespace of events that do not tell it. All that is known is
// that of their thread, or nothing where the thread has ended, and the same
// addresses and ports may be in several namespaces at once.
type placer struct {
	snapshots []source.Snapshot
	packed    []bool // of each snapshot, once it is needed
}

// place returns the index of the snapshot that an event belongs to, or -1. thread
// is the index of that of its thread, -1 where that is not known or was not
// looked at.
func (p *placer) place(e *source.Event, thread int) int {
	switch {
	case e.Netns != 0 && thread < 0:
		return -1
	case e.WantedPort():
		return p.placeFailure(thread)
	case thread >= 0:
		return thread
	case len(p.snapshots) == 1 && !e.Tuple.Local.IsLoopback():
		return 0 // an address that no other namespace is likely to have
	}
	return -1
}

// placeFailure is about a connect that found no port. One that found ports enough
// was in another namespace.
func (p *placer) placeFailure(thread int) int {
	if p.packed == nil {
		for i := range p.snapshots {
			p.packed = append(p.packed, packed(&p.snapshots[i]))
		}
	}
	switch first := slices.Index(p.packed, true); {
	case thread >= 0 && p.packed[thread]:
		return thread
	case thread < 0 && first >= 0 && !slices.Contains(p.packed[first+1:], true):
		return first
	}
	return -1
}

// packedShare of the ports must be in use for a connect to find none: not all,
// for the look was a moment earlier or later.
const packedShare = 0.95

// packed reports whether so few ports are free that none may have been: of all
// that TCP holds, whichever destination it is for.
func packed(s *source.Snapshot) bool {
	var usable, held source.PortSet
	usable.SetUsable(&s.Settings)
	n := 0
	for i := range s.Sockets {
		if k := &s.Sockets[i]; k.Proto == source.TCP && usable.Has(k.LocalPort) && !held.Has(k.LocalPort) {
			held.Add(k.LocalPort)
			n++
		}
	}
	return float64(n) >= packedShare*float64(s.Settings.Usable())
}
