package advice

import (
	"slices"
	"strconv"
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

const atLeast = "at least "

// Wanting counts what failed for want of a port, by sort: "3 connects", "at least
// 3 connects, 20 binds, 5 UDP sockets".
func Wanting(f *model.Failures) string {
	words := text.Plural(f.Connects(), "connect", "connects")
	if f.Binds+f.UDP > 0 {
		var sorts []string
		for _, s := range []struct {
			count     int
			one, many string
		}{{f.Connects(), "connect", "connects"}, {f.Binds, "bind", "binds"}, {f.UDP, "UDP socket", "UDP sockets"}} {
			if s.count > 0 {
				sorts = append(sorts, text.Plural(s.count, s.one, s.many))
			}
		}
		words = strings.Join(sorts, ", ")
	}
	if f.Lost > 0 && f.Count > 0 {
		return atLeast + words
	}
	return words
}

// NoneLately says of what failed that it is over, behind a comma; "" where it is
// not, or where nothing failed.
func NoneLately(f *model.Failures) string {
	if f.Count == 0 || f.Recent > 0 {
		return ""
	}
	return ", none lately"
}

// Aside says what failed and was no want of ports, and what is not known: a few
// sentences, or none.
func Aside(f *model.Failures) (list []string) {
	add := func(n int, one, many, words string) {
		if n > 0 {
			list = append(list, text.Plural(n, one, many)+words)
		}
	}
	add(f.Taken, "bind", "binds", " to a port that somebody has")
	add(f.Refused, "call", "calls", " for want of an address, not of a port")
	add(f.Unplaced, "connect", "connects", " that the ports here do not explain: in another network namespace, or in a range of the process's own")
	add(f.Lost, "event", "events", " lost: there may be more of each")
	return list
}

func (t *teller) connectsFail() Advice {
	by := t.st.Failures.By
	if len(by) > 0 && by[0].Kind == source.BindFailed {
		return t.bindsFail(by[0].Proto)
	}
	return Advice{
		Title:    t.title("connect() to %s %s for want of a port", t.destination(), t.tense("fails", "failed, not lately,")),
		Seen:     t.wanting("failed with EADDRNOTAVAIL") + " to " + t.destination(),
		Why:      "The kernel found no port for a new connection, and no counter of its own says so." + t.scopeWords(),
		Remedies: t.cures(),
	}
}

// wanting says what failed; how, where that is the same for all.
func (t *teller) wanting(how string) string {
	f := &t.st.Failures
	if f.Count != f.Connects() {
		how = "failed"
	}
	lately := ", " + text.Count(t.Of) + " of them in the last " + span(model.FailureSpan)
	if t.Past {
		lately = ", none lately"
	}
	return Wanting(f) + " " + how + lately + "; most by " + t.whoever()
}

// tense gives the words for what fails, or for what failed and does no more.
func (t *teller) tense(present, past string) string {
	if t.Past {
		return past
	}
	return present
}

// bindsFail is about a bind() that was seen to fail, or what UDP does in its place
// when it connects or sends: most did.
func (t *teller) bindsFail(proto source.Proto) Advice {
	on := address(t.Tuple.Source)
	a := Advice{
		Title:    t.title("bind() on %s %s for want of a port", on, t.tense("fails", "failed, not lately,")),
		Seen:     t.wanting("failed") + " on " + on,
		Why:      "The kernel found no port that is free on this address, whatever the destination, and no counter of its own says so.",
		Remedies: gather(t.noPortFor(t.bound()), t.widen()),
	}
	if proto == source.UDP {
		a.Title = t.title("UDP sockets %s no port on %s", t.tense("find", "found, but not lately,"), on)
		a.Why += " A UDP socket without one gets it when it connects or sends: that fails with EAGAIN, bind() with EADDRINUSE."
		a.Remedies = append([]Remedy{t.shareUDP()}, a.Remedies...)
	}
	return a
}

// refused is the failure that the finding is about.
func (t *teller) refused() *model.Failure {
	if t.Index < len(t.st.Failures.RefusedBy) {
		return &t.st.Failures.RefusedBy[t.Index]
	}
	return &model.Failure{Proto: t.Proto, Local: t.Tuple.Source, Destination: t.Tuple.Destination, Port: t.Tuple.Port}
}

// alike counts the further processes of the program that failed in the same way.
func (t *teller) alike() string {
	r, more := t.refused(), -1
	for i := range t.st.Failures.RefusedBy {
		if t.st.Failures.RefusedBy[i].Alike(r) {
			more++
		}
	}
	if more <= 0 {
		return ""
	}
	return " and " + text.Count(more) + " more of that name"
}

// lately says when calls failed.
func (t *teller) lately() string {
	return " failed in the last " + span(model.HistorySpan) + t.tense("", ", none lately")
}

const notThePorts = "The error, EADDRNOTAVAIL, is that of a want of ports too, but this call did not get as far as a port: "

func (t *teller) addressRefused() Advice {
	r := t.refused()
	if r.Port == 0 {
		return t.bindRefused(r)
	}
	a := Advice{
		Title: t.title("connect() to %s %s no address, it is not the ports", t.destination(), t.tense("finds", "earlier found")),
		Seen:  text.Plural(t.Count, "connect", "connects") + t.lately() + "; by " + t.whoever() + t.alike() + " to " + t.destination(),
	}
	look := Remedy{
		What: "see which address and route there is", Command: "ip route get " + r.Destination.String() + "\nip address",
		Effect: "tells why there is none: the interface is down, or has no address of this family", Risk: "none: it only looks",
	}
	switch {
	case r.Destination.IsLoopback() && !r.Destination.Is4():
		a.Why = notThePorts + "the loopback interface has no ::1, for IPv6 is off on it, and the call goes there."
		a.Remedies = []Remedy{{
			What: "connect to 127.0.0.1 instead of ::1 or localhost", Config: "the address of the server in the client's configuration",
			Effect: "the connection has an address", Risk: "the server must listen on 127.0.0.1 too",
		}, {
			What: "turn IPv6 on on the loopback interface", Command: "sysctl -w net.ipv6.conf.lo.disable_ipv6=0",
			Effect: "lo gets ::1 back", Risk: "IPv6 may be off on purpose; " + lostAtRestart,
		}}
	case linkLocal(r.Destination) || linkLocal(r.Local):
		a.Why = notThePorts + "a link-local address means nothing without its interface."
		a.Remedies = []Remedy{{
			What: "name the interface with the address", Config: r.Destination.String() + "%INTERFACE",
			Effect: "the connection has an address of that link", Risk: "not every program takes addresses with an interface",
		}, look}
	default:
		a.Why = notThePorts + "no address of this host can be the source for this destination, or the one that was asked for is gone."
		a.Remedies = []Remedy{look}
	}
	return a
}

// bindRefused is about a source address, or that of a server, that is not there.
func (t *teller) bindRefused(r *model.Failure) Advice {
	ip := r.Local.String()
	to := ip
	if r.LocalPort > 0 {
		to = source.AddrPort(r.Local, r.LocalPort)
	}
	a := Advice{
		Title: t.title("bind() to %s %s: the address, not the ports", to, t.tense("fails", "failed earlier")),
		Seen:  text.Plural(t.Count, "bind", "binds") + t.lately() + "; by " + t.whoever() + t.alike() + " to " + to,
		Why:   notThePorts + "this host has no address " + ip + ".",
	}
	if linkLocal(r.Local) {
		a.Why = notThePorts + "a link-local address means nothing without its interface, and is of one interface alone."
		a.Remedies = append(a.Remedies, Remedy{
			What: "name the interface with the address", Config: ip + "%INTERFACE",
			Effect: "the address is looked for on that link", Risk: "not every program takes addresses with an interface",
		})
	}
	a.Remedies = append(a.Remedies, Remedy{
		What: "name an address that this host has, or give it that one", Command: "ip address\nip address add " + ip + " dev INTERFACE",
		Effect: "bind() finds its address", Risk: "an address that another host has as well breaks both; gone at the next start",
	})
	return a
}

// linkLocal reports whether an address is of fe80::/10.
func linkLocal(a source.Addr) bool { return a[0] == 0xfe && a[1]&0xc0 == 0x80 }

func (t *teller) stolenPort() Advice {
	s := &model.Stolen{Port: t.Ports[0], Refused: t.Count}
	if t.Index < len(t.st.Stolen) {
		s = &t.st.Stolen[t.Index]
	}
	port := strconv.Itoa(int(s.Port))
	holder := t.whoever() + ", connected from " + source.AddrPort(t.Tuple.Source, s.Port) + " to " + t.destination()
	server := "a server"
	if s.Wanted.PID != 0 {
		server = processName(&s.Wanted)
	}
	a := Advice{
		Why: "The port is of the range that connect() picks from: while no server listens on it, an outgoing connection may be given it, and keeps it " +
			"for as long as it lives, and " + span(t.set.TimeWait) + " more if it closes first.",
	}
	if s.Refused > 0 {
		a.Title = t.title("port %s, that a server wants, is held by a connection", port)
		a.Seen = text.Count(s.Refused) + " refused on " + port + ", last of " + server + "; held by " + holder
	} else {
		a.Title = t.title("port %s, that a server had, is held by a connection", port)
		a.Seen = server + " listened on " + port
	}
	if !s.Listened.IsZero() {
		until := " until " + s.Listened.UTC().Format("15:04:05 UTC")
		if s.Refused > 0 {
			a.Seen += "; a server listened there" + until
		} else {
			a.Seen += until + ", now held by " + holder
		}
	}
	a.Remedies = append(gather(t.reserveRemedy("reserve the ports that servers want", "an outgoing connection that has it keeps it until it ends")), Remedy{
		What:    "end the connection that has it, then start the server",
		Command: t.list("ss -K dst "+t.Tuple.Destination.String()+" sport = :"+port, "lsof -nP -iTCP:"+port, "netstat -ano -p tcp | findstr :"+port),
		Effect:  "frees the port at once",
		Risk:    "the process that has the connection sees it break",
	})
	return a
}

// wanted are the ports that servers have, had, or asked for. The setting is
// replaced as a whole: a line for each finding would undo that of another.
func (t *teller) wanted() []uint16 {
	list := slices.Clone(t.Ports)
	for i := range t.st.Findings {
		if f := &t.st.Findings[i]; f.Problem == model.ListenerInRange || f.Problem == model.StolenPort {
			list = append(list, f.Ports...)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// reserveRemedy keeps the ports that servers want from being given away, now and
// after the next start. It has no name where the system can't.
func (t *teller) reserveRemedy(what, risk string) Remedy {
	ports := t.wanted()
	command := t.reserve(ports)
	if command == "" {
		return Remedy{}
	}
	r := Remedy{
		What: what, Command: command, Risk: risk,
		Effect: text.Plural(len(ports), "port is", "ports are") + " no longer picked for connections; " +
			text.Count(max(0, t.set.Usable()-len(ports))) + " instead of " + text.Count(t.set.Usable()) + " usable",
	}
	switch {
	case !t.linux():
	case t.elsewhere():
		r.Risk += "; the setting is replaced as a whole: what is reserved now is in the line; " + lostAtRestart
	default:
		r.Command += "\n" + t.reserveForGood(ports)
		r.Risk += "; the setting is replaced as a whole: what is reserved now is in the lines, of which the second is for the next start"
	}
	return r
}
