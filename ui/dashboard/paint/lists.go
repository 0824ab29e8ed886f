package paint

import (
	"cmp"
	"slices"
	"strconv"

	"ephtop/model"
	"ephtop/model/services"
	"ephtop/source"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

var stageRoles = [...]theme.Role{
	model.StageAvailable: theme.Free, model.StageAssigned: theme.Assigned, model.StageActive: theme.Active,
	model.StageTimeWait: theme.TimeWait, model.StageServer: theme.Server,
}

func stateRole(s source.State) theme.Role { return stageRoles[model.StageOf(s)] }

func (c ProtoChoice) String() string {
	return [...]string{ProtoTCP: "tcp", ProtoUDP: "udp", ProtoBoth: "tcp + udp"}[c]
}

// withFree reports whether the pane of states has a line for the ports that are
// free, in so many lines: the states that come and go never take it. Where both
// protocols are counted, there is no one number of them.
func (v *View) withFree(height int) bool { return height > 2 && v.Proto != ProtoBoth }

// drawStates draws the histogram of states. The ports that are free stand at the
// end of a port's life. Their line has no bar: on most hosts it would make all
// others vanish.
func (p *Painter) drawStates(r screen.Rect, v *View) {
	focused := v.Focus == PaneStates
	box := screen.Box{Title: "States", Right: v.Proto.String()}
	if v.poolLeads() {
		box.Right = "own range · " + box.Right
	}
	c := v.Cursors[PaneStates]
	height := v.PaneHeights()[PaneStates]
	if hidden := len(v.States) - height; hidden > 0 {
		box.Foot = strconv.Itoa(hidden) + " more"
	}
	inside := p.box(r, focused, box)
	if v.State == nil {
		return
	}
	if len(v.States) == 0 {
		p.none(inside, v, "no ", "sockets")
		return
	}
	top := max(0, min(c.Top, len(v.States)-1))
	shown := v.States[top:min(len(v.States), top+height)]
	limit := 1
	for _, s := range shown {
		limit = max(limit, s.Count)
	}
	at := len(shown) // the line of the free ports
	if i := slices.IndexFunc(shown, func(s StateLine) bool { return model.StageOf(s.State) == model.StageServer }); i >= 0 {
		at = i
	}
	withFree := v.withFree(inside.H)
	if withFree {
		p.stateLine(inside, inside.Y+at, "available", theme.Free, theme.Dim, headline(v).free, 0)
	}
	for i, s := range shown {
		y := inside.Y + i
		if withFree && i >= at {
			y++
		}
		bar, label := stateRole(s.State), theme.Text
		if s.Level > model.LevelOK {
			bar = levelRoles[min(s.Level, model.LevelCritical)]
			label = bar
		}
		p.stateLine(inside, y, s.State.String(), bar, label, s.Count, limit)
		if focused && top+i == c.Line {
			p.mark(inside, y)
		}
	}
}

func (p *Painter) stateLine(r screen.Rect, y int, name string, bar, label theme.Role, n, limit int) {
	x, w := r.X+gutter, r.W-gutter-1
	p.canvas.Text(x, y, min(w, 11), label, name)
	p.count(x+w-7, y, 7, label, n)
	p.canvas.Bar(x+12, y, w-12-8, bar, n, limit)
}

// lines has a pane's lines in sight drawn, at the end of what is inside, and
// marks the selected one.
func (p *Painter) lines(inside screen.Rect, height int, v *View, pane Pane, draw func(i, y int)) {
	n, cur := v.Lines(pane), v.Cursors[pane]
	top := max(0, min(cur.Top, n-1))
	for i := top; i < min(n, top+height); i++ {
		y := inside.Y + inside.H - height + i - top
		draw(i, y)
		if v.Focus == pane && i == cur.Line {
			p.mark(inside, y)
		}
	}
}

// serviceName is the name to show in place of a port, or "".
func serviceName(v *View, port uint16, proto source.Proto) string {
	if !v.Names {
		return ""
	}
	return services.Name(port, proto)
}

// rangeOf says which lines are in sight: "1–7 of 18,006".
func rangeOf(top, height, n int) string {
	return text.Count(min(top+1, n)) + "–" + text.Count(min(top+height, n)) + " of " + text.Count(n)
}

// drawDestinations draws how far the range is used up towards each
// destination, the worst first.
func (p *Painter) drawDestinations(r screen.Rect, v *View) {
	inside := p.box(r, false, screen.Box{Title: "Destinations", Right: "share of the range"})
	if v.State == nil {
		return
	}
	tuples := v.State.TCP.Pressure.Tuples
	if len(tuples) == 0 {
		p.middle(inside, theme.Dim, "no ephemeral ports in use", "")
		return
	}
	x, w := inside.X+gutter, inside.W-gutter-1
	name := min(24, w/2)
	for i := range min(len(tuples), inside.H) {
		t := &tuples[i]
		y := inside.Y + i
		p.canvas.Bytes(x, y, name, theme.Text, p.tuple(name, v, &t.TupleKey, t.Limit))
		g := tupleGauge(t)
		p.gaugeBar(x+name+1, y, w-name-8, v, &g)
		style := theme.Text
		if t.Level > model.LevelOK {
			style = levelRoles[t.Level]
		}
		p.percent(x+w-6, y, 6, style, v.State.Thresholds.Below(t.Percent()))
	}
}

// ListStates makes the lines of the pane of states: a line for each state that a
// socket is in, in the order of a port's life. Where not all are in sight, the
// ones that a finding is about come first and then those with the most sockets,
// in the order of life too, so that lines change places seldom.
func (v *View) ListStates(counts *model.StateCounts) {
	lines := v.States[:0]
	for _, s := range model.LifeOrder {
		if counts[s] > 0 {
			lines = append(lines, StateLine{State: s, Count: counts[s]})
		}
	}
	for i := range v.Findings {
		f := &v.Findings[i]
		if f.Level == model.LevelOK || v.Overview != nil && v.Overview.States[f.State] != v.State {
			continue
		}
		for j := range lines {
			if l := &lines[j]; slices.Contains(troubles[f.Problem], l.State) {
				l.Level = max(l.Level, f.Level)
			}
		}
	}
	v.States = lines
	height := v.PaneHeights()[PaneStates]
	if height <= 0 || height >= len(lines) {
		return
	}
	slices.SortStableFunc(lines, func(a, b StateLine) int {
		return cmp.Or(cmp.Compare(b.Level, a.Level), cmp.Compare(b.Count, a.Count))
	})
	byLife := func(a, b StateLine) int {
		return cmp.Compare(slices.Index(model.LifeOrder[:], a.State), slices.Index(model.LifeOrder[:], b.State))
	}
	slices.SortFunc(lines[:height], byLife)
	slices.SortFunc(lines[height:], byLife)
}

// troubles are the states that a finding is about.
var troubles = map[model.Problem][]source.State{
	model.CloseWait: {source.CloseWait},
	model.Orphans:   {source.FinWait1, source.FinWait2},
	model.SynSent:   {source.SynSent},
}
