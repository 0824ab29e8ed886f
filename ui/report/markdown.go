package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"regexp"
	"strings"
	"unicode"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/text"
)

// Markdown writes the state as a page for a ticket or a wiki: the verdict, the
// figures, what was found with what helps, commands in blocks of their own, and
// what could not be seen. Findings are those of all namespaces in
// Options.Overview. Names of foreign origin are text in it, whatever they hold.
func Markdown(w io.Writer, st *model.State, o Options) error {
	p := markdownPage{out: bufio.NewWriter(w), cleanState: newCleanState(st)}
	verdict := advice.StateSentence(st)
	overview := &model.Overview{States: []*model.State{st}, Findings: st.Findings}
	if o.Overview != nil {
		overview = o.Overview
		verdict = advice.SentenceOf(overview, st)
	}
	host := st.Moment.Host
	if name := p.namespace(); o.several() && name != "" {
		host += " › " + name
	}
	p.line("# ephtop: ", escape(host), ", ", st.Moment.Time.UTC().Format("2006-01-02 15:04:05 UTC"))
	p.line()
	p.line("**", pen{}.glyph(verdict.Level), " ", verdict.Level.String(), "**: ", escape(verdict.Text))
	p.figures()
	p.destinations()
	p.consumers()
	p.findings(overview)
	p.notSeen()
	p.host(overview)
	return p.out.Flush()
}

// markdownPage writes lines. An error stays in out until Flush.
type markdownPage struct {
	*cleanState
	out   *bufio.Writer
	blank bool // the last line
}

// line writes its parts one after the other, and no second blank line.
func (p *markdownPage) line(parts ...string) {
	s := strings.Join(parts, "")
	if s != "" || !p.blank {
		p.out.WriteString(s + "\n")
	}
	p.blank = s == ""
}

// heading opens a section.
func (p *markdownPage) heading(title string) {
	p.line()
	p.line(title)
	p.line()
}

// row writes a row of a table. Cells are escaped.
func (p *markdownPage) row(cells ...string) {
	for i := range cells {
		cells[i] = escape(cells[i])
	}
	p.line("| ", strings.Join(cells, " | "), " |")
}

func (p *markdownPage) figures() {
	p.heading("## Figures")
	p.line("| | used | free | share |")
	p.line("|---|---:|---:|---:|")
	for _, use := range [...]*model.Pressure{&p.TCP.Pressure, &p.UDP.Pressure} {
		name := strings.ToUpper(use.Proto.String())
		h := use.Headline()
		switch h.Scope {
		case model.ScopeTuple:
			p.row(name+" to "+h.Key.To()+advice.From(h.Limit), text.Count(h.Used()), text.Count(h.Free), decimalPercent(h.Percent())+" %")
		case model.ScopeBind:
			p.row(name+" for bind() on "+h.Key.Source.String(), text.Count(h.Used()), text.Count(h.Free), decimalPercent(h.Percent())+" %")
		}
		p.row(name+" to all destinations together", text.Count(use.InUse), text.Count(use.Usable-use.InUse), decimalPercent(use.PoolPercent())+" %")
	}
	if p.NAT != nil && len(p.NAT.Pools) > 0 {
		nat := &p.NAT.Pools[0]
		key := model.TupleKey{Destination: nat.Remote, Port: nat.RemotePort}
		p.row("SNAT of "+nat.Address.String()+" to "+key.To(), text.Count(nat.Used), text.Count(max(0, nat.Capacity()-nat.Used)), decimalPercent(nat.Percent())+" %")
	}
	if way := p.Way; way != nil {
		p.row("NAT on the way to "+wayTo(way), spread(text.Count, way.Certain(), way.Used()), spread(text.Count, way.Ports-way.Used(), way.Ports-way.Certain()),
			spread(wayShare(way, decimalPercent), way.Certain(), way.Used())+" %")
	}
	p.line()
	var states []string
	for _, s := range model.LifeOrder {
		if n := p.TCP.States[s]; n > 0 {
			states = append(states, text.Count(n)+" "+s.String())
		}
	}
	p.line("TCP: ", escape(cmp.Or(strings.Join(states, ", "), "no sockets")), ".")
	if p.Failures.Observed {
		p.line(escape(strings.Join(append([]string{advice.Wanting(&p.Failures) + " failed for want of a port" + advice.NoneLately(&p.Failures)}, advice.Aside(&p.Failures)...), "; ")), ".")
	}
}

func (p *markdownPage) destinations() {
	tuples := p.TCP.Pressure.Tuples
	if len(tuples) == 0 {
		return
	}
	p.heading("## Destinations")
	p.line("| from | to | used | free | live | TIME_WAIT | outlook |")
	p.line("|---|---|---:|---:|---:|---:|---|")
	for i := range tuples[:min(listed, len(tuples))] {
		t := &tuples[i]
		p.row(t.Source.String(), t.To()+advice.From(t.Limit), text.Count(t.Used), text.Count(t.Free), text.Count(t.Live), text.Count(t.TimeWait),
			advice.Outlook(&t.Outlook, t.Used, t.Used+t.Free))
	}
	p.more(len(tuples))
}

func (p *markdownPage) consumers() {
	list := p.AppendConsumers(nil, model.ByProcess, bothProtocols[:]...)
	if len(list) == 0 {
		return
	}
	p.heading("## Processes")
	p.line("| process | pid | ports | sockets | most to |")
	p.line("|---|---:|---:|---:|---|")
	for _, c := range list[:min(listed, len(list))] {
		name, pid, most := "unknown", "", ""
		if c.Process != source.NoProcess {
			name, pid = p.names[c.Process], fmt.Sprint(p.Processes[c.Process].PID)
			if c.Tier < model.OwnerObserved {
				name += ", likely"
			}
			if at, ended := p.Exit(c.Process); ended {
				name += " (ended " + at.UTC().Format("15:04 UTC") + ")"
			}
		}
		if c.Most.Port != 0 {
			most = c.Most.To()
		}
		p.row(name, pid, text.Count(c.Ports), text.Count(c.Sockets), most)
	}
	p.more(len(list))
}

// more says how much a table leaves out.
func (p *markdownPage) more(n int) {
	if n > listed {
		p.line()
		p.line("… and ", text.Count(n-listed), " more.")
	}
}

// findings writes what was found, most urgent first. A remedy that serves several
// is told once.
func (p *markdownPage) findings(o *model.Overview) {
	if len(o.Findings) == 0 {
		p.heading("## Findings: none")
		return
	}
	p.heading("## Findings, most urgent first")
	told := make(advice.Told)
	for i := range o.Findings {
		f := &o.Findings[i]
		st := o.States[f.State]
		a := advice.Of(st, f)
		if st != p.State {
			a.Title = advice.Within(advice.Namespace(&st.Snapshot.Scope), a.Title)
		}
		p.line("### ", pen{}.glyph(f.Level), " ", escape(a.Title))
		p.line()
		p.line(escape(a.Seen + "."))
		p.line()
		p.line(escape(a.Why))
		p.line()
		fresh, above := told.Once(a.Remedies)
		for _, i := range fresh {
			p.remedy(&a.Remedies[i])
		}
		p.line(escape(above))
		p.line()
	}
}

func (p *markdownPage) remedy(r *advice.Remedy) {
	p.line("**", escape(r.What), "**: ", escape(r.Effect), ".")
	p.line()
	p.block("sh", r.Command)
	p.block("text", r.Config)
	p.line("Risk: ", escape(r.Risk), ".")
	p.line()
}

// block writes lines as they are, in a fence that none of them ends.
func (p *markdownPage) block(kind, lines string) {
	if lines == "" {
		return
	}
	fence := "```"
	for strings.Contains(lines, fence) {
		fence += "`"
	}
	p.line(fence, kind)
	for l := range strings.Lines(lines) {
		p.line(text.Sanitize(strings.TrimSuffix(l, "\n")))
	}
	p.line(fence)
	p.line()
}

func (p *markdownPage) notSeen() {
	limits := advice.Limits(p.Moment)
	if len(limits) == 0 {
		return
	}
	p.heading("## Not seen")
	for _, l := range limits {
		p.line("- ", escape(l))
	}
}

func (p *markdownPage) host(o *model.Overview) {
	m, set := p.Moment, &p.Snapshot.Settings
	p.heading("## Host")
	p.line("- ", escape(m.Host), ", ", escape(m.OS+" "+m.Kernel), "; seen by ", escape(m.Source))
	assumed := ""
	if set.Assumed {
		assumed = ", assumed"
	}
	p.line("- range ", set.Range.String(), assumed, ": ", text.Count(set.ReservedInRange()), " reserved, ", text.Count(set.Usable()), " usable")
	if set.TimeWait > 0 {
		p.line("- a TIME_WAIT lasts ", text.Duration(set.TimeWait))
	}
	if set.ReuseTimeWait != source.UnknownSetting {
		p.line(fmt.Sprintf("- tcp_tw_reuse is %d, tcp_timestamps is %d", set.ReuseTimeWait, set.Timestamps))
	}
	if name := p.namespace(); name != "" {
		p.line("- network namespace ", escape(name), ", one of ", text.Count(len(o.States)+len(o.Quiet)))
	}
}

// listMark is what makes a line one of a list, or of a heading above.
var listMark = regexp.MustCompile(`^(\d*)([.)]|[-+=]+)(\s|$)`)

// escape makes text of what may hold marks of Markdown (CommonMark, and what
// GitHub adds: tables, links that are none, mathematics).
func escape(s string) string {
	runes := []rune(strings.TrimSpace(text.Sanitize(s)))
	word := func(i int) bool {
		return i >= 0 && i < len(runes) && (unicode.IsLetter(runes[i]) || unicode.IsDigit(runes[i]))
	}
	var b strings.Builder
	for i, r := range runes {
		rest := string(runes[i:min(i+3, len(runes))])
		switch {
		case strings.ContainsRune("\\`*[]<>#|~&@$", r),
			r == '_' && !(word(i-1) && word(i+1)),
			rest == "://", r == '.' && i >= 3 && strings.EqualFold(string(runes[i-3:i]), "www"):
			b.WriteByte('\\')
		}
		b.WriteRune(r)
	}
	return listMark.ReplaceAllString(b.String(), `$1\$2$3`)
}
