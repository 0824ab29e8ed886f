package advice

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

// loopback tells whether an end of the finding's tuple is on loopback, which
// suffices for the setting 2 (tcp_twsk_unique).
func (t *teller) loopback() bool {
	return t.Tuple.Destination.IsLoopback() || t.Tuple.Source.IsLoopback()
}

// reuseAllowed tells whether tcp_tw_reuse, timestamps apart, lets connect()
// take over a TIME_WAIT towards the finding's tuple.
func (t *teller) reuseAllowed() bool {
	return t.set.ReuseTimeWait == 1 || t.set.ReuseTimeWait == 2 && t.loopback()
}

// reuse is the remedy of tcp_tw_reuse; it has no name where that is set
// already, not known, or no setting of the system.
func (t *teller) reuse() Remedy {
	const setting, timestamps = "net.ipv4.tcp_tw_reuse", "net.ipv4.tcp_timestamps"
	known := t.set.ReuseTimeWait != source.UnknownSetting && t.set.Timestamps != source.UnknownSetting
	if !t.linux() || !known || t.use == nil || t.use.TimeWait == 0 || t.reuseAllowed() && t.set.Timestamps > 0 {
		return Remedy{}
	}
	value := 1
	if t.loopback() {
		value = 2
	}
	var settings []string
	if t.set.Timestamps == 0 {
		settings = append(settings, timestamps+"=1")
	}
	if !t.reuseAllowed() {
		settings = append(settings, fmt.Sprintf("%s=%d", setting, value))
	}
	r := Remedy{
		OfRange: true,
		What:    fmt.Sprintf("let connect() take over a TIME_WAIT (tcp_tw_reuse is %d)", t.set.ReuseTimeWait),
		Command: "sysctl -w " + strings.Join(settings, " "),
		Risk: "works only where both ends send TCP timestamps, and never for ports that were bound before connect(); " +
			t.behindNAT() + lostAtRestart,
	}
	rates := "sustains up to " + t.insteadOf(sustains(t.spare(), t.set.ReuseDelay))
	if t.set.Timestamps == 0 {
		r.What = fmt.Sprintf("turn TCP timestamps on, so that connect() can take over a TIME_WAIT (tcp_tw_reuse is %d)", t.set.ReuseTimeWait)
		r.Effect = "frees none of the " + text.Count(t.use.TimeWait) + " TIME_WAIT of now, which have no timestamps; after them " + rates
	} else {
		r.Effect = fmt.Sprintf("frees the %s of %s TIME_WAIT that are older than %s; %s",
			text.Count(t.oldEnough()), text.Count(t.use.TimeWait), span(t.set.ReuseDelay), rates)
	}
	return r
}

// behindNAT is the risk of taking over a TIME_WAIT where several hosts share an
// address on the way.
func (t *teller) behindNAT() string {
	if t.loopback() {
		return "2 means on loopback only; "
	}
	return "behind NAT, where several hosts share one address, the server may see timestamps of one host after those of another, " +
		"and drop or reset new connections; 2 means on loopback only; "
}

// insteadOf compares a rate of closes with the one that can be sustained now.
func (t *teller) insteadOf(then float64) string {
	if now := t.sustains(); now >= 0.1 {
		return rate(then) + " instead of " + closes(now)
	}
	return closes(then)
}

// shorten is the remedy of a shorter TIME_WAIT, where the system has a setting
// for it: it lasts 2 MSL there (RFC 9293, section 3.4.2).
func (t *teller) shorten() Remedy {
	const msl = 5 * time.Second
	if !t.bsd() || t.set.TimeWait <= 2*msl {
		return Remedy{}
	}
	return Remedy{
		OfRange: true,
		What:    "shorten TIME_WAIT from " + span(t.set.TimeWait) + " to " + span(2*msl),
		Command: fmt.Sprintf("sysctl net.inet.tcp.msl=%d", msl.Milliseconds()),
		Effect:  "sustains " + t.insteadOf(sustains(t.spare(), 2*msl)),
		Risk:    "a segment that is on its way for longer than 5 s can reach a new connection with the same ports",
	}
}

// another is the remedy of one more address at either end.
func (t *teller) another() Remedy {
	p := t.pressure()
	if p.PoolOnly || !t.linux() {
		return Remedy{}
	}
	if b := t.bound(); b != nil && b.Process == t.Process && 2*(b.Count+b.Suspected) > t.Count {
		return Remedy{} // bind() takes of one pool whatever the destination
	}
	fresh := p.Usable - p.Blocked - p.Suspected
	if fresh <= p.Usable/20 {
		return Remedy{} // what is blocked for everyone is blocked there too
	}
	r := Remedy{
		OfRange: true,
		What:    "spread the connections over one more destination or source address",
		Command: "ip address add ADDRESS dev INTERFACE",
		Config:  "HAProxy: source ADDRESS; nginx: proxy_bind ADDRESS; or one more address or port of the server",
		Effect:  "+" + text.Plural(fresh, "port", "ports") + " and " + closes(sustains(fresh, t.keeps())) + " for each further address",
		Risk:    "a program that binds the source address must set IP_BIND_ADDRESS_NO_PORT, or its ports are blocked for everyone",
	}
	if t.Tuple.Source.IsLoopback() {
		r.Command, r.Config = moreLoopback(t.Tuple.Source)
	}
	if t.Tuple.Destination.IsLoopback() {
		r.Command, r.Config = "", "connect to "+t.unusedLoopback().String()+" as well, which needs no set-up; the server must listen on 0.0.0.0 or there too"
		r.Risk = "the server must be told apart by nothing but its port"
	}
	return r
}

// moreLoopback is how a program gets one more source address on loopback: of
// IPv4 all are there.
func moreLoopback(a source.Addr) (command, config string) {
	if a.Is4() {
		return "", "bind the source to 127.0.0.2 and on: all of 127.0.0.0/8 is there without set-up"
	}
	return "ip address add ADDRESS dev lo", ""
}

// unusedLoopback is an address of loopback on which nothing goes to the port of
// the finding's tuple yet.
func (t *teller) unusedLoopback() source.Addr {
	to := source.Addr4([4]byte{127, 0, 0, 2})
	for used := true; used && to[15] < 255; {
		if used = slices.ContainsFunc(t.pressure().Tuples, func(u model.TupleUse) bool {
			return u.Destination == to && u.Port == t.Tuple.Port
		}) || to == t.Tuple.Destination; used {
			to[15]++
		}
	}
	return to
}

// unixSocket is the remedy for what stays on the host anyway.
func (t *teller) unixSocket() Remedy {
	if t.use == nil || !t.Tuple.Destination.IsLoopback() || t.windows() {
		return Remedy{}
	}
	return Remedy{
		What:   "use a Unix domain socket, as both ends are on this host",
		Config: "set the client's address to the path of the server's socket, such as /run/NAME.sock",
		Effect: "no port at all instead of " + text.Plural(t.use.Live+t.use.TimeWait, "port", "ports"),
		Risk:   "both programs must be able to, and permissions are those of a file",
	}
}
