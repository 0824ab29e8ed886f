package paint

import "ephtop/ui/screen"

// layout says which part of the screen is whose. What there is no room for is
// empty.
type layout struct {
	header, footer screen.Rect
	// sentence is the line that is read first.
	sentence screen.Rect
	// timeline is a line above the footer; View.layout gives it its place.
	timeline screen.Rect
	// summary is the headline without a box, where gauges does not fit.
	summary, gauges screen.Rect

	states, consumers, destinations, connections screen.Rect
}

// The sizes from which a screen gets more.
const (
	boxWidth      = 60  // boxes for the gauges, and panes side by side
	mapWidth      = 100 // the port map
	mapHeight     = 31  // of what header, sentence and footer leave
	chartHeight   = 37  // the same, for the history in a chart beside the hour
	railWidth     = 160 // a rail at the left
	twoLines      = 10  // the sentence in two lines, where one is short
	smallestPane  = 3   // rows of a pane that is worth its frame
	leastList     = 9   // rows that the connections keep when panes stand above
	lineOfHeaders = 1
)

// layoutOf divides a screen. It is a pure function of the size and of how many
// gauges there are, so that nothing moves while these stay. Of the lines around
// the lists, the header is the first to go where there is no room, and the
// summary the last.
func layoutOf(width, height, gauges int) layout {
	var l layout
	area := screen.Rect{W: width, H: height}
	if area.Empty() {
		return l
	}
	if height > 3 {
		l.header, area = area.SplitTop(1)
	}
	if height > 1 {
		lines := 1
		if width < boxWidth && height >= twoLines {
			lines = 2
		}
		l.sentence, area = area.SplitTop(lines)
	}
	if height > 2 {
		area, l.footer = area.SplitBottom(1)
	}
	if width < boxWidth || area.H < 11 {
		lines := 2 // words and a bar
		if area.H == smallestPane+1 {
			lines = 1
		}
		l.summary, area = area.SplitTop(lines)
	} else {
		l.gauges, area = area.SplitTop(2 + gauges + moreLines(width, area.H))
	}
	switch {
	case width >= railWidth && area.H >= 18:
		l.rail(area)
	case width >= boxWidth && area.H >= 6+leastList:
		top, rest := area.SplitTop(max(6, min(area.H*3/8, 14)))
		l.states, l.consumers = top.SplitLeft(width*3/10 + 12)
		l.connections = rest
	case width >= boxWidth/2 && area.H >= 6+6+leastList:
		l.states, area = area.SplitTop(6)
		l.consumers, l.connections = area.SplitTop(6)
	case width >= 8 && area.H >= smallestPane:
		l.connections = area
	}
	return l
}

// The lines below the gauges, in their box.
const (
	trendLine   = 1
	legendLines = 1
	mapLines    = 3
	chartLines  = 3
)

// moreLines is the number of lines below the gauges: a trend; with a legend and
// the port map; with the trend as a chart and a line of words.
func moreLines(width, height int) int {
	switch {
	case width < mapWidth || height < mapHeight:
		return trendLine
	case height < chartHeight:
		return legendLines + mapLines + trendLine
	}
	return legendLines + mapLines + chartLines + trendLine
}

// rail puts all lists but the connections into a column at the left.
func (l *layout) rail(area screen.Rect) {
	left, right := area.SplitLeft(min(area.W*3/10, 72))
	l.connections = right
	l.states, left = left.SplitTop(min(14, left.H/3))
	l.consumers, l.destinations = left.SplitTop((left.H + 1) / 2)
}

// layout is what of the screen is whose, with a line for the time of a replay
// that is taken from the lists above it.
func (v *View) layout() layout {
	l := layoutOf(v.Width, v.Height, v.gaugeCount())
	if !v.Timeline.On || v.Timeline.Pipe || v.Height < timelineHeight || v.Width < timelineWidth {
		return l
	}
	for _, r := range []*screen.Rect{&l.states, &l.consumers, &l.destinations, &l.connections} {
		if r.Y+r.H == l.footer.Y {
			r.H--
		}
	}
	l.timeline = screen.Rect{Y: l.footer.Y - 1, W: v.Width, H: 1}
	return l
}

// The size from which the time has a line. Below, it stands in the header.
const (
	timelineHeight = 10
	timelineWidth  = 30
)

// Lines is the number of lines of a pane.
func (v *View) Lines(p Pane) int {
	switch p {
	case PaneStates:
		return len(v.States)
	case PaneConsumers:
		return len(v.Consumers)
	case PaneNamespaces:
		return len(v.Namespaces)
	case PaneDestinations:
		return len(v.Destinations)
	}
	return len(v.Rows)
}

// PaneHeights is the number of lines that each pane shows, 0 for one that is
// not on screen. It depends on the size of the screen, on whether there is a
// time line and a gauge of UDP, on the protocols and on the face, and on nothing
// else.
func (v *View) PaneHeights() [NumPanes]int {
	l := v.layout()
	heights := [NumPanes]int{PaneStates: l.states.Inset(1, 1).H, PaneConsumers: listLines(l.consumers, 7)}
	if v.withFree(heights[PaneStates]) {
		heights[PaneStates]--
	}
	heights[v.Face.Pane()] = listLines(l.connections, 3)
	return heights
}

// listLines is the number of lines in a box that gets a line of column names
// where it has at least so many lines inside.
func listLines(box screen.Rect, named int) int {
	inside := box.Inset(1, 1)
	if inside.H >= named {
		return inside.H - lineOfHeaders
	}
	return inside.H
}

// leastRim is how much of what lies below an overlay is to be seen at each side, if
// anything is: strips of it are only letters.
const leastRim = 8

// overlayWidths are the widths that overlays make use of.
var overlayWidths = [...]int{OverlayHelp: 200, OverlayDetails: 100, OverlayFindings: 132, OverlayPool: 100}

// overlayRect is where an overlay lies: over everything but the header, the
// time line and the footer. It is empty where there is none.
func overlayRect(v *View) screen.Rect {
	if v.Overlay == OverlayNone {
		return screen.Rect{}
	}
	area := screen.Rect{W: v.Width, H: v.Height}
	if v.Height >= 3 {
		area.Y, area.H = 1, v.Height-2-v.layout().timeline.H
	}
	width := overlayWidths[v.Overlay]
	if width > area.W-2*leastRim {
		width = area.W
	}
	return area.Center(width, area.H)
}

// LastScroll is the line from which on the overlay on screen is in sight up to
// its end: the largest Scroll that means something. It lays the overlay out.
func (v *View) LastScroll() int {
	inner := overlayRect(v).Inset(2, 1)
	return max(0, len(overlayText(v, inner.W, patterns))-inner.H)
}
