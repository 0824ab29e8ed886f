package model

import (
	"slices"

	"ephtop/source"
)

// natRoute is a destination that a namespace, by its index, reaches through source NAT.
type natRoute struct {
	state int
	wayKey
}

// routesOf are the pools that connections of the namespaces hold ports of: of those
// towards one destination the fullest.
func (o *Overview) routesOf(flows map[source.Tuple]natOwner) map[natRoute]*NATPoolUse {
	routes := make(map[natRoute]*NATPoolUse)
	for i := range o.NATs {
		for j := range o.NATs[i].Pools {
			p := &o.NATs[i].Pools[j]
			if p.Level == LevelOK {
				continue
			}
			for _, t := range p.Flows {
				route := natRoute{flows[t].state, wayKey{destination{t.Remote, t.RemotePort}, p.Proto}}
				if was := routes[route]; route.state >= 0 && (was == nil || p.Percent() > was.Percent()) {
					routes[route] = p
				}
			}
		}
	}
	return routes
}

// behindNAT tells the findings about one destination of the pool of translated ports
// that its connections pass, where that is nearer to its end than what they count: it
// is what ends first, and no port more of the namespace helps.
func (o *Overview) behindNAT(routes map[natRoute]*NATPoolUse) {
	for i := range o.NATs {
		s := &o.NATs[i]
		for j := range s.Pools {
			p := &s.Pools[j]
			if p.Level == LevelOK {
				continue
			}
			for n, st := range o.States {
				st.behind(func(f *Finding, to wayKey) {
					passes := routes[natRoute{n, to}] == p
					// Who got no port at all has none to be seen by.
					passes = passes || f.Problem == SynSent && n != s.State && f.NATPool == nil && to.addr == p.Remote && to.port == p.RemotePort && to.proto == p.Proto
					if passes && (f.Problem == SynSent && s.Loses(p) || f.Problem != SynSent && st.endsFirst(f, p.Level, p.Percent())) {
						f.NAT, f.NATPool = s, p
					}
				})
			}
		}
	}
}

// behindTables tells connects without an answer of the table of connection tracking that
// is full, and drops their first packets: that of their own namespace, or of the host,
// which passes on what leaves the others. They are sent so seldom again that a poll need
// not see any drop.
func (o *Overview) behindTables() {
	for i := range o.NATs {
		s := &o.NATs[i]
		if !s.TableFull() {
			continue
		}
		for n, st := range o.States {
			st.behind(func(f *Finding, to wayKey) {
				passes := n == s.State || s.Scope.Kind == source.ScopeHost && !to.addr.IsLoopback()
				if f.Problem == SynSent && f.NAT == nil && passes {
					f.NAT = s
				}
			})
		}
	}
}

// Loses reports whether new connections of a pool of it are dropped.
func (s *NATState) Loses(p *NATPoolUse) bool {
	return p.Level == LevelExhausted || p.Loss >= lossWorth || s.Drops == DropsExhausted && p.Percent() >= exhaustedFrom
}

// behindWays does the same for what a NAT on the way has, as far as that was told of.
func (o *Overview) behindWays() {
	for i := range o.Ways {
		p := &o.Ways[i]
		if p.Level == LevelOK {
			continue
		}
		for _, st := range o.States {
			st.behind(func(f *Finding, to wayKey) {
				passes := f.NATPool == nil && to == wayKey{destination{p.Remote, p.RemotePort}, p.Proto}
				full := p.Level >= LevelCritical && p.Used() == p.Ports
				if passes && (f.Problem == SynSent && full || f.Problem != SynSent && st.endsFirst(f, p.Level, p.Percent())) {
					f.Way = p
				}
			})
		}
	}
}

// behind goes through the findings about ports or connects to one destination.
func (st *State) behind(do func(f *Finding, to wayKey)) {
	for i := range st.Findings {
		switch f := &st.Findings[i]; f.Problem {
		case TupleFull, SlowConnect, NoPooling, SynSent, ReuseOff:
			do(f, wayKey{destination{f.Tuple.Destination, f.Tuple.Port}, source.TCP})
		}
	}
}

// endsFirst reports whether a pool of this level and share is nearer to its end than
// the range of the namespace is towards the finding's destination.
func (st *State) endsFirst(f *Finding, level Level, percent float64) bool {
	tuples := st.TCP.Pressure.Tuples
	i := slices.IndexFunc(tuples, func(t TupleUse) bool { return t.TupleKey == f.Tuple })
	if i < 0 {
		return true
	}
	t := &tuples[i]
	return level > t.Level || level == t.Level && percent >= t.Percent()
}
