package paint

import (
	"strconv"
	"time"

	"ephtop/model"
	"ephtop/model/services"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/screen"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

// poolText says all that is known of a pool of translated ports: how many there are
// and how many are used, what is lost for it, and who holds them.
func poolText(v *View, width int) [][]segment {
	d := details{width: width}
	n := &v.Pool
	switch {
	case v.Overview != nil && n.Way != nil:
		return wayText(v, n.Way, width)
	case v.Overview == nil || n.Pool == nil:
		return [][]segment{{{theme.Warn, "Nothing is translated there any more."}}}
	}
	p := n.Pool
	d.lines = append(d.lines, []segment{{theme.Strong, natLabel(p, screen.MaxWidth)}, {theme.Dim, "  " + services.Name(p.RemotePort, p.Proto)}})
	d.namespace(&n.Scope)
	d.pair("used", levelRoles[p.Level], text.Count(p.Used)+" of "+text.Count(p.Capacity())+" ("+text.Percent(v.thresholds().Below(p.Percent()))+" %)  "+
		levelWords[p.Level])
	has := "by the rule that gives this address"
	if p.Ports == 0 {
		has = "as is usual: no rule is known that gives fewer"
	}
	d.pair("", theme.Dim, text.Plural(p.Capacity(), "port", "ports")+" "+has)
	if p.Evictable > 0 {
		d.pair("give way", theme.Text, text.Count(p.Evictable)+" in TIME_WAIT, each to about every other new connection")
	}
	d.pair("unreplied", theme.Text, text.Count(p.Unreplied)+" without an answer yet")
	d.loss(n.NAT, p)
	d.ahead(p)
	d.pair("counted", theme.Dim, counted(n.NAT.NAT))
	d.tracking(n.NAT)
	d.holders(v.Overview, p)
	return d.lines
}

// wayText says all that is known of what a NAT on the way has for a destination.
func wayText(v *View, p *model.WayPool, width int) [][]segment {
	d := details{width: width}
	d.lines = append(d.lines, []segment{{theme.Strong, wayLabel(p, screen.MaxWidth)}, {theme.Dim, "  " + services.Name(p.RemotePort, p.Proto)}})
	d.pair("used", levelRoles[p.Level], advice.WayUsed(p)+" ("+advice.WayShare(p)+" %)  "+levelWords[p.Level])
	d.pair("", theme.Dim, "by --nat, and by the sockets of this host: what others behind it hold is not seen")
	d.pair("live", theme.Text, text.Count(p.Live)+": each holds a port for certain")
	d.pair("opening", theme.Text, text.Count(p.Opening)+" in SYN_SENT, "+text.Count(p.Unanswered)+" of them without an answer: each holds a port or got none")
	d.pair("closed", theme.Text, text.Count(p.TimeWait)+" in TIME_WAIT, "+text.Count(p.Gone)+" ended in the last minute: their ports it may have freed")
	if who := natHolder(v.Overview, &model.NATPoolUse{Holders: []model.NATHolder{{State: p.State, Process: p.Process}}}); who != "" {
		d.pair("most", theme.Text, who)
	}
	return d.lines
}

// loss says what becomes of new connections: what is measured, and what the ports that
// are in use make likely.
func (d *details) loss(s *model.NATState, p *model.NATPoolUse) {
	measured := s.Dropping(p)
	if measured {
		d.pair("dropped", theme.Warn, text.Rate(s.Rates.Drop)+" packets/s find no port, what is sent again among them")
	}
	switch {
	case p.Level == model.LevelExhausted:
		d.pair("loss", theme.Critical, "all new connections: each waits, tries again after 1 s, and times out")
	case p.Loss > 0:
		d.pair("loss", theme.Warn, "about "+text.Percent(100*p.Loss)+" % of new connections lose their first packet: a connect takes 1 s more, or 3 s")
	case measured:
		d.pair("loss", theme.Warn, "not computed here: what is in TIME_WAIT gives way to some packets only")
	case p.Percent() > 85:
		d.pair("loss", theme.Text, "of first packets none to be expected: what is in TIME_WAIT gives way to most")
	default:
		d.pair("loss", theme.Text, "none to be expected below 85 %")
	}
}

// ahead says where the ports are going that do not give way.
func (d *details) ahead(p *model.NATPoolUse) {
	switch o := &p.Outlook; {
	case o.Left() > 0:
		d.pair("outlook", theme.Warn, "full in "+text.Duration(o.Left())+", by "+text.Rate(o.Rate)+"/s more that do not give way")
	case o.Trend == model.TrendSteady:
		d.pair("outlook", theme.Text, "steady, but for what gives way")
	}
}

// counted says from what the figures are.
func counted(n *source.NAT) string {
	from := "all " + text.Count(n.Seen) + " entries of connection tracking"
	if n.Seen < n.Entries {
		from = "a sample of " + text.Count(n.Seen) + " of " + text.Count(n.Entries) + " entries: the figures are estimates"
	}
	if n.Age >= time.Second {
		from += ", " + text.Duration(n.Age) + " ago"
	}
	return from
}

// tracking says how connection tracking of the namespace fares.
func (d *details) tracking(s *model.NATState) {
	d.title("Connection tracking")
	n := s.NAT
	d.pair("entries", theme.Text, text.Count(n.Entries)+" of "+text.Count(n.Max)+" ("+text.Percent(model.Percent(n.Entries, n.Max))+" %)")
	if !s.Rates.Known {
		d.pair("counters", theme.Dim, "not known yet, or not to be read")
		return
	}
	perSecond := func(rate float64) string { return text.Count(int(rate+0.5)) + "/s" }
	d.pair("found", theme.Text, perSecond(s.Rates.Found)+" ports tried that were taken")
	role := theme.Text
	if s.Rates.InsertFailed > 0 || s.Rates.Drop > 0 {
		role = theme.Warn
	}
	d.pair("insert_failed", role, perSecond(s.Rates.InsertFailed)+" without an entry, "+perSecond(s.Rates.Drop)+" dropped")
	if s.Rates.EarlyDrop > 0 || s.Rates.ClashResolved > 0 {
		d.pair("early_drop", theme.Text, perSecond(s.Rates.EarlyDrop)+" thrown out early, "+perSecond(s.Rates.ClashResolved)+" raced to make one entry")
	}
	if why := dropWords[s.Drops]; why != "" {
		d.pair("dropped for", theme.Warn, why)
	}
}

// dropWords say why connections are dropped.
var dropWords = map[model.NATDrops]string{
	model.DropsExhausted: "want of a port", model.DropsRace: "two packets that race to make one entry",
	model.DropsTableFull: "want of room in the table", model.DropsOtherwise: "something else than ports, races or room",
}

// holders says whose the ports are.
func (d *details) holders(o *model.Overview, p *model.NATPoolUse) {
	if len(p.Holders) == 0 {
		return
	}
	d.title("Who holds them")
	const most = 12
	for i := range p.Holders[:min(len(p.Holders), most)] {
		h := &p.Holders[i]
		who := "a connection that is no socket of this host"
		if h.State >= 0 && h.State < len(o.States) {
			who = "sockets that have closed"
		}
		if h.Process >= 0 && int(h.Process) < len(o.Processes) {
			of := &o.Processes[h.Process]
			who = text.Sanitize(of.Name) + " (pid " + strconv.Itoa(int(of.PID)) + ")"
			if h.Tier == model.OwnerInferred {
				who = "likely " + who
			}
		}
		if h.State >= 0 && h.State < len(o.States) {
			if name := advice.Namespace(&o.States[h.State].Snapshot.Scope); name != "" {
				who += " in " + name
			}
		}
		d.pair(text.Count(h.Ports), theme.Text, who+", from "+h.Client.String())
	}
	if rest := len(p.Holders) - most; rest > 0 {
		d.pair("", theme.Dim, "and "+text.Plural(rest, "other", "others"))
	}
}
