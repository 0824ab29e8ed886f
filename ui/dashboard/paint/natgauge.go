package paint

import (
	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// natShare is the part of a pool of translated ports from which on it has a gauge.
const natShare = 0.1

// fullestNAT is the pool of translated ports of the namespace that has a gauge, nil
// for none.
func (v *View) fullestNAT() *model.NATPoolUse {
	if v.State == nil || v.State.NAT == nil || len(v.State.NAT.Pools) == 0 || v.Proto == ProtoUDP {
		return nil
	}
	if p := &v.State.NAT.Pools[0]; p.Share() >= natShare {
		return p
	}
	return nil
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
func natTrend(p *model.NATPoolUse) [][]segment {
	switch free := p.Capacity() - p.Used; {
	case p.Level == model.LevelExhausted:
		return [][]segment{{{theme.Critical, "no SNAT port free: connects wait and time out"}, {theme.Critical, "no SNAT port free"}}}
	case p.Loss > 0:
		share := text.Percent(100*p.Loss) + " %"
		return [][]segment{
			{{theme.Warn, "about " + share + " of connects lose their first packet"}, {theme.Warn, share + " of connects are slow"}},
			{{theme.Dim, text.Count(free) + " SNAT ports free"}},
		}
	case p.Evictable > 0 && free < p.Evictable:
		return [][]segment{{{theme.Text, text.Count(p.Evictable) + " SNAT ports in TIME_WAIT give way"}, {theme.Text, "TIME_WAIT gives way"}}}
	}
	return [][]segment{{{theme.Text, text.Count(max(0, p.Capacity()-p.Used)) + " SNAT ports free"}}}
}
