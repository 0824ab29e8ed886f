package paint

import (
	"math/bits"
	"strconv"

	"ephtop/model"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// drawMap draws the ports that connect() to the headline's tuple cannot have, or
// those that are in use where it is about none, in two lines, one for each
// parity, and below them the ends. Where the system prefers one parity, connect()
// tries the ports of the upper line first, so that its right end shows the slow
// connect coming.
func (p *Painter) drawMap(c columns, y int, v *View) {
	m, labels, note := mapOf(v)
	for i := range 2 {
		p.canvas.Text(c.label.X, y+i, c.label.W, theme.Dim, labels[i])
		used, size := halfOf(m, i, 0, 1<<16)
		for cell := range c.bar.W {
			from, to := stretch(cell, c.bar.W, size)
			n, _ := halfOf(m, i, from, to)
			if n == 0 {
				p.canvas.Put(c.bar.X+cell, y+i, theme.Free, '·')
				continue
			}
			// A little less than the line is high, so that the two keep apart.
			p.canvas.Column(c.bar.X+cell, y+i, 1, theme.Chart, float64(n)/float64(to-from)*7/8)
		}
		p.percent(c.percent.X, y+i, c.percent.W, theme.Text, model.Percent(used, size))
	}
	y += 2
	p.canvas.Text(c.label.X, y, c.label.W, theme.Dim, ownRange(v, "ports", c.label.W))
	low, high := strconv.Itoa(int(m.Low)), strconv.Itoa(int(m.High))
	p.canvas.Text(c.bar.X, y, c.bar.W, theme.Dim, low)
	p.canvas.TextRight(c.bar.X, y, c.bar.W, theme.Dim, high)
	if middle := c.bar.Inset(max(len(low), len(high))+2, 0); text.Width(note) <= middle.W {
		at := middle.Center(text.Width(note), 1)
		p.canvas.Text(at.X, y, at.W, theme.Dim, note)
	}
}

// mapOf is the map that belongs to the headline, what its two lines are called,
// and what to see in it.
func mapOf(v *View) (m *model.PortMap, labels [2]string, note string) {
	p := pressureOf(v)
	h := p.Headline()
	m = &p.Map
	if h.Scope == model.ScopeTuple {
		m = &p.WorstMap
	}
	if labels = [2]string{"even ports", "odd ports"}; m.Low%2 != 0 {
		labels[0], labels[1] = labels[1], labels[0]
	}
	// The parity that is tried first is that of the low end.
	switch parity := v.State.Snapshot.Settings.Parity && v.Proto != ProtoUDP; {
	case !parity || h.Limit.Kind != model.PoolRange:
	case h.Scope == model.ScopeBind:
		labels = [2]string{"bind(0) last", "bind(0) first"}
	default:
		labels, note = [2]string{"connect() first", "connect() last"}, "slow when the upper row is full"
	}
	return m, labels, note
}

// stretch gives the ports of a half that one cell of the map stands for, as
// positions in the half. Where there are more cells than ports, cells share.
func stretch(cell, cells, size int) (from, to int) {
	from = cell * size / cells
	return from, max(from+1, (cell+1)*size/cells)
}

// halfOf counts the used ports among those of one parity: that of the low end
// (0) or the other (1), from one position in that half to before another. size
// is how many ports there are.
func halfOf(m *model.PortMap, half, from, to int) (used, size int) {
	first, last := int(m.Low)+half, int(m.High)
	if first > last {
		return 0, 0
	}
	to = min(to, (last-first)/2+1)
	if from >= to {
		return 0, 0
	}
	low, high := first+2*from, first+2*(to-1)
	parity := uint64(0x5555555555555555) << (first & 1)
	base := int(m.Low >> 6)
	for w := low >> 6; w <= high>>6 && w-base < len(m.Words); w++ {
		mask := parity
		if w == low>>6 {
			mask &= ^uint64(0) << (low & 63)
		}
		if w == high>>6 {
			mask &= ^uint64(0) >> (63 - high&63)
		}
		used += bits.OnesCount64(m.Words[w-base] & mask)
	}
	return used, to - from
}
