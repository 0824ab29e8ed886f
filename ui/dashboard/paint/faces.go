package paint

import (
	"strings"

	"ephtop/model"
	"ephtop/model/list"
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

	NumFaces = 3
)

// Pane is where the face is drawn.
func (f Face) Pane() Pane { return PaneConnections + Pane(f) }

// NamespaceLine is a line of the list of namespaces: one of them, a pool of the ports
// that one translates to, or what a NAT on the way has for a destination.
type NamespaceLine struct {
	Scope source.Scope
	// State is nil for one that was not looked at, of which Brief tells, and for a
	// pool.
	State *model.State
	Brief *source.Brief
	// Pool is nil for a namespace, else one of NAT.
	Pool *model.NATPoolUse
	NAT  *model.NATState
	// Way is nil but for what a NAT on the way has.
	Way *model.WayPool
}

// IsPool reports whether the line is not a namespace.
func (n *NamespaceLine) IsPool() bool { return n.Pool != nil || n.Way != nil }

// Key tells a pool from others of its namespace; it is zero for a namespace.
func (n *NamespaceLine) Key() source.Tuple {
	switch {
	case n.Way != nil:
		return source.Tuple{Remote: n.Way.Remote, RemotePort: n.Way.RemotePort, Proto: n.Way.Proto}
	case n.Pool == nil:
		return source.Tuple{}
	}
	return source.Tuple{Local: n.Pool.Address, Remote: n.Pool.Remote, RemotePort: n.Pool.RemotePort, Proto: n.Pool.Proto}
}

// Percent is how much of the range is used, at most where it was not looked at.
func (n *NamespaceLine) Percent() float64 {
	switch {
	case n.Pool != nil:
		return n.Pool.Percent()
	case n.Way != nil:
		return n.Way.Percent()
	case n.State == nil:
		return model.Percent(n.Brief.Bound, n.Brief.Usable)
	case n.State.NATPool() != nil:
		return n.State.NATPool().Percent()
	case n.State.WayPool() != nil:
		return n.State.WayPool().Percent()
	}
	h := n.State.TCP.Pressure.Headline()
	return h.Percent()
}

// Level is how bad it is, as far as was seen.
func (n *NamespaceLine) Level() model.Level {
	switch {
	case n.Pool != nil:
		return n.Pool.Level
	case n.Way != nil:
		return n.Way.Level
	case n.State == nil:
		return model.LevelOK
	}
	return n.State.Level
}

// Sockets is how many there are, or how many hold ports at most; of a pool, the
// ports in use.
func (n *NamespaceLine) Sockets() int {
	switch {
	case n.Pool != nil:
		return n.Pool.Used
	case n.Way != nil:
		return n.Way.Used()
	case n.State == nil:
		return n.Brief.Bound
	}
	return len(n.State.Snapshot.Sockets)
}

// several reports whether there is more than one namespace.
func (v *View) several() bool {
	return v.Overview != nil && len(v.Overview.States)+len(v.Overview.Quiet) > 1
}

// third reports whether the third face has something to choose from.
func (v *View) third() bool {
	return v.several() || v.Overview != nil && HasNATLines(v.Overview)
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
	c := layoutNamespaces(r.W - 2 - gutter - 1)
	c.forNATs(v.Namespaces)
	headers := c.headers()
	inside := p.faceBox(r, v, faceFoot(v, height), headers)
	if len(v.Namespaces) == 0 {
		if v.State == nil {
			p.middle(inside, theme.Dim, waitingFor(v), "")
		} else {
			p.middle(inside, theme.Text, "no namespace matches the filter "+text.Sanitize(v.Filter.Text), "esc clears it")
		}
		return
	}
	x := inside.X + gutter
	if inside.H > height {
		p.headers(x, inside.Y, v, headers)
	}
	p.lines(inside, height, v, PaneNamespaces, func(i, y int) { p.namespaceLine(x, y, c, v, &v.Namespaces[i]) })
}

// faceFoot says which lines are in sight, and that there are more without the
// filter.
func faceFoot(v *View, height int) string {
	pane := v.Face.Pane()
	all, foot := 0, ""
	switch {
	case v.State == nil:
		return ""
	case pane == PaneDestinations:
		all = len(v.State.TCP.Pressure.Tuples)
	case v.Overview != nil:
		all = len(v.Overview.States) + len(v.Overview.Quiet) + len(NATLines(v.Overview))
	}
	if n := v.Lines(pane); n > 0 {
		foot = rangeOf(v.Cursors[pane].Top, height, n)
	} else if v.Filter.Text != "" {
		foot = "0"
	}
	if v.Filter.Text != "" {
		foot += " · " + text.Count(all) + " without the filter"
	}
	return foot
}

// headers are the names of the columns.
func (c *namespaceColumns) headers() []header {
	level := header{c.level, "LEVEL", false, list.ColumnLevel}
	if c.level < len(level.name) {
		level.name = ""
	}
	return []header{
		{c.name, "NAME", false, list.ColumnName}, {c.kind, "KIND", false, list.ColumnKind}, {c.worst, "WORST TO", false, 0},
		{c.bar, "", false, 0}, {c.percent, "USED", true, list.ColumnUsed}, level, {c.sockets, "SOCKETS", true, list.ColumnSockets},
	}
}

func (p *Painter) namespaceLine(x, y int, c namespaceColumns, v *View, n *NamespaceLine) {
	if n.IsPool() {
		p.natLine(x, y, c, v, n)
		return
	}
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
	g := gauge{live: h.Live, timeWait: h.TimeWait, blocked: h.Blocked + h.Suspected, free: h.Free, graded: true}
	nat, way := n.State.NATPool(), n.State.WayPool()
	switch at := next(&x, c.worst); {
	case nat != nil:
		g = natGauge(nat, 0)
		p.canvas.Text(at, y, c.worst, theme.Text, g.label)
	case way != nil:
		g = wayGauge(way, 0)
		p.canvas.Text(at, y, c.worst, theme.Text, g.label)
	case h.Scope == model.ScopeTuple:
		p.canvas.Bytes(at, y, c.worst, theme.Text, p.tuple(c.worst, v, &h.Key, h.Limit))
	}
	p.gaugeBar(next(&x, c.bar), y, c.bar, v, &g)
	role := theme.Text
	if n.State.Level > model.LevelOK {
		role = levelRoles[n.State.Level]
	}
	if way != nil {
		p.canvas.TextRight(next(&x, c.percent), y, c.percent, role, g.share(v, c.percent))
	} else {
		p.percent(next(&x, c.percent), y, c.percent, role, n.State.Thresholds.Below(n.Percent()))
	}
	p.levelCell(next(&x, c.level), y, c.level, levelSegment(n.State.Level))
	p.count(x, y, c.sockets, theme.Text, n.Sockets())
}

// quietLine says what is known of a namespace that was not looked at. Where its
// bound proves nothing, neither does its line.
func (p *Painter) quietLine(x, y int, c namespaceColumns, v *View, n *NamespaceLine) {
	next(&x, c.worst)
	next(&x, c.bar)
	at := next(&x, c.percent)
	if !n.Brief.Assumed {
		p.canvas.TextRight(at, y, c.percent, theme.Dim, boundText(n.Percent()))
	}
	level := segment{theme.Dim, "? not seen"}
	if v.State != nil && v.State.Thresholds.Quiet(n.Brief) {
		level = levelSegment(model.LevelOK)
	}
	p.levelCell(next(&x, c.level), y, c.level, level)
	p.count(x, y, c.sockets, theme.Dim, n.Sockets())
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
