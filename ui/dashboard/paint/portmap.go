package paint

import (
	"math/bits"

	"ephtop/model"
	"ephtop/ui/theme"
)

// drawMap draws the range from low to high in two lines, one for each parity.
// Where the system prefers one of them, connect() tries the ports of the upper
// line first, so that its right end shows the slow connect coming.
func (p *Painter) drawMap(c columns, y int, v *View) {
	m := &pressureOf(v).Map
	for i := range 2 {
		label := [...]string{"even ports", "odd ports"}[(i+int(m.Low))%2]
		if v.State.Snapshot.Settings.Parity && v.Proto != ProtoUDP {
			label = [...]string{"ports tried first", "ports tried last"}[i]
			p.canvas.Text(c.level.X, y+i, c.level.W, theme.Dim, [...]string{"connect()", "bind(0)"}[i])
		}
		p.canvas.Text(c.label.X, y+i, c.label.W, theme.Dim, label)
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
	for w := low >> 6; w <= high>>6 && w < len(m.Words); w++ {
		mask := parity
		if w == low>>6 {
			mask &= ^uint64(0) << (low & 63)
		}
		if w == high>>6 {
			mask &= ^uint64(0) >> (63 - high&63)
		}
		used += bits.OnesCount64(m.Words[w] & mask)
	}
	return used, to - from
}
