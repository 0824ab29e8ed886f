package model

import (
	"cmp"
	"slices"

	"ephtop/source"
)

// minOwnUDP is how many UDP sockets outside of the range a process has that picks
// its ports itself.
const minOwnUDP = 20

// ownUDP finds the processes that pick random UDP ports by themselves, as
// resolvers do: they hold many, inside of the range and outside. What they hold
// inside they would find elsewhere, so that it is no trouble of theirs, and
// nobody else's as long as a port is free.
func (c *census) ownUDP(st *State, p *Pressure) {
	if c.private.noted < minOwnUDP {
		return
	}
	var pools []TupleUse
	index := make(map[int32]int) // by process
	var inside []int             // of the range, by pool
	for i := range st.Rows {
		s, r := &st.Snapshot.Sockets[i], &st.Rows[i]
		if s.Proto != source.UDP || r.Process == source.NoProcess || r.Tier < OwnerObserved || s.LocalPort < 1024 || s.RemotePort != 0 && s.RemotePort != 53 {
			continue
		}
		at, ok := index[r.Process]
		if !ok {
			at = len(pools)
			index[r.Process], inside = at, append(inside, 0)
			pools = append(pools, TupleUse{
				TupleKey: TupleKey{Port: 53, Pool: PoolOwnUDP}, Process: r.Process, Tier: r.Tier,
				Limit: Limit{PoolOwnUDP, s.LocalPort, s.LocalPort},
			})
		}
		t := &pools[at]
		t.Live++
		t.Limit.Low, t.Limit.High = min(t.Limit.Low, s.LocalPort), max(t.Limit.High, s.LocalPort)
		inside[at] += one(r.Ephemeral)
	}
	own := 0
	for i, t := range pools {
		in := inside[i]
		if in == 0 || t.Live-in < minOwnUDP || 4*(t.Live-in) < in {
			continue
		}
		own += in
		t.Used = min(t.Live, t.Limit.Size())
		t.Live, t.Free = t.Used, t.Limit.Size()-t.Used
		p.Tuples = append(p.Tuples, t)
	}
	slices.SortFunc(p.Tuples, func(a, b TupleUse) int { return cmp.Or(cmp.Compare(b.Used, a.Used), cmp.Compare(a.Process, b.Process)) })
	if p.InUse < p.Usable {
		p.PoolLevel = st.Thresholds.Level(max(0, p.InUse-own), p.Usable)
	}
}
