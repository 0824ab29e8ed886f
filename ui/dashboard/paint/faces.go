package paint

import (
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// Face is one of the lists that share the largest part of the screen.
type Face uint8

// The faces, by the keys 1, 2 and 3.
const (
	FaceConnections Face = iota
	FaceDestinations
	FaceNamespaces

	numFaces = 3
)

// Pane is where the face is drawn.
func (f Face) Pane() Pane { return PaneConnections + Pane(f) }

// NamespaceLine is a line of the list of namespaces.
type NamespaceLine struct {
	Scope source.Scope
	// State is nil for one that was not looked at, of which Brief tells.
	State *model.State
	Brief *source.Brief
}

// several reports whether there is more than one namespace.
func (v *View) several() bool {
	return v.Overview != nil && len(v.Overview.States)+len(v.Overview.Quiet) > 1
}

// named reports whether it is to be said which namespace is shown: there are
// several, or the only one that is looked at is not the one of this host.
func (v *View) named() bool {
	if v.several() || v.State == nil {
		return v.several()
	}
	s := &v.State.Snapshot.Scope
	return s.Kind != source.ScopeHost && s.Name != "" && s.Name != v.State.Moment.Host
}

// drawFace draws the list that is wanted.
func (p *Painter) drawFace(r screen.Rect, v *View) {
	switch v.Face {
	case FaceDestinations:
		p.drawDestinationList(r, v)
	case FaceNamespaces:
		p.drawNamespaces(r, v)
	default:
		p.drawConnections(r, v)
	}
}

// facesText names the other faces by their keys, where there are namespaces to
// choose from.
func facesText(v *View) string {
	if !v.several() {
		return ""
	}
	names := [numFaces]string{"1 connections", "2 destinations", "3 namespaces"}
	var others []string
	for f, name := range names {
		if Face(f) != v.Face {
			others = append(others, name)
		}
	}
	return strings.Join(others, "  ")
}

// namespaceColumns are the widths of the columns of the namespaces; 0 for one
// that there is no room for.
type namespaceColumns struct {
	name, kind, worst, bar, percent, level, sockets int
}

func layoutNamespaces(w int) namespaceColumns {
	c := namespaceColumns{percent: 8, level: 2}
	rest := w - c.percent - 1
	take := func(room, n int) int {
		if rest < room {
			return 0
		}
		rest -= n + 1
		return n
	}
	c.sockets = take(44, 8)
	c.kind = take(48, 9)
	if n := take(42, 11); n > 0 {
		c.level = n
	} else {
		rest -= c.level + 1
	}
	c.worst = take(58, 24)
	c.name = min(max(rest*3/5, 12), 40, max(rest, 0))
	c.bar = max(rest-c.name-1, 0)
	if c.bar < 6 {
		c.name, c.bar = max(rest, 0), 0
	}
	return c
}

// drawNamespaces draws the namespaces, the worst first.
func (p *Painter) drawNamespaces(r screen.Rect, v *View) {
	height := listLines(r, 3)
	box := screen.Box{Title: "Namespaces", Right: facesText(v)}
	p.filterNote(&box, v, r.W, len(v.Namespaces), PaneNamespaces, height)
	inside := p.box(r, v.Focus == PaneNamespaces, box)
	if len(v.Namespaces) == 0 {
		if v.State == nil {
			p.middle(inside, theme.Dim, waitingFor(v), "")
		} else {
			p.middle(inside, theme.Text, "no namespace matches the filter "+text.Sanitize(v.Filter.Text), "esc clears it")
		}
		return
	}
	c := layoutNamespaces(inside.W - gutter - 1)
	x := inside.X + gutter
	if inside.H > height {
		p.namespaceHeader(x, inside.Y, c)
	}
	p.lines(inside, height, v, PaneNamespaces, func(i, y int) { p.namespaceLine(x, y, c, v, &v.Namespaces[i]) })
}

// filterNote says in a box which lines are in sight, and that a filter is on.
func (p *Painter) filterNote(box *screen.Box, v *View, width, n int, pane Pane, height int) {
	if n > 0 {
		box.Foot = rangeOf(v.Cursors[pane].Top, height, n)
	}
	if v.Filter.Text != "" {
		box.Right = "filter: " + text.Truncate(text.Sanitize(v.Filter.Text), max(width-40, 8)) + "   " + box.Right
		box.RightStyle = theme.Filter
	}
}

func (p *Painter) namespaceHeader(x, y int, c namespaceColumns) {
	p.canvas.Text(next(&x, c.name), y, c.name, theme.Dim, "NAME")
	p.canvas.Text(next(&x, c.kind), y, c.kind, theme.Dim, "KIND")
	p.canvas.Text(next(&x, c.worst), y, c.worst, theme.Dim, "WORST TO")
	next(&x, c.bar)
	p.canvas.TextRight(next(&x, c.percent), y, c.percent, theme.Dim, "USED")
	level := "LEVEL"
	if c.level < len(level) {
		level = ""
	}
	p.canvas.Text(next(&x, c.level), y, c.level, theme.Dim, level)
	p.canvas.TextRight(x, y, c.sockets, theme.Dim, "SOCKETS")
}

func (p *Painter) namespaceLine(x, y int, c namespaceColumns, v *View, n *NamespaceLine) {
	style := theme.Text
	switch n.State {
	case nil:
		style = theme.Dim
	case v.State:
		style = theme.Strong
	}
	p.canvas.Text(next(&x, c.name), y, c.name, style, advice.Namespace(&n.Scope))
	p.canvas.Text(next(&x, c.kind), y, c.kind, theme.Dim, n.Scope.Kind.String())
	if n.State == nil {
		p.quietLine(x, y, c, v, n)
		return
	}
	h := n.State.TCP.Pressure.Headline()
	if at := next(&x, c.worst); h.Scope == model.ScopeTuple {
		p.canvas.Bytes(at, y, c.worst, theme.Text, p.tuple(c.worst, v, &h.Key, h.Limit))
	}
	g := gauge{live: h.Live, timeWait: h.TimeWait, blocked: h.Blocked + h.Suspected, free: h.Free}
	p.gaugeBar(next(&x, c.bar), y, c.bar, v, &g)
	role := theme.Text
	if n.State.Level > model.LevelOK {
		role = levelRoles[n.State.Level]
	}
	p.percent(next(&x, c.percent), y, c.percent, role, h.Percent())
	p.levelCell(next(&x, c.level), y, c.level, levelSegment(n.State.Level))
	p.count(x, y, c.sockets, theme.Text, len(n.State.Snapshot.Sockets))
}

// quietLine says what is known of a namespace that was not looked at. Where its
// bound proves nothing, neither does its line.
func (p *Painter) quietLine(x, y int, c namespaceColumns, v *View, n *NamespaceLine) {
	next(&x, c.worst)
	next(&x, c.bar)
	at := next(&x, c.percent)
	if !n.Brief.Assumed {
		p.canvas.TextRight(at, y, c.percent, theme.Dim, boundText(model.Percent(n.Brief.Bound, n.Brief.Usable)))
	}
	level := segment{theme.Dim, "? not seen"}
	if v.State != nil && v.State.Thresholds.Quiet(n.Brief) {
		level = levelSegment(model.LevelOK)
	}
	p.levelCell(next(&x, c.level), y, c.level, level)
	p.count(x, y, c.sockets, theme.Dim, n.Brief.Bound)
}

// levelCell draws a sign and a word, or the sign alone where there is no room.
func (p *Painter) levelCell(x, y, w int, s segment) {
	if text.Width(s.text) > w {
		s.text, _, _ = strings.Cut(s.text, " ")
	}
	p.segments(x, y, w, s)
}

// boundText writes a bound, never below what it is: "≤ 0.4 %".
func boundText(percent float64) string {
	if percent > 0 && percent < 10 {
		tenths := int(percent*10) + 1
		if percent*10 == float64(tenths-1) {
			tenths--
		}
		return "≤ " + text.Count(tenths/10) + "." + text.Count(tenths%10) + " %"
	}
	return "≤ " + text.Count(int(percent+0.999)) + " %"
}

// destinationColumns are the widths of the columns of the list of destinations;
// 0 for one that there is no room for.
type destinationColumns struct {
	name, bar, percent, used, free, waiting, rate, holder int
}

func layoutDestinations(w int) destinationColumns {
	c := destinationColumns{percent: 6}
	rest := w - c.percent - 1
	take := func(room, n int) int {
		if rest < room {
			return 0
		}
		rest -= n + 1
		return n
	}
	c.used = take(32, 7)
	c.waiting = take(48, 9)
	c.free = take(44, 7)
	c.rate = take(48, 6)
	c.holder = take(48, 16)
	c.name = min(max(rest/2, 22), 48, max(rest, 0))
	c.bar = max(rest-c.name-1, 0)
	if c.bar < 6 {
		c.name, c.bar = max(rest, 0), 0
	}
	return c
}

// drawDestinationList draws the destinations, the worst first, each with what
// is used of the range towards it.
func (p *Painter) drawDestinationList(r screen.Rect, v *View) {
	height := listLines(r, 3)
	box := screen.Box{Title: "Destinations", Right: facesText(v)}
	n := v.Lines(PaneDestinations)
	if n > 0 {
		box.Foot = rangeOf(v.Cursors[PaneDestinations].Top, height, n)
	}
	inside := p.box(r, v.Focus == PaneDestinations, box)
	switch {
	case v.State == nil:
		p.middle(inside, theme.Dim, waitingFor(v), "")
		return
	case n == 0:
		p.middle(inside, theme.Dim, "no ephemeral ports in use", "")
		return
	}
	c := layoutDestinations(inside.W - gutter - 1)
	x := inside.X + gutter
	if inside.H > height {
		p.destinationHeader(x, inside.Y, c)
	}
	p.lines(inside, height, v, PaneDestinations, func(i, y int) { p.destinationLine(x, y, c, v, &v.State.TCP.Pressure.Tuples[i]) })
}

func (p *Painter) destinationHeader(x, y int, c destinationColumns) {
	p.canvas.Text(next(&x, c.name), y, c.name, theme.Dim, "DESTINATION")
	next(&x, c.bar)
	for _, h := range [...]struct {
		w    int
		name string
	}{{c.percent, "%"}, {c.used, "USED"}, {c.free, "FREE"}, {c.waiting, "TIME_WAIT"}, {c.rate, "+/s"}} {
		p.canvas.TextRight(next(&x, h.w), y, h.w, theme.Dim, h.name)
	}
	p.canvas.Text(x, y, c.holder, theme.Dim, "MOST BY")
}

func (p *Painter) destinationLine(x, y int, c destinationColumns, v *View, t *model.TupleUse) {
	p.canvas.Bytes(next(&x, c.name), y, c.name, theme.Text, p.tuple(c.name, v, &t.TupleKey, t.Limit))
	g := tupleGauge(t)
	p.gaugeBar(next(&x, c.bar), y, c.bar, v, &g)
	style := theme.Text
	if t.Level > model.LevelOK {
		style = levelRoles[t.Level]
	}
	p.percent(next(&x, c.percent), y, c.percent, style, t.Percent())
	p.count(next(&x, c.used), y, c.used, theme.Text, t.Used)
	p.count(next(&x, c.free), y, c.free, theme.Text, t.Free)
	p.count(next(&x, c.waiting), y, c.waiting, theme.Text, t.TimeWait)
	p.buf = text.AppendRate(p.buf[:0], t.Outlook.Rate)
	p.canvas.BytesRight(next(&x, c.rate), y, c.rate, theme.Dim, p.buf)
	p.owner(x, y, c.holder, v, t.Process, t.Tier)
}
