package paint

import (
	"fmt"
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
// line, or where there are more, in a chart as wide as the gauges and a line of
// words below it.
func (p *Painter) drawTrend(c columns, r screen.Rect, v *View) {
	if r.Empty() {
		return
	}
	scale := scaleOf(v)
	if r.H > 1 {
		chart, last := r.SplitBottom(1)
		p.canvas.Text(c.label.X, chart.Y+chart.H-1, c.label.W, theme.Dim, historyLabel(c, scale))
		p.drawHistory(screen.Rect{X: c.bar.X, Y: chart.Y, W: c.bar.W, H: chart.H}, v, scale)
		p.canvas.Text(c.label.X, last.Y, c.label.W, theme.Dim, "forecast")
		p.phrases(c.bar.X, last.Y, r.X+r.W-c.bar.X, forecast(v))
		return
	}
	words := trend(v)
	width := measure(words)
	p.canvas.Text(r.X, r.Y, c.label.W, theme.Dim, historyLabel(c, scale))
	chart := screen.Rect{X: c.bar.X, Y: r.Y, W: max(r.X+r.W-c.bar.X-width-2, 0), H: 1}
	p.drawHistory(chart, v, scale)
	p.segments(chart.X+chart.W+2, r.Y, width, words...)
}

// historyLabel says what the height and the width of the history stand for.
func historyLabel(c columns, s scale) string {
	label := "5 min 0–" + s.text()
	if c.label.W > len("last ")+text.Width(label) {
		label = "last " + label
	}
	return label
}

// phrases draws pieces beside each other, as many as fit whole.
func (p *Painter) phrases(x, y, room int, pieces []segment) {
	for _, s := range pieces {
		field := text.Width(s.text) + 3
		s.text = strings.TrimRight(s.text, " ")
		if text.Width(s.text) > room {
			return
		}
		p.segments(x, y, room, s)
		x, room = x+field, room-field
	}
}

const udpTrend = "UDP takes a port of its address, whoever it speaks to"

// trend says in a few words where the headline is going. The fields have a
// fixed width, so that the chart beside them keeps its own.
func trend(v *View) []segment {
	if v.Proto == ProtoUDP {
		return []segment{{theme.Dim, udpTrend}}
	}
	words := []segment{
		{theme.Text, fmt.Sprintf("%7s  ", growth(v))}, pieceOf(forecastSegment(v), 14),
	}
	if slow := slowSegment(v); slow.text != "" {
		words = append(words, blanks(2), slow)
	}
	return words
}

// forecast says the same in full.
func forecast(v *View) []segment {
	if v.Proto == ProtoUDP {
		return []segment{{theme.Dim, udpTrend}}
	}
	o := &v.State.Outlook
	words := []segment{pieceOf(segment{theme.Text, growth(v)}, 7), pieceOf(forecastSegment(v), 14)}
	if o.Sustainable > 0 && !full(v) {
		closes := segment{theme.Text, "closes " + text.Count(int(o.CloseRate+0.5)) + "/s of " + text.Count(int(o.Sustainable))}
		if o.Trend == model.TrendFull && o.CloseRate > o.Sustainable {
			closes.style = theme.Warn
		}
		words = append(words, pieceOf(closes, 20))
	}
	words = append(words, plateauSegment(v), slowSegment(v))
	return slices.DeleteFunc(words, func(s segment) bool { return s.text == "" })
}

// full tells whether no port can be had: then none is closed or opened, and a
// rate says nothing.
func full(v *View) bool { return v.State.Outlook.Trend == model.TrendFull && v.State.Outlook.In == 0 }

// growth is how fast the use grows.
func growth(v *View) string {
	if full(v) {
		return ""
	}
	return rate(v.State.Outlook.Rate) + "/s"
}

// plateauSegment says where the use goes if closes go on as they do, and when it
// is there: where it settles, or more than there is.
func plateauSegment(v *View) segment {
	o, usable := &v.State.Outlook, v.State.TCP.Pressure.Usable
	if head := v.State.TCP.Pressure.Headline(); head.Scope == model.ScopeTuple {
		usable = head.Limit.Of(usable)
	}
	share := text.Count(o.Plateau) + " (" + text.Percent(model.Percent(o.Plateau, usable)) + " %)"
	switch o.Trend {
	case model.TrendFull:
		if !full(v) && o.Plateau > usable {
			return segment{theme.Critical, "would take " + share}
		}
		return segment{}
	case model.TrendLevelsOff:
		style := theme.Text
		if level := v.State.Thresholds.Level(o.Plateau, usable); level > model.LevelOK {
			style = levelRoles[min(level, model.LevelCritical)]
		}
		return segment{style, "settles at " + share + " in " + text.Duration(o.In)}
	case model.TrendDrains:
		return segment{theme.Text, "drains to " + share + " in " + text.Duration(o.In)}
	}
	return segment{}
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

// slowSegment warns of connects that scan half of the range in vain.
func slowSegment(v *View) segment {
	t := v.State.TCP.Pressure.Worst()
	if t == nil || v.State.TCP.Pressure.PoolOnly {
		return segment{}
	}
	switch {
	case t.SlowConnect():
		return segment{theme.Warn, "! slow connect"}
	case t.NearlySlow():
		return segment{theme.Warn, "first half " + text.Percent(t.FirstHalfPercent()) + " %"}
	}
	return segment{}
}

// pieceOf fills s up to width with blanks.
func pieceOf(s segment, width int) segment {
	s.text += strings.Repeat(" ", max(width-text.Width(s.text), 0))
	return s
}

// forecastSegment is the verdict of the headline's outlook.
func forecastSegment(v *View) segment { return verdict(&v.State.Outlook) }

// verdict is what an outlook says in two words.
func verdict(o *model.Outlook) segment {
	switch left := o.Left(); {
	case o.Trend == model.TrendFull && o.In == 0:
		return segment{theme.Critical, "no port free"}
	case o.Trend == model.TrendUnknown:
		return segment{theme.Dim, "not known yet"}
	case o.Trend == model.TrendDrains:
		return segment{theme.Dim, "falling"}
	case o.Trend == model.TrendLevelsOff:
		return segment{theme.Text, "levels off"}
	case o.Trend == model.TrendSteady:
		return segment{theme.Dim, "steady"}
	case left > time.Hour:
		return segment{theme.Dim, "full in " + text.Duration(left.Round(time.Minute))}
	case left > 5*time.Minute:
		return segment{theme.Text, "full in " + text.Duration(left)}
	case left > time.Minute:
		return segment{theme.Warn, "full in " + text.Duration(left)}
	default:
		return segment{theme.Critical, "full in " + text.Duration(left)}
	}
}

// scale is what the full height of the history stands for.
type scale struct {
	ports, usable int
}

// scaleOf takes the smallest of a few round scales that the history fits in,
// so that a host with few ports in use shows more than a flat line.
func scaleOf(v *View) scale {
	s := scale{usable: v.State.TCP.Pressure.Usable}
	peak := 0
	for i := range v.State.History {
		peak = max(peak, usedAt(v, &v.State.History[i]))
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
	return s
}

func (s scale) text() string {
	if s.ports*100 < s.usable {
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

// drawHistory draws the use of the range over the last minutes, the present at
// the right. A column stands for a stretch of time that begins at
// a round moment: the picture moves by whole columns and is still between.
func (p *Painter) drawHistory(r screen.Rect, v *View, full scale) {
	history := v.State.History
	if r.Empty() || len(history) == 0 {
		return
	}
	step := int64(model.HistorySpan+time.Duration(r.W)-1) / int64(r.W)
	last := history[len(history)-1].Clock / step
	// Between two polls a value holds on; a longer gap is left blank.
	holds := int64(2*v.Interval)/step + 1
	heldFrom := last - int64(r.W) - holds
	var share float64
	var level model.Level
	for x, i := 0, 0; x < r.W; x++ {
		column := last - int64(r.W-1-x)
		for fresh := true; i < len(history); i++ {
			s := &history[i]
			at := s.Clock / step
			if at > column {
				break
			}
			if at > heldFrom || fresh {
				share, level, heldFrom, fresh = 0, model.LevelOK, at, false
			}
			share = max(share, float64(usedAt(v, s))/float64(max(full.ports, 1)))
			level = max(level, s.Level)
		}
		if column-heldFrom > holds {
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
