package paint

import (
	"bytes"

	"ephtop/model/list"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// connectionColumns are the widths of the columns of the connections; 0 for
// one that there is no room for. A blank stands after each.
type connectionColumns struct {
	proto, local, remote, state, pid, process, user, age, command int
}

const arrow = "→ "

// layoutConnections shares w columns out. The narrower it gets, the more
// columns fall away: the least telling first.
func layoutConnections(w int, both bool) connectionColumns {
	c := connectionColumns{state: 11}
	if w >= 86 || both && w >= 73 {
		c.proto = 5
	}
	if w >= 94 {
		c.pid = 7
	}
	if w >= 64 {
		c.age = 8
	}
	if w >= 52 {
		c.process = min(max((w-30)/5, 7), 16)
	}
	if w >= 130 {
		c.user = 9
	}
	used := 2 // the arrow
	for _, n := range []int{c.proto, c.state, c.pid, c.age, c.process, c.user} {
		if n > 0 {
			used += n + 1
		}
	}
	rest := w - used
	if c.age == 0 && c.process == 0 {
		rest++ // nothing follows the state
	}
	if w < 44 {
		// The local port alone says enough where all share an address.
		c.local = 6
		c.remote = rest - c.local - 2
		if c.remote < 10 {
			c.remote, c.state = rest-c.local+9, 0
		}
		c.remote = max(c.remote, 0)
		return c
	}
	rest -= 2
	// With room for the command, the addresses have as much as IPv4 takes.
	if c.local, c.remote = 22, 24; rest-c.local-c.remote-1 >= 20 {
		c.command = rest - c.local - c.remote - 1
		return c
	}
	c.local = min(max((rest-1)/2, 14), 26)
	c.remote = max(rest-c.local, 0)
	return c
}

// drawConnections draws the list of connections.
func (p *Painter) drawConnections(r screen.Rect, v *View) {
	height := listLines(r, 3)
	inside := p.box(r, v.Focus == PaneConnections, p.connectionsBox(v, height, r.W))
	if v.State == nil || len(v.Rows) == 0 {
		p.noConnections(inside, v)
		return
	}
	c := layoutConnections(inside.W-gutter-1, v.Proto == ProtoBoth)
	if inside.H > height {
		p.connectionHeader(inside.X+gutter, inside.Y, c)
	}
	p.lines(inside, height, v, PaneConnections, func(i, y int) {
		p.connectionLine(inside.X+gutter, y, c, v, v.Rows[i])
	})
}

// connectionsBox says how the list is sorted, filtered, and how long it is.
func (p *Painter) connectionsBox(v *View, height, width int) screen.Box {
	direction := "↑"
	if v.Order.Descending() {
		direction = "↓"
	}
	box := screen.Box{Title: "Connections", Right: "sort: " + columnNames[v.Order.Column%list.NumColumns] + " " + direction}
	if v.several() && v.State != nil && v.layout().gauges.Empty() {
		box.Title = advice.Namespace(&v.State.Snapshot.Scope)
	}
	if faces := facesText(v); faces != "" && width >= boxWidth {
		box.Right += "   " + faces
	}
	if v.Filter.Text != "" {
		box.Right = "filter: " + text.Truncate(text.Sanitize(v.Filter.Text), max(width-40, 8)) + "   " + box.Right
		box.RightStyle = theme.Filter
	}
	if v.State == nil {
		box.Right = ""
		return box
	}
	if len(v.Rows) > 0 {
		box.Foot = rangeOf(v.Cursors[PaneConnections].Top, height, len(v.Rows))
	}
	if v.Filter.Text != "" {
		if len(v.Rows) == 0 {
			box.Foot = "0"
		}
		box.Foot += " · " + text.Count(v.Total) + " without the filter"
		box.FootStyle = theme.Filter
	}
	return box
}

var columnNames = [list.NumColumns]string{
	list.ColumnProto: "proto", list.ColumnLocal: "local", list.ColumnRemote: "remote", list.ColumnState: "state",
	list.ColumnPID: "pid", list.ColumnProcess: "process", list.ColumnAge: "age",
}

// noConnections says why the list is empty.
func (p *Painter) noConnections(r screen.Rect, v *View) {
	switch {
	case v.State == nil:
		p.middle(r, theme.Dim, waitingFor(v), "")
	case v.Filter.Text != "" && v.several():
		p.middle(r, theme.Text, "no connections of "+advice.Namespace(&v.State.Snapshot.Scope)+" match the filter "+text.Sanitize(v.Filter.Text),
			"3 lists the namespaces that have some, esc clears it")
	case v.Filter.Text != "":
		p.middle(r, theme.Text, "no connections match the filter "+text.Sanitize(v.Filter.Text), "esc clears it")
	case v.Proto == ProtoBoth:
		p.middle(r, theme.Dim, "no sockets", "")
	default:
		p.middle(r, theme.Dim, "no "+v.Proto.String()+" sockets", "p shows the other protocol")
	}
}

// next moves on by a column of width w, and gives where it begins.
func next(x *int, w int) int {
	start := *x
	if w > 0 {
		*x += w + 1
	}
	return start
}

func (p *Painter) connectionHeader(x, y int, c connectionColumns) {
	for _, h := range [...]struct {
		w     int
		name  string
		right bool
	}{
		{c.proto, "PROTO", false}, {c.local, "LOCAL", false}, {1, "", false}, {c.remote, "REMOTE", false},
		{c.state, "STATE", false}, {c.pid, "PID", true}, {c.process, "PROCESS", false}, {c.user, "USER", false},
		{c.age, "AGE/LEFT", true}, {c.command, "COMMAND", false},
	} {
		at := next(&x, h.w)
		if h.right {
			p.canvas.TextRight(at, y, h.w, theme.Dim, h.name)
		} else {
			p.canvas.Text(at, y, h.w, theme.Dim, h.name)
		}
	}
}

func (p *Painter) connectionLine(x, y int, c connectionColumns, v *View, row int32) {
	s, info := &v.State.Snapshot.Sockets[row], &v.State.Rows[row]
	p.canvas.Text(next(&x, c.proto), y, c.proto, theme.Dim, s.Proto.String())
	p.endpoints(x, y, c, v, s, info.Ephemeral)
	x += c.local + 1 + 2 + c.remote + 1
	p.canvas.Text(next(&x, c.state), y, c.state, stateRole(s.State), s.State.String())
	p.pid(next(&x, c.pid), y, c.pid, v, info.Process, info.Tier)
	p.owner(next(&x, c.process), y, c.process, v, info.Process, info.Tier)
	user, command := "", ""
	if info.Process != source.NoProcess {
		process := &v.State.Processes[info.Process]
		user, command = text.Sanitize(process.User), text.Sanitize(process.Command)
	}
	p.canvas.Text(next(&x, c.user), y, c.user, theme.Dim, user)
	if at := next(&x, c.age); c.age > 0 {
		p.age(at, y, c.age, v, int(row))
	}
	p.canvas.Text(x, y, c.command, theme.Dim, command)
}

// endpoints draws both ends of a socket. A local port that is not ephemeral
// steps back, and so does an end that there is not.
func (p *Painter) endpoints(x, y int, c connectionColumns, v *View, s *source.Socket, ephemeral bool) {
	style, name := theme.Text, ""
	if !ephemeral {
		style, name = theme.Dim, serviceName(v, s.LocalPort, s.Proto)
	}
	local := p.addrPort(c.local, s.Local, s.LocalPort, name)
	if c.local <= 6 {
		local = local[bytes.LastIndexByte(local, ':'):]
	}
	p.canvas.Bytes(x, y, c.local, style, local)
	x += c.local + 1
	if s.RemotePort == 0 && s.Remote.IsWildcard() {
		p.canvas.Text(x+2, y, c.remote, theme.Dim, "*")
		return
	}
	p.canvas.Text(x, y, 2, theme.Dim, arrow)
	p.canvas.Bytes(x+2, y, c.remote, theme.Text, p.addrPort(c.remote, s.Remote, s.RemotePort, serviceName(v, s.RemotePort, s.Proto)))
}

// age draws how long a socket has been seen, or with "↓" how long a TIME_WAIT
// still lasts. The arrow has columns of its own, so that all end at one line.
func (p *Painter) age(x, y, w int, v *View, row int) {
	s, info := &v.State.Snapshot.Sockets[row], &v.State.Rows[row]
	if s.State == source.TimeWait && s.Timer == source.TimerTimeWait {
		p.buf = text.AppendAge(p.buf[:0], timeLeft(s))
		p.canvas.BytesRight(x, y, w-2, theme.Text, p.buf)
		p.canvas.Put(x+w-1, y, theme.Dim, '↓')
		return
	}
	p.buf = p.buf[:0]
	if info.SinceStart {
		p.buf = append(p.buf, '>')
	}
	p.buf = text.AppendAge(p.buf, v.State.Age(row))
	p.canvas.BytesRight(x, y, w-2, theme.Dim, p.buf)
}
