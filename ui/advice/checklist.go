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

// Sample is how the state was come by.
type Sample struct {
	Polls int
	Span  time.Duration
}

// Item is a point of the checklist in words.
type Item struct {
	Topic   model.Topic
	Verdict model.Verdict
	Title   string
	// Seen is what was seen, in a few short sentences.
	Seen []string
	// Next is what to do or to look at, never empty.
	Next []string
}

// Checklist puts the points of model.Examine into words.
func Checklist(st *model.State, ev *source.Evidence, sample Sample) []Item {
	var items []Item
	for _, p := range model.Examine(st, ev) {
		topic := topics[p.Topic]
		e := examiner{st: st, ev: ev, sample: sample, p: &p, Item: Item{Topic: p.Topic, Verdict: p.Verdict, Title: topic.title}}
		topic.tell(&e)
		e.findings()
		items = append(items, e.Item)
	}
	return items
}

// examiner writes one item.
type examiner struct {
	st     *model.State
	ev     *source.Evidence
	sample Sample
	p      *model.Point
	Item
}

var topics = map[model.Topic]struct {
	title string
	tell  func(*examiner)
}{
	model.TopicRange:       {"the range of ephemeral ports", (*examiner).portRange},
	model.TopicConnections: {"active connections", (*examiner).connections},
	model.TopicTimeWait:    {"TIME_WAIT", (*examiner).timeWait},
	model.TopicFirewall:    {"the firewall and the way back", (*examiner).firewall},
	model.TopicPooling:     {"pooling and keep-alive", (*examiner).pooling},
	model.TopicLog:         {"the system log", (*examiner).log},
	model.TopicChanges:     {"settings that differ from the defaults", (*examiner).changes},
	model.TopicEnds:        {"what ends first", (*examiner).ends},
	model.TopicTranslated:  {"translated ports (SNAT)", (*examiner).translated},
}

// findings adds what was found on the topic, and what helps most.
func (e *examiner) findings() {
	for i := range e.p.Findings {
		a := Of(e.st, &e.p.Findings[i])
		e.seen("%s", a.Title)
		if len(a.Remedies) > 0 {
			e.next("%s", a.Remedies[0].What)
		}
	}
	if len(e.Next) == 0 {
		e.next("nothing to do")
	}
}

// seen adds a sentence, and next a step that is not named yet.
func (e *examiner) seen(format string, args ...any) {
	e.Seen = append(e.Seen, text.Sanitize(fmt.Sprintf(format, args...)))
}

func (e *examiner) next(format string, args ...any) {
	step := text.Sanitize(fmt.Sprintf(format, args...))
	if !slices.Contains(e.Next, step) {
		e.Next = append(e.Next, step)
	}
}

func (e *examiner) portRange() {
	set := &e.st.Snapshot.Settings
	whose := "the system's default"
	if set.Range != set.Default {
		whose = fmt.Sprintf("the system's default is %v", set.Default)
	}
	e.seen("%v: %s, %s reserved, %s usable; %s", set.Range, text.Plural(set.Range.Count(), "port", "ports"),
		text.Count(set.ReservedInRange()), text.Count(set.Usable()), whose)
	if e.p.Reason != "" {
		e.seen("not known: %s", e.p.Reason)
		e.next("name the range with --range LOW-HIGH")
	}
}

func (e *examiner) connections() {
	p := &e.st.TCP.Pressure
	h := p.Headline()
	to := "to all destinations together"
	switch h.Scope {
	case model.ScopeTuple:
		to = "to " + h.Key.To() + From(h.Limit)
	case model.ScopeBind:
		to = "for bind() on " + h.Key.Source.String()
	}
	line := fmt.Sprintf("%s %% of %s used %s, %s free", text.Percent(h.Percent()), text.Plural(h.Limit.Of(p.Usable), "port", "ports"), to, text.Count(h.Free))
	if o := &e.st.Outlook; o.Left() > 0 {
		line += ", " + text.Rate(o.Rate) + "/s, full in " + text.Duration(o.Left())
	}
	e.seen("%s", line)
	e.seen("%s in use over all destinations (%s %%), UDP %s", text.Plural(p.InUse, "port", "ports"), text.Percent(p.PoolPercent()),
		text.Count(e.st.UDP.Pressure.InUse))
	var counts []string
	for _, s := range model.LifeOrder {
		if n := e.st.TCP.States[s]; n > 0 && s != source.TimeWait && s != source.Listen {
			counts = append(counts, text.Count(n)+" "+s.String())
		}
	}
	if len(counts) > 0 {
		e.seen("%s", strings.Join(counts, ", "))
	}
	if !e.st.Failures.Observed {
		e.seen("connects that failed are not counted without --trace (root, Linux)")
	} else {
		e.seen("%s failed for want of a port%s", Wanting(&e.st.Failures), NoneLately(&e.st.Failures))
		for _, words := range Aside(&e.st.Failures) {
			e.seen("%s", words)
		}
	}
}

func (e *examiner) timeWait() {
	set, n := &e.st.Snapshot.Settings, e.st.TCP.States[source.TimeWait]
	line := text.Count(n) + " in TIME_WAIT"
	if set.MaxTimeWait > 0 {
		line += " of " + text.Count(set.MaxTimeWait) + " at most"
	}
	if set.TimeWait > 0 {
		line += ", for " + span(set.TimeWait) + " each"
	}
	e.seen("%s", line)
	if t := e.st.TCP.Pressure.WorstOfRange(); t != nil && t.TimeWait > 0 {
		e.seen("%s to %s, %s of them can likely be taken over", text.Count(t.TimeWait), t.To(), text.Count(t.Reusable))
		if o := &t.Outlook; o.CloseRate > 0 && !(o.Trend == model.TrendFull && o.In == 0) {
			e.seen("%s there, where %s can be sustained: %s", closes(o.CloseRate), rate(o.Sustainable), leads(o, t.Used+t.Free))
		}
	}
	if e.p.Verdict > model.VerdictUnknown && len(e.p.Findings) == 0 {
		e.next("keep connections open or pool them: each close holds its port for %s", span(set.TimeWait))
	}
	if set.ReuseTimeWait == source.UnknownSetting {
		return
	}
	meaning := [...]string{"never", "always", "on loopback"}
	word := ""
	if set.ReuseTimeWait >= 0 && set.ReuseTimeWait < len(meaning) {
		word = " (" + meaning[set.ReuseTimeWait] + ")"
	}
	e.seen("tcp_tw_reuse is %d%s, tcp_timestamps is %d", set.ReuseTimeWait, word, set.Timestamps)
}

// leads says where it goes.
func leads(o *model.Outlook, ports int) string {
	of := text.Count(o.Plateau) + " of " + text.Plural(ports, "port", "ports")
	switch o.Trend {
	case model.TrendFull:
		return "full in " + text.Duration(o.In)
	case model.TrendLevelsOff:
		return "settles at " + of + " in " + text.Duration(o.In)
	case model.TrendDrains:
		return "drains to " + of + " in " + text.Duration(o.In)
	}
	return "stays at about " + of
}

func (e *examiner) pooling() {
	e.seen("%s in %s", text.Plural(e.sample.Polls, "poll", "polls"), span(e.sample.Span))
	const most, minTold = 3, 20
	told := 0
	for i := range e.st.Churn {
		c := &e.st.Churn[i]
		if c.CloseRate <= 0 || told == most {
			continue
		}
		told++
		f := model.Finding{Process: c.Process, Tier: c.Tier, Seen: c.TimeWait - c.Likely, Likely: c.Likely}
		t := newTeller(e.st, &f)
		e.seen("%s to %s by %s: %s open, %s in TIME_WAIT%s", closes(c.CloseRate), c.Tuple.To(), t.whoever(),
			text.Count(c.Live), text.Count(c.TimeWait), t.shares())
		if c.TimeWait >= minTold {
			e.goClient(t.finder(), c.Tuple.Port)
		}
	}
	if told == 0 {
		e.seen("no connection was closed from here")
	}
}
