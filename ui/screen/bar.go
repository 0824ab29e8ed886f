package screen

import "math"

var (
	horizontal = [9]rune{' ', '▏', '▎', '▍', '▌', '▋', '▊', '▉', '█'}
	vertical   = [9]rune{' ', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'}
)

// Bar draws a bar of value out of limit in eighths of the w columns from x. A
// value that is not nothing shows at least one eighth.
func (c *Canvas) Bar(x, y, w int, st Style, value, limit int) {
	if limit <= 0 {
		return
	}
	n := eighths(float64(value)/float64(limit), 8*w)
	c.Repeat(x, y, n/8, st, '█')
	if n%8 > 0 {
		c.Put(x+n/8, y, st, horizontal[n%8])
	}
}

// eighths is a share (0 to 1) of most; one that is not nothing is at least one.
func eighths(share float64, most int) int {
	if share <= 0 || most <= 0 {
		return 0
	}
	return max(1, int(math.Round(min(share, 1)*float64(most))))
}

// Part is a stretch of a gauge.
type Part struct {
	Value int
	Style Style
	// Char fills the stretch, so that the parts are told apart without colour.
	Char rune
}

// Gauge is a stacked bar.
type Gauge struct {
	// Parts follow each other from the left, Rest fills up the gauge.
	Parts []Part
	Rest  Part
	// Limit is what the whole width stands for.
	Limit int
	// Ticks are thresholds, in rising order.
	Ticks []Tick
}

// Tick is a threshold of a gauge. A mark stands there, through whatever fills
// the gauge.
type Tick struct {
	Percent float64
	Style   Style
	// Beyond says that what fills the gauge beyond takes the tick's style.
	Beyond bool
}

// Gauge draws g in the w columns from x, in whole columns. It is as long as all
// parts are together, and looks full only where it is, and empty only where that is.
// In this length, a part that is not nothing has at least one column; where there
// are fewer, the largest parts have them.
func (c *Canvas) Gauge(x, y, w int, g Gauge) {
	if w <= 0 {
		return
	}
	c.Repeat(x, y, w, g.Rest.Style, g.Rest.Char)
	total := 0
	for _, p := range g.Parts {
		total += max(p.Value, 0)
	}
	length := g.columns(w, total)
	shown := min(g.several(), length)
	sum, drawn, left := 0, 0, shown
	for i, p := range g.Parts {
		sum += max(p.Value, 0)
		if g.rank(i) >= shown {
			continue
		}
		left--
		end := max(drawn+1, min(g.columns(w, sum), length-left))
		if left == 0 {
			end = length
		}
		c.Repeat(x+drawn, y, end-drawn, p.Style, p.Char)
		drawn = end
	}
	for _, tick := range g.Ticks {
		at := int(tick.Percent * float64(w) / 100)
		if tick.Percent <= 0 || at >= w || g.Limit <= 0 {
			continue
		}
		if at >= drawn {
			c.Put(x+at, y, tick.Style, '┊')
			continue
		}
		if tick.Beyond {
			c.Repaint(Rect{x + at, y, drawn - at, 1}, tick.Style)
		}
		c.Put(x+at, y, tick.Style, '┃')
	}
}

// columns is how many of w a value takes.
func (g *Gauge) columns(w, value int) int {
	if value <= 0 || g.Limit <= 0 {
		return 0
	}
	n := int(math.Round(min(float64(value)/float64(g.Limit), 1) * float64(w)))
	if value < g.Limit {
		n = min(max(n, 1), w-1)
	}
	return n
}

// several is how many parts are not nothing.
func (g *Gauge) several() int {
	n := 0
	for _, p := range g.Parts {
		if p.Value > 0 {
			n++
		}
	}
	return n
}

// rank is how many parts come before the ith, the largest being the first.
func (g *Gauge) rank(i int) int {
	n := 0
	for j, p := range g.Parts {
		if of := g.Parts[i].Value; p.Value > of || p.Value == of && j < i {
			n++
		}
	}
	return n
}

// Column draws one column of a chart, share (0 to 1) of h rows high in eighths,
// standing on row y+h-1. A share that is not nothing shows at least one eighth.
func (c *Canvas) Column(x, y, h int, st Style, share float64) {
	n := eighths(share, 8*h)
	for i := range h {
		c.Put(x, y+h-1-i, st, vertical[max(0, min(n-8*i, 8))])
	}
}
