package paint

import (
	"slices"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// natShare is the part of a pool of translated ports from which on it has a gauge.
const natShare = 0.1

// fullestNAT is the pool of translated ports that has a gauge, nil for none: the
// fullest of the namespace, or of those that it holds ports of.
func (v *View) fullestNAT() *model.NATPoolUse {
	if v.State == nil || v.Proto == ProtoUDP {
		return nil
	}
	if v.State.NAT == nil || len(v.State.NAT.Pools) == 0 {
		return v.heldNAT()
	}
	if p := &v.State.NAT.Pools[0]; p.Share() >= natShare {
		return p
	}
	return nil
}

// heldNAT is the fullest of the pools that the namespace holds ports of, if it is nearer
// to its end than the namespace's own ports.
func (v *View) heldNAT() (fullest *model.NATPoolUse) {
	if v.Overview == nil {
		return nil
	}
	h := v.State.TCP.Pressure.Headline()
	least := max(100*natShare, h.Percent())
	for i := range v.Overview.NATs {
		for j := range v.Overview.NATs[i].Pools {
			p := &v.Overview.NATs[i].Pools[j]
			if p.Percent() > least && v.holds(p) {
				fullest, least = p, p.Percent()
			}
		}
	}
	return fullest
}

// holds reports whether the namespace holds ports of a pool.
func (v *View) holds(p *model.NATPoolUse) bool {
	return slices.ContainsFunc(p.Holders, func(h model.NATHolder) bool {
		return h.State >= 0 && h.State < len(v.Overview.States) && v.Overview.States[h.State] == v.State
	})
}

// natOf is connection tracking of the namespace that a pool belongs to.
func (v *View) natOf(p *model.NATPoolUse) *model.NATState {
	if v.Overview != nil {
		for i := range v.Overview.NATs {
			s := &v.Overview.NATs[i]
			if slices.ContainsFunc(s.Pools, func(q model.NATPoolUse) bool { return q.NATPool == p.NATPool }) {
				return s
			}
		}
	}
	if v.State.NAT != nil {
		return v.State.NAT
	}
	return new(model.NATState)
}

// natGauge is the gauge of a pool. What gives way to new connections is drawn as
// TIME_WAIT is.
func natGauge(p *model.NATPoolUse, room int) gauge {
	evictable := min(p.Evictable, p.Used)
	return gauge{label: natLabel(p, room), live: p.Used - evictable, timeWait: evictable, free: max(0, p.Capacity()-p.Used), level: p.Level, graded: true}
}

// wayGauge is the gauge of what a NAT on the way has for a destination. What may be
// free again is drawn as TIME_WAIT is.
func wayGauge(p *model.WayPool, room int) gauge {
	to := source.AddrPortOn(p.Remote, 0, p.RemotePort)
	label := "NAT on the way → " + to
	if text.Width(label) > room {
		label = "NAT → " + to
	}
	used, unsure := p.Used(), p.Unsure()
	return gauge{label: label, live: used - unsure, timeWait: unsure, free: p.Ports - used, level: p.Level, graded: true}
}

// translated is the gauge of translated ports, those that the namespace gives out or
// that a NAT on the way has, whichever is worse; false for none. A NAT on the way
// that was told of has one however little is used.
func (v *View) translated(room int) (g gauge, ok bool) {
	if p := v.fullestNAT(); p != nil {
		g, ok = natGauge(p, room), true
	}
	if v.State == nil || v.State.Way == nil || v.Proto == ProtoUDP {
		return g, ok
	}
	if way := wayGauge(v.State.Way, room); !ok || way.level > g.level || way.level == g.level && way.percent() >= g.percent() {
		return way, true
	}
	return g, true
}

// withNAT adds the gauge of translated ports: first where it is the worse.
func withNAT(v *View, all []gauge, room int) []gauge {
	g, ok := v.translated(room)
	if !ok {
		return all
	}
	if g.level <= all[0].level {
		return append(all, g)
	}
	g.first, all[0].first = true, false
	return append([]gauge{g}, all...)
}

// leadingNAT is the pool that has the first gauge, since it is worse than the headline;
// nil for none.
func (v *View) leadingNAT() *model.NATPoolUse {
	p := v.fullestNAT()
	if p == nil || p.Level <= headline(v).level {
		return nil
	}
	if way := v.State.Way; way != nil && (way.Level > p.Level || way.Level == p.Level && way.Percent() >= p.Percent()) {
		return nil
	}
	return p
}

// natTrend says in place of the range's outlook what becomes of new connections:
// two lines that speak of two things would contradict each other.
func natTrend(s *model.NATState, p *model.NATPoolUse) [][]segment {
	switch free := p.Capacity() - p.Used; {
	case p.Level == model.LevelExhausted:
		return [][]segment{{{theme.Critical, "no SNAT port free: connects wait and time out"}, {theme.Critical, "no SNAT port free"}}}
	case p.Loss > 0:
		share := text.Percent(100*p.Loss) + " %"
		return [][]segment{
			{{theme.Warn, "about " + share + " of connects lose their first packet"}, {theme.Warn, share + " of connects are slow"}},
			{{theme.Dim, text.Count(free) + " SNAT ports free"}},
		}
	case p.Outlook.Left() > 0:
		return [][]segment{
			{{theme.Warn, "no SNAT port free in " + text.Duration(p.Outlook.Left())}, {theme.Warn, "full in " + text.Duration(p.Outlook.Left())}},
			{{theme.Dim, text.Count(max(0, free)) + " SNAT ports free"}},
		}
	case s.Dropping(p):
		drops := text.Rate(s.Rates.Drop)
		return [][]segment{
			{{theme.Warn, drops + " packets/s find no SNAT port"}, {theme.Warn, drops + "/s dropped"}},
			{{theme.Dim, text.Count(p.Evictable) + " in TIME_WAIT give way to some"}},
		}
	case p.Evictable > 0 && free < p.Evictable:
		return [][]segment{{{theme.Text, text.Count(p.Evictable) + " SNAT ports in TIME_WAIT give way"}, {theme.Text, "TIME_WAIT gives way"}}}
	}
	return [][]segment{{{theme.Text, text.Count(max(0, p.Capacity()-p.Used)) + " SNAT ports free"}}}
}
