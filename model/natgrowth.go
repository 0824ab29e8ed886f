package model

import (
	"maps"
	"time"

	"ephtop/source"
)

// natKey is which pool of translated ports of a namespace it is.
type natKey struct {
	address, remote source.Addr
	port            uint16
	proto           source.Proto
}

// natGrowth is how the ports of a pool grow that do not give way, as of the last count
// of them (Fleet.clock).
type natGrowth struct {
	growth
	counted int64
	turn    uint32
}

// foresee says where the use of a pool is going. Entries that give way are left out: a
// new connection may take their ports.
func (n *natMemory) foresee(p *NATPoolUse, counted int64) {
	key := natKey{p.Address, p.Remote, p.RemotePort, p.Proto}
	g := n.pools[key]
	if g == nil {
		if n.pools == nil {
			n.pools = make(map[natKey]*natGrowth)
		}
		g = &natGrowth{counted: counted}
		n.pools[key] = g
	}
	g.turn = n.turn
	held := max(0, min(p.Used-p.Evictable, p.Capacity()))
	if !g.known || counted > g.counted { // or it is the count of before
		g.follow(held, newPace(time.Duration(counted-g.counted)))
		g.counted = counted
	}
	f := future{used: held, ports: p.Capacity(), held: held, growth: g.trend(), horizon: g.horizon()}
	p.Outlook.Rate = g.shown()
	if held >= p.Capacity() {
		p.Outlook = Outlook{Trend: TrendFull, Plateau: held}
		return
	}
	f.verdict(&p.Outlook, g.followed >= settled)
}

// forgetPools forgets the pools that this turn has none of.
func (n *natMemory) forgetPools() {
	maps.DeleteFunc(n.pools, func(_ natKey, g *natGrowth) bool { return g.turn != n.turn })
}

// FullSoon reports whether no port will be left in a few minutes.
func (p *NATPoolUse) FullSoon() bool {
	left := p.Outlook.Left()
	return left > 0 && left <= soon && p.Percent() >= minSoonPercent
}

// worth reports whether a pool is worth a finding, and to know whose its ports are.
func (p *NATPoolUse) worth() bool { return p.Level > LevelOK || p.FullSoon() }
