package paint

import (
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// part is a part of a gauge in the legend.
type part struct {
	sign segment
	name string
	n    int
}

// legendParts are those of the headline's gauge; of translated ports nothing is blocked,
// and what is in TIME_WAIT may be had.
func (v *View) legendParts() []part {
	g, wait, blocked := headline(v), " TIME_WAIT ", " blocked "
	if g.suspected > 0 {
		blocked = " blocked or suspected "
	}
	p, way := v.leads()
	switch {
	case p != nil:
		g, wait = natGauge(p, 0), " may give way "
	case way != nil:
		g, wait = wayGauge(way, 0), " may be freed "
	}
	parts := []part{{segment{theme.Live, "█"}, " live ", g.live}, {segment{theme.TimeWait, "▓"}, wait, g.timeWait}}
	if !g.pool {
		parts = append(parts, part{segment{theme.Blocked, "▒"}, blocked, g.blocked})
	}
	return append(parts, part{segment{theme.Free, "░"}, " free ", g.free})
}

// drawLegend says what the parts of the first gauge are, and how many ports each has.
func (p *Painter) drawLegend(c columns, y int, v *View) {
	switch pool, way := v.leads(); {
	case pool != nil:
		p.canvas.Text(c.label.X, y, c.label.W, theme.Dim, "SNAT ports")
	case way != nil:
		p.canvas.Text(c.label.X, y, c.label.W, theme.Dim, "NAT ports")
	}
	x, room := c.bar.X, c.level.X+c.level.W-c.bar.X
	for _, part := range v.legendParts() {
		if need := 1 + len(part.name) + 6; need > room {
			return
		}
		if p.coloured() {
			part.sign.text = "■" // colour tells, and a small sign keeps clear of the gauge above
		}
		n := p.segments(x, y, room, part.sign, segment{theme.Dim, part.name})
		p.buf = text.AppendCount(p.buf[:0], part.n)
		p.canvas.Bytes(x+n, y, 6, theme.Text, p.buf)
		x, room = x+n+8, room-n-8
	}
}
