package advice

import (
	"fmt"
	"strings"
	"time"

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
		What:    fmt.Sprintf("let connect() take over a TIME_WAIT (tcp_tw_reuse is %d)", t.set.ReuseTimeWait),
		Command: "sysctl -w " + strings.Join(settings, " "),
		Risk: "works only where both ends send TCP timestamps, and never for ports that were bound before connect(); " +
			lostAtRestart,
	}
	rates := "sustains up to " + rate(sustains(t.spare(), t.set.ReuseDelay)) + " instead of " + closes(t.sustains())
	if t.set.Timestamps == 0 {
		r.What = fmt.Sprintf("turn TCP timestamps on, so that connect() can take over a TIME_WAIT (tcp_tw_reuse is %d)", t.set.ReuseTimeWait)
		r.Effect = "frees none of the " + text.Count(t.use.TimeWait) + " TIME_WAIT of now, which have no timestamps; after them " + rates
	} else {
		r.Effect = fmt.Sprintf("frees the %s of %s TIME_WAIT that are older than %s; %s",
			text.Count(t.oldEnough()), text.Count(t.use.TimeWait), span(t.set.ReuseDelay), rates)
	}
	return r
}

// shorten is the remedy of a shorter TIME_WAIT, where the system has a setting
// for it: it lasts 2 MSL there (RFC 9293, section 3.4.2).
func (t *teller) shorten() Remedy {
	const msl = 5 * time.Second
	if !t.bsd() || t.set.TimeWait <= 2*msl {
		return Remedy{}
	}
	return Remedy{
		What:    "shorten TIME_WAIT from " + span(t.set.TimeWait) + " to " + span(2*msl),
		Command: fmt.Sprintf("sysctl net.inet.tcp.msl=%d", msl.Milliseconds()),
		Effect:  "sustains " + rate(sustains(t.spare(), 2*msl)) + " instead of " + closes(t.sustains()),
		Risk:    "a segment that is on its way for longer than 5 s can reach a new connection with the same ports",
	}
}

// another is the remedy of one more address at either end.
func (t *teller) another() Remedy {
	p := t.pressure()
	if p.PoolOnly || !t.linux() {
		return Remedy{}
	}
	fresh := p.Usable - p.Blocked - p.Suspected
	if fresh <= p.Usable/20 {
		return Remedy{} // what is blocked for everyone is blocked there too
	}
	r := Remedy{
		What:    "spread the connections over one more destination or source address",
		Command: "ip address add ADDRESS dev INTERFACE\nHAProxy: source ADDRESS; nginx: proxy_bind ADDRESS; or one more address or port of the server",
		Effect:  "+" + text.Plural(fresh, "port", "ports") + " and " + closes(sustains(fresh, t.set.TimeWait)) + " for each further address",
		Risk:    "a program that binds the source address must set IP_BIND_ADDRESS_NO_PORT, or its ports are blocked for everyone",
	}
	if t.Tuple.Destination.IsLoopback() {
		r.Command = "connect to 127.0.0.2 as well, which needs no set-up; the server must listen on 0.0.0.0 or there too"
		r.Risk = "the server must be told apart by nothing but its port"
	}
	return r
}

// unixSocket is the remedy for what stays on the host anyway.
func (t *teller) unixSocket() Remedy {
	if t.use == nil || !t.Tuple.Destination.IsLoopback() || t.windows() {
		return Remedy{}
	}
	return Remedy{
		What:    "use a Unix domain socket, as both ends are on this host",
		Command: "set the client's address to the path of the server's socket, such as /run/NAME.sock",
		Effect:  "no port at all instead of " + text.Plural(t.use.Live+t.use.TimeWait, "port", "ports"),
		Risk:    "both programs must be able to, and permissions are those of a file",
	}
}
