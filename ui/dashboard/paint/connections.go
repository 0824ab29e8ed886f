package paint

import (
	"bytes"
	"slices"
	"strconv"
	"time"

	"ephtop/model"
	"ephtop/model/list"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// connectionColumns are the widths of the columns of the connections; 0 for one
// that there is no room for. A blank stands after each.
type connectionColumns struct {
	proto, local, remote, state, pid, process, user, age, left, command int
}

const (
	arrow   = "→ "
	arrowIn = "← "
)

// layoutConnections shares w columns out. The narrower it gets, the more
// columns fall away: the least telling first. waits says that there are times
// left to show.
func layoutConnections(w int, both, waits bool) connectionColumns {
	c := connectionColumns{state: 11}
	if w >= 86 || both && w >= 73 {
		c.proto = 5
	}
	if w >= 94 {
		c.pid = 7
	}
	if w >= 64 {
		c.age = 5
		if waits {
			c.left = 5
		}
	}
	if w >= 52 {
		c.process = min(max((w-35)/5, 7), 16)
	}
	if w >= 130 {
		c.user = 9
	}
	used := 2 // the arrow
	for _, n := range []int{c.proto, c.state, c.pid, c.age, c.left, c.process, c.user} {
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
	c.local = min(max((rest-1)/2, 14), 28)
	c.remote = max(rest-c.local, 0)
	return c
}

// drawConnections draws the list of connections.
func (p *Painter) drawConnections(r screen.Rect, v *View) {
	height := listLines(r, 3)
	c := layoutConnections(r.W-2-gutter-1, v.Proto == ProtoBoth, v.Waiting > 0)
	headers := c.headers()
	inside := p.faceBox(r, v, connectionsFoot(v, height, r.W), headers)
	if v.State == nil || len(v.Rows) == 0 {
		p.noConnections(inside, v)
		return
	}
	if inside.H > height {
		p.headers(inside.X+gutter, inside.Y, v, headers)
	}
	p.lines(inside, height, v, PaneConnections, func(i, y int) {
		if f := v.Fold(v.Rows[i]); f != nil {
			p.foldLine(inside.X+gutter, y, c, v, f)
		} else {
			p.connectionLine(inside.X+gutter, y, c, v, int32(v.Rows[i]))
		}
	})
}

// connectionsFoot says how long the list is, in rows and in connections.
func connectionsFoot(v *View, height, width int) string {
	if v.State == nil {
		return ""
	}
	var foot string
	key := ""
	switch rows := len(v.Rows); {
	case rows != v.Sockets:
		foot = rangeOf(v.Cursors[PaneConnections].Top, height, rows) + " rows · " + text.Plural(v.Sockets, "socket", "sockets")
		key = " · z unfolds"
	case rows > 0:
		foot = rangeOf(v.Cursors[PaneConnections].Top, height, rows)
		if v.Waiting > 0 && !v.Folded {
			key = " · z folds TIME_WAIT"
		}
	case v.Filter.Text != "":
		foot = "0"
	}
	if v.Filter.Text != "" {
		return foot + " · " + text.Count(v.Total) + " without the filter"
	}
	if width >= boxWidth {
		foot += key
	}
	return foot
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

// headers are the names of the columns.
func (c *connectionColumns) headers() []header {
	return []header{
		{c.proto, "PROTO", false, list.ColumnProto}, {c.local, "LOCAL", false, list.ColumnLocal}, {1, "", false, 0},
		{c.remote, "REMOTE", false, list.ColumnRemote}, {c.state, "STATE", false, list.ColumnState}, {c.pid, "PID", true, list.ColumnPID},
		{c.process, "PROCESS", false, list.ColumnProcess}, {c.user, "USER", false, 0}, {c.age, "AGE", true, list.ColumnAge},
		{c.left, "LEFT", true, list.ColumnLeft}, {c.command, "COMMAND", false, 0},
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
	x = p.processFields(x, y, c, v, info.Process)
	if at := next(&x, c.age); c.age > 0 {
		p.age(at, y, c.age, v, int(row))
	}
	if at := next(&x, c.left); c.left > 0 && s.State == source.TimeWait && s.Timer == source.TimerTimeWait {
		p.left(at, y, c.left, "", timeLeft(s))
	}
}

// processFields draws the user, and the command at the end of the line. It gives
// the column after the user.
func (p *Painter) processFields(x, y int, c connectionColumns, v *View, process int32) int {
	at := next(&x, c.user)
	if process == source.NoProcess {
		return x
	}
	known := &v.State.Processes[process]
	p.canvas.Text(at, y, c.user, theme.Dim, text.Sanitize(known.User))
	command := x
	next(&command, c.age)
	next(&command, c.left)
	p.canvas.Text(command, y, c.command, theme.Dim, text.Sanitize(known.Command))
	return x
}

// foldLine draws what a fold's connections have in common, how many there are,
// and when the last of them ends.
func (p *Painter) foldLine(x, y int, c connectionColumns, v *View, f *list.Fold) {
	s, info := &v.State.Snapshot.Sockets[f.Socket], &v.State.Rows[f.Socket]
	p.canvas.Text(next(&x, c.proto), y, c.proto, theme.Dim, s.Proto.String())
	if f.AtRemote {
		p.localEnd(x, y, c, v, s, info.Ephemeral)
		p.canvas.Text(x+c.local+1, y, 2, theme.Dim, arrowIn)
		p.canvas.Bytes(x+c.local+3, y, c.remote, theme.Text, p.ports(c.remote, s.Remote, f.Ports))
	} else {
		p.canvas.Bytes(x, y, c.local, theme.Text, p.ports(c.local, s.Local, f.Ports))
		p.remoteEnd(x+c.local+1, y, c, v, s)
	}
	x += c.local + 1 + 2 + c.remote + 1
	p.canvas.Text(next(&x, c.state), y, c.state, stateRole(s.State), s.State.String())
	p.pid(next(&x, c.pid), y, c.pid, v, info.Process, info.Tier)
	tier := info.Tier
	if f.Likely > f.Ports/2 {
		tier = model.OwnerInferred // as of consumers
	}
	p.owner(next(&x, c.process), y, c.process, v, info.Process, tier)
	x = p.processFields(x, y, c, v, info.Process)
	next(&x, c.age)
	if c.left > 0 && f.Left > 0 {
		p.left(x, y, c.left, "≤ ", (time.Duration(f.Left) * time.Millisecond).Round(time.Second))
	}
}

// left draws a time left: in seconds where that fits, for it is 60s at first.
func (p *Painter) left(x, y, w int, most string, d time.Duration) {
	p.buf = append(p.buf[:0], most...)
	if d < 100*time.Second {
		p.buf = append(strconv.AppendInt(p.buf, int64(d/time.Second), 10), 's')
	} else {
		p.buf = text.AppendAge(p.buf, d)
	}
	p.canvas.BytesRight(x, y, w, theme.Text, p.buf)
}

// ports writes an address and how many of its ports there are, in at most w
// columns: "10.0.4.7: 9,804 ports", shorter "10.0.4.7: 9,804×"; where that is too
// wide, the address loses its end, or all of it.
func (p *Painter) ports(w int, a source.Addr, n int) []byte {
	b := p.buf[:0]
	if w > 6 {
		if b = a.AppendTo(b); !a.Is4() {
			b = append(slices.Insert(b, 0, '['), ']')
		}
		b = append(b, ": "...)
	}
	host := len(b)
	b = text.AppendCount(b, n)
	if digits := len(b) - host; len(b)+len(" ports") <= w {
		b = append(b, " ports"...)
	} else if b = append(b, "×"...); host > 0 && host+digits+1 > w {
		if keep := w - digits - 4; keep > 0 {
			b = slices.Replace(b, keep, host, []byte("…: ")...)
		}
	}
	p.buf = b
	return b
}

// endpoints draws both ends of a socket.
func (p *Painter) endpoints(x, y int, c connectionColumns, v *View, s *source.Socket, ephemeral bool) {
	p.localEnd(x, y, c, v, s, ephemeral)
	p.remoteEnd(x+c.local+1, y, c, v, s)
}

// localEnd draws the end that is here. A port that is not ephemeral steps back.
func (p *Painter) localEnd(x, y int, c connectionColumns, v *View, s *source.Socket, ephemeral bool) {
	style, name := theme.Text, ""
	if !ephemeral {
		style, name = theme.Dim, serviceName(v, s.LocalPort, s.Proto)
	}
	local := p.addrPort(c.local, s.Local, s.LocalPort, name)
	if c.local <= 6 {
		local = local[bytes.LastIndexByte(local, ':'):]
	}
	p.canvas.Bytes(x, y, c.local, style, local)
}

// remoteEnd draws the other end, behind an arrow. One that there is not steps
// back.
func (p *Painter) remoteEnd(x, y int, c connectionColumns, v *View, s *source.Socket) {
	if s.RemotePort == 0 && s.Remote.IsWildcard() {
		p.canvas.Text(x+2, y, c.remote, theme.Dim, "*")
		return
	}
	p.canvas.Text(x, y, 2, theme.Dim, arrow)
	p.canvas.Bytes(x+2, y, c.remote, theme.Text, p.addrPort(c.remote, s.Remote, s.RemotePort, serviceName(v, s.RemotePort, s.Proto)))
}

// age draws how long a socket has been seen.
func (p *Painter) age(x, y, w int, v *View, row int) {
	p.buf = p.buf[:0]
	if v.State.Rows[row].SinceStart {
		p.buf = append(p.buf, '>')
	}
	p.buf = text.AppendAge(p.buf, v.State.Age(row))
	p.canvas.BytesRight(x, y, w, theme.Dim, p.buf)
}
