package paint

import "ephtop/model"

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
	if g.level <= all[0].level {
		return append(all, g)
	}
	g.first, all[0].first = true, false
	return append([]gauge{g}, all...)
}
