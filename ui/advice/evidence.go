package advice

import (
	"cmp"
	"fmt"
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

const asRoot = "run ephtop doctor as root"

// unread says why a part of the evidence is missing, and what to do about it.
func (e *examiner) unread(s source.Status, byHand string) {
	e.seen("not known: %s", s.Reason)
	if s.Outcome == source.OutcomeNotReadable && strings.Contains(s.Reason, "root") {
		e.next("%s", asRoot)
		return
	}
	e.next("%s", byHand)
}

func (e *examiner) firewall() {
	fw := &e.ev.Firewall
	if !fw.OK() {
		e.unread(fw.Status, "look at the rules of this host and of the network by hand")
	} else {
		e.seen("%s read by %s", text.Plural(fw.Rules, "rule", "rules"), strings.Join(fw.Tools, ", "))
		if fw.Reason != "" {
			e.seen("not judged: %s", fw.Reason)
		}
		e.accepted(fw)
		if scope := &e.st.Snapshot.Scope; scope.Netns != 0 && scope.Kind != source.ScopeHost {
			e.seen("these are the rules of this namespace; those of the host, where it passes on what comes and goes, are not judged")
		}
	}
	var forwarded []source.PortRange
	for _, s := range e.p.Signs {
		switch s.Kind {
		case model.SignForwarded:
			r := &fw.Forwards[s.Index]
			forwarded = append(forwarded, r.Ports...)
			e.forward(r)
		case model.SignRefused:
			r := &fw.Returns[s.Index]
			e.seen("%s %s: answers to %s are dropped or rejected", r.Family, r.Protocol, portRanges(r.Refused))
			e.letIn(r)
		case model.SignUnclear:
			r := &fw.Returns[s.Index]
			e.seen("%s %s: answers to %s hang on rules that can't be judged here", r.Family, r.Protocol, portRanges(r.Unclear))
			for i := range fw.Unjudged[:min(len(fw.Unjudged), 2)] {
				e.next("look at the rule in %s: %s", fw.Unjudged[i].Chain, fw.Unjudged[i].Text)
			}
		case model.SignTranslated:
			r := &fw.SNAT[s.Index]
			e.seen("a rule translates sources to %s for each destination: %s", text.Plural(r.PortCount, "port", "ports"), r.Text)
		case model.SignConntrackFull:
			where := ""
			if e.teller().elsewhere() {
				where = "on the host: "
			}
			e.next("%s%s=%d, about 320 bytes of kernel memory for each more", where, trackingLimit, 2*e.ev.Conntrack.Max)
		}
	}
	if len(forwarded) > 0 {
		list := portList(append(forwarded, e.st.Snapshot.Settings.Reserved...), nil)
		e.next(`keep these ports from connections: %ssysctl -w net.ipv4.ip_local_reserved_ports="%s", which is replaced as a whole; `+
			"a connection that has one keeps it", e.enter(), list)
	}
	e.conntrack()
	if n := e.st.TCP.States[source.SynSent]; n > 0 {
		e.seen("%s without an answer yet (SYN_SENT)", text.Plural(n, "connect", "connects"))
	}
}

// forward tells of a rule that waits on ports of the range as a server does.
func (e *examiner) forward(r *source.ForwardRule) {
	to := ""
	if r.To != "" {
		to = " to " + r.To
	}
	what := few(each(r.Ports, rangeName), 4)
	e.seen("a rule sends %s%s: an outgoing connection may be given that port; in %s: %s", what, to, r.Chain, r.Text)
}

// accepted names what the rules let through.
func (e *examiner) accepted(fw *source.Firewall) {
	var whole []string
	stateful := true
	for i := range fw.Returns {
		r := &fw.Returns[i]
		if len(r.Refused) == 0 && len(r.Unclear) == 0 {
			whole = append(whole, r.Family+" "+r.Protocol)
			stateful = stateful && r.Stateful
		}
	}
	if len(whole) == 0 {
		return
	}
	how := ""
	if stateful {
		how = ", by the state of the connection"
	}
	e.seen("answers from other hosts are accepted on the whole range%s: %s", how, strings.Join(whole, ", "))
	if n := len(fw.Exceptions); n > 0 {
		e.seen("but for %s, first in %s: %s", text.Plural(n, "rule", "rules"), fw.Exceptions[0].Chain, fw.Exceptions[0].Text)
	}
}

func (e *examiner) conntrack() {
	c := &e.ev.Conntrack
	if !c.OK() || c.Max <= 0 {
		return
	}
	line := fmt.Sprintf("connection tracking: %s of %s entries (%s %%)", text.Count(c.Count), text.Count(c.Max), percent(c.Count, c.Max))
	if c.Drop > 0 || c.InsertFailed > 0 {
		line += fmt.Sprintf("; %s dropped so far, %s not inserted", text.Count(int(c.Drop)), text.Count(int(c.InsertFailed)))
	}
	e.seen("%s", line)
}

// portRanges writes ranges, at most a few of them.
func portRanges(list []source.PortRange) string {
	return "ports " + few(each(list, rangeName), 4)
}

// rangeName writes a range, one of a single port as that port.
func rangeName(r source.PortRange) string {
	if r.Low == r.High {
		return fmt.Sprint(r.Low)
	}
	return r.String()
}

// logCures are what to do about the phrases of the log.
var logCures = map[string]string{
	"address already in use":          "see who holds the port: ss -tanp; a server's own port belongs outside the range, or reserved",
	"cannot assign requested address": "run ephtop doctor --trace while it happens: it tells a want of ports from an address that is not there",
	"time wait bucket table overflow": "raise net.ipv4.tcp_max_tw_buckets, or pool the connections",
	"nf_conntrack: table full":        "raise net.netfilter.nf_conntrack_max, or pool the connections",
	"possible syn flooding on port":   "raise the backlog of the server, and net.core.somaxconn",
}

func (e *examiner) log() {
	l := &e.ev.Log
	if !l.OK() {
		e.unread(l.Status, "look for \"address already in use\" and \"cannot assign requested address\" in the logs of your programs")
		return
	}
	var read, unread []string
	for _, p := range l.Places {
		switch {
		case p.OK() && p.Reason != "": // not all of it
			read = append(read, p.Name+" ("+p.Reason+")")
		case p.OK():
			read = append(read, p.Name)
		case p.Outcome == source.OutcomeNotReadable:
			unread = append(unread, p.Name+" ("+p.Reason+")")
		}
	}
	since := ""
	if span := e.ev.Time.Sub(l.Since); !l.Since.IsZero() && span > 0 {
		since = " of the last " + text.Duration(span)
	}
	e.seen("looked through %s%s", cmp.Or(strings.Join(read, ", "), "nothing"), since)
	if len(unread) > 0 {
		e.seen("could not read %s", strings.Join(unread, ", "))
	}
	for _, s := range e.p.Signs {
		phrase := &l.Phrases[s.Index]
		most := phrase.Most()
		last := ""
		if !most.Last.IsZero() {
			last = ", last " + most.Last.UTC().Format("2006-01-02 15:04:05 UTC")
		}
		e.seen("%q: %s in %s%s: %s", phrase.Text, text.Plural(most.Count, "line", "lines"), most.Place, last, strings.TrimSpace(most.Line))
		if s.Verdict == model.VerdictUnknown {
			e.seen("that is no proof that ports ran out: it is said as well where the source address is not of this host, " +
				"where lo has no ::1, and of a link-local address without its interface")
		}
		if cure := logCures[phrase.Text]; cure != "" {
			e.next("%s", cure)
		}
	}
	if len(e.p.Signs) == 0 {
		e.seen("no word of ports that ran out")
	}
}

func (e *examiner) changes() {
	s := &e.ev.Sysctls
	if !s.OK() {
		e.unread(s.Status, "compare the settings with those of a host that works")
		return
	}
	asDefault := true
	for _, sign := range e.p.Signs {
		if sign.Kind == model.SignRecentFile {
			f := &s.Files[sign.Index]
			e.seen("%s changed on %s: it sets %s", f.Path, f.Modified.UTC().Format("2006-01-02 15:04 UTC"), strings.Join(f.Names, ", "))
			continue
		}
		set := &s.Settings[sign.Index]
		asDefault = false
		what := "default " + value(set.Default)
		if sign.Kind == model.SignDrifted {
			what = "changed at run time"
			e.next("decide for one value of %s: sysctl --system applies what the files say", set.Name)
		}
		e.seen("%s = %s, %s%s", set.Name, value(set.Value), what, setBy(set))
		if cure := settingCures[set.Name]; cure != "" && sign.Verdict >= model.VerdictWarning {
			e.next("%s%s", e.enter(), cure)
		}
	}
	if asDefault {
		e.seen("%s, each as the kernel has it", text.Plural(len(s.Settings), "setting", "settings"))
	}
}

// settingCures are what to do about a setting that does harm.
var settingCures = map[string]string{
	"net.ipv4.tcp_tw_recycle": "sysctl -w net.ipv4.tcp_tw_recycle=0: it drops connects from behind a NAT",
	"net.ipv4.tcp_timestamps": "sysctl -w net.ipv4.tcp_timestamps=1: without it no TIME_WAIT can be taken over",
}

func value(s string) string { return cmp.Or(s, "(empty)") }

// setBy names the line that counts.
func setBy(set *source.Sysctl) string {
	switch {
	case len(set.Set) > 0:
		last := set.Set[len(set.Set)-1]
		if set.Origin == source.OriginChanged {
			return fmt.Sprintf("; %s:%d says %s", last.File, last.Line, value(last.Value))
		}
		return fmt.Sprintf("; set in %s:%d", last.File, last.Line)
	case set.Origin == source.OriginUnexplained:
		return "; no file sets it"
	}
	return ""
}
