package dashboard

import (
	"math/bits"
	"time"

	"ephtop/model"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// drawMap draws the range from low to high in two lines, one for each parity:
// connect() tries the ports of the upper one first, so that its right end
// shows the slow connect coming.
func (p *painter) drawMap(c columns, y int, v *view) {
	m := &v.state.TCP.Pressure.Map
	if v.proto == protoUDP {
		m = &v.state.UDP.Pressure.Map
	}
	for i, name := range [...]string{"connect()", "bind(0)"} {
		if v.proto == protoUDP {
			name = [...]string{"even ports", "odd ports"}[(i+int(m.Low))%2]
		}
		p.canvas.Text(c.label.X, y+i, c.label.W, theme.Dim, [...]string{"ports tried first", "ports tried last"}[i])
		used, size := halfOf(m, i, 0, 1<<16)
		for cell := range c.bar.W {
			from, to := stretch(cell, c.bar.W, size)
			n, _ := halfOf(m, i, from, to)
			style := theme.Chart
			if n == 0 {
				p.canvas.Put(c.bar.X+cell, y+i, theme.Free, '·')
				continue
			}
			p.canvas.Column(c.bar.X+cell, y+i, 1, style, float64(n)/float64(to-from))
		}
		p.percent(c.percent.X, y+i, c.percent.W, theme.Text, model.Percent(used, size))
		p.canvas.Text(c.level.X, y+i, c.level.W, theme.Dim, name)
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

// drawTrend draws where the headline comes from and where it is going.
func (p *painter) drawTrend(r screen.Rect, v *view) {
	if r.Empty() {
		return
	}
	label := "last 5 min"
	words := trend(v, r.W)
	width := 0
	for i, s := range words {
		if w := text.Width(s.text) + 2; i == 0 || width+w <= r.W-len(label)-8 {
			width += w
		} else {
			words = words[:i]
			break
		}
	}
	chart := r
	chart.X, chart.W = r.X+len(label)+1, max(r.W-len(label)-1-width, 0)
	if gc := gaugeColumns(r); r.W >= mapWidth-4 {
		chart.X, chart.W = gc.bar.X, max(r.X+r.W-gc.bar.X-width, 0)
	}
	bottom := r.Y + r.H - 1
	p.canvas.Text(r.X, bottom, len(label), theme.Dim, label)
	p.drawHistory(chart, v)
	x := chart.X + chart.W + 2
	for _, s := range words {
		x += p.canvas.Text(x, bottom, r.X+r.W-x, s.style, s.text) + 2
	}
}

// trend says in words where the headline is going. Fields that change have a
// fixed width, so that the chart beside them keeps its own.
func trend(v *view, width int) []segment {
	if v.proto == protoUDP {
		return []segment{{theme.Dim, "UDP takes a port of its address, whoever it speaks to"}}
	}
	f := &v.state.Forecast
	words := []segment{
		{theme.Text, pad(text.Rate(f.Rate)+"/s", 8, true)},
		pieceOf(forecastSegment(v), 14),
	}
	if width >= mapWidth-4 && f.Sustainable > 0 {
		words = append(words, segment{theme.Dim, pad(text.Count(int(f.CloseRate))+" closes/s, sustains "+
			text.Count(int(f.Sustainable)), 29, false)})
	}
	slow := segment{theme.Text, ""}
	if t := v.state.TCP.Pressure.Worst(); t != nil && !v.state.TCP.Pressure.PoolOnly {
		switch half := t.FirstHalfPercent(); {
		case t.SlowConnect():
			slow = segment{theme.Warn, "! slow connect"}
		case half >= 90 && t.Free > 0:
			slow = segment{theme.Warn, "first half " + text.Percent(half) + " %"}
		}
	}
	return append(words, pieceOf(slow, 15))
}

func pieceOf(s segment, width int) segment {
	s.text = pad(s.text, width, false)
	return s
}

// pad fills s up to width with blanks, at its left or at its right.
func pad(s string, width int, left bool) string {
	for n := width - text.Width(s); n > 0; n-- {
		if left {
			s = " " + s
		} else {
			s += " "
		}
	}
	return s
}

func forecastSegment(v *view) segment {
	f := &v.state.Forecast
	switch h := v.state.TCP.Pressure.Headline(); {
	case h.Free <= 0:
		return segment{theme.Critical, "no port free"}
	case f.Full <= 0 && f.Rate <= -0.5:
		return segment{theme.Dim, "falling"}
	case f.Full <= 0:
		return segment{theme.Dim, "steady"}
	case f.Full > time.Hour:
		return segment{theme.Dim, "rising slowly"}
	case f.Full > 5*time.Minute:
		return segment{theme.Text, "full in " + text.Duration(f.Full)}
	case f.Full > time.Minute:
		return segment{theme.Warn, "full in " + text.Duration(f.Full)}
	}
	return segment{theme.Critical, "full in " + text.Duration(f.Full)}
}

// drawHistory draws the used share of the range over the last minutes, the
// present at the right. A column stands for a stretch of time that begins at
// a round moment: the picture moves by whole columns and is still between.
func (p *painter) drawHistory(r screen.Rect, v *view) {
	history := v.state.History
	if r.Empty() || len(history) == 0 {
		return
	}
	step := int64(model.HistorySpan+time.Duration(r.W)-1) / int64(r.W)
	last := history[len(history)-1].Time.UnixNano() / step
	// Between two polls a value holds on; a longer gap is left blank.
	holds := int64(2*v.interval)/step + 1
	heldFrom := last - int64(r.W) - holds
	var share float64
	var level model.Level
	for x, i := 0, 0; x < r.W; x++ {
		column := last - int64(r.W-1-x)
		for fresh := true; i < len(history); i++ {
			s := &history[i]
			at := s.Time.UnixNano() / step
			if at > column {
				break
			}
			used := s.Used
			if v.proto == protoUDP {
				used = s.UDP
			}
			if at > heldFrom || fresh {
				share, level, heldFrom, fresh = 0, model.LevelOK, at, false
			}
			share = max(share, model.Percent(used, s.Usable)/100)
			level = max(level, s.Level)
		}
		if column-heldFrom > holds {
			continue
		}
		style := theme.Chart
		if level > model.LevelOK && v.proto != protoUDP {
			style = levelRoles[min(level, model.LevelCritical)]
		}
		p.canvas.Column(r.X+x, r.Y, r.H, style, share)
	}
}
