package paint

import (
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"ephtop/model"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// drawTrend draws where the headline comes from and where it is going: in one
// line, or where there are more, in charts of the last minutes and of the hour
// beside each other, and a line of words below them.
func (p *Painter) drawTrend(c columns, r screen.Rect, v *View) {
	if r.Empty() {
		return
	}
	minutes := chartOf(v, model.HistorySpan, v.State.History)
	if r.H == 1 {
		p.canvas.Text(r.X, r.Y, c.label.W, theme.Dim, ownRange(v, minutes.label(c.label.W), c.label.W))
		// As wide whatever the words are, so that it stays in place.
		chart, words := screen.Rect{X: c.bar.X, Y: r.Y, W: r.X + r.W - c.bar.X, H: 1}.SplitLeft(max((r.W-c.label.W)*3/10, 12))
		p.drawHistory(chart, v, minutes)
		p.phrases(words.X+2, words.Y, words.W-2, trend(v, words.W-2, false))
		return
	}
	r, last := r.SplitBottom(1)
	p.canvas.Text(c.label.X, last.Y, c.label.W, theme.Dim, "outlook")
	whole := screen.Rect{X: c.bar.X, Y: r.Y, W: r.X + r.W - c.bar.X, H: r.H}
	p.phrases(whole.X, last.Y, whole.W, trend(v, whole.W, true))
	const name = 14
	left, right := whole.SplitLeft((whole.W - name) / 2)
	label, right := right.SplitLeft(name)
	_, label = label.SplitLeft(2)
	hour := chartOf(v, model.HourSpan, v.State.Hour, newer(v.State))
	for _, side := range [...]struct {
		label, chart screen.Rect
		name         string
		of           chart
	}{{c.label, left, ownRange(v, "last 5 min", c.label.W), minutes}, {label, right, "last hour", hour}} {
		p.canvas.Text(side.label.X, r.Y, side.label.W, theme.Dim, side.name)
		p.canvas.Text(side.label.X, r.Y+r.H-1, side.label.W, theme.Dim, "0–"+side.of.scale.text())
		p.drawHistory(side.chart, v, side.of)
	}
}

// ownRange says before words that what they name is of the range of ports, where the
// first gauge is of others and there is room.
func ownRange(v *View, words string, room int) string {
	if said := "own range, " + strings.TrimPrefix(words, "last "); v.poolLeads() && text.Width(said) <= room {
		return said
	}
	return words
}

// label says what the height and the width of a chart stand for.
func (c *chart) label(room int) string {
	label := "5 min 0–" + c.scale.text()
	if room > len("last ")+text.Width(label) {
		label = "last " + label
	}
	return label
}

// phrases draws pieces with a dot between them: of each the longest form that
// there is room for.
func (p *Painter) phrases(x, y, room int, pieces [][]segment) {
	dot := segment{}
	for _, forms := range pieces {
		for _, s := range forms {
			if w := measure([]segment{dot, s}); w <= room {
				p.segments(x, y, room, dot, s)
				x, room, dot = x+w, room-w, segment{theme.Dim, " · "}
				break
			}
		}
	}
}

const udpTrend = "UDP takes a port of its address, whoever it speaks to"

// trend says where the headline is going, the longest form of each piece first.
// There is one verdict, that of the model, and nothing that could be read as
// another: no rate beside a number that stays, and what the range bears only
// where it says the same as the verdict.
func trend(v *View, room int, long bool) [][]segment {
	if v.Proto == ProtoUDP {
		return [][]segment{{{theme.Dim, udpTrend}, {theme.Dim, "a port each, whoever it speaks to"}}}
	}
	if v.poolLeads() {
		return v.poolTrend(v.leads())
	}
	grows, goes := growth(v), verdict(v)
	if measure(grows)+len(" · ")+text.Width(goes[len(goes)-1].text) > room {
		grows = nil
	}
	return [][]segment{grows, goes, plateau(v, long), slow(v), bears(v, long)}
}

// full tells whether no port can be had: then none is closed or opened, and a
// rate says nothing.
func full(v *View) bool { return v.State.Outlook.Trend == model.TrendFull && v.State.Outlook.In == 0 }

// growth is how fast the use goes where the verdict says that it goes.
func growth(v *View) []segment {
	o := &v.State.Outlook
	r := rate(o.Rate)
	up := o.Trend == model.TrendFull || o.Trend == model.TrendLevelsOff
	if full(v) || r == "0" || up != (o.Rate > 0) || !up && o.Trend != model.TrendDrains {
		return nil
	}
	return []segment{{theme.Text, r + "/s"}}
}

// verdict is that of the headline's outlook.
func verdict(v *View) []segment {
	return verdictOf(v, &v.State.Outlook, v.State.TCP.Pressure.Headline().Free, usable(v))
}

// verdictOf is what an outlook says of something with so many free and usable
// ports, in fewer and fewer words.
func verdictOf(v *View, o *model.Outlook, free, usable int) []segment {
	share := text.Percent(model.Percent(o.Plateau, usable)) + " %"
	there, in := text.Count(o.Plateau)+" ("+share+")", ""
	if o.In > 0 { // when is not known of all that settle
		in = " in " + text.Duration(o.In)
	}
	full := o.Trend == model.TrendFull && o.In == 0
	switch left := o.Left(); {
	case full && free == 0:
		return []segment{{theme.Critical, "no port free"}}
	case full:
		return []segment{{theme.Critical, "full now"}}
	case o.Trend == model.TrendUnknown:
		return []segment{{theme.Dim, "not known yet"}}
	case o.Trend == model.TrendSteady:
		return []segment{{theme.Dim, "steady"}}
	case o.Trend == model.TrendDrains:
		return []segment{{theme.Dim, "drains to " + there + in}, {theme.Dim, "drains to " + share + in}, {theme.Dim, "drains to " + share}, {theme.Dim, "drains"}}
	case o.Trend == model.TrendLevelsOff:
		style := theme.Text
		if level := v.thresholds().Level(o.Plateau, usable); level > model.LevelOK {
			style = levelRoles[min(level, model.LevelCritical)]
		}
		return []segment{{style, "levels off at " + there + in}, {style, "levels off at " + share + in}, {style, "levels off " + share}, {style, "levels off"}}
	case left > time.Hour:
		return []segment{{theme.Dim, "full in " + text.Duration(left)}}
	case left > 5*time.Minute:
		return []segment{{theme.Text, "full in " + text.Duration(left)}}
	case left > time.Minute:
		return []segment{{theme.Warn, "full in " + text.Duration(left)}}
	default:
		return []segment{{theme.Critical, "full in " + text.Duration(left)}}
	}
}

// usable is how many ports the headline's caller has.
func usable(v *View) int {
	p := &v.State.TCP.Pressure
	if h := p.Headline(); h.Scope == model.ScopeTuple {
		return h.Limit.Of(p.Usable)
	}
	return p.Usable
}

// plateau says that more ports would be taken than there are.
func plateau(v *View, long bool) []segment {
	o := &v.State.Outlook
	if !long || o.Trend != model.TrendFull || full(v) || o.Plateau <= usable(v) {
		return nil
	}
	return []segment{{theme.Critical, "would take " + text.Count(o.Plateau) + " (" + text.Percent(model.Percent(o.Plateau, usable(v))) + " %)"}}
}

// bears says how many closes the range bears, where there are some, and where
// that is not less than these unless it gets full.
func bears(v *View, long bool) []segment {
	o := &v.State.Outlook
	closes, holds := int(o.CloseRate+0.5), int(o.Sustainable)
	if closes == 0 || holds == 0 || full(v) || (closes > holds) != (o.Trend == model.TrendFull) {
		return nil
	}
	style := theme.Text
	if closes > holds {
		style = theme.Warn
	}
	words := "holds " + text.Count(holds) + " closes/s"
	if long {
		words = text.Count(closes) + " closes/s, holds " + text.Count(holds)
	}
	return []segment{{style, words}}
}

// slow warns of connects that scan half of the range in vain.
func slow(v *View) []segment {
	t := v.State.TCP.Pressure.Worst()
	if t == nil || v.State.TCP.Pressure.Headline().Scope != model.ScopeTuple {
		return nil
	}
	switch {
	case t.SlowConnect():
		return []segment{{theme.Warn, "slow connect"}}
	case t.NearlySlow():
		return []segment{{theme.Text, "first half " + text.Percent(t.FirstHalfPercent()) + " %"}}
	}
	return nil
}

// pieceOf fills s up to width with blanks.
func pieceOf(s segment, width int) segment {
	s.text += strings.Repeat(" ", max(width-text.Width(s.text), 0))
	return s
}

// rate writes ports per second, small ones with a decimal: half a port a
// second fills a small range within the hour.
func rate(r float64) string {
	if math.Abs(r) < 0.05 || math.Abs(r) >= 9.95 {
		return text.Rate(r)
	}
	sign := "+"
	if r < 0 {
		sign = "−"
	}
	return sign + strconv.FormatFloat(math.Abs(r), 'f', 1, 64)
}

// scale is what the full height of a chart stands for.
type scale struct {
	ports, usable int
}

// chart is a span of the past on screen.
type chart struct {
	span  time.Duration
	parts [][]model.Sample // the oldest first
	scale scale
	// held is for how long a sample holds on where none follows.
	held time.Duration
}

// chartOf makes a chart. Its scale is the smallest of a few round ones that it
// fits in, so that a host with few ports in use shows more than a flat line.
func chartOf(v *View, span time.Duration, parts ...[]model.Sample) chart {
	s, peak := scale{usable: v.State.TCP.Pressure.Usable}, 0
	for _, part := range parts {
		for i := range part {
			peak = max(peak, usedAt(v, &part[i]))
		}
	}
	s.ports = s.usable
	for _, percent := range [...]int{50, 20, 10, 5, 2, 1} {
		if at := s.usable * percent / 100; peak <= at {
			s.ports = at
		}
	}
	for _, ports := range [...]int{200, 100, 50, 20, 10} {
		if ports*100 < s.usable && peak <= ports {
			s.ports = ports
		}
	}
	return chart{span, parts, s, 3 * max(pace(v.State.History), model.HourStep)}
}

// at is the ith sample, or nil.
func (c *chart) at(i int) *model.Sample {
	for _, part := range c.parts {
		if i < len(part) {
			return &part[i]
		}
		i -= len(part)
	}
	return nil
}

// pace is the time between samples: the shorter one of the last two, for the
// other may be one in which nothing was polled.
func pace(history []model.Sample) time.Duration {
	var between time.Duration
	for i := len(history) - 1; i > 0 && i > len(history)-3; i-- {
		if d := time.Duration(history[i].Clock - history[i-1].Clock); between == 0 || d < between {
			between = d
		}
	}
	return between
}

// newer is the part of the history that the hour has not summed up yet.
func newer(st *model.State) []model.Sample {
	if len(st.Hour) == 0 {
		return st.History
	}
	end := st.Hour[len(st.Hour)-1].Clock + model.HourStep.Nanoseconds()
	i, _ := slices.BinarySearchFunc(st.History, end, func(s model.Sample, at int64) int { return cmp.Compare(s.Clock, at) })
	return st.History[i:]
}

func (s scale) text() string {
	if s.ports < s.usable/100 {
		return strconv.Itoa(s.ports) + " ports"
	}
	return text.Percent(model.Percent(s.ports, s.usable)) + " %"
}

// usedAt is the figure of a sample that the history shows.
func usedAt(v *View, s *model.Sample) int {
	if v.Proto == ProtoUDP {
		return int(s.UDP)
	}
	if usable := v.State.TCP.Pressure.Usable; int(s.Usable) != usable && s.Usable > 0 { // as a share
		return int(s.Used) * usable / int(s.Usable)
	}
	return int(s.Used)
}

// drawHistory draws the use of the range over a span of the past, the present at
// the right. A column stands for a stretch of time that begins at a round
// moment, so that the picture moves by whole columns and is still between, and
// is as bad as the worst in it. One without a sample shows what was before; where
// nothing was polled for long, there is a dot.
func (p *Painter) drawHistory(r screen.Rect, v *View, c chart) {
	if r.Empty() || len(v.State.History) == 0 {
		return
	}
	step := int64(c.span+time.Duration(r.W)-1) / int64(r.W)
	first := v.State.Clock/step - int64(r.W-1)
	seen, in := int64(math.MinInt64/2), int64(-1) // the last sample, and its column
	var share float64
	var level model.Level
	for x, i := 0, 0; x < r.W; x++ {
		column := first + int64(x)
		for s := c.at(i); s != nil && s.Clock/step <= column; s = c.at(i) {
			if at := s.Clock / step; at != in {
				share, level, in = 0, model.LevelOK, at
			}
			share = max(share, float64(usedAt(v, s))/float64(max(c.scale.ports, 1)))
			level, seen = max(level, s.Level), s.Clock
			i++
		}
		if column*step-seen > c.held.Nanoseconds() {
			p.canvas.Put(r.X+x, r.Y+r.H-1, theme.Free, '·')
			continue
		}
		style := theme.Chart
		if level > model.LevelOK && v.Proto != ProtoUDP {
			style = levelRoles[min(level, model.LevelCritical)]
		}
		p.canvas.Column(r.X+x, r.Y, r.H, style, share)
	}
}
