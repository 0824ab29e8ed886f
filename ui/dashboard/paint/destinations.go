package paint

import (
	"ephtop/model"
	"ephtop/model/list"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// destinationColumns are the widths of the columns of the list of destinations;
// 0 for one that there is no room for.
type destinationColumns struct {
	name, bar, percent, used, free, live, waiting, rate, outlook, holder int
}

func layoutDestinations(w int) destinationColumns {
	c := destinationColumns{percent: 6}
	rest := w - c.percent - 1
	const least = 30 // for the name and the bar
	take := func(n int) int {
		if rest < n+1+least {
			return 0
		}
		rest -= n + 1
		return n
	}
	c.outlook = take(14)
	c.used = take(7)
	c.holder = take(10)
	c.free = take(7)
	c.live = take(7)
	c.waiting = take(9)
	c.rate = take(7)
	c.name = min(max(rest/2, 22), 48, max(rest, 0))
	c.bar = max(rest-c.name-1, 0)
	if c.bar < 6 {
		c.name, c.bar = max(rest, 0), 0
	}
	return c
}

// headers are the names of the columns.
func (c *destinationColumns) headers() []header {
	return []header{
		{c.name, "DESTINATION", false, list.ColumnDestination}, {c.bar, "", false, 0}, {c.percent, "%", true, 0},
		{c.used, "USED", true, list.ColumnUsed}, {c.free, "FREE", true, list.ColumnFree}, {c.live, "LIVE", true, list.ColumnLive},
		{c.waiting, "TIME_WAIT", true, list.ColumnTimeWait}, {c.rate, "+/s", true, list.ColumnRate},
		{c.outlook, "OUTLOOK", false, list.ColumnOutlook}, {c.holder, "HOLDER", false, list.ColumnHolder},
	}
}

// drawDestinationList draws the destinations, each with what is used of the
// range towards it and where that is going.
func (p *Painter) drawDestinationList(r screen.Rect, v *View) {
	height := listLines(r, 3)
	c := layoutDestinations(r.W - 2 - gutter - 1)
	headers := c.headers()
	inside := p.faceBox(r, v, faceFoot(v, height), headers)
	switch {
	case v.State == nil:
		p.middle(inside, theme.Dim, waitingFor(v), "")
		return
	case len(v.Destinations) == 0 && v.Filter.Text != "":
		p.middle(inside, theme.Text, "no destination has a connection that matches the filter "+text.Sanitize(v.Filter.Text), "esc clears it")
		return
	case len(v.Destinations) == 0:
		p.middle(inside, theme.Dim, "no ephemeral ports in use", "")
		return
	}
	x := inside.X + gutter
	if inside.H > height {
		p.headers(x, inside.Y, v, headers)
	}
	p.lines(inside, height, v, PaneDestinations, func(i, y int) {
		p.destinationLine(x, y, c, v, &v.State.TCP.Pressure.Tuples[v.Destinations[i]])
	})
}

func (p *Painter) destinationLine(x, y int, c destinationColumns, v *View, t *model.TupleUse) {
	p.canvas.Bytes(next(&x, c.name), y, c.name, theme.Text, p.tuple(c.name, v, &t.TupleKey, t.Limit))
	g := tupleGauge(t)
	p.gaugeBar(next(&x, c.bar), y, c.bar, v, &g)
	style := theme.Text
	if t.Level > model.LevelOK {
		style = levelRoles[t.Level]
	}
	p.percent(next(&x, c.percent), y, c.percent, style, v.State.Thresholds.Below(t.Percent()))
	p.count(next(&x, c.used), y, c.used, theme.Text, t.Used)
	p.count(next(&x, c.free), y, c.free, theme.Text, t.Free)
	p.count(next(&x, c.live), y, c.live, theme.Text, t.Live)
	p.count(next(&x, c.waiting), y, c.waiting, theme.Text, t.TimeWait)
	p.buf = text.AppendRate(p.buf[:0], t.Outlook.Rate)
	p.canvas.BytesRight(next(&x, c.rate), y, c.rate, theme.Dim, p.buf)
	if at := next(&x, c.outlook); c.outlook > 0 {
		usable := t.Limit.Of(v.State.TCP.Pressure.Usable)
		p.phrases(at, y, c.outlook, [][]segment{verdictOf(v, &t.Outlook, t.Free, usable)})
	}
	p.owner(x, y, c.holder, v, t.Process, t.Tier)
}
