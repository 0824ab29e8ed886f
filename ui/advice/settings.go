package advice

import (
	"fmt"

	"ephtop/model/services"
	"ephtop/source"
	"ephtop/ui/text"
)

func (t *teller) narrowRange() Advice {
	normal := t.set.Default
	why := "A destination can have no more connections than there are ports"
	if n := t.sustains(); n >= 0.1 {
		why += ", and no more than " + closes(n) + " for good"
		if t.linux() && t.set.ReuseTimeWait != 0 {
			why += " where connect() can't take over a TIME_WAIT"
		}
	}
	return Advice{
		Title:    t.title("the range has %s ports, the system's default %s", text.Count(t.Count), text.Count(t.Of)),
		Seen:     fmt.Sprintf("the range is %v, %s; the default is %v, %s", t.set.Range, text.Plural(t.Count, "port", "ports"), normal, text.Count(t.Of)),
		Why:      why + ".",
		Remedies: gather(t.rangeRemedy("set the range to the default,", normal), t.widen()),
	}
}

func (t *teller) reservedPorts() Advice {
	a := Advice{
		Title: t.title("%s of %s ports of the range are reserved", text.Count(t.Count), text.Count(t.Of)),
		Seen: fmt.Sprintf("%s of %s ports of the range %v are reserved, %s are left", text.Count(t.Count), text.Count(t.Of), t.set.Range,
			text.Count(t.set.Usable())),
		Why: "A reserved port is never picked for a connection that names none, so it is missing towards every destination.",
	}
	if !t.linux() {
		return a
	}
	kept := t.stillNeeded()
	then := t.set.Clone()
	then.Reserved = kept
	if more := then.Usable() - t.set.Usable(); more > 0 {
		a.Remedies = []Remedy{{
			What:    "reserve only what servers listen on",
			Command: `sysctl -w net.ipv4.ip_local_reserved_ports="` + portList(kept, nil) + `"`,
			Effect:  t.moreports(more, then.Usable()),
			Risk:    "a server that is not running now can find its port taken when it starts: look into why the ports were reserved; " + lostAtRestart,
		}}
	}
	return a
}

// stillNeeded gives the reserved ports outside the range, and those that
// servers listen on.
func (t *teller) stillNeeded() []source.PortRange {
	var kept []source.PortRange
	for _, r := range t.set.Reserved {
		if r.Low < t.set.Range.Low {
			kept = append(kept, source.PortRange{Low: r.Low, High: min(r.High, t.set.Range.Low-1)})
		}
		if r.High > t.set.Range.High {
			kept = append(kept, source.PortRange{Low: max(r.Low, t.set.Range.High+1), High: r.High})
		}
	}
	for _, s := range t.servers(func(port uint16) bool { return t.set.Range.Contains(port) && t.set.IsReserved(port) }) {
		kept = append(kept, source.PortRange{Low: s.port, High: s.port})
	}
	return kept
}

func (t *teller) listenerInRange() Advice {
	n := len(t.Ports)
	listen := text.Plural(n, "server listens", "servers listen")
	title := fmt.Sprintf("%s inside the ephemeral range: %s", listen, ports(t.Ports))
	if n == 1 {
		title = t.title("%s", title)
	} else if n > 3 { // no room to name each
		title = fmt.Sprintf("%s inside the ephemeral range, from %d to %d", listen, t.Ports[0], t.Ports[n-1])
	}
	a := Advice{
		Title: text.Truncate(title, TitleWidth),
		Seen:  fmt.Sprintf("%s inside the range %v: %s; the first is of %s", listen, t.set.Range, ports(t.Ports), t.whoever()),
		Why: "The port is blocked for every outgoing connection while the server runs, and may be taken by one while it does not: " +
			"the server then fails to start with EADDRINUSE.",
	}
	a.Remedies = gather(t.reserveRemedy("reserve the ports of the servers", "no help to a server that asks for port 0 and so gets another port each time"))
	a.Remedies = append(a.Remedies, Remedy{
		What:   "give the servers fixed ports outside the range",
		Config: fmt.Sprintf("a port below %d in the server's configuration", t.set.Range.Low),
		Effect: "+" + text.Plural(n, "port", "ports") + " to each destination",
		Risk:   "its clients must be told the new port",
	})
	return a
}

func (t *teller) timeWaitBuckets() Advice {
	return Advice{
		Title: t.title("%s of %s TIME_WAIT that the kernel keeps", text.Count(t.Count), text.Count(t.Of)),
		Seen: fmt.Sprintf("%s sockets in TIME_WAIT; tcp_max_tw_buckets is %s (%s %%)", text.Count(t.Count), text.Count(t.Of),
			percent(t.Count, t.Of)),
		Why: "Past the limit the kernel drops a TIME_WAIT at once and logs \"time wait bucket table overflow\": its port is free early, " +
			"but late segments of the old connection can then reach a new one. A lower limit is no remedy for ports.",
		Remedies: gather(Remedy{
			What:    "raise the limit",
			Command: t.list(fmt.Sprintf("sysctl -w net.ipv4.tcp_max_tw_buckets=%d", 2*t.Of), "", ""),
			Effect: fmt.Sprintf("keeps %s TIME_WAIT, %s instead of %s on the whole host; frees no port",
				text.Count(2*t.Of), rate(sustains(2*t.Of, t.set.TimeWait)), closes(sustains(t.Of, t.set.TimeWait))),
			Risk: "about 256 bytes of kernel memory for each; " + lostAtRestart,
		}, t.hostPool()),
	}
}

// hostPool is the remedy of pooling where no single destination is meant.
func (t *teller) hostPool() Remedy {
	return kindCures[services.Unknown].remedy("ends up to " + text.Count(t.Count) + " TIME_WAIT")
}
