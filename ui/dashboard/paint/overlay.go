package paint

import (
	"slices"
	"strings"

	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// drawOverlay draws an overlay over the panes.
func (p *Painter) drawOverlay(r screen.Rect, v *View) {
	inner := r.Inset(2, 1)
	lines := overlayText(v, inner.W)
	// A box no higher than its text, where there is a screen around it.
	if inner.H > len(lines) && r.W < v.Width {
		r = screen.Rect{X: 0, Y: r.Y, W: v.Width, H: r.H}.Center(r.W, len(lines)+2)
		inner = r.Inset(2, 1)
	}
	p.canvas.Clear(screen.Rect{X: r.X - 1, Y: r.Y, W: r.W + 2, H: r.H})
	box := screen.Box{Title: "Help", Foot: "esc closes"}
	switch v.Overlay {
	case OverlayDetails:
		box.Title = "Connection"
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
}

// overlayText is all lines of the overlay on screen.
func overlayText(v *View, width int) [][]segment {
	if width <= 0 {
		return nil
	}
	switch v.Overlay {
	case OverlayHelp:
		return helpText(v, width)
	case OverlayDetails:
		return detailText(v, width)
	case OverlayFindings:
		return findingsText(v, width)
	}
	return nil
}

// helpText is the groups of keys in columns, what the signs mean, and what
// this view cannot see.
func helpText(v *View, width int) [][]segment {
	lines := append(helpColumns(v.Help, width), nil)
	lines = append(lines, []segment{{theme.Title, "Signs"}},
		[]segment{{theme.Live, "█"}, {theme.Text, " live  "}, {theme.TimeWait, "▓"}, {theme.Text, " TIME_WAIT  "},
			{theme.Blocked, "▒"}, {theme.Text, " blocked for all  "}, {theme.Free, "░"}, {theme.Text, " free  "},
			{theme.Tick, "┊"}, {theme.Text, " thresholds"}})
	for _, s := range [...]string{
		"The first gauge is the destination that runs out of ports first: each pair of source and destination has " +
			"the range to itself, but for what is blocked for all.",
		"48s ↓ is the time that a TIME_WAIT still lasts; >41s a socket that was there at the first poll.",
		"closes 312/s of 333: connections closed per second, and how many of these the range can bear; settles at, or drains to, is the " +
			"number of ports in use that the present closes lead to.",
		"java? is the likely owner of a TIME_WAIT, from who was seen with the same destination.",
	} {
		lines = paragraph(lines, theme.Text, s, width)
	}
	if v.State != nil && len(v.State.Moment.Limits) > 0 {
		lines = append(lines, nil, []segment{{theme.Warn, "What is not seen"}})
		for _, s := range advice.Limits(v.State.Moment) {
			lines = paragraph(lines, theme.Text, "! "+s, width)
		}
	}
	const who = "Who closes, and which connects fail, is not traced: "
	switch v.Tracing.State {
	case source.TraceOff:
		lines = paragraph(append(lines, nil), theme.Text, who+"t traces it.", width)
	case source.TraceRefused:
		lines = paragraph(append(lines, nil), theme.Text, who+v.Tracing.Why, width)
	case source.TraceStopped:
		lines = paragraph(append(lines, nil), theme.Text, who+"it cost too much; t traces it again.", width)
	}
	return lines
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

// helpColumns puts the groups of keys side by side: each below the shortest of
// the columns.
func helpColumns(groups []HelpGroup, width int) [][]segment {
	columns := make([][][]segment, max(1, min(len(groups), width/38)))
	each := width / len(columns)
	for _, g := range groups {
		shortest := 0
		for i := range columns {
			if len(columns[i]) < len(columns[shortest]) {
				shortest = i
			}
		}
		if len(columns[shortest]) > 0 {
			columns[shortest] = append(columns[shortest], nil)
		}
		columns[shortest] = append(columns[shortest], groupText(&g, each)...)
	}
	var lines [][]segment
	for i, column := range columns {
		for y, pieces := range column {
			if len(lines) <= y {
				lines = append(lines, nil)
			}
			lines[y] = append(fill(lines[y], i*each), pieces...)
		}
	}
	return lines
}

// groupText is a title and the keys below it.
func groupText(g *HelpGroup, width int) [][]segment {
	const label, least = 11, 8
	lines := [][]segment{{{theme.Title, g.Title}}}
	for _, k := range g.Keys {
		lines = paragraph(lines, theme.Text, k.Does, max(width-2, label+least), pieceOf(segment{theme.Key, k.Key}, label))
	}
	return lines
}

// fill adds blanks to a line up to a column.
func fill(line []segment, column int) []segment {
	if n := column - measure(line); n > 0 {
		line = append(line, blanks(n))
	}
	return line
}
