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

// drawStates draws the histogram of states. A line for the ports that are
// free stands at the end of a port's life, where there is room for it. It has
// no bar: on most hosts it would make all others vanish.
func (p *Painter) drawStates(r screen.Rect, v *View) {
	focused := v.Focus == PaneStates
	box := screen.Box{Title: "States", Right: v.Proto.String()}
	c := v.Cursors[PaneStates]
	height := r.Inset(1, 1).H
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
	withFree := len(v.States) < height && v.Proto != ProtoBoth
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

// consumerColumns are the widths of the columns of the consumers; 0 for one
// that there is no room for.
type consumerColumns struct {
	name, pid, ports, bar, rate, most int
}

func layoutConsumers(w int, g model.Grouping) consumerColumns {
	c := consumerColumns{ports: 7}
	if g == model.ByProcess && w >= 34 {
		c.pid = 8
	}
	w -= c.ports + c.pid
	if w >= 38 {
		c.rate = 8
		w -= c.rate
	}
	if w >= 44 && g != model.ByDestination {
		c.most = 22
		w -= c.most
	}
	switch g {
	case model.ByProcess, model.ByUser:
		c.name = min(max(w*3/5, 11), 16)
	default:
		c.name = min(max(w*3/5, 21), 28)
	}
	c.name = max(min(c.name, w), 0)
	c.bar = max(w-c.name-1, 0)
	return c
}

// drawConsumers draws the holders of ports.
func (p *Painter) drawConsumers(r screen.Rect, v *View) {
	height := listLines(r, 7)
	box := screen.Box{Title: "Top consumers", Right: "by " + v.Group.String()}
	if len(v.Consumers) > height && height > 0 {
		box.Foot = rangeOf(v.Cursors[PaneConsumers].Top, height, len(v.Consumers))
	}
	inside := p.box(r, v.Focus == PaneConsumers, box)
	if v.State == nil {
		return
	}
	if len(v.Consumers) == 0 {
		p.none(inside, v, "no ephemeral ", "ports in use")
		return
	}
	c := layoutConsumers(inside.W-gutter-1, v.Group)
	if inside.H > height {
		p.consumerHeader(inside.X+gutter, inside.Y, c, v.Group)
	}
	p.lines(inside, height, v, PaneConsumers, func(i, y int) {
		p.consumerLine(inside.X+gutter, y, c, v, &v.Consumers[i], v.Consumers[0].Ports)
	})
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

func (p *Painter) consumerHeader(x, y int, c consumerColumns, g model.Grouping) {
	name := [...]string{
		model.ByProcess: "PROCESS", model.ByDestination: "DESTINATION", model.ByService: "SERVICE", model.ByUser: "USER",
		model.ByContainer: "CONTAINER", model.ByUnit: "UNIT",
	}[g%model.NumGroupings]
	p.canvas.Text(x, y, c.name, theme.Dim, name)
	x += c.name
	p.canvas.TextRight(x, y, c.pid-1, theme.Dim, "PID")
	x += c.pid
	p.canvas.TextRight(x, y, c.ports, theme.Dim, "PORTS")
	x += c.ports + 1 + c.bar
	p.canvas.TextRight(x, y, c.rate-2, theme.Dim, "+/s")
	p.canvas.Text(x+c.rate, y, c.most, theme.Dim, "MOST TO")
}

func (p *Painter) consumerLine(x, y int, c consumerColumns, v *View, co *model.Consumer, limit int) {
	style := p.consumerName(x, y, c.name-1, v, co)
	x += c.name
	p.pid(x, y, c.pid-1, v, co.Process, co.Tier)
	x += c.pid
	p.count(x, y, c.ports, style, co.Ports)
	x += c.ports + 1
	p.canvas.Bar(x, y, c.bar, theme.Chart, co.Ports, limit)
	x += c.bar
	p.buf = text.AppendRate(p.buf[:0], co.Rate)
	p.canvas.BytesRight(x, y, c.rate-2, theme.Dim, p.buf)
	x += c.rate
	if co.Most.Port != 0 {
		p.canvas.Bytes(x, y, c.most, theme.Dim, p.tuple(c.most, v, &co.Most, model.Limit{}))
	}
}

// consumerName draws whom a line is about, and gives the style of the line.
func (p *Painter) consumerName(x, y, w int, v *View, c *model.Consumer) theme.Role {
	nobody := ""
	switch {
	case v.Group == model.ByProcess:
		return p.owner(x, y, w, v, c.Process, c.Tier)
	case v.Group == model.ByUser && c.User == "":
		nobody = "unknown"
	case v.Group >= model.ByContainer && c.Name == "":
		nobody = "none"
		if c.Tier == model.OwnerUnknown {
			nobody = "unknown"
		}
	case v.Group < model.ByUser && c.Port == 0:
		nobody = "no destination"
	}
	if nobody != "" {
		p.canvas.Text(x, y, w, theme.Dim, nobody)
		return theme.Dim
	}
	switch v.Group {
	case model.ByDestination:
		p.canvas.Bytes(x, y, w, theme.Text, p.addrPort(w, c.Destination, c.Port, serviceName(v, c.Port, source.TCP)))
	case model.ByService:
		p.buf = strconv.AppendUint(p.buf[:0], uint64(c.Port), 10)
		p.canvas.BytesRight(x, y, 5, theme.Text, p.buf)
		proto := source.TCP
		if v.Proto == ProtoUDP {
			proto = source.UDP
		}
		p.canvas.Text(x+6, y, w-6, theme.Dim, services.Name(c.Port, proto))
	case model.ByUser:
		p.canvas.Text(x, y, w, theme.Text, text.Sanitize(c.User))
	case model.ByContainer, model.ByUnit:
		p.canvas.Text(x, y, w, theme.Text, text.Sanitize(c.Name))
	}
	return theme.Text
}

// owner draws the name of a process with a sign of how sure it is: "java" was
// seen, "java?" is likely.
func (p *Painter) owner(x, y, w int, v *View, process int32, tier model.Tier) theme.Role {
	if process == source.NoProcess {
		p.canvas.Text(x, y, w, theme.Dim, "unknown")
		return theme.Dim
	}
	name := text.Sanitize(v.State.Processes[process].Name)
	if tier != model.OwnerInferred {
		p.canvas.Text(x, y, w, theme.Text, name)
		return theme.Text
	}
	n := p.canvas.Text(x, y, w-1, theme.Text, name)
	p.canvas.Text(x+n, y, w-n, theme.Dim, "?")
	return theme.Text
}

// pid draws the number of a process that was seen.
func (p *Painter) pid(x, y, w int, v *View, process int32, tier model.Tier) {
	if process == source.NoProcess || tier == model.OwnerInferred {
		p.canvas.TextRight(x, y, w, theme.Dim, "—")
		return
	}
	p.buf = strconv.AppendInt(p.buf[:0], int64(v.State.Processes[process].PID), 10)
	p.canvas.BytesRight(x, y, w, theme.Dim, p.buf)
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
		p.percent(x+w-6, y, 6, style, t.Percent())
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
