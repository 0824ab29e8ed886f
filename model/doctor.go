package model

import (
	"slices"

	"ephtop/source"
)

// Topic is a point of the checklist that "ephtop doctor" goes through.
type Topic uint8

// The topics, in the order of the checklist.
const (
	TopicRange Topic = iota
	TopicConnections
	TopicTimeWait
	TopicFirewall
	TopicPooling
	TopicLog
	TopicChanges
	TopicEnds
	TopicTranslated

	NumTopics = iota
)

// String names the topic in the JSON.
func (t Topic) String() string {
	names := [NumTopics]string{"range", "connections", "time-wait", "firewall", "pooling", "log", "changes", "ends-first", "snat"}
	if int(t) < len(names) {
		return names[t]
	}
	return "unknown"
}

// Verdict is what a point comes to.
type Verdict uint8

// The verdicts, in rising order.
const (
	VerdictOK Verdict = iota
	// VerdictUnknown: what the point is about could not be read.
	VerdictUnknown
	VerdictWarning
	VerdictProblem
)

// String names the verdict.
func (v Verdict) String() string {
	return [...]string{"ok", "not known", "warning", "problem"}[min(v, VerdictProblem)]
}

// Point is one point of the checklist, in figures; package ui/advice puts it
// into words.
type Point struct {
	Topic   Topic
	Verdict Verdict
	// Findings are those that belong to the topic, most urgent first.
	Findings []Finding
	// Signs are what the evidence adds.
	Signs []Sign
	// Ends hold with TopicEnds: what can run out, what is nearest to its end first.
	Ends []End
	// Reason says why the verdict is VerdictUnknown, as the evidence has it.
	Reason string
}

// Sign is something that the evidence says.
type Sign struct {
	Kind    SignKind
	Verdict Verdict
	// Index is that of the element of the evidence which the sign is about.
	Index int
}

// SignKind says what a sign is about.
type SignKind uint8

// The kinds of signs.
const (
	// SignRefused: return traffic is refused. Index into Firewall.Returns.
	SignRefused SignKind = iota
	// SignUnclear: it hangs on rules that can't be judged. Index into
	// Firewall.Returns.
	SignUnclear
	// SignConntrackFull: the table of connection tracking is nearly full.
	SignConntrackFull
	// SignTranslated: a rule gives connections fewer source ports than the
	// range has. Index into Firewall.SNAT.
	SignTranslated
	// SignForwarded: a rule sends what comes in to ports of the range elsewhere.
	// Index into Firewall.Forwards.
	SignForwarded
	// SignLogged: the log has a phrase. Index into Log.Phrases.
	SignLogged
	// SignDiffers: a setting is not the kernel's default. Index into
	// Sysctls.Settings.
	SignDiffers
	// SignDrifted: a setting is not what the files say. Index into
	// Sysctls.Settings.
	SignDrifted
	// SignRecentFile: a file of settings changed lately. Index into
	// Sysctls.Files.
	SignRecentFile
	// SignOtherNAT: ports are translated, or may be, where nobody can count them.
	SignOtherNAT
	// SignNATElsewhere: translated ports of another namespace are short, see
	// State.NATElsewhere.
	SignNATElsewhere
)

// From these shares of its limit on, connection tracking is nearly full.
const (
	conntrackWarning  = 80.0
	conntrackCritical = 95.0
)

// Examine goes through the checklist: one point for each topic.
func Examine(st *State, ev *source.Evidence) []Point {
	points := make([]Point, NumTopics)
	for i := range points {
		points[i].Topic = Topic(i)
	}
	for _, f := range st.Findings {
		p := &points[topicOf(f.Problem)]
		p.Findings = append(p.Findings, f)
		p.Verdict = max(p.Verdict, verdictOf(f.Level))
	}
	if st.Snapshot.Settings.Assumed {
		points[TopicRange].unknown("the range could not be read, and the system's default is assumed")
	}
	points[TopicTimeWait].timeWait(st)
	points[TopicFirewall].firewall(st, ev)
	points[TopicLog].log(st, &ev.Log)
	points[TopicChanges].changes(&ev.Sysctls)
	points[TopicEnds].ends(st, ev)
	points[TopicTranslated].translated(st, ev)
	return points
}

// Worst is the worst verdict of a checklist.
func Worst(points []Point) Verdict {
	worst := VerdictOK
	for i := range points {
		worst = max(worst, points[i].Verdict)
	}
	return worst
}

func topicOf(p Problem) Topic {
	switch p {
	case ListenerInRange, StolenPort, NarrowRange, ReservedPorts:
		return TopicRange
	case TimeWaitBuckets, ReuseOff:
		return TopicTimeWait
	case SynSent, TrackingFull, TrackingRace, WayFull, WayLimit:
		return TopicFirewall
	case NATFull, NATLoss:
		return TopicTranslated
	case NoPooling:
		return TopicPooling
	}
	return TopicConnections
}

func verdictOf(l Level) Verdict {
	switch l {
	case LevelOK:
		return VerdictOK
	case LevelWarning:
		return VerdictWarning
	}
	return VerdictProblem
}

// unknown lowers nothing: what was found stays found.
func (p *Point) unknown(reason string) {
	p.Reason = reason
	p.Verdict = max(p.Verdict, VerdictUnknown)
}

func (p *Point) sign(kind SignKind, v Verdict, index int) {
	p.Signs = append(p.Signs, Sign{kind, v, index})
	p.Verdict = max(p.Verdict, v)
}

// timeWait hears of a destination that is past a threshold because of its
// TIME_WAIT.
func (p *Point) timeWait(st *State) {
	if t := st.TCP.Pressure.WorstOfRange(); t != nil && t.waits() {
		p.Verdict = max(p.Verdict, verdictOf(t.Level))
	}
}

// firewall judges the way back. Connects that nobody answers make it likely
// that what is refused is wanted.
func (p *Point) firewall(st *State, ev *source.Evidence) {
	fw, ct := &ev.Firewall, &ev.Conntrack
	if !fw.OK() {
		p.unknown(fw.Reason)
	}
	refused := VerdictWarning
	if len(p.Findings) > 0 {
		refused = VerdictProblem
	}
	for i := range fw.Returns {
		r := &fw.Returns[i]
		if !st.speaks(r) {
			continue
		}
		if len(r.Refused) > 0 {
			p.sign(SignRefused, refused, i)
		}
		if len(r.Unclear) > 0 {
			p.sign(SignUnclear, VerdictUnknown, i)
		}
	}
	for i := range fw.SNAT {
		if fw.SNAT[i].PortCount < st.TCP.Pressure.Usable {
			p.sign(SignTranslated, VerdictOK, i)
		}
	}
	for i := range fw.Forwards {
		if !st.reserved(fw.Forwards[i].Ports) {
			p.sign(SignForwarded, VerdictOK, i)
		}
	}
	if ct.OK() && ct.Max > 0 {
		switch full := Percent(ct.Count, ct.Max); {
		case full >= conntrackCritical:
			p.sign(SignConntrackFull, VerdictProblem, 0)
		case full >= conntrackWarning:
			p.sign(SignConntrackFull, VerdictWarning, 0)
		}
	}
}

// translated judges the ports that source NAT gave out, as far as they are known.
func (p *Point) translated(st *State, ev *source.Evidence) {
	limits := st.Moment.Limits
	if at := slices.IndexFunc(limits, func(l source.Limit) bool { return l.Code == source.LimitNAT }); at >= 0 {
		p.unknown(limits[at].Detail)
	} else if o := &ev.OtherNAT; st.NAT == nil && !o.OK() && o.Reason != "" {
		p.unknown(o.Reason)
	} else if st.NAT == nil && st.tracksMany(&ev.Conntrack) {
		p.unknown("the kernel tells nothing of the entries of connection tracking without nf_conntrack_netlink")
	}
	if st.NATElsewhere != nil {
		p.sign(SignNATElsewhere, verdictOf(st.NATElsewhere.Level), 0)
	}
	if ev.OtherNAT.IPVS > 0 || ev.OtherNAT.Cilium {
		p.sign(SignOtherNAT, VerdictOK, 0)
	}
}

// tracksMany reports whether there are as many entries as a usual pool of translated
// ports has in trouble. They are those of the host, or of the only namespace.
func (st *State) tracksMany(c *source.Conntrack) bool {
	s := &st.Snapshot.Scope
	return c.OK() && (s.Kind == source.ScopeHost || s.Netns == 0) && Percent(c.Count, source.UnboundNATPorts) >= st.Thresholds.Warning
}

// speaks tells whether the host has what a judgement is about: IPv4 always,
// IPv6 where some socket has an address of it that is not loopback.
func (st *State) speaks(r *source.ReturnTraffic) bool {
	if r.Family != "ipv6" {
		return true
	}
	return slices.ContainsFunc(st.Snapshot.Sockets, func(s source.Socket) bool {
		return !s.Remote.Is4() && !s.Remote.IsWildcard() && !s.Remote.IsLoopback()
	})
}

// noAddress is the phrase of EADDRNOTAVAIL, which is said for want of a port, and
// for want of an address.
const noAddress = "cannot assign requested address"

// reserved tells whether all of some ports of the range are, so that none of them
// is picked for a connection.
func (st *State) reserved(ports []source.PortRange) bool {
	var usable source.PortSet
	usable.SetUsable(&st.Snapshot.Settings)
	all := usable.Len()
	for _, r := range ports {
		usable.RemoveRange(r)
	}
	return usable.Len() == all
}

// log warns of every phrase that was found: none is written in good health. One
// that has several causes proves nothing, unless the state shows that one.
func (p *Point) log(st *State, l *source.SystemLog) {
	if !l.OK() {
		p.unknown(l.Reason)
	}
	for i := range l.Phrases {
		if l.Phrases[i].Most().Count > 0 {
			verdict := VerdictWarning
			if l.Phrases[i].Text == noAddress && !st.ranOut() {
				verdict = VerdictUnknown
			}
			p.sign(SignLogged, verdict, i)
		}
	}
}

// ranOut reports whether ports are wanting, or were since the start.
func (st *State) ranOut() bool { return st.Level == LevelExhausted || st.Failures.Count > 0 }

// harmful are the settings that do harm with a value, whatever else holds.
var harmful = map[string]string{
	"net.ipv4.tcp_tw_recycle": "1", // drops connects from behind a NAT
	"net.ipv4.tcp_timestamps": "0", // no TIME_WAIT can be reused
}

func (p *Point) changes(s *source.Sysctls) {
	if !s.OK() {
		p.unknown(s.Reason)
	}
	for i := range s.Settings {
		set := &s.Settings[i]
		verdict := VerdictOK
		if set.Value != "" && harmful[set.Name] == set.Value {
			verdict = VerdictWarning
		}
		switch {
		case set.Origin == source.OriginChanged:
			p.sign(SignDrifted, verdict, i)
		case set.Differs():
			p.sign(SignDiffers, verdict, i)
		}
	}
	for i := range s.Files {
		if f := &s.Files[i]; f.Recent && len(f.Names) > 0 {
			p.sign(SignRecentFile, VerdictOK, i)
		}
	}
}
