package paint

import (
	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// listedShare is the part of a pool of translated ports from which on it is a line.
const listedShare = 0.01

// listed reports whether a pool of translated ports is a line: a router has very many
// that hold next to nothing.
func listed(p *model.NATPoolUse) bool { return p.Level > model.LevelOK || p.Share() >= listedShare }

// NATLines are the lines of the pools of translated ports of all namespaces, and of
// what a NAT on the way has: of that the fullest in any case, if it was told of.
func NATLines(o *model.Overview) []NamespaceLine {
	var lines []NamespaceLine
	for i := range o.NATs {
		s := &o.NATs[i]
		for j := range s.Pools {
			if p := &s.Pools[j]; listed(p) {
				lines = append(lines, NamespaceLine{Scope: s.Scope, NAT: s, Pool: p})
			}
		}
	}
	for i := range o.Ways {
		if p := &o.Ways[i]; i == 0 || p.Level > model.LevelOK || p.Share() >= listedShare {
			lines = append(lines, NamespaceLine{Scope: source.Scope{Host: o.Moment.Host}, Way: p})
		}
	}
	return lines
}

// HasNATLines reports whether there are any.
func HasNATLines(o *model.Overview) bool { return len(o.Ways) > 0 || translates(o) }

// translates reports whether there are some of translated ports.
func translates(o *model.Overview) bool {
	for i := range o.NATs {
		if pools := o.NATs[i].Pools; len(pools) > 0 && listed(&pools[0]) { // the fullest
			return true
		}
	}
	return false
}

// natLabel names a pool, by its destination alone where there is no room for more.
func natLabel(p *model.NATPoolUse, room int) string {
	to := source.AddrPortOn(p.Remote, 0, p.RemotePort)
	if p.Proto == source.UDP {
		to += " udp"
	}
	if label := "SNAT " + p.Address.String() + " → " + to; text.Width(label) <= room {
		return label
	}
	return "SNAT → " + to
}

// wayLabel is the same of a NAT on the way.
func wayLabel(p *model.WayPool, room int) string {
	to := source.AddrPortOn(p.Remote, 0, p.RemotePort)
	if p.Proto == source.UDP {
		to += " udp"
	}
	if label := "NAT on the way → " + to; text.Width(label) <= room {
		return label
	}
	return "NAT → " + to
}

// Name is what a pool is called.
func (n *NamespaceLine) Name() string { return n.label(screen.MaxWidth) }

func (n *NamespaceLine) label(room int) string {
	if n.Way != nil {
		return wayLabel(n.Way, room)
	}
	return natLabel(n.Pool, room)
}

// gauge is that of a pool.
func (n *NamespaceLine) gauge() gauge {
	if n.Way != nil {
		return wayGauge(n.Way, 0)
	}
	return natGauge(n.Pool, 0)
}

// natRoom is how wide the names of the pools among lines are.
func natRoom(lines []NamespaceLine) (w int) {
	for i := range lines {
		if lines[i].IsPool() {
			w = max(w, text.Width(lines[i].Name()))
		}
	}
	return w
}

// forNATs gives the names of pools the room that they want, of that of the bar.
func (c *namespaceColumns) forNATs(lines []NamespaceLine) {
	const leastBar = 6
	want := natRoom(lines)
	if c.kind > 0 {
		want -= c.kind + 1
	}
	if more := min(want-c.name, c.bar-leastBar); want > 0 && more > 0 {
		c.name, c.bar = c.name+more, c.bar-more
	}
}

// natLine draws the line of a pool: where a namespace has its kind, more of the name,
// and in place of its worst destination who holds most.
func (p *Painter) natLine(x, y int, c namespaceColumns, v *View, n *NamespaceLine) {
	at, name := next(&x, c.name), c.name
	if kind := c.kind; kind > 0 {
		next(&x, kind)
		name += 1 + kind
	}
	p.canvas.Text(at, y, name, theme.Text, n.label(name))
	p.canvas.Text(next(&x, c.worst), y, c.worst, theme.Dim, n.holder(v.Overview))
	g := n.gauge()
	p.gaugeBar(next(&x, c.bar), y, c.bar, v, &g)
	role := theme.Text
	if n.Level() > model.LevelOK {
		role = levelRoles[n.Level()]
	}
	p.canvas.TextRight(next(&x, c.percent), y, c.percent, role, g.share(v, c.percent))
	p.levelCell(next(&x, c.level), y, c.level, levelSegment(n.Level()))
	p.count(x, y, c.sockets, theme.Text, n.Sockets())
}

// holder names who holds most of a pool.
func (n *NamespaceLine) holder(o *model.Overview) string {
	if n.Way == nil {
		return natHolder(o, n.Pool)
	}
	return natHolder(o, &model.NATPoolUse{Holders: []model.NATHolder{{State: n.Way.State, Process: n.Way.Process}}})
}

// natHolder names who holds most of a pool, as far as it is known: "by api, shop/api".
func natHolder(o *model.Overview, p *model.NATPoolUse) string {
	if len(p.Holders) == 0 {
		return ""
	}
	h := &p.Holders[0]
	who := h.Client.String()
	if h.State >= 0 && h.State < len(o.States) {
		who = advice.Namespace(&o.States[h.State].Snapshot.Scope)
	}
	if h.Process >= 0 && int(h.Process) < len(o.Processes) {
		if name := text.Sanitize(o.Processes[h.Process].Name); who == "" || name == who {
			who = name
		} else {
			who = name + ", " + who
		}
	}
	if rest := len(p.Holders) - 1; rest > 0 {
		who += " +" + text.Count(rest)
	}
	return "by " + who
}
