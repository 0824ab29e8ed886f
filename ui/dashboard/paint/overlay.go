package paint

import (
	"slices"
	"strings"

	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// drawOverlay draws an overlay over the panes, which step back where there are
// colours.
func (p *Painter) drawOverlay(r screen.Rect, v *View) {
	if p.inks != nil && !p.ascii {
		p.canvas.Repaint(screen.Rect{Y: r.Y, W: v.Width, H: r.H}, theme.Dim)
	}
	inner := r.Inset(2, 1)
	lines := overlayText(v, inner.W, p.gaugeMarks())
	// A box no higher than its text, where there is a screen around it.
	if inner.H > len(lines) && r.W < v.Width {
		if box := r.Center(r.W, len(lines)+2); v.Overlay == OverlayFindings {
			r.H = box.H // which grows where it is unfolded
		} else {
			r = box
		}
		inner = r.Inset(2, 1)
	}
	p.canvas.Clear(screen.Rect{X: r.X - 1, Y: r.Y, W: r.W + 2, H: r.H})
	box := screen.Box{Title: "Help", Foot: "esc closes"}
	switch v.Overlay {
	case OverlayDetails:
		box.Title = "Connection"
	case OverlayPool:
		box.Title = "Translated ports"
	case OverlayFindings:
		box.Title, box.Right = "Findings", "most urgent first"
	}
	top := max(0, min(v.Scroll, len(lines)-inner.H))
	if len(lines) > inner.H {
		box.Foot = rangeOf(top, inner.H, len(lines))
	}
	p.box(r, true, box)
	for i := range min(inner.H, len(lines)-top) {
		p.segments(inner.X, inner.Y+i, inner.W, lines[top+i]...)
	}
	if v.Overlay == OverlayFindings {
		p.markStop(inner, v.findingsPage(inner.W), top)
	}
}

// overlayText is all lines of the overlay on screen, as many with any marks.
func overlayText(v *View, width int, marks gaugeMarks) [][]segment {
	if width <= 0 {
		return nil
	}
	switch v.Overlay {
	case OverlayHelp:
		return helpText(v, width, marks)
	case OverlayDetails:
		return detailText(v, width)
	case OverlayPool:
		return poolText(v, width)
	case OverlayFindings:
		return v.findingsPage(width).lines
	}
	return nil
}

// paragraph adds s, broken into lines. The first one begins with the pieces of
// lead, the others with blanks below them. Nothing is added if s is empty.
func paragraph(lines [][]segment, style theme.Role, s string, width int, lead ...segment) [][]segment {
	indent := measure(lead)
	for _, l := range text.Wrap(text.Sanitize(s), max(width-indent, 1)) {
		lines = append(lines, append(slices.Clip(lead), segment{style, l}))
		lead = []segment{blanks(indent)}
	}
	return lines
}

func blanks(n int) segment { return segment{theme.Text, strings.Repeat(" ", n)} }
