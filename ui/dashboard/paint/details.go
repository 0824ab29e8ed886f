package paint

import (
	"slices"
	"strconv"
	"time"

	"ephtop/model"
	"ephtop/model/services"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// details builds the lines of the details.
type details struct {
	lines [][]segment
	width int
}

const labelWidth = 14

func (d *details) title(s string) {
	if len(d.lines) > 0 {
		d.lines = append(d.lines, nil)
	}
	d.lines = append(d.lines, []segment{{theme.Title, s}})
}

// pair adds a label and its value, broken into lines where it is long.
func (d *details) pair(label string, style theme.Role, value string) {
	d.lines = paragraph(d.lines, style, value, d.width, pieceOf(segment{theme.Dim, label}, labelWidth))
}

// detailText says all that is known of a connection, of its process, and of
// how far the range is used up towards its destination.
func detailText(v *View, width int) [][]segment {
	d := details{width: width}
	if v.State == nil {
		return [][]segment{{{theme.Dim, waitingFor(v)}}}
	}
	t := v.Detail.Tuple
	d.lines = append(d.lines, []segment{{theme.Strong, t.Proto.String() + "  "},
		{theme.Strong, source.AddrPort(t.Local, t.LocalPort)}, {theme.Dim, "  →  "},
		{theme.Strong, source.AddrPort(t.Remote, t.RemotePort)}, {theme.Dim, "  " + services.Name(t.RemotePort, t.Proto)}})
	if v.Detail.Row < 0 {
		d.lines = append(d.lines, nil, []segment{{theme.Warn, "This socket has gone."}})
	} else {
		d.socket(v, v.Detail.Row)
		d.process(v, v.Detail.Row)
	}
	if v.Detail.Use >= 0 {
		d.pressure(v, &v.State.TCP.Pressure.Tuples[v.Detail.Use])
	}
	d.bindPool(v, v.Detail.Use < 0)
	return d.lines
}

func (d *details) socket(v *View, row int) {
	s, info := &v.State.Snapshot.Sockets[row], &v.State.Rows[row]
	state, stage := s.State.String(), model.StageOf(s.State).String()
	if stage != state {
		state += " (" + stage + ")"
	}
	d.pair("state", stateRole(s.State), state)
	d.namespace(&v.State.Snapshot.Scope)
	seen := text.Duration(v.State.Age(row))
	if info.SinceStart {
		seen = "more than " + seen + ": it was there at the first poll"
	}
	d.pair("seen for", theme.Text, seen)
	switch {
	case s.State == source.TimeWait:
		d.pair("time left", theme.Text, text.Duration(timeLeft(s)))
	case s.Timer != source.TimerNone:
		d.pair("timer", theme.Text, s.Timer.String()+", "+text.Duration(timeLeft(s))+" left, "+
			text.Plural(int(s.Retransmits), "retransmission", "retransmissions"))
	}
	port := "ephemeral"
	if !info.Ephemeral {
		port = "not ephemeral: reserved, or outside " + v.State.Snapshot.Settings.Range.String()
	}
	d.pair("local port", theme.Text, port)
	switch {
	case info.Blocking && s.RemotePort != 0:
		d.pair("", theme.Warn, "bound before it was connected: its port is blocked for every destination")
	case info.Blocking:
		d.pair("", theme.Dim, "blocked for every destination")
	}
	if info.Suspected {
		d.pair("", theme.Warn, "suspected of having been bound first: its port is blocked for every destination")
	}
	switch s.State {
	case source.TimeWait:
	case source.Listen:
		d.pair("backlog", theme.Text, text.Count(int(s.ReceiveQueue))+" of "+text.Count(int(s.SendQueue))+" wait to be accepted")
	default:
		d.pair("queues", theme.Text, text.Plural(int(s.ReceiveQueue), "byte", "bytes")+" not read, "+
			text.Count(int(s.SendQueue))+" not acknowledged")
	}
	if s.HasOwner() {
		d.pair("inode", theme.Text, strconv.FormatUint(uint64(s.Inode), 10)+", uid "+strconv.FormatUint(uint64(s.UID), 10))
	}
	if s.Cookie != 0 {
		cookie := strconv.FormatUint(s.Cookie, 16)
		if s.Cgroup != 0 {
			cookie += ", cgroup " + strconv.FormatUint(s.Cgroup, 10)
		}
		d.pair("cookie", theme.Dim, cookie)
	}
}

func (d *details) process(v *View, row int) {
	d.title("Process")
	p, tier := v.State.Process(row), v.State.Rows[row].Tier
	if p == nil {
		why := "unknown: no process that can be seen holds it"
		if v.State.Snapshot.Sockets[row].State == source.TimeWait {
			why = "unknown: it was in TIME_WAIT before a poll could see whose it was"
		}
		d.pair("owner", theme.Dim, why)
		return
	}
	owner := p.Name + ", pid " + strconv.Itoa(int(p.PID))
	if p.NSPID != 0 {
		owner += " (" + strconv.Itoa(int(p.NSPID)) + " in the container)"
	}
	switch tier {
	case model.OwnerInferred:
		seen, of := v.State.Likely(row)
		owner = p.Name + "? likely: it held " + text.Count(seen) + " of the " + text.Count(of) +
			" sockets that were seen alive with this destination"
	case model.OwnerTraced:
		owner += " (traced: the kernel told who closed it)"
	default:
		owner += " (observed: a poll saw it alive)"
	}
	d.pair("owner", theme.Text, owner)
	if at, ended := v.State.Exit(v.State.Rows[row].Process); ended {
		d.pair("ended", theme.Text, at.Format("15:04:05")+": its ports are free when the kernel lets go of them")
	}
	d.holding(v, v.State.Rows[row].Process)
	d.cgroup(v, p.Cgroup)
	d.pair("user", theme.Text, p.User)
	d.pair("command", theme.Text, p.Command)
}

// holding says how many ports a process has in all.
func (d *details) holding(v *View, process int32) {
	list := v.State.Of(v.Detail.Tuple.Proto).Consumers[model.ByProcess]
	i := slices.IndexFunc(list, func(c model.Consumer) bool { return c.Process == process })
	if i < 0 || list[i].Ports == 0 {
		return
	}
	c := &list[i]
	holds := text.Plural(c.Ports, "port", "ports") + " of the range"
	switch seen := c.Ports - c.Likely; {
	case seen == 0:
		holds += ", likely: none was seen with it"
	case c.Likely > 0:
		holds += ": " + text.Count(seen) + " seen, the rest likely"
	}
	d.pair("holds", theme.Text, holds)
}

// cgroup says which container and which unit a process is of.
func (d *details) cgroup(v *View, id uint64) {
	groups := v.State.Moment.Cgroups
	at := slices.IndexFunc(groups, func(g source.Cgroup) bool { return g.ID == id })
	if id == 0 || at < 0 {
		return
	}
	if g := &groups[at]; g.Container != "" {
		d.pair(g.Kind.String(), theme.Text, g.Container)
	} else if g.Unit != "" {
		d.pair("unit", theme.Text, g.Unit)
	}
	d.pair("cgroup", theme.Dim, groups[at].Path)
}

// namespace says in which network namespace the socket is, where that is known.
func (d *details) namespace(s *source.Scope) {
	name := advice.Namespace(s)
	if name == "" {
		return
	}
	if kind := s.Kind.String(); kind != name {
		name += " (" + kind + ")"
	}
	if s.Netns != 0 {
		name += ", net:[" + strconv.FormatUint(s.Netns, 10) + "]"
	}
	d.pair("namespace", theme.Text, name)
}

func (d *details) pressure(v *View, t *model.TupleUse) {
	d.title("Ports to " + t.To() + " from " + t.Source.String())
	if from := advice.Pool(t.Limit); from != "" {
		d.pair("taken from", theme.Text, from)
	}
	total := t.Used + t.Free
	d.pair("used", levelRoles[t.Level], text.Count(t.Used)+" of "+text.Count(total)+" ("+text.Percent(v.State.Thresholds.Below(t.Percent()))+" %)  "+
		levelWords[t.Level])
	these := text.Count(t.Live) + " live, " + text.Count(t.TimeWait) + " in TIME_WAIT, " + text.Count(t.Blocked) + " blocked for all"
	if t.Suspected > 0 {
		these += ", " + text.Count(t.Suspected) + " suspected of being so"
	}
	d.pair("of these", theme.Text, these)
	d.pair("free", theme.Text, text.Count(t.Free)+", and "+text.Count(t.Reusable)+" in TIME_WAIT that connect() may take over")
	if t.FirstHalfSize == 0 {
		return
	}
	half, style := text.Percent(t.FirstHalfPercent())+" % of the ports that connect() tries first are used", theme.Text
	if t.SlowConnect() {
		half, style = half+": each connect passes them in vain", theme.Warn
	}
	d.pair("first half", style, half)
}

// bindPool says how many ports the local address has left to bind(0) and, for
// UDP, to everything.
func (d *details) bindPool(v *View, titled bool) {
	pools := v.State.Of(v.Detail.Tuple.Proto).Pressure.BindPools
	for i := range pools {
		if b := &pools[i]; b.Local == v.Detail.Tuple.Local {
			if titled {
				d.title("Ports of " + b.Local.String())
			}
			d.pair("bind pool", levelRoles[b.Level], text.Count(b.Used)+" of "+text.Count(b.Used+b.Free)+
				" ports are held on "+b.Local.String()+" ("+text.Percent(b.Percent())+" %)")
			return
		}
	}
}

// timeLeft is what is left on a socket's timer.
func timeLeft(s *source.Socket) time.Duration { return time.Duration(s.Expires) * time.Millisecond }
