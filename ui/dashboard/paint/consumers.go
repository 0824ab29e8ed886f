package paint

import (
	"cmp"
	"strconv"

	"ephtop/model"
	"ephtop/model/services"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// consumerColumns are the widths of the columns of the consumers; 0 for one
// that there is no room for.
type consumerColumns struct {
	name, pid, about, bar, ports, rate, most int
}

// layoutConsumers shares w columns out. Where control groups are known, whose a
// process is tells more than where most of its ports lead to.
func layoutConsumers(w int, v *View) consumerColumns {
	c := consumerColumns{ports: 7}
	g := v.Group
	w -= c.ports
	if g == model.ByProcess && w >= 27 {
		c.pid = 8
		w -= c.pid
	}
	if w >= 38 {
		c.rate = 8
		w -= c.rate
	}
	if g == model.ByProcess && len(v.State.Cgroups) > 0 && w >= 31 {
		c.about = min(max(w*2/5, 15), 28)
		w -= c.about
	}
	if w >= 44 && g != model.ByDestination {
		c.most = 22
		w -= c.most
	}
	if g == model.ByProcess && c.about == 0 && w >= 50 {
		c.about = 14
		w -= c.about
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
	if v.poolLeads() {
		box.Title = "Top consumers of its own range"
		if text.Width(box.Title)+text.Width(box.Right)+10 > r.W {
			box.Title = "Consumers, own range"
		}
	}
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
	c := layoutConsumers(inside.W-gutter-1, v)
	if inside.H > height {
		p.consumerHeader(inside.X+gutter, inside.Y, c, v)
	}
	p.lines(inside, height, v, PaneConsumers, func(i, y int) {
		p.consumerLine(inside.X+gutter, y, c, v, &v.Consumers[i], v.Consumers[0].Ports)
	})
}

func (p *Painter) consumerHeader(x, y int, c consumerColumns, v *View) {
	name := [...]string{
		model.ByProcess: "PROCESS", model.ByDestination: "DESTINATION", model.ByService: "SERVICE", model.ByUser: "USER",
		model.ByContainer: "CONTAINER", model.ByUnit: "UNIT",
	}[v.Group%model.NumGroupings]
	p.canvas.Text(x, y, c.name, theme.Dim, name)
	x += c.name
	p.canvas.TextRight(x, y, c.pid-1, theme.Dim, "PID")
	x += c.pid
	if len(v.State.Cgroups) > 0 {
		p.canvas.Text(x, y, c.about-1, theme.Dim, "CONTAINER/UNIT")
	}
	x += c.about + c.bar + 1
	p.canvas.TextRight(x, y, c.ports, theme.Dim, "PORTS")
	x += c.ports
	p.canvas.TextRight(x, y, c.rate-2, theme.Dim, "+/s")
	p.canvas.Text(x+c.rate, y, c.most, theme.Dim, "MOST TO")
}

func (p *Painter) consumerLine(x, y int, c consumerColumns, v *View, co *model.Consumer, limit int) {
	name := c.name
	if co.Processes > 0 {
		name += c.pid // they have none
	}
	style := p.consumerName(x, y, name-1, v, co)
	if how := howToLearn(v, co); how != "" {
		const unknown = len("unknown")
		p.canvas.Text(x+unknown, y, c.name-unknown+c.pid+c.about+c.bar, theme.Text, " — "+how)
	} else {
		at := x + c.name
		if co.Processes == 0 {
			tier := co.Tier
			if co.Likely < co.Ports {
				tier = model.OwnerObserved // some were seen with it
			}
			p.pid(at, y, c.pid-1, v, co.Process, tier)
		}
		at += c.pid
		p.canvas.Text(at, y, c.about-1, theme.Dim, about(v, co, c.about-1))
		p.canvas.Bar(at+c.about, y, c.bar, theme.Chart, co.Ports, limit)
	}
	x += c.name + c.pid + c.about + c.bar + 1
	p.count(x, y, c.ports, style, co.Ports)
	x += c.ports
	if co.Processes == 0 {
		p.buf = text.AppendRate(p.buf[:0], co.Rate)
		p.canvas.BytesRight(x, y, c.rate-2, theme.Dim, p.buf)
	}
	x += c.rate
	if co.Most.Port != 0 {
		p.canvas.Bytes(x, y, c.most, theme.Dim, p.tuple(c.most, v, &co.Most, model.Limit{}))
	}
}

// howToLearn says in the row of what is nobody's how to learn whose it is, where
// that is most of what is worst.
func howToLearn(v *View, c *model.Consumer) string {
	if v.Group != model.ByProcess || c.Tier != model.OwnerUnknown {
		return ""
	}
	return advice.HowToLearn(v.State, v.Tracing.canBegin())
}

// about says whether and when a process has ended, and which container or unit
// it is of, if there is room for both.
func about(v *View, c *model.Consumer, w int) string {
	switch {
	case v.Group != model.ByProcess:
		return ""
	case c.Ended > 0 && c.Ended == c.Processes:
		return "ended"
	case c.Ended > 0:
		return text.Count(c.Ended) + " ended"
	case c.Process == source.NoProcess:
		return ""
	}
	container, unit := v.State.Home(c.Process)
	home := text.Sanitize(cmp.Or(container, unit))
	at, ended := v.State.Exit(c.Process)
	if !ended {
		return home
	}
	said := "ended " + at.Format("15:04")
	if both := said + " · " + home; home != "" && text.Width(both) <= w {
		return both
	}
	return said
}

// consumerName draws whom a line is about, and gives the style of the line.
func (p *Painter) consumerName(x, y, w int, v *View, c *model.Consumer) theme.Role {
	nobody := ""
	switch {
	case c.Processes > 0:
		mark := " ×" + text.Count(c.Processes)
		if c.Ended == c.Processes {
			mark += endedMark
		}
		return p.marked(x, y, w, text.Sanitize(c.Name), mark)
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
		if c.Tier != model.OwnerUnknown {
			nobody = "other destinations" // Pressure.Scattered
		}
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

// endedMark stands behind the name of a process that has ended.
const endedMark = "†"

// owner draws the name of a process with a sign of how sure it is: "java" was
// seen, "java?" is likely, "java†" has ended.
func (p *Painter) owner(x, y, w int, v *View, process int32, tier model.Tier) theme.Role {
	if process == source.NoProcess {
		p.canvas.Text(x, y, w, theme.Dim, "unknown")
		return theme.Dim
	}
	mark := ""
	if tier == model.OwnerInferred {
		mark = "?"
	}
	if _, ended := v.State.Exit(process); ended {
		mark += endedMark
	}
	return p.marked(x, y, w, text.Sanitize(v.State.Processes[process].Name), mark)
}

// marked draws a name and what stands behind it, which is never cut.
func (p *Painter) marked(x, y, w int, name, mark string) theme.Role {
	n := p.canvas.Text(x, y, w-text.Width(mark), theme.Text, name)
	p.canvas.Text(x+n, y, w-n, theme.Dim, mark)
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
