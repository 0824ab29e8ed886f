package paint

import (
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/source/fleet"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// Fleet is a table of many hosts. A View that has one shows it in place of all that
// is about a single host.
type Fleet struct {
	// Rows are those that pass the filter, in Order; Tally counts all.
	Rows   []fleet.Row
	Tally  fleet.Tally
	Order  fleet.Order
	Cursor Cursor
	// Feed says where the figures are from.
	Feed string
	// Day says that the feed tells of the last day, and failed connects are those
	// of it. Past is how many hosts are well, and were without a port in it.
	Day  bool
	Past int
	// Lack says what the feed does not tell; nil for nothing.
	Lack error
	// Thresholds are those that are marked on the bars.
	Thresholds model.Thresholds
}

// fleetLayout is header, sentence, table and footer; what there is no room for is
// empty.
type fleetLayout struct{ header, sentence, table, footer screen.Rect }

func layoutFleet(width, height int) (l fleetLayout) {
	l.table = screen.Rect{W: width, H: height}
	if height > 4 {
		l.header, l.table = l.table.SplitTop(1)
	}
	if height > 1 {
		l.sentence, l.table = l.table.SplitTop(1)
	}
	if height > 2 {
		l.table, l.footer = l.table.SplitBottom(1)
	}
	return l
}

// FleetHeight is how many hosts there is room for.
func (v *View) FleetHeight() int {
	return listLines(layoutFleet(v.Width, v.Height).table, 3)
}

func (p *Painter) drawFleet(v *View) {
	l := layoutFleet(v.Width, v.Height)
	footer := *v
	if v.Fleet.total() == 0 {
		footer.Err = nil // it stands in the middle
	}
	for _, part := range [...]struct {
		r    screen.Rect
		draw func(*Painter, screen.Rect, *View)
	}{
		{l.header, (*Painter).drawFleetHeader}, {l.sentence, (*Painter).drawFleetSentence}, {l.table, (*Painter).drawHosts},
		{overlayRect(v), (*Painter).drawOverlay},
	} {
		if !part.r.Empty() {
			part.draw(p, part.r, v)
		}
	}
	if !l.footer.Empty() {
		p.drawFooter(l.footer, &footer)
	}
}

// drawFleetHeader says how many hosts there are, who tells of them, and how fresh
// that is.
func (p *Painter) drawFleetHeader(r screen.Rect, v *View) {
	right := []segment{fleetStatus(v), {theme.Text, "  "}, {theme.Strong, v.Now.Format(time.TimeOnly)}}
	if zone := (segment{theme.Dim, v.Now.Format(" MST")}); r.W >= boxWidth && measure(right)+text.Width(zone.text)+leastHeaderLeft <= r.W {
		right = append(right, zone)
	}
	room := r.W - 2
	if w := measure(right); w <= room {
		p.segments(r.X+1+room-w, r.Y, w, right...)
		room -= w + 2
	} else {
		p.segments(r.X+1, r.Y, room, right[0])
		return
	}
	gap := segment{theme.Text, "  "}
	left := []segment{{theme.Brand, "ephtop"}}
	for _, more := range [...]segment{{theme.Strong, text.Plural(v.Fleet.total(), "host", "hosts")}, {theme.Dim, text.Sanitize(v.Fleet.Feed)}} {
		if measure(left)+2+text.Width(more.text) > room {
			break
		}
		left = append(left, gap, more)
	}
	p.segments(r.X+1, r.Y, room, left...)
}

func fleetStatus(v *View) segment {
	switch v.Status {
	case StatusLive:
		return segment{theme.OK, "● live"}
	case StatusStale:
		if v.Fleet.total() == 0 {
			return segment{theme.Critical, "! no data"}
		}
		return segment{theme.Critical, "! stale since " + v.ErrSince.Format(time.TimeOnly)}
	}
	return segment{theme.Dim, "asking…"}
}

func (p *Painter) drawFleetSentence(r screen.Rect, v *View) {
	level, words := v.fleetSentence()
	p.canvas.Text(r.X+1, r.Y, r.W-2, levelRoles[level], levelMark(level)+" "+words)
}

// drawHosts draws the table.
func (p *Painter) drawHosts(r screen.Rect, v *View) {
	f, height := v.Fleet, listLines(r, 3)
	c := layoutHosts(r.W-2-gutter-1, f.Day, f.Order.Column)
	headers := c.headers()
	inside := p.box(r, true, hostsBox(r.W, v, height, &c))
	switch {
	case len(f.Rows) == 0 && v.Filter.Text != "":
		p.middle(inside, theme.Text, "no host matches "+text.Sanitize(v.Filter.Text), "esc shows all")
		return
	case len(f.Rows) == 0:
		p.noHosts(inside, v)
		return
	}
	x := inside.X + gutter
	if inside.H > height {
		p.hostHeaders(x, inside.Y, f, headers)
	}
	for i := f.Cursor.Top; i < min(len(f.Rows), f.Cursor.Top+height); i++ {
		y := inside.Y + inside.H - height + i - f.Cursor.Top
		p.hostLine(x, y, inside.X+inside.W-1-x, c, v, &f.Rows[i])
		if i == f.Cursor.Line {
			p.markHost(inside, y)
		}
	}
}

// signals are what a selected host keeps: how bad it stands must not fade for those
// that the cursor is on, which at first is the worst.
var signals = []theme.Role{theme.Live, theme.TimeWait, theme.Blocked, theme.Free, theme.OK, theme.Warn, theme.Critical, theme.Exhausted}

func (p *Painter) markHost(inside screen.Rect, y int) {
	p.canvas.Repaint(screen.Rect{X: inside.X, Y: y, W: inside.W, H: 1}, theme.Selected, signals...)
	p.canvas.Put(inside.X, y, theme.Selected, '▸')
}

// noHosts says why there is none.
func (p *Painter) noHosts(r screen.Rect, v *View) {
	style, why := theme.Dim, "no host yet"
	switch {
	case v.Err != nil:
		style, why = theme.Critical, v.Err.Error()
	case v.Fleet.Lack != nil:
		style, why = theme.Warn, v.Fleet.Lack.Error()
	}
	lines := text.Wrap(text.Sanitize(why), min(r.W-2, 76))
	r = r.Center(r.W, len(lines))
	for i, line := range lines[:min(len(lines), r.H)] {
		at := r.Center(text.Width(line), 1)
		p.canvas.Text(at.X, r.Y+i, at.W, style, line)
	}
}

// hostsBox says which hosts are in sight, by what they are filtered and sorted, and
// of when failed connects are.
func hostsBox(w int, v *View, height int, c *hostColumns) screen.Box {
	f := v.Fleet
	box := screen.Box{Title: "Hosts"}
	if n := len(f.Rows); n > 0 && height > 0 {
		box.Foot = rangeOf(f.Cursor.Top, height, n)
	}
	if v.Filter.Text != "" {
		box.Right, box.RightStyle = "filter: "+text.Sanitize(v.Filter.Text), theme.Filter
		box.Foot += " · " + text.Count(f.total()) + " without the filter"
		box.FootStyle = theme.Filter
	}
	box.Note = fleetOrder(f.Order)
	if span := c.span(f.Day); text.Width(box.Note+span+box.Foot)+len("─ ") < w-8 {
		box.Note += span
	}
	if f.Lack != nil && len(f.Rows) > 0 {
		box.Note, box.NoteStyle = "! "+text.Sanitize(f.Lack.Error()), theme.Warn
	}
	return box
}

// hostLine draws a host in so many columns.
func (p *Painter) hostLine(x, y, w int, c hostColumns, v *View, r *fleet.Row) {
	name, style := text.Sanitize(r.Name), theme.Strong
	if r.Namespace != "" {
		name += " › " + text.Sanitize(r.Namespace)
	}
	if !r.Answers() {
		style = theme.Dim
	}
	p.canvas.Text(x, y, c.name, style, name)
	if c.age > 0 {
		p.buf = append(p.buf[:0], "—"...)
		if r.Heard() {
			p.buf = text.AppendAge(p.buf[:0], r.Age)
		}
		p.canvas.BytesRight(x+w-c.age, y, c.age, theme.Dim, p.buf)
		w -= c.age + 1
	}
	next(&x, c.name)
	w -= c.name + 1
	if !r.Answers() {
		p.canvas.Text(x, y, w, theme.Dim, silence(r))
		return
	}
	p.hostFigures(x, y, c, v, r)
}

func (p *Painter) hostFigures(x, y int, c hostColumns, v *View, r *fleet.Row) {
	level := model.Level(r.Level)
	p.levelCell(next(&x, c.level), y, c.level, hostLevel(r))
	g := gauge{live: r.Used - r.TimeWait, timeWait: r.TimeWait, free: max(0, r.Usable-r.Used), level: level, graded: true}
	p.gaugeBar(next(&x, c.bar), y, c.bar, v, &g)
	style := theme.Text
	if level > model.LevelOK {
		style = levelRoles[level]
	}
	p.percent(next(&x, c.percent), y, c.percent, style, v.thresholds().Below(r.Percent()))
	at := next(&x, c.destination)
	switch {
	case r.UDP:
		p.canvas.Text(at, y, c.destination, theme.Text, "UDP")
	case r.Destination != source.Addr{}:
		p.canvas.Bytes(at, y, c.destination, theme.Text, p.addrPort(c.destination, r.Destination, r.Port, ""))
	case r.Source != source.Addr{}:
		p.canvas.Text(at, y, c.destination, theme.Text, "bind() on "+r.Source.String())
	default:
		p.canvas.Text(at, y, c.destination, theme.Dim, "—")
	}
	p.hostHolder(next(&x, c.holder), y, c.holder, r)
	if at := next(&x, c.outlook); c.outlook > 0 {
		p.phrases(at, y, c.outlook, [][]segment{hostOutlook(v, r, g.free)})
	}
	p.known(next(&x, c.failed), y, c.failed, r.Observed, r.Failed > 0 && !r.Day, text.Count(r.Failed))
	p.known(next(&x, c.exhausted), y, c.exhausted, r.Day, false, text.Duration(r.Exhausted))
}

func (p *Painter) hostHolder(x, y, w int, r *fleet.Row) {
	switch {
	case r.Used == 0: // nothing is held
	case r.Holder == "":
		p.canvas.Text(x, y, w, theme.Dim, "—")
	case r.Likely:
		p.marked(x, y, w, text.Sanitize(r.Holder), "?")
	default:
		p.canvas.Text(x, y, w, theme.Text, text.Sanitize(r.Holder))
	}
}

// known draws a figure at the right, in red where it is bad, or that it is not
// known.
func (p *Painter) known(x, y, w int, known, bad bool, figure string) {
	style := theme.Text
	switch {
	case !known:
		style, figure = theme.Dim, "—"
	case bad:
		style = theme.Critical
	case figure == "0" || figure == "0s":
		style = theme.Dim
	}
	p.canvas.TextRight(x, y, w, style, figure)
}
