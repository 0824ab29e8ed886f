// Package paint draws the frames of the dashboard: a [View] in, a frame out. It
// lays the screen out, and draws header, gauges, panes, overlays, time line and
// footer.
//
// It keeps nothing from frame to frame but memory, reads no clock, and knows
// neither keys nor where a View comes from. The time for a frame depends on the
// size of the screen and not on the number of sockets, but for an open overlay.
package paint

import (
	"strconv"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// Painter turns views into frames. What it keeps from frame to frame is memory,
// and nothing that would change what it draws.
type Painter struct {
	canvas *screen.Canvas // of the frame that is being drawn
	inks   []screen.Ink
	ascii  bool
	buf    []byte // a field
}

// New makes a painter of so many colours as the theme has. With ascii, frames
// hold nothing but ASCII.
func New(t theme.Theme, ascii bool) *Painter {
	return &Painter{inks: t.Inks, ascii: ascii}
}

// Frame returns what Draw draws, as text: v.Height lines of exactly v.Width
// columns each.
func (p *Painter) Frame(v *View) string {
	var c screen.Canvas
	p.Draw(&c, v)
	return string(c.Append(nil, p.inks))
}

// Draw draws v on c, which it resets to the size of the screen.
func (p *Painter) Draw(c *screen.Canvas, v *View) {
	p.canvas = c
	c.Reset(v.Width, v.Height, p.ascii)
	if v.Fleet != nil {
		p.drawFleet(v)
		return
	}
	l := v.layout()
	for _, part := range [...]struct {
		r    screen.Rect
		draw func(*Painter, screen.Rect, *View)
	}{
		{l.header, (*Painter).drawHeader}, {l.sentence, (*Painter).drawSentence}, {l.summary, (*Painter).drawSummary}, {l.gauges, (*Painter).drawGauges},
		{l.states, (*Painter).drawStates}, {l.consumers, (*Painter).drawConsumers},
		{l.destinations, (*Painter).drawDestinations}, {l.connections, (*Painter).drawFace},
		{overlayRect(v), (*Painter).drawOverlay}, {pickerRect(v), (*Painter).drawPicker}, {l.timeline, (*Painter).drawTimeline}, {l.footer, (*Painter).drawFooter},
	} {
		if !part.r.Empty() {
			part.draw(p, part.r, v)
		}
	}
}

// box draws the frame of a pane and gives what is inside.
func (p *Painter) box(r screen.Rect, focused bool, b screen.Box) screen.Rect {
	b.TitleStyle = theme.Title
	switch {
	case focused:
		b.Edge = theme.BorderFocus
	case b.Edge == theme.Text:
		b.Edge = theme.Border
	}
	if b.RightStyle == theme.Text {
		b.RightStyle = theme.Dim
	}
	if b.FootStyle == theme.Text {
		b.FootStyle = theme.Dim
	}
	if b.NoteStyle == theme.Text {
		b.NoteStyle = theme.Dim
	}
	return p.canvas.Box(r, b)
}

// gutter is the columns at the left of a list, in which the mark of the
// selected line stands.
const gutter = 2

// mark shows which line of the pane in focus is selected, by a mark and by the
// style of the whole line.
func (p *Painter) mark(inside screen.Rect, y int) {
	p.canvas.Repaint(screen.Rect{X: inside.X, Y: y, W: inside.W, H: 1}, theme.Selected)
	p.canvas.Put(inside.X, y, theme.Selected, '▸')
}

// count draws a number with commas at the right end of its field, or in short
// where the field is too narrow.
func (p *Painter) count(x, y, w int, st theme.Role, n int) {
	p.buf = text.AppendCount(p.buf[:0], n)
	if len(p.buf) > w {
		p.buf = text.AppendCompact(p.buf[:0], n)
	}
	p.canvas.BytesRight(x, y, w, st, p.buf)
}

// percent draws a share at the right end of its field, as in "64 %".
func (p *Painter) percent(x, y, w int, st theme.Role, share float64) {
	p.buf = append(text.AppendPercent(p.buf[:0], share), " %"...)
	p.canvas.BytesRight(x, y, w, st, p.buf)
}

// none says that a list is empty; of which protocol, where the other has what the
// list would show.
func (p *Painter) none(r screen.Rect, v *View, before, after string) {
	other := &v.State.UDP.Pressure
	if v.Proto == ProtoUDP {
		other = &v.State.TCP.Pressure
	}
	if v.Proto == ProtoBoth || other.InUse == 0 {
		p.middle(r, theme.Dim, before+after, "")
		return
	}
	p.middle(r, theme.Dim, before+v.Proto.String()+" "+after, "p shows the other protocol")
}

// middle draws a sentence in the middle of r, with a second one below it.
func (p *Painter) middle(r screen.Rect, st theme.Role, first, second string) {
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
func (p *Painter) segments(x, y, w int, pieces ...segment) int {
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
func (p *Painter) addrPort(w int, a source.Addr, port uint16, service string) []byte {
	return p.endpoint(w, a, 0, port, service)
}

// tuple is addrPort for what a tuple leads to, with the ports of a private pool
// where there is room for them.
func (p *Painter) tuple(w int, v *View, k *model.TupleKey, l model.Limit) []byte {
	b := p.endpoint(w, k.Destination, k.Interface, k.Port, serviceName(v, k.Port, source.TCP))
	if from := portsOf(l); len(b)+text.Width(from) <= w {
		b = append(b, from...)
		p.buf = b
	}
	return b
}

func (p *Painter) endpoint(w int, a source.Addr, iface uint32, port uint16, service string) []byte {
	b := p.buf[:0]
	if a.Is4() {
		b = source.AppendZone(a.AppendTo(b), iface)
	} else {
		b = append(source.AppendZone(a.AppendTo(append(b, '[')), iface), ']')
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
