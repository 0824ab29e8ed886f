package dashboard

import (
	"strconv"

	"ephtop/source"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// painter turns views into frames. It keeps memory from frame to frame, and
// nothing that would change what it draws. The time for a frame depends
// on the size of the screen and not on the number of sockets.
type painter struct {
	canvas *screen.Canvas // of the frame that is being drawn
	inks   []screen.Ink
	ascii  bool
	buf    []byte // a field
}

// newPainter makes a painter of so many colours as the theme has. With ascii,
// frames hold nothing but ASCII.
func newPainter(t theme.Theme, ascii bool) *painter {
	return &painter{inks: t.Inks, ascii: ascii}
}

// frame is what paint draws, as text: v.height lines of exactly v.width columns
// each.
func (p *painter) frame(v *view) string {
	var c screen.Canvas
	p.paint(&c, v)
	return string(c.Append(nil, p.inks))
}

// paint draws the view on c.
func (p *painter) paint(c *screen.Canvas, v *view) {
	p.canvas = c
	c.Reset(v.width, v.height, p.ascii)
	l := v.layout()
	p.drawHeader(l.header, v)
	p.drawSummary(l.summary, v)
	p.drawGauges(l.gauges, v)
	p.drawStates(l.states, v)
	p.drawConsumers(l.consumers, v)
	p.drawDestinations(l.destinations, v)
	p.drawConnections(l.connections, v)
	p.drawOverlay(v)
	p.drawTimeline(l.timeline, v)
	p.drawFooter(l.footer, v)
}

// box draws the frame of a pane and gives what is inside.
func (p *painter) box(r screen.Rect, focused bool, b screen.Box) screen.Rect {
	b.Edge, b.TitleStyle = theme.Border, theme.Title
	if focused {
		b.Edge = theme.BorderFocus
	}
	if b.RightStyle == theme.Text {
		b.RightStyle = theme.Dim
	}
	if b.FootStyle == theme.Text {
		b.FootStyle = theme.Dim
	}
	return p.canvas.Box(r, b)
}

// gutter is the columns at the left of a list, in which the mark of the
// selected line stands.
const gutter = 2

// mark shows which line of the pane in focus is selected, by a mark and by the
// style of the whole line.
func (p *painter) mark(inside screen.Rect, y int) {
	p.canvas.Repaint(screen.Rect{X: inside.X, Y: y, W: inside.W, H: 1}, theme.Selected)
	p.canvas.Put(inside.X, y, theme.Selected, '▸')
}

// count draws a number with commas at the right end of its field, or in short
// where the field is too narrow.
func (p *painter) count(x, y, w int, st theme.Role, n int) {
	p.buf = text.AppendCount(p.buf[:0], n)
	if len(p.buf) > w {
		p.buf = text.AppendCompact(p.buf[:0], n)
	}
	p.canvas.BytesRight(x, y, w, st, p.buf)
}

// percent draws a share at the right end of its field, as in "64 %".
func (p *painter) percent(x, y, w int, st theme.Role, share float64) {
	p.buf = append(text.AppendPercent(p.buf[:0], share), " %"...)
	p.canvas.BytesRight(x, y, w, st, p.buf)
}

// middle draws a sentence in the middle of r, with a second one below it.
func (p *painter) middle(r screen.Rect, st theme.Role, first, second string) {
	if r.Empty() {
		return
	}
	y := r.Y + (r.H-1)/2
	for i, s := range []string{first, second} {
		if y+i < r.Y+r.H {
			at := r.Center(text.Width(s), 1)
			p.canvas.Text(at.X, y+i, at.W, st, s)
		}
		st = theme.Dim
	}
}

// segment is a piece of a line in a style of its own.
type segment struct {
	style theme.Role
	text  string
}

// segments draws pieces one after the other in the w columns from x, and gives
// the columns they took.
func (p *painter) segments(x, y, w int, pieces ...segment) int {
	start := x
	for _, s := range pieces {
		x += p.canvas.Text(x, y, start+w-x, s.style, s.text)
	}
	return x - start
}

// measure is the number of columns that pieces take.
func measure(pieces []segment) int {
	n := 0
	for _, s := range pieces {
		n += text.Width(s.text)
	}
	return n
}

// addrPort writes address and port in at most w columns: where they are wider,
// the address loses its end, and the port stays. names is for ports by name.
func (p *painter) addrPort(w int, a source.Addr, port uint16, service string) []byte {
	b := p.buf[:0]
	if a.Is4() {
		b = a.AppendTo(b)
	} else {
		b = append(a.AppendTo(append(b, '[')), ']')
	}
	host := len(b)
	b = append(b, ':')
	if service != "" {
		b = append(b, service...)
	} else {
		b = strconv.AppendUint(b, uint64(port), 10)
	}
	if tail := len(b) - host; len(b) > w && w > tail+2 {
		var port [64]byte
		n := copy(port[:], b[host:])
		b = append(append(b[:w-tail-1], "…"...), port[:n]...)
	}
	p.buf = b
	return b
}
