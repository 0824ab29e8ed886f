package advice

import (
	"fmt"

	"ephtop/model"
	"ephtop/model/services"
	"ephtop/source"
	"ephtop/ui/text"
)

func (t *teller) connectsFail() Advice {
	f := t.f
	a := Advice{
		Title: t.title("connect() to %s fails for want of a port", t.destination()),
		Seen: text.Plural(f.Count, "connect", "connects") + " failed with EADDRNOTAVAIL, " + text.Count(f.Of) + " of them in the last " +
			span(model.FailureSpan) + "; most by " + t.whoever() + " to " + t.destination(),
		Why: "The kernel found no port for a new connection, and no counter of its own says so." + t.scopeWords(),
	}
	a.Remedies = t.cures()
	return a
}

// scopeWords says what else fails.
func (t *teller) scopeWords() string {
	p := t.pressure()
	switch {
	case p.PoolOnly:
		return " This system picks a port without regard to the destination, so every other one fails too."
	case p.Blocked+p.Suspected >= p.Usable:
		return " Every other destination fails too, as all ports are blocked for everyone: they were bound before connect()."
	}
	return " Other destinations still work, as only the four-tuple must be free."
}

func (t *teller) tupleFull() Advice {
	f := t.f
	a := Advice{
		Title: t.title("%s %% of the ports to %s are used%s", percent(f.Count, f.Of), t.destination(), t.left(", full in ")),
		Seen: fmt.Sprintf("%s of %s ports to %s are used, %s free", text.Count(f.Count), text.Count(f.Of), t.destination(),
			text.Count(max(0, f.Of-f.Count))),
	}
	if f.Level == model.LevelExhausted {
		a.Title = t.title("no port is free to %s", t.destination())
	}
	if t.use != nil {
		a.Seen += fmt.Sprintf(": %s live, %s in TIME_WAIT, %s blocked for everyone", text.Count(t.use.Live), text.Count(t.use.TimeWait),
			text.Count(t.use.Blocked+t.use.Suspected))
		if t.use.Reusable > 0 {
			a.Seen += "; " + text.Count(t.use.Reusable) + " of the TIME_WAIT can likely be taken over (tcp_tw_reuse)"
		}
	}
	if who := t.process(); who != "" {
		a.Seen += "; most by " + who
	}
	if f.Rate >= 0.5 {
		a.Seen += "; " + text.Rate(f.Rate) + " ports/s" + t.left(", full in ")
	}
	if n := t.closeRate(); n > 0 {
		a.Seen += "; " + closes(n) + ", where " + rate(t.room().sustains()) + " can be sustained"
	}
	a.Why = "When none is free, connect() to this destination fails with EADDRNOTAVAIL." + t.scopeWords()
	if t.waitsMost() {
		a.Why += t.noCure()
	}
	a.Remedies = t.cures()
	return a
}

// left is the time until none is free, after a few words; "" where the use
// does not rise.
func (t *teller) left(before string) string {
	if t.f.Span <= 0 || t.f.Level == model.LevelExhausted {
		return ""
	}
	return before + text.Duration(t.f.Span)
}

func (t *teller) waitsMost() bool {
	return t.use != nil && t.use.TimeWait > 0 && t.use.TimeWait >= t.use.Live
}

// cures are the remedies against a destination without ports.
func (t *teller) cures() []Remedy {
	var pool Remedy
	if t.waitsMost() {
		plateau := t.use.Live + int(t.closeRate()*t.set.TimeWait.Seconds()+0.5)
		pool = t.pool(t.use.TimeWait, t.use.Live, plateau)
	}
	var noPort Remedy
	if p := t.pressure(); t.use != nil && t.use.Blocked+t.use.Suspected > p.Usable/5 {
		noPort = t.noPort(t.use.Blocked + t.use.Suspected)
	}
	if !t.waitsMost() {
		return gather(noPort, t.unixSocket(), t.widen(), t.another(), t.reuse(), t.shorten())
	}
	return gather(noPort, pool, t.unixSocket(), t.reuse(), t.shorten(), t.widen(), t.another())
}

func (t *teller) poolFull() Advice {
	f := t.f
	share := percent(f.Count, f.Of)
	a := Advice{
		Title: t.title("%s %% of the TCP ports are used", share),
		Seen:  text.Count(f.Count) + " of " + text.Count(f.Of) + " TCP ports are used, " + text.Count(max(0, f.Of-f.Count)) + " free",
		Why:   "This system picks a port without regard to the destination: when none is free, connect() fails to everywhere.",
	}
	if f.Proto == source.UDP {
		a.Title = t.title("%s %% of the UDP ports are used", share)
		a.Seen = text.Count(f.Count) + " of " + text.Count(f.Of) + " UDP ports are used, " + text.Count(max(0, f.Of-f.Count)) + " free"
		a.Why = "A UDP socket takes its port whatever the destination: when none is free on its local address, connect() and sendto() fail with EAGAIN."
	}
	if kinds := services.Kinds(t.st.Of(t.proto()).Consumers[model.ByService], t.proto()); len(kinds) > 0 && kinds[0].Kind != services.Unknown {
		a.Seen += "; most for " + kinds[0].Kind.String() + ", " + text.Plural(kinds[0].Ports, "port", "ports")
		if kinds[0].Kind == services.DNS {
			c := cureByKind(services.DNS)
			a.Remedies = append(a.Remedies, Remedy{c.what, c.command, "ends most of the " + text.Plural(kinds[0].Ports, "port", "ports") + " to DNS", c.risk})
		}
	}
	if f.Proto == source.UDP {
		a.Remedies = append(a.Remedies, Remedy{
			What:    "use one UDP socket for many peers instead of one for each",
			Command: t.list("ss -uanp", "lsof -nP -iUDP", "netstat -ano -p udp"),
			Effect:  "one port for each such socket instead of one for each peer",
			Risk:    "the program must tell the answers of its peers apart",
		})
	}
	if f.Proto != source.UDP {
		a.Remedies = append(a.Remedies, gather(t.shorten())...)
	}
	a.Remedies = append(a.Remedies, gather(t.widen())...)
	return a
}

func (t *teller) slowConnect() Advice {
	f := t.f
	a := Advice{
		Title: t.title("connect() to %s is about to get slow", t.destination()),
		Seen: fmt.Sprintf("%s of the %s ports that connect() to %s tries first are used (%s %%)",
			text.Count(f.Count), text.Count(f.Of), t.destination(), percent(f.Count, f.Of)),
		Why: "connect() tries the ports with the parity of the range's low end first. When these are used up, each call scans all of them " +
			"in vain before it turns to the others: measured, 1,130 µs instead of 7 µs with the default range.",
		Remedies: t.cures(),
	}
	if f.Count >= f.Of {
		a.Title = t.title("connect() to %s is slow", t.destination())
	}
	if who := t.process(); who != "" {
		a.Seen += "; most by " + who
	}
	return a
}

func (t *teller) reuseOff() Advice {
	f := t.f
	setting := fmt.Sprintf("tcp_tw_reuse is %d", t.set.ReuseTimeWait)
	if t.set.Timestamps == 0 {
		setting += " and tcp_timestamps is 0"
	}
	return Advice{
		Title: t.title("%s TIME_WAIT to %s cannot be reused", text.Count(f.Count), t.destination()),
		Seen:  fmt.Sprintf("%s of %s ports to %s are in TIME_WAIT; %s", text.Count(f.Count), text.Count(f.Of), t.destination(), setting),
		Why: "connect() may take over a TIME_WAIT that is older than " + span(t.set.ReuseDelay) +
			" where tcp_tw_reuse allows it and both ends send TCP timestamps." + t.noCure(),
		Remedies: gather(t.reuse(), t.pool(f.Count, t.live(), 0)),
	}
}

func (t *teller) live() int {
	if t.use == nil {
		return 0
	}
	return t.use.Live
}
