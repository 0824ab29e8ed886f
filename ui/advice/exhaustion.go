package advice

import (
	"fmt"
	"slices"
	"strings"

	"ephtop/model"
	"ephtop/model/services"
	"ephtop/source"
	"ephtop/ui/text"
)

// scopeWords says what else fails.
func (t *teller) scopeWords() string {
	p := t.pressure()
	switch {
	case p.PoolOnly:
		return " This system picks a port without regard to the destination, so every other one fails too."
	case p.Blocked+p.Suspected >= p.Usable:
		how := "they are listened on or bound."
		if b := t.bound(); b != nil && 2*(b.Count+b.Suspected) > p.Blocked+p.Suspected {
			how = "they were bound before connect()."
		}
		return " Every other destination fails too, as all ports are" + likely(p) + " blocked for everyone: " + how
	case p.Blocked+p.Suspected >= p.Usable/5:
		return fmt.Sprintf(" Other destinations have %s left, as the others are%s blocked for everyone.",
			text.Plural(p.Usable-p.Blocked-p.Suspected, "port", "ports"), likely(p))
	}
	return " Other destinations still work, as only the four-tuple must be free."
}

// likely is what to say before what is partly suspected.
func likely(p *model.Pressure) string {
	if p.Suspected > 0 {
		return " likely"
	}
	return ""
}

func (t *teller) tupleFull() Advice {
	a := Advice{
		Title: t.title("%s %% of the ports to %s are used%s", percent(t.Count, t.Of), t.destination(), t.left(", full in ")),
		Seen: fmt.Sprintf("%s of %s ports to %s are used, %s free", text.Count(t.Count), text.Count(t.Of), t.destination(),
			text.Count(max(0, t.Of-t.Count))),
	}
	if t.Level == model.LevelExhausted {
		a.Title = t.title("no port is free to %s", t.destination())
	}
	if t.use != nil {
		a.Seen += fmt.Sprintf(": %s live, %s in TIME_WAIT, %s blocked for everyone", text.Count(t.use.Live), text.Count(t.use.TimeWait),
			text.Count(t.use.Blocked+t.use.Suspected))
		if t.use.Reusable > 0 {
			a.Seen += "; " + text.Count(t.use.Reusable) + " of the TIME_WAIT can likely be taken over (tcp_tw_reuse)"
		}
	}
	state, stuck := t.stuck()
	if stuck > 0 {
		a.Seen += "; " + text.Count(stuck) + " are in " + state.String()
	}
	a.Seen += t.mostBy()
	if t.Rate >= 0.5 {
		a.Seen += "; " + text.Rate(t.Rate) + " ports/s" + t.left(", full in ")
	}
	if n := t.outlook().CloseRate; n > 0 && t.Level != model.LevelExhausted {
		a.Seen += "; " + closes(n) + ", where " + rate(t.sustains()) + " can be sustained"
	}
	a.Why = "When none is free, connect() to this destination fails with EADDRNOTAVAIL." + t.scopeWords()
	if t.waitsMost() {
		a.Why += t.noCure()
	}
	a.Remedies = t.cures()
	return a
}

// mostBy names who holds most of the tuple, or says how that can be learned.
func (t *teller) mostBy() string {
	switch who := t.process(); {
	case who != "":
		return "; most by " + who + t.shares()
	case t.waitsMost():
		return t.learn()
	}
	return ""
}

// left is the time until none is free, after a few words; "" where the use
// does not rise.
func (t *teller) left(before string) string {
	if t.Span <= 0 || t.Level == model.LevelExhausted {
		return ""
	}
	return before + text.Duration(t.Span)
}

func (t *teller) waitsMost() bool {
	return t.use != nil && t.use.TimeWait > 0 && t.use.TimeWait >= t.use.Live
}

// stuck is the state, SYN_SENT or CLOSE_WAIT, that more than half of the tuple's
// ports are in, and how many: more ports would go the same way.
func (t *teller) stuck() (source.State, int) {
	if all := &t.st.TCP.States; t.use == nil || 2*(all[source.SynSent]+all[source.CloseWait]) <= t.use.Used {
		return 0, 0
	}
	counts := make(map[source.State]int)
	for i := range t.st.Rows {
		if s := &t.st.Snapshot.Sockets[i]; t.st.Rows[i].Ephemeral && t.st.Key(s) == t.use.TupleKey {
			counts[s.State]++
		}
	}
	for _, state := range [...]source.State{source.SynSent, source.CloseWait} {
		if n := counts[state]; 2*n > t.use.Used {
			return state, n
		}
	}
	return 0, 0
}

// unstick are the remedies of what is stuck in a state.
func (t *teller) unstick(state source.State, n int) []Remedy {
	f := *t.Finding
	f.Count, f.Outside = n, 0
	if state == source.SynSent {
		return newTeller(t.st, &f).synSent().Remedies
	}
	return newTeller(t.st, &f).closeWait().Remedies
}

// cures are the remedies against a destination without ports.
func (t *teller) cures() []Remedy {
	if state, n := t.stuck(); n > 0 {
		return t.unstick(state, n)
	}
	var pool Remedy
	if t.waitsMost() {
		pool = t.pool(t.use.TimeWait, t.use.Live, t.settles())
	}
	var noPort Remedy
	if t.use != nil && t.use.Blocked+t.use.Suspected > t.pressure().Usable/5 {
		noPort = t.noPortFor(t.bound())
	}
	if !t.waitsMost() {
		return gather(noPort, t.unixSocket(), t.widen(), t.another(), t.reuse(), t.shorten())
	}
	return gather(noPort, pool, t.unixSocket(), t.reuse(), t.shorten(), t.widen(), t.another())
}

// settles is where the tuple's use goes, without what is blocked for everyone.
func (t *teller) settles() int {
	if t.use == nil {
		return 0
	}
	return t.use.Outlook.Plateau - t.use.Blocked - t.use.Suspected
}

// bound is the finding about ports that are bound before connect(), or nil.
func (t *teller) bound() *model.Finding {
	i := slices.IndexFunc(t.st.Findings, func(f model.Finding) bool { return f.Problem == model.BoundFirst })
	if i < 0 || t.Proto == source.UDP {
		return nil
	}
	return &t.st.Findings[i]
}

func (t *teller) poolFull() Advice {
	proto := strings.ToUpper(t.proto().String())
	a := Advice{
		Title: t.title("%s %% of the %s ports are used", percent(t.Count, t.Of), proto),
		Seen:  fmt.Sprintf("%s of %s %s ports are used, %s free", text.Count(t.Count), text.Count(t.Of), proto, text.Count(max(0, t.Of-t.Count))),
		Why:   "This system picks a port without regard to the destination: when none is free, connect() fails to everywhere.",
	}
	p := t.pressure()
	if !p.PoolOnly {
		a.Why = "All of these are bound or listened on, and no connection may take such a port: when none is free, connect() fails to everywhere."
	}
	if t.Proto == source.UDP && p.OnlyIPv6 > 0 {
		a.Seen += fmt.Sprintf("; %s only for IPv6, so that IPv4 has %s free", text.Count(p.OnlyIPv6), text.Count(p.Usable-p.InUse+p.OnlyIPv6))
	}
	if t.Proto == source.UDP {
		a.Why = "A UDP socket takes its port whatever the destination: when none is free on its local address, connect() and sendto() fail with EAGAIN."
	}
	if kinds := services.Kinds(t.st, t.proto()); len(kinds) > 0 && kinds[0].Kind != services.Unknown {
		a.Seen += "; most for " + kinds[0].Kind.String() + ", " + text.Plural(kinds[0].Ports, "port", "ports")
		if kinds[0].Kind == services.DNS {
			a.Remedies = append(a.Remedies, kindCures[services.DNS].remedy("ends most of the "+text.Plural(kinds[0].Ports, "port", "ports")+" to DNS"))
		}
	}
	if t.Proto != source.UDP {
		a.Remedies = append(a.Remedies, gather(t.shorten())...)
	} else {
		a.Remedies = append(a.Remedies, t.shareUDP())
	}
	a.Remedies = append(a.Remedies, gather(t.widen())...)
	return a
}

// shareUDP is the remedy of fewer sockets.
func (t *teller) shareUDP() Remedy {
	return Remedy{
		What:    "use one UDP socket for many peers instead of one for each",
		Command: t.list("ss -uanp", "lsof -nP -iUDP", "netstat -ano -p udp"),
		Effect:  "one port for each such socket instead of one for each peer",
		Risk:    "the program must tell the answers of its peers apart",
	}
}

func (t *teller) slowConnect() Advice {
	a := Advice{
		Title: t.title("connect() to %s is slow", t.destination()),
		Seen: fmt.Sprintf("%s of the %s ports that connect() to %s tries first are used (%s %%)",
			text.Count(t.Count), text.Count(t.Of), t.destination(), percent(t.Count, t.Of)),
		Why: "connect() tries the ports with the parity of the range's low end first. When these are used up, each call scans all of them " +
			"in vain before it turns to the others: measured, 1,130 µs instead of 7 µs with the default range.",
		Remedies: t.cures(),
	}
	a.Seen += t.mostBy()
	return a
}

func (t *teller) reuseOff() Advice {
	setting := fmt.Sprintf("tcp_tw_reuse is %d", t.set.ReuseTimeWait)
	if t.set.Timestamps == 0 {
		setting += " and tcp_timestamps is 0"
	}
	return Advice{
		Title: t.title("%s TIME_WAIT to %s cannot be reused", text.Count(t.Count), t.destination()),
		Seen:  fmt.Sprintf("%s of %s ports to %s are in TIME_WAIT; %s", text.Count(t.Count), text.Count(t.Of), t.destination(), setting),
		Why: "connect() may take over a TIME_WAIT that is older than " + span(t.set.ReuseDelay) +
			" where tcp_tw_reuse allows it and both ends send TCP timestamps." + t.noCure(),
		Remedies: gather(t.reuse(), t.pool(t.Count, t.live(), t.settles())),
	}
}

func (t *teller) live() int {
	if t.use == nil {
		return 0
	}
	return t.use.Live
}
