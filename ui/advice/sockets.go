package advice

import (
	"fmt"
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

func (t *teller) boundFirst() Advice {
	all := min(t.Count+t.Suspected, t.pressure().Usable)
	bound := fmt.Sprintf("%s bound for certain, %s suspected, of", text.Count(t.Count), text.Count(t.Suspected))
	if t.st.Snapshot.BlockedKnown {
		bound = text.Count(t.Count) + " of"
	}
	a := Advice{
		Title: t.title("%s bound before connect(), blocked for everyone", text.Plural(all, "port", "ports")),
		Seen:  fmt.Sprintf("%s %s ports; most by %s", bound, text.Count(t.Of), t.whoever()),
		Why: "A port that is bound before connect() is blocked for every destination, for IPv6 too, and for " + span(t.set.TimeWait) +
			" after the close, where tcp_tw_reuse is no help.",
	}
	if t.Pool > 0 {
		a.Seen += fmt.Sprintf("; of the pool of bind() on %s, %s are used", address(t.Tuple.Source), text.Count(t.Pool))
	}
	if t.Level == model.LevelExhausted {
		a.Why += " bind() on " + address(t.Tuple.Source) + " fails with EADDRINUSE now."
	}
	a.Remedies = append(gather(t.noPort(all)), Remedy{
		What:   "do not bind() at all where the system may choose the source address",
		Config: "leave the source address out of the configuration (Go: net.Dialer.LocalAddr)",
		Effect: "gives " + text.Plural(all, "port", "ports") + " back to every destination",
		Risk:   "the source address is the one of the route",
	})
	return a
}

// noPortFor is noPort for what a finding about bound ports counts, if there is one.
func (t *teller) noPortFor(b *model.Finding) Remedy {
	if b == nil {
		return Remedy{}
	}
	return t.noPort(min(b.Count+b.Suspected, t.pressure().Usable))
}

// noPort is the remedy of leaving the choice of a port to connect().
func (t *teller) noPort(all int) Remedy {
	if !t.linux() {
		return Remedy{}
	}
	return Remedy{
		What:   "set IP_BIND_ADDRESS_NO_PORT before bind(), so that connect() picks the port",
		Config: "setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));\nGo: in net.Dialer.Control; nginx proxy_bind and HAProxy source set it themselves",
		Effect: "gives " + text.Plural(all, "port", "ports") + " back to every destination",
		Risk:   "getsockname() before connect() gives port 0; needs Linux 4.2",
	}
}

// address names a local address, the wildcard in words.
func address(a source.Addr) string {
	if a.IsWildcard() {
		return "all addresses"
	}
	return a.String()
}

func (t *teller) closeWait() Advice {
	a := Advice{
		Title: t.title("%s in CLOSE_WAIT: the application does not close them", text.Plural(t.Count, "connection", "connections")),
		Seen:  text.Plural(t.Count, "connection", "connections") + " of " + t.whoever() + " in CLOSE_WAIT",
		Why: "The peer has closed and the application has not called close(): no timer and no setting ends this. " +
			"Each keeps its port and a file descriptor until the process closes it or ends.",
	}
	held := t.Count - t.Outside
	switch {
	case held == 0:
		a.Why = "The peer has closed and the application has not called close(): no timer and no setting ends this. " +
			"Each keeps a file descriptor until the process closes it or ends, and no ephemeral port: they are on ports of the server itself."
	case t.Outside > 0:
		a.Seen += ", " + text.Count(held) + " of them on ephemeral ports"
	}
	if t.name() == "" {
		a.Title = t.title("%s in CLOSE_WAIT that nobody closes", text.Plural(t.Count, "connection", "connections"))
	}
	if t.Rate >= 0.05 {
		a.Seen += ", +" + rate(t.Rate) + "/s"
	}
	freed := text.Plural(held, "port", "ports")
	if held == 0 {
		freed = text.Plural(t.Count, "descriptor", "descriptors")
	}
	pid := t.pid()
	a.Remedies = []Remedy{
		{
			What: "find the connections that are not closed, and close them in the code after the end of the input",
			Command: t.list(fmt.Sprintf("ss -tanp state close-wait | grep pid=%s,", pid), fmt.Sprintf("lsof -nP -a -p %s -iTCP -sTCP:CLOSE_WAIT", pid),
				fmt.Sprintf("netstat -ano -p tcp | findstr CLOSE_WAIT | findstr %s", pid)),
			Effect: "ends " + text.Count(t.Count) + " CLOSE_WAIT for good; none of them becomes a TIME_WAIT",
			Risk:   "none: it only lists",
		},
		{
			What:    "restart the process, until it is mended",
			Command: t.restart(pid),
			Effect:  "frees up to " + freed + " at once",
			Risk:    "its other connections end too, and the leak comes back",
		},
	}
	return a
}

// restart is how what a process belongs to is found and started anew.
func (t *teller) restart(pid string) string {
	scope := &t.st.Snapshot.Scope
	space, name, _ := strings.Cut(scope.Name, "/")
	if scope.Kind == source.ScopePod && plainName.MatchString(space) && plainName.MatchString(name) {
		return "kubectl delete pod -n " + space + " " + name
	}
	return t.list("systemctl status "+pid+"\nsystemctl restart UNIT", "ps -p "+pid, "tasklist /svc /fi \"pid eq "+pid+"\"")
}

// lasting is how long the oldest has been there, as far as that was watched.
func (t *teller) lasting() string {
	if t.SinceStart {
		return ">" + span(t.Span)
	}
	return span(t.Span)
}

func (t *teller) synSent() Advice {
	r, to := t.set.Range, t.Tuple
	a := Advice{
		Title: t.title("%s to %s without an answer", text.Plural(t.Count, "connect", "connects"), t.destination()),
		Seen: fmt.Sprintf("%s in SYN_SENT to %s, the oldest for %s", text.Plural(t.Count, "connection", "connections"), t.destination(),
			t.lasting()),
		Why: "Nothing comes back, not even a refusal: the host is down, a firewall drops the packets or their answers, " +
			"or a NAT on the way has no port for them. " +
			"Each connect() holds its port until it gives up, which takes a minute or two by default.",
	}
	if who := t.process(); who != "" {
		a.Seen += "; by " + who
	}
	by := t.translator()
	if by != "" {
		a.Title = t.title("%s without a %s port to %s", text.Plural(t.Count, "connect", "connects"), by, t.destination())
		a.Why = "Where " + by + " finds no port for a connection, it drops the first packet without a word: neither a firewall nor the server has seen it. " +
			"connect() tries again after 1 s, then 3 s, and times out."
	}
	if n := t.untracked(); n != nil && by == "" {
		a.Seen += fmt.Sprintf("; connection tracking of %s is full: %s of %s entries", where(&n.Scope), text.Count(n.NAT.Entries), text.Count(n.NAT.Max))
		a.Why = noEntry + " So it is with the connects of the finding: neither a rule of a firewall nor the server need have seen them. " +
			"connect() tries again after 1 s, then 3 s, and times out."
		a.Remedies = append(a.Remedies, moreEntries(n.NAT.Max))
	}
	if t.linux() && by == "" {
		a.Remedies = append(a.Remedies, Remedy{
			What: "see whether an answer arrives at this host",
			Command: fmt.Sprintf("tcpdump -ni any host %s and tcp port %d", to.Destination, to.Port) +
				"\nnft list ruleset | grep -n 'ct state'\niptables -S | grep -n -i established",
			Effect: "an answer that arrives is dropped by the firewall of this host, else it is lost on the way",
			Risk:   "none: it only looks",
		}, Remedy{
			What: "let answers to own connections in, first in the chain",
			Command: "nft insert rule inet filter input ct state established,related accept" +
				"\niptables -I INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
			Effect: "frees " + text.Plural(t.Count, "port", "ports") + " if the rule was missing",
			Risk:   "the names of table and chain may differ; not lasting until saved",
		})
	}
	if by == "" {
		a.Remedies = append(a.Remedies, Remedy{
			What:   "in a stateless firewall or network ACL on the way, allow the answers to the whole range",
			Config: fmt.Sprintf("allow tcp from %s port %d to %s ports %v", to.Destination, to.Port, answersTo(to.Source), r),
			Effect: "frees " + text.Plural(t.Count, "port", "ports") + " if the range was narrower there",
			Risk:   "the rule must follow when the range is widened",
		})
	}
	a.Remedies = append(a.Remedies, Remedy{
		What:   "give connect() a deadline of a few seconds in the application",
		Config: "Go: net.Dialer{Timeout: 3 * time.Second}; Java: connectTimeout; curl --connect-timeout 3",
		Effect: "each of the " + text.Count(t.Count) + " holds its port for 3 s instead of a minute or two",
		Risk:   "a peer that is merely slow is given up too",
	})
	return a
}

// answersTo names the address that answers go to.
func answersTo(a source.Addr) string {
	if a.IsWildcard() {
		return "this host"
	}
	return a.String()
}

func (t *teller) orphans() Advice {
	a := Advice{
		Title: t.title("%s wait for peers, no process holds them", text.Plural(t.Count, "connection", "connections")),
		Seen: fmt.Sprintf("%s closed by their processes and not yet by the peers, %s of them in FIN_WAIT2; %s %% of %s ports",
			text.Plural(t.Count, "connection", "connections"), text.Count(t.FinWait2), percent(t.Count, t.Of), text.Count(t.Of)),
		Why: "The process has closed, but the peer has not answered (FIN_WAIT1, LAST_ACK, CLOSING) or not closed its side (FIN_WAIT2). " +
			"Each keeps its port meanwhile.",
	}
	if t.linux() && t.FinWait2 > 0 {
		a.Remedies = append(a.Remedies, Remedy{
			What:    "shorten the wait in FIN_WAIT2: this, and not TIME_WAIT, is what tcp_fin_timeout is for",
			Command: "sysctl -w net.ipv4.tcp_fin_timeout=15",
			Effect:  fmt.Sprintf("about %s instead of %s in FIN_WAIT2, if it is 60 now", text.Count((t.FinWait2+3)/4), text.Count(t.FinWait2)),
			Risk:    "a peer that takes longer than 15 s to close is reset; " + lostAtRestart,
		})
	}
	if n := t.Count - t.FinWait2; t.linux() && n > 0 {
		a.Remedies = append(a.Remedies, Remedy{
			What:    "give up earlier on peers that do not answer",
			Command: "sysctl -w net.ipv4.tcp_orphan_retries=3",
			Effect:  fmt.Sprintf("each of the %s outside FIN_WAIT2 ends after a few seconds instead of up to some minutes", text.Count(n)),
			Risk:    "data that the peer has not confirmed is lost; " + lostAtRestart,
		})
	}
	a.Remedies = append(a.Remedies, Remedy{
		What:    "look at the peers that do not close",
		Command: t.list("ss -tano state fin-wait-1 state fin-wait-2 state last-ack", "netstat -an -p tcp | grep -E 'FIN_WAIT|LAST_ACK'", "netstat -ano -p tcp"),
		Effect:  "frees up to " + text.Plural(t.Count, "port", "ports") + " where they are mended",
		Risk:    "none: it only lists",
	})
	return a
}
