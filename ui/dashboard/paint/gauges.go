package paint

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// gauge is one line of the box of gauges.
type gauge struct {
	label string
	// to is what the label names, where that is a tuple.
	to                            *model.TupleKey
	live, timeWait, blocked, free int
	// suspected is a part of blocked.
	suspected int
	// level is that of the gauge, if it is graded: if a share past a threshold is
	// trouble, and not just many ports in use.
	level  model.Level
	graded bool
	// pool says that it is of translated ports, and unsure that timeWait may be free.
	pool, unsure bool
	// first says that it is the headline, and soon that it will be full in minutes.
	first, soon bool
}

func (g *gauge) percent() float64 {
	used := g.live + g.timeWait + g.blocked
	return model.Percent(used, used+g.free)
}

// word is the level, which is but of now where the ports are soon used up.
func (g *gauge) word() segment {
	word := levelSegment(g.level)
	if g.soon && g.level == model.LevelOK {
		word.text += " so far"
	}
	return word
}

// headline is the gauge that says when connect() fails first, or for UDP
// bind().
func headline(v *View) gauge {
	pressure := pressureOf(v)
	h := pressure.Headline()
	g := gauge{
		label: "whole pool", live: h.Live, timeWait: h.TimeWait, blocked: h.Blocked + h.Suspected, free: h.Free,
		suspected: h.Suspected, level: h.Level, graded: true, first: true, soon: v.fillsSoon(),
	}
	recent := v.State.Failures.Recent - v.State.Failures.RecentUDP
	if v.Proto == ProtoUDP {
		recent = v.State.Failures.RecentUDP
	}
	if recent > 0 {
		g.level = model.LevelExhausted
	}
	switch {
	case h.Scope == model.ScopeTuple:
		g.label, g.to = destination(v, &h.Key)+portsOf(h.Limit), &h.Key
	case h.Scope == model.ScopeBind:
		g.label = "bind() on " + h.Key.Source.String()
	case v.Proto == ProtoUDP:
		g.label = "UDP"
	case pressure.InUse == 0 && v.State.UDP.Pressure.InUse > 0:
		g.label = "no TCP port"
	case pressure.InUse == 0:
		g.label = "no port in use"
	}
	return g
}

// pressureOf is that of the protocol in view: of TCP where both are.
func pressureOf(v *View) *model.Pressure {
	if v.Proto == ProtoUDP {
		return &v.State.UDP.Pressure
	}
	return &v.State.TCP.Pressure
}

// udpShare is the share of the ports, in percent, from which on UDP has a gauge
// although it is not asked for.
const udpShare = 1

// gaugeCount is the number of gauges.
func (v *View) gaugeCount() int {
	if _, ok := v.translated(0); ok {
		return v.socketGauges() + 1
	}
	return v.socketGauges()
}

// socketGauges is the number of those of sockets. UDP is one while it has had a share
// worth a look within the history, so that it does not come and go.
func (v *View) socketGauges() int {
	if v.State == nil {
		return 2
	}
	if v.Proto != ProtoTCP || slices.ContainsFunc(v.State.History, func(s model.Sample) bool {
		return s.UDP > 0 && model.Percent(int(s.UDP), v.State.UDP.Pressure.Usable) >= udpShare
	}) {
		return 3
	}
	return 2
}

// gauges are the lines: the headline, and what stands beside it. A label has room for
// so many columns.
func gauges(v *View, room int) []gauge {
	tcp, udp := &v.State.TCP.Pressure, &v.State.UDP.Pressure
	all := []gauge{headline(v), pool("whole pool", tcp), pool("UDP", udp)}
	all[2].level, all[2].graded = udp.PoolLevel, true
	worst := tcp.Worst()
	switch {
	case v.Proto == ProtoUDP:
		all[2] = all[1]
		all[2].label = "TCP pool"
		all[1] = bindPool(udp)
	case tcp.PoolOnly && worst != nil:
		all[1] = tupleGauge(worst)
		all[1].label, all[1].to, all[1].graded = destination(v, &worst.TupleKey), &worst.TupleKey, false
	}
	return withNAT(v, all[:v.socketGauges()], room)
}

func pool(label string, p *model.Pressure) gauge {
	return gauge{label: label, live: p.Live, timeWait: p.TimeWait, blocked: p.Blocked, free: p.Usable - p.InUse}
}

func tupleGauge(t *model.TupleUse) gauge {
	return gauge{
		live: t.Live, timeWait: t.TimeWait, blocked: t.Blocked + t.Suspected, free: t.Free, suspected: t.Suspected,
		// A private pool that is in no trouble is full of what its program wants.
		level: t.Level, graded: t.Pool == model.PoolRange || t.Level > model.LevelOK,
	}
}

// bindPool is the gauge of the fullest local address.
func bindPool(p *model.Pressure) gauge {
	if len(p.BindPools) == 0 {
		return gauge{label: "no port in use", free: p.Usable}
	}
	b := &p.BindPools[0]
	return gauge{label: "from " + b.Local.String(), live: b.Used, free: b.Free}
}

// portsOf names the ports of a private pool.
func portsOf(l model.Limit) string {
	switch {
	case l.Kind == model.PoolRange:
		return ""
	case l.Low == l.High:
		return fmt.Sprintf(" from %d", l.Low)
	}
	return fmt.Sprintf(" from %d–%d", l.Low, l.High)
}

// destination names a tuple by what it leads to.
func destination(v *View, k *model.TupleKey) string {
	to := k.To()
	if name := serviceName(v, k.Port, source.TCP); name != "" {
		to = to[:strings.LastIndexByte(to, ':')+1] + name
	}
	return to
}

// drawSummary is the headline where there is no room for a box: a sentence,
// and below it the gauge.
func (p *Painter) drawSummary(r screen.Rect, v *View) {
	x, w := r.X, r.W
	if w >= 40 {
		x, w = x+1, w-2
	}
	if v.State == nil {
		p.canvas.Text(x, r.Y, w, theme.Dim, waitingFor(v))
		return
	}
	g := headline(v)
	leads := v.poolLeads()
	if leads {
		g, _ = v.translated(0)
	}
	sentence := strings.Replace(g.share(v, w), " %", "%", 1) + " of " + text.Count(g.live+g.timeWait+g.blocked+g.free)
	if !leads && v.State.TCP.Pressure.Worst() != nil && v.Proto != ProtoUDP && !v.State.TCP.Pressure.PoolOnly {
		sentence += " to"
	}
	n := p.segments(x, r.Y, w, segment{levelRoles[g.level], sentence}, segment{theme.Text, " " + g.label})
	word := g.word()
	if n+1+text.Width(word.text) > w {
		word = levelSegment(g.level)
	}
	if width := text.Width(word.text); n+1+width <= w {
		p.segments(x+w-width, r.Y, width, word)
	} else if n+2 <= w {
		p.segments(x+w-1, r.Y, 1, segment{word.style, levelMark(g.level)})
	}
	if r.H > 1 {
		p.gaugeBar(x, r.Y+1, w, v, &g)
	}
}

// drawGauges draws the box of gauges.
func (p *Painter) drawGauges(r screen.Rect, v *View) {
	box := screen.Box{Title: "Ephemeral ports"}
	if v.State != nil {
		if v.named() {
			box.Title += " of " + advice.Namespace(&v.State.Snapshot.Scope)
		}
		found := findingsSegment(v)
		box.Foot, box.FootStyle = found.text, found.style
		level := headline(v).level
		if nat, ok := v.translated(0); ok {
			level = max(level, nat.level)
		}
		if level > model.LevelOK {
			box.Edge = levelRoles[min(level, model.LevelCritical)]
		}
		box.Right = rangeText(&v.State.Snapshot.Settings, r.W >= mapWidth)
		if v.poolLeads() {
			box.Right = "own range " + box.Right
		}
		if limits := advice.Limits(v.State.Moment); len(limits) > 0 {
			box.Note, box.NoteStyle = text.Sanitize(limits[0]), theme.Warn
			if n := len(limits); n > 1 {
				box.Note = text.Count(n) + " things not seen (? says which): " + box.Note
			}
			box.Note = "! " + box.Note
		}
	}
	inside := p.box(r, false, box).Inset(1, 0)
	if v.State == nil {
		p.middle(inside, theme.Dim, waitingFor(v), "")
		return
	}
	c := gaugeColumns(inside, v)
	all := gauges(v, c.label.W)
	for i := range all {
		p.drawGauge(c, inside.Y+i, v, &all[i])
	}
	_, rest := inside.SplitTop(len(all))
	if rest.H > trendLine {
		p.drawLegend(c, rest.Y, v)
		p.drawMap(c, rest.Y+legendLines, v)
		_, rest = rest.SplitTop(legendLines + mapLines)
	}
	p.drawTrend(c, rest, v)
}

// waitingFor says why there is nothing to see.
func waitingFor(v *View) string {
	if v.Err != nil {
		return "no data yet: the last poll failed"
	}
	return "reading sockets…"
}

// rangeText says which ports it is about.
func rangeText(s *source.Settings, long bool) string {
	out := fmt.Sprintf("%d–%d · %s", s.Range.Low, s.Range.High, text.Plural(s.Usable(), "port", "ports"))
	reserved := s.ReservedInRange()
	switch {
	case s.Assumed:
		return out + " (assumed)"
	case reserved > 0:
		return out + " · " + text.Count(reserved) + " more reserved"
	case long:
		return out + " · 0 reserved"
	}
	return out
}

// columns are where the parts of a gauge stand.
type columns struct {
	label, bar, percent, level screen.Rect
}

// gaugeColumns makes room for a headline that is of no use where it is cut: the
// ports of a pool of its own stand at its end.
func gaugeColumns(r screen.Rect, v *View) columns {
	var c columns
	label := max(17, min(r.W/5, 26))
	if h := pressureOf(v).Headline(); h.Scope == model.ScopeBind || h.Limit.Kind != model.PoolRange {
		label = max(label, min(text.Width(headline(v).label), 2*r.W/5))
	}
	percent := 7
	if g, ok := v.translated(v.poolLabel(r.W)); ok {
		label = max(label, min(text.Width(g.label), v.poolLabel(r.W)))
		percent = max(percent, text.Width(g.share(v, r.W))+2)
	}
	c.label, r = r.SplitLeft(label)
	r, c.level = r.SplitRight(11)
	r, c.percent = r.SplitRight(percent)
	c.percent.W -= 2
	c.bar = screen.Rect{X: r.X + 1, Y: r.Y, W: max(r.W-2, 0), H: r.H}
	return c
}

// fillsSoon reports whether the sentence says that the headline's ports are
// nearly full, for it is the time that makes it urgent and not the share.
func (v *View) fillsSoon() bool {
	return v.Sentence.Level > model.LevelOK && v.State.Outlook.Trend == model.TrendFull && v.State.Outlook.Left() <= 5*time.Minute
}

func (p *Painter) drawGauge(c columns, y int, v *View, g *gauge) {
	style := theme.Text
	if g.first {
		style = theme.Strong
	}
	p.gaugeLabel(c.label.X, y, c.label.W, style, v, g)
	p.gaugeBar(c.bar.X, y, c.bar.W, v, g)
	told := g.first || g.graded && g.level > model.LevelOK
	if told {
		style = levelRoles[min(g.level, model.LevelCritical)]
	}
	if told || g.pool {
		p.segments(c.level.X, y, c.level.W, g.word())
	}
	p.canvas.TextRight(c.percent.X, y, c.percent.W, style, g.share(v, c.percent.W))
}

// gaugeLabel says what a gauge is of: the destination that fails first is called
// the worst where there is room, and where there is little, it keeps its port.
func (p *Painter) gaugeLabel(x, y, w int, style theme.Role, v *View, g *gauge) {
	const worst = "worst  "
	switch {
	case g.first && g.to != nil && len(worst)+text.Width(g.label) <= w:
		p.segments(x, y, w, segment{theme.Dim, worst}, segment{style, g.label})
	case g.to == nil || text.Width(g.label) <= w:
		p.canvas.Text(x, y, w, style, g.label)
	default:
		p.canvas.Bytes(x, y, w, style, p.tuple(w, v, g.to, model.Limit{}))
	}
}

// gaugeMarks are the parts of a gauge: live, TIME_WAIT, blocked and free.
type gaugeMarks [4]rune

// The parts are told apart by patterns where there is no colour; where there is,
// by bars that keep clear of each other.
var (
	patterns = gaugeMarks{'█', '▓', '▒', '░'}
	bars     = gaugeMarks{'▇', '▇', '▇', '─'}
)

func (p *Painter) gaugeMarks() gaugeMarks {
	if p.coloured() && !p.ascii {
		return bars
	}
	return patterns
}

func (p *Painter) gaugeBar(x, y, w int, v *View, g *gauge) {
	marks := p.gaugeMarks()
	parts := [...]screen.Part{
		{Value: g.live, Style: theme.Live, Char: marks[0]},
		{Value: g.timeWait, Style: theme.TimeWait, Char: marks[1]},
		{Value: g.blocked, Style: theme.Blocked, Char: marks[2]},
	}
	var ticks []screen.Tick
	if t := v.thresholds(); g.graded {
		ticks = []screen.Tick{{Percent: t.Warning, Style: theme.Warn, Beyond: true}, {Percent: t.Critical, Style: theme.Critical, Beyond: true}}
	}
	p.canvas.Gauge(x, y, w, screen.Gauge{
		Parts: parts[:], Rest: screen.Part{Style: theme.Free, Char: marks[3]},
		Limit: g.live + g.timeWait + g.blocked + g.free, Ticks: ticks,
	})
}

// coloured reports whether colours tell the parts of a gauge apart.
func (p *Painter) coloured() bool {
	if p.inks == nil {
		return false
	}
	live, wait, blocked := p.inks[theme.Live], p.inks[theme.TimeWait], p.inks[theme.Blocked]
	return live != wait && wait != blocked && blocked != live
}
