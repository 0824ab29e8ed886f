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
	// Day says that failed connects are those of the last day.
	Day bool
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
	for _, part := range [...]struct {
		r    screen.Rect
		draw func(*Painter, screen.Rect, *View)
	}{
		{l.header, (*Painter).drawFleetHeader}, {l.sentence, (*Painter).drawFleetSentence}, {l.table, (*Painter).drawHosts},
		{overlayRect(v), (*Painter).drawOverlay}, {l.footer, (*Painter).drawFooter},
	} {
		if !part.r.Empty() {
			part.draw(p, part.r, v)
		}
	}
}

// drawFleetHeader says how many hosts there are, who tells of them, and how fresh
// that is.
func (p *Painter) drawFleetHeader(r screen.Rect, v *View) {
	right := []segment{fleetStatus(v), {theme.Text, "  "}, {theme.Strong, v.Now.Format(time.TimeOnly)}}
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
		return segment{theme.Critical, "! stale since " + v.ErrSince.Format(time.TimeOnly)}
	}
	return segment{theme.Dim, "asking…"}
}

func (p *Painter) drawFleetSentence(r screen.Rect, v *View) {
	level, words := fleetSentence(v.Fleet.Tally)
	p.canvas.Text(r.X+1, r.Y, r.W-2, levelRoles[level], levelMark(level)+" "+words)
}

// hostColumns are the widths of the columns; 0 for one that there is no room for.
type hostColumns struct {
	name, level, bar, percent, destination, holder, outlook, failed, exhausted, age int
}

func layoutHosts(w int, day bool) hostColumns {
	const least = 14 // for the name
	c := hostColumns{name: max(min(least, w-9), 0), level: 2, percent: 5}
	rest := w - c.name - c.level - c.percent - 2
	take := func(n int) int {
		if rest < n+1 {
			return 0
		}
		rest -= n + 1
		return n
	}
	grow := func(column *int, n int) {
		n = max(0, min(n, rest))
		*column, rest = *column+n, rest-n
	}
	c.age = take(4)
	c.outlook = take(15)
	c.destination = take(18)
	c.bar = take(8)
	c.holder = take(9)
	c.failed = take(6)
	if n := take(8); n > 0 {
		c.level += n + 1
	}
	if day {
		c.exhausted = take(9)
	}
	if c.exhausted > 0 || c.failed > 0 && !day {
		grow(&c.name, 8)
		grow(&c.bar, 4)
		grow(&c.holder, 5)
		grow(&c.destination, 6)
		grow(&c.outlook, 10)
	}
	if c.bar > 0 {
		grow(&c.bar, rest/2)
	}
	grow(&c.name, rest)
	return c
}

func (c *hostColumns) headers() []hostHeader {
	level := hostHeader{c.level, "LEVEL", false, fleet.ColumnWorst}
	if c.level < len(level.name) {
		level.name = ""
	}
	return []hostHeader{
		{c.name, "HOST", false, fleet.ColumnHost}, level, {c.bar, "", false, 0}, {c.percent, "USED", true, fleet.ColumnUsed},
		{c.destination, "DESTINATION", false, fleet.ColumnDestination}, {c.holder, "HOLDER", false, fleet.ColumnHolder},
		{c.outlook, "OUTLOOK", false, fleet.ColumnOutlook}, {c.failed, "FAILED", true, fleet.ColumnFailed},
		{c.exhausted, "EXHAUSTED", true, fleet.ColumnExhausted}, {c.age, "AGE", true, fleet.ColumnAge},
	}
}

// hostHeader is the name of a column, and what it is sorted by; ColumnWorst where
// it is not.
type hostHeader struct {
	w     int
	name  string
	right bool
	sort  fleet.Column
}

// drawHosts draws the table.
func (p *Painter) drawHosts(r screen.Rect, v *View) {
	f, height := v.Fleet, listLines(r, 3)
	c := layoutHosts(r.W-2-gutter-1, f.Day)
	headers := c.headers()
	inside := p.box(r, true, p.hostsBox(v, height, headers))
	switch {
	case len(f.Rows) == 0 && v.Filter.Text != "":
		p.middle(inside, theme.Text, "no host matches "+text.Sanitize(v.Filter.Text), "esc shows all")
		return
	case len(f.Rows) == 0:
		p.middle(inside, theme.Dim, "no host yet", "")
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
			p.mark(inside, y)
		}
	}
}

// hostsBox says which hosts are in sight, by what they are filtered and sorted, and
// of when failed connects are.
func (p *Painter) hostsBox(v *View, height int, headers []hostHeader) screen.Box {
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
	if failed := headers[7]; failed.w > 0 && f.Day {
		box.Note += " · failed and exhausted: last 24 h"
	}
	if f.Lack != nil {
		box.Note, box.NoteStyle = "! "+text.Sanitize(f.Lack.Error()), theme.Warn
	}
	return box
}

func (p *Painter) hostHeaders(x, y int, f *Fleet, headers []hostHeader) {
	for _, h := range headers {
		at := next(&x, h.w)
		if h.w < len(h.name) {
			continue
		}
		if h.right {
			at += h.w - len(h.name)
		}
		p.canvas.Text(at, y, len(h.name), theme.Dim, h.name)
		if h.sort == f.Order.Column && h.sort != fleet.ColumnWorst {
			p.canvas.Put(at-1, y, theme.Dim, direction(f.Order.Descending()))
		}
	}
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
	p.levelCell(next(&x, c.level), y, c.level, levelSegment(level))
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
		o := model.Outlook{Trend: trends[r.Verdict], In: r.In, Plateau: r.Plateau}
		p.phrases(at, y, c.outlook, [][]segment{verdictOf(v, &o, g.free, r.Usable)})
	}
	p.known(next(&x, c.failed), y, c.failed, r.Observed, r.Failed > 0 && !r.Day, text.Count(r.Failed))
	p.known(next(&x, c.exhausted), y, c.exhausted, r.Day, false, text.Duration(r.Exhausted))
}

func (p *Painter) hostHolder(x, y, w int, r *fleet.Row) {
	switch {
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
