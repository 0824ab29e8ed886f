package advice

import (
	"fmt"
	"slices"
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/text"
)

// Sentence is what is read first: what is wrong, whose doing it is, and how
// long until it fails; or that nothing is wrong.
type Sentence struct {
	Level model.Level
	// Text has no mark of the level and no control character, and takes at most
	// SentenceWidth columns. Its beginning tells most: who has less room cuts its
	// end.
	Text string
	// Brief is Text in at most briefWidth columns, if that cuts nothing: 80 columns
	// then have room for a mark and for a key beside it.
	Brief string
	// Finding is what it is about: an index into Overview.Findings, or
	// State.Findings for [StateSentence]; -1 where nothing is wrong.
	Finding int
}

// SentenceWidth is how many columns a sentence takes at most, briefWidth a brief
// one.
const (
	SentenceWidth = 76
	briefWidth    = 69
)

// SentenceOf says what is most urgent of all namespaces. It names the
// namespace where that is not shown. It takes no look at the sockets.
func SentenceOf(o *model.Overview, shown *model.State) Sentence {
	i, at := urgent(o.Findings), 0
	if i >= 0 {
		at = o.Findings[i].State
	}
	if at >= len(o.States) {
		return Sentence{Text: "nothing is wrong", Finding: -1}
	}
	st, space := o.States[at], ""
	if st != shown {
		space = Namespace(&st.Snapshot.Scope)
	}
	return sentenceOf(st, o.Findings, i, space)
}

// StateSentence says what is most urgent of one namespace.
func StateSentence(st *model.State) Sentence {
	return sentenceOf(st, st.Findings, urgent(st.Findings), "")
}

// sentenceOf tells a finding of the list, -1 for none. A level that no finding
// explains is not passed over.
func sentenceOf(st *model.State, list []model.Finding, i int, space string) Sentence {
	if i < 0 && st.Level == model.LevelOK {
		return Sentence{Text: "nothing is wrong", Finding: -1}
	}
	f := &model.Finding{Problem: model.PoolFull, Level: st.Level, Proto: source.TCP, Process: source.NoProcess}
	if i >= 0 {
		f = &list[i]
	} else {
		if st.UDP.Pressure.Level > st.TCP.Pressure.Level {
			f.Proto = source.UDP
		}
		h := st.Of(f.Proto).Pressure.Headline()
		f.Count, f.Of = h.Used(), h.Used()+h.Free
	}
	t := newTeller(st, f)
	s := Sentence{f.Level, t.sentence(space, SentenceWidth), t.sentence(space, briefWidth), i}
	if strings.HasSuffix(s.Brief, "…") {
		s.Brief = s.Text
	}
	return s
}

// urgent finds the first finding that is more than worth knowing, or -1.
func urgent(list []model.Finding) int {
	return slices.IndexFunc(list, func(f model.Finding) bool { return f.Level > model.LevelOK })
}

// sentence tells the finding, after the name of its namespace unless that is
// "". What is not needed to know what to do is left out where it takes more than
// some columns.
func (t *teller) sentence(space string, width int) string {
	words := t.told()
	who, to := t.finder(), t.destination()
	for _, room := range [...]struct {
		pid             bool
		space, name, to int
	}{{true, 40, nameWidth, 60}, {false, 40, nameWidth, 60}, {false, 24, nameWidth, 32}, {false, 16, 12, 22}} {
		name := ""
		if who != nil {
			name = text.Truncate(bareName(who), room.name)
			switch {
			case t.Tier == model.OwnerInferred:
				name = "likely " + name
			case room.pid:
				name = fmt.Sprintf("%s (pid %d)", name, who.PID)
			}
		}
		s := strings.NewReplacer("{who}", name, "{to}", middle(to, room.to)).Replace(words)
		if space != "" {
			s = Within(middle(space, room.space), s)
		}
		if text.Width(s) <= width || room.to == 22 {
			return text.Truncate(s, width)
		}
	}
	return ""
}

// middle cuts s in the middle: of an address with a port, and of a pod's name,
// both ends tell something.
func middle(s string, width int) string {
	const tail = 10
	r := []rune(s)
	if len(r) <= width {
		return s
	}
	return string(r[:width-tail-1]) + "…" + string(r[len(r)-tail:])
}

// told are the words of the sentence, with {who} for the process and {to} for
// the destination.
func (t *teller) told() string {
	own := *t.Finding // which is to be laid to whoever is to blame
	t.Finding = &own
	switch t.Problem {
	case model.TupleFull, model.NoPooling, model.ReuseOff:
		if t.Problem == model.TupleFull && t.passes() {
			return t.passedTold()
		}
		return t.tupleTold("ports")
	case model.PrivatePool:
		if t.Limit.Low == t.Limit.High {
			return t.oneOf("{who} has", "there is") + fmt.Sprintf(" one source port, %d, to {to}: one connection at a time", t.Limit.Low)
		}
		return t.tupleTold(fmt.Sprintf("ports %d–%d", t.Limit.Low, t.Limit.High))
	case model.SlowConnect:
		t.blame()
		return t.oneOf("connect() of {who} to {to} is slow: ", "connect() to {to} is slow: ") + t.becomes()
	case model.ConnectsFail:
		return t.failsTold()
	case model.PoolFull:
		return t.poolTold()
	case model.BoundFirst:
		return t.boundTold()
	case model.CloseWait:
		return t.leakTold()
	case model.SynSent:
		if kind := t.translator(); kind != "" {
			return t.oneOf("{who} waits for a "+kind+" port to {to}: ", "connects wait for a "+kind+" port to {to}: ") + text.Count(t.Count) + " in SYN_SENT, for " + t.lasting()
		}
		silent := text.Count(t.Count) + " in SYN_SENT, for " + t.lasting()
		if t.untracked() != nil {
			silent = "connection tracking is full"
		}
		return t.oneOf("{who} gets no answer from {to}: ", "no answer comes from {to}: ") + silent
	case model.Orphans:
		return text.Plural(t.Count, "connection waits", "connections wait") + " for peers that do not answer: no process holds them"
	case model.AddressRefused:
		can, fails := t.tense("cannot", "earlier could not"), t.tense("fails", "failed earlier")
		if r := t.refused(); r.Port == 0 {
			return t.oneOf("{who} "+can+" bind "+r.Local.String()+": ", "bind() to "+r.Local.String()+" "+fails+": ") + "no such address here, not the ports"
		}
		return t.oneOf("{who} "+can+" reach {to}: ", "connect() to {to} "+fails+": ") + "no source address, not the ports"
	case model.NATFull, model.NATLoss:
		return t.natTold()
	case model.WayFull, model.WayLimit:
		return t.wayTold()
	case model.StolenPort:
		return t.oneOf("{who} holds", "a connection holds") + fmt.Sprintf(" port %d, which a server wants: its start %s", t.Ports[0], t.tense("fails", "would fail"))
	}
	return strings.TrimPrefix(Of(t.st, t.Finding).Title, t.name()+": ")
}

// oneOf is what to say where the process is known, or is not.
func (t *teller) oneOf(known, unknown string) string {
	if t.finder() == nil {
		return unknown
	}
	return known
}

// blame lays the finding to whoever its siblings of the same tuple know. One
// that does not hold most of the tuple is not to blame.
func (t *teller) blame() {
	if t.use == nil || t.Process != source.NoProcess {
		return
	}
	t.Process, t.Tier = t.use.Process, t.use.Tier
	for i := range t.st.Findings {
		f := &t.st.Findings[i]
		if t.Process == source.NoProcess && f.Problem == model.NoPooling && f.Tuple == t.use.TupleKey && 2*(f.Count+f.Live) > t.use.Used {
			t.Process, t.Tier = f.Process, f.Tier
		}
	}
}

// tupleTold is about ports to one destination: who takes them, and whether by
// what is their proper use.
func (t *teller) tupleTold(ports string) string {
	t.blame()
	if by := t.cause(); by != nil {
		t.Process, t.Tier = by.Process, by.Tier
		known, unknown := "{who} leaks connections to {to}: ", "connections to {to} are leaked: "
		switch by.Problem {
		case model.SynSent:
			known, unknown = "{who} gets no answer from {to}: ", "no answer comes from {to}: "
		case model.BoundFirst:
			known, unknown = "{who} blocks ports by bind(), to {to} too: ", "ports are blocked by bind(), to {to} too: "
		}
		return t.oneOf(known, unknown) + t.becomes()
	}
	switch becomes := t.becomes(); {
	case becomes == noneFree:
		return t.oneOf("{who} has used up its "+ports+" to {to}: ", "the "+ports+" to {to} are used up: ") + becomes
	case strings.HasPrefix(becomes, "full"):
		return t.oneOf("{who} is using up "+ports+" to {to}: ", "the "+ports+" to {to} are being used up: ") + becomes
	case t.Problem == model.NoPooling && !strings.Contains(becomes, "levels off"):
		n := rate(t.Rate) + " connections/s"
		return t.oneOf("{who} closes "+n+" to {to}: ", n+" are closed to {to}: ") + becomes
	default:
		used, what, _ := strings.Cut(becomes, " used")
		words := t.oneOf("{who} uses "+used+" of its "+ports+" to {to}", used+" of the "+ports+" to {to} are used")
		return words + strings.Replace(what, ", ", ": ", 1)
	}
}

// cause finds the finding that tells why most ports of the tuple are in use, if
// that is not that connections come and go; nil for none.
func (t *teller) cause() *model.Finding {
	if t.use == nil || t.Problem == model.PrivatePool {
		return nil
	}
	if b := t.bound(); b != nil && 2*(t.use.Blocked+t.use.Suspected) > t.use.Used {
		return b
	}
	i := slices.IndexFunc(t.st.Findings, func(f model.Finding) bool {
		return f.Problem == model.SynSent && f.Tuple == t.Tuple && 2*f.Count > t.use.Used ||
			f.Problem == model.CloseWait && f.Process == t.Process && 2*(f.Count-f.Outside) > t.use.Used && 2*t.use.Live > t.use.Used &&
				t.mostOf(f.Process) == t.Tuple
	})
	if i < 0 {
		return nil
	}
	return &t.st.Findings[i]
}

// mostOf is the tuple that holds the most of a process's sockets.
func (t *teller) mostOf(process int32) model.TupleKey {
	if c := t.consumer(process); c != nil {
		return c.Most
	}
	return model.TupleKey{}
}

func (t *teller) consumer(process int32) *model.Consumer {
	list := t.st.TCP.Consumers[model.ByProcess]
	i := slices.IndexFunc(list, func(c model.Consumer) bool { return c.Process == process && process != source.NoProcess })
	if i < 0 {
		return nil
	}
	return &list[i]
}

const noneFree = "no port is free"

// becomes is where the use of the finding's tuple goes.
func (t *teller) becomes() string {
	if t.Level == model.LevelExhausted {
		return noneFree
	}
	if t.use == nil {
		return percent(t.Count, t.Of) + " % used"
	}
	return Outlook(&t.use.Outlook, t.use.Used, t.use.Used+t.use.Free)
}

// Outlook says where a use of ports goes: "full in 1m 26s", "64 % used, levels off
// at 71 %".
func Outlook(o *model.Outlook, used, of int) string {
	now := percent(used, of) + " % used"
	switch o.Trend {
	case model.TrendFull:
		if o.In == 0 {
			return noneFree
		}
		return "full in " + text.Duration(o.In)
	case model.TrendLevelsOff:
		return now + ", levels off at " + percent(min(o.Plateau, of), of) + " %"
	case model.TrendDrains:
		return now + ", drains to " + percent(o.Plateau, of) + " %"
	case model.TrendSteady:
		return now + ", steady"
	}
	return now
}

// failsTold is about calls that were seen to fail.
func (t *teller) failsTold() string {
	f := &t.st.Failures
	failed := Wanting(f) + " failed"
	if first, _, several := strings.Cut(failed, ", "); several { // too long for a sentence
		failed = text.Count(f.Count) + " calls failed"
		if strings.HasPrefix(first, atLeast) {
			failed = atLeast + failed
		}
	}
	finds := t.tense("finds no port", "found no port, but not lately,")
	if len(f.By) > 0 && f.By[0].Kind == source.BindFailed {
		return t.oneOf("{who} "+finds+" to bind on ", "bind() "+finds+" on ") + address(t.Tuple.Source) + ": " + failed
	}
	t.blame()
	return t.oneOf("{who} ", "connect() ") + finds + " to {to}: " + failed
}

// poolTold is about a pool for all destinations.
func (t *teller) poolTold() string {
	p := t.pressure()
	name := strings.ToUpper(t.proto().String()) + " ports"
	h := p.Headline()
	becomes := percent(t.Count, t.Of) + " % used"
	switch {
	case t.Level == model.LevelExhausted:
		becomes = noneFree
	case t.proto() == source.TCP && h.Scope == model.ScopePool:
		becomes = Outlook(&t.st.Outlook, t.Count, t.Of)
	}
	for _, c := range t.st.Of(t.proto()).Consumers[model.ByProcess] {
		if c.Process != source.NoProcess && 2*c.Ports > t.Count {
			t.Process, t.Tier = c.Process, c.Tier
		}
	}
	return t.oneOf("{who} holds most of the "+name+", for every destination: ", "the "+name+" run out, for every destination: ") + becomes
}

// boundTold is about ports that are bound before connect().
func (t *teller) boundTold() string {
	n := text.Plural(min(t.Count+t.Suspected, t.pressure().Usable), "port", "ports")
	if t.Level == model.LevelExhausted {
		return t.oneOf("{who} binds "+n+" before connect(): ", n+" are bound before connect(): ") + "none is free on " + address(t.Tuple.Source)
	}
	return t.oneOf("{who} binds "+n+" before connect(): ", n+" are bound before connect(): ") + "blocked for everyone"
}

// leakTold is about connections that are not closed: to one destination, where
// most of them are.
func (t *teller) leakTold() string {
	n := text.Plural(t.Count, "connection", "connections")
	to := ""
	if c := t.consumer(t.Process); c != nil {
		use := slices.IndexFunc(t.st.TCP.Pressure.Tuples, func(u model.TupleUse) bool { return u.TupleKey == c.Most })
		// As many as that are not in CLOSE_WAIT at most.
		if use >= 0 && 2*(t.st.TCP.Pressure.Tuples[use].Live-(c.Sockets-t.Count)) > t.Count {
			t.Tuple, to = c.Most, " to {to}"
		}
	}
	words := t.oneOf("{who} leaks "+n+to+": CLOSE_WAIT", n+to+" are not closed: CLOSE_WAIT")
	if t.Rate >= 0.05 {
		words += ", +" + rate(t.Rate) + "/s"
	}
	return words
}
