package paint

import (
	"slices"

	"ephtop/model"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// natShare is the part of a pool of translated ports from which on it has a gauge.
const natShare = 0.1

// fullestNAT is the pool of translated ports that has a gauge, nil for none: the one that
// the level is about, the fullest of the namespace, or of those that it holds ports of.
func (v *View) fullestNAT() *model.NATPoolUse {
	if v.State == nil || v.Proto == ProtoUDP {
		return nil
	}
	if v.State.NAT == nil || len(v.State.NAT.Pools) == 0 {
		return v.heldNAT()
	}
	if p := v.State.NATPool(); p != nil {
		return p
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

// natGauge is the gauge of a pool. What may give way to new connections is drawn as
// TIME_WAIT is.
func natGauge(p *model.NATPoolUse, room int) gauge {
	evictable := min(p.Evictable, p.Used)
	return gauge{
		label: natLabel(p, room), live: p.Used - evictable, timeWait: evictable, free: max(0, p.Capacity()-p.Used),
		level: p.Level, graded: true, pool: true, soon: p.FullSoon(),
	}
}

// wayGauge is the gauge of what a NAT on the way has for a destination, with how much
// that is where there is room. What may be free again is drawn as TIME_WAIT is.
func wayGauge(p *model.WayPool, room int) gauge {
	of := " of " + text.Count(p.Ports)
	if label := wayLabel(p, room-len(of)); text.Width(label)+len(of) > room {
		of = ""
	}
	return gauge{
		label: wayLabel(p, room-len(of)) + of, live: p.Certain(), timeWait: p.Unsure(), unsure: p.Unsure() > 0, free: p.Ports - p.Used(),
		level: p.Level, graded: true, pool: true,
	}
}

// pools are the pool of translated ports that has a gauge, of those that the namespace
// gives out, or that of a NAT on the way, whichever is worse; both are nil where there
// is none. A NAT on the way that was told of has one however little is used.
func (v *View) pools() (*model.NATPoolUse, *model.WayPool) {
	p := v.fullestNAT()
	if v.State == nil || v.State.Way == nil || v.Proto == ProtoUDP {
		return p, nil
	}
	if way := v.State.Way; p == nil || way.Level > p.Level || way.Level == p.Level && way.Percent() >= p.Percent() {
		return nil, way
	}
	return p, nil
}

// leads are the same where they have the first gauge, being worse than the headline, or
// as bad and full before it is.
// What another namespace gives out leads there: here the range has the verdict.
func (v *View) leads() (*model.NATPoolUse, *model.WayPool) {
	p, way := v.pools()
	if p != nil && v.State.NAT == nil {
		return nil, nil
	}
	if p != nil && (p.Level > headline(v).level || p == v.State.NATPool()) || way != nil && way.Level > headline(v).level {
		return p, way
	}
	return nil, nil
}

// poolLeads reports whether there is one: then all other figures are of the range.
func (v *View) poolLeads() bool {
	if v.State == nil {
		return false
	}
	p, way := v.leads()
	return p != nil || way != nil
}

// translated is the gauge of translated ports, false for none.
func (v *View) translated(room int) (gauge, bool) {
	switch p, way := v.pools(); {
	case p != nil:
		return natGauge(p, room), true
	case way != nil:
		return wayGauge(way, room), true
	}
	return gauge{}, false
}

// poolLabel is how wide the label of translated ports may be in a box of some width:
// that of a NAT on the way says how many there are.
func (v *View) poolLabel(width int) int {
	if _, way := v.pools(); way != nil {
		return width / 2
	}
	return 2 * width / 5
}

// withNAT adds the gauge of translated ports: first where it is the worse.
func withNAT(v *View, all []gauge, room int) []gauge {
	g, ok := v.translated(room)
	if !ok {
		return all
	}
	if !v.poolLeads() {
		return append(all, g)
	}
	g.first, all[0].first = true, false
	return append([]gauge{g}, all...)
}

// share is the used share in so many columns: where a part of it may be free, the
// least and the most that it is, if there is room.
func (g *gauge) share(v *View, room int) string {
	most := text.Percent(v.thresholds().Below(g.percent()))
	if g.unsure {
		least := text.Percent(v.thresholds().Below(model.Percent(g.live, g.live+g.timeWait+g.blocked+g.free)))
		if both := least + "–" + most + " %"; least != most && text.Width(both) <= room {
			return both
		}
	}
	return most + " %"
}

// poolTrend says in place of the range's outlook what becomes of new connections: two
// lines that speak of two things would contradict each other.
func (v *View) poolTrend(p *model.NATPoolUse, way *model.WayPool) [][]segment {
	if way != nil {
		return wayTrend(way)
	}
	return natTrend(v.natOf(p), p)
}

// wayTrend does so for a NAT on the way.
func wayTrend(p *model.WayPool) [][]segment {
	switch free := text.Count(p.Ports - p.Used()); {
	case p.Level == model.LevelExhausted:
		return [][]segment{{{theme.Critical, "no NAT port free: connects wait and time out"}, {theme.Critical, "no NAT port free"}}}
	case p.Unsure() > 0:
		style := theme.Text
		if p.Used() == p.Ports {
			style = theme.Warn
		}
		spread := free + " to " + text.Count(p.Ports-p.Certain()) + " NAT ports free"
		return [][]segment{{{style, spread + ": closed ones may be kept"}, {style, spread}}}
	default:
		return [][]segment{{{theme.Text, free + " NAT ports free"}}}
	}
}

// natTrend does so for translated ports.
func natTrend(s *model.NATState, p *model.NATPoolUse) [][]segment {
	switch free := p.Capacity() - p.Used; {
	case p.Level == model.LevelExhausted:
		return [][]segment{{{theme.Critical, "no SNAT port free: connects wait and time out"}, {theme.Critical, "no SNAT port free"}}}
	case p.Outlook.Left() > 0:
		return [][]segment{
			{{theme.Warn, "no SNAT port free in " + text.Duration(p.Outlook.Left())}, {theme.Warn, "SNAT full in " + text.Duration(p.Outlook.Left())}},
			{{theme.Dim, text.Count(max(0, free)) + " SNAT ports free"}},
		}
	case p.Loss > 0:
		share := text.Percent(100*p.Loss) + " %"
		return [][]segment{
			{{theme.Warn, share + " of connects lose their first packet"}, {theme.Warn, share + " of connects are slow"}},
			{{theme.Dim, text.Count(free) + " SNAT ports free"}},
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
