package paint

import (
	"ephtop/model"
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

// withNAT adds the gauge of translated ports: first where it is the worse.
func withNAT(v *View, all []gauge, room int) []gauge {
	p := v.fullestNAT()
	if p == nil {
		return all
	}
	g := natGauge(p, room)
	if v.leadingNAT() == nil {
		return append(all, g)
	}
	g.first, all[0].first = true, false
	return append([]gauge{g}, all...)
}

// leadingNAT is the pool that has the first gauge, since it is worse than the headline;
// nil for none.
func (v *View) leadingNAT() *model.NATPoolUse {
	if p := v.fullestNAT(); p != nil && p.Level > headline(v).level {
		return p
	}
	return nil
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
