package model

import (
	"slices"

	"ephtop/source"
)

// judgeNATs says what connection tracking means, but for whose the ports are.
func (f *Fleet) judgeNATs(m *source.Moment, o *Overview) {
	o.NATs = o.NATs[:0]
	for i := range m.NATs {
		n := &m.NATs[i]
		s := NATState{NAT: n, State: -1, Scope: source.Scope{Host: m.Host, Netns: n.Netns, Cookie: n.Cookie}}
		memory := f.natMemory(&s.Scope)
		s.Rates = memory.follow(n.Counters, f.clock)
		for j := range n.Pools {
			s.Pools = append(s.Pools, f.natPool(&n.Pools[j]))
			memory.foresee(&s.Pools[j], f.clock-n.Age.Nanoseconds())
			s.Level = max(s.Level, s.Pools[j].Level)
		}
		memory.forgetPools()
		s.Drops = s.drops()
		s.Level = max(s.Level, s.tableLevel())
		o.NATs = append(o.NATs, s)
	}
	for key, n := range f.tracked {
		if n.turn != f.turn {
			delete(f.tracked, key)
		}
	}
}

// translating adds an empty snapshot of each namespace whose translated ports are in
// trouble and that has none: a router has no socket, and still what is wrong must
// have a place. It stays as long as anything is translated there.
func (f *Fleet) translating(m *source.Moment, o *Overview) []source.Snapshot {
	all := m.Snapshots
	for i := range o.NATs {
		s := &o.NATs[i]
		memory := f.natMemory(&s.Scope)
		memory.shown = s.Level > LevelOK || slices.ContainsFunc(s.Pools, func(p NATPoolUse) bool { return p.FullSoon() }) || memory.shown && len(s.Pools) > 0
		if !memory.shown || slices.ContainsFunc(all, func(k source.Snapshot) bool { return s.is(&k.Scope) }) {
			continue
		}
		if len(all) == len(m.Snapshots) {
			all = append(o.beside[:0], m.Snapshots...)
		}
		k := source.Snapshot{Scope: s.Scope}
		if at := slices.IndexFunc(o.Quiet, func(q source.Brief) bool { return s.is(&q.Scope) }); at >= 0 {
			k.Scope = o.Quiet[at].Scope
			o.Quiet = slices.Delete(slices.Clone(o.Quiet), at, at+1)
		}
		if len(m.Snapshots) > 0 {
			k.Settings = m.Snapshots[0].Settings.Clone()
		}
		k.Settings.Assumed = true
		all = append(all, k)
		o.beside = all
	}
	return all
}

// is reports whether the state is of a namespace, of which nothing more than the
// number need be known.
func (s *NATState) is(scope *source.Scope) bool {
	return scope.Netns == s.Scope.Netns && scope.Same(&source.Scope{Host: scope.Host, Netns: s.Scope.Netns, Cookie: s.Scope.Cookie})
}
