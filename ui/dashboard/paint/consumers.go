package paint

import (
	"strconv"

	"ephtop/model"
	"ephtop/model/services"
	"ephtop/source"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

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
