package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/text"
	"ephtop/ui/theme"
)

const (
	// pageWidth is what Text keeps to, in columns: a ticket, a mail, and the
	// smallest usual terminal have that much.
	pageWidth = 80
	// listed is how many destinations and processes Text names.
	listed = 10
)

// Text writes the state as a page of at most 80 columns for a person: where
// the ports stand, what is wrong, which destinations and processes hold the
// most of them and what for, the states, and what could not be seen. With Options.Filter the connections in
// Options.Rows follow, one line each; only a pair of long IPv6 addresses takes
// two.
func Text(w io.Writer, st *model.State, o Options) error {
	p := textPage{out: bufio.NewWriter(w), cleanState: newCleanState(st), pen: newPen(o)}
	p.header()
	p.about(&o)
	p.summary(&o)
	p.findings()
	p.elsewhere(&o)
	p.namespaces(&o)
	p.destinations()
	p.states(o.protocols())
	p.consumers(o.protocols())
	p.kinds(o.protocols())
	p.connections(&o)
	p.degraded()
	return p.out.Flush()
}

// textPage writes lines. An error stays in out until Flush.
type textPage struct {
	*cleanState
	pen
	out *bufio.Writer
}

// line writes its parts one after the other, without blanks at the end.
func (p *textPage) line(parts ...string) {
	p.out.WriteString(strings.TrimRight(strings.Join(parts, ""), " "))
	p.out.WriteByte('\n')
}

// title opens a section.
func (p *textPage) title(parts ...string) {
	p.line()
	p.line(p.paint(theme.Title, strings.TrimRight(strings.Join(parts, ""), " ")))
}

// paragraph writes words wrapped, the first line after first and the others
// after rest.
func (p *textPage) paragraph(first, rest, words string) {
	for _, l := range text.Wrap(p.name(words), pageWidth-max(len(first), len(rest))) {
		p.line(first, l)
		first = rest
	}
}

// fact writes a label and what there is to say under it.
func (p *textPage) fact(label, words string) { p.paragraph(left(label, 8), blanks(8), words) }

func (p *textPage) header() {
	m := p.Moment
	name := "ephtop  " + p.name(strings.TrimSpace(m.Host)) + "  " + p.name(m.OS+" "+m.Kernel)
	at := m.Time.UTC().Format("2006-01-02 15:04:05 UTC")
	name = text.Truncate(strings.TrimSpace(name), pageWidth-len(at)-2)
	p.line(p.paint(theme.Brand, p.plain(name)), blanks(pageWidth-text.Width(name)-len(at)), at)
	p.line()
}

func (p *textPage) summary(o *Options) {
	set := &p.Snapshot.Settings
	p.line(left("level", 8), p.level(p.Level, p.glyph(p.Level)+" "+p.Level.String()))
	p.headline("TCP", &p.TCP.Pressure)
	p.headline("UDP", &p.UDP.Pressure)
	p.translated()
	p.wayFact(o)
	p.failures()
	r := fmt.Sprintf("%d–%d: %s, %s reserved, %s usable", set.Range.Low, set.Range.High,
		text.Plural(set.Range.Count(), "port", "ports"), text.Count(set.ReservedInRange()), text.Count(set.Usable()))
	if set.Assumed {
		r += "; assumed, the system's own range could not be read"
	}
	p.fact("range", r)
	p.fact("source", p.name(p.Moment.Source)+", "+text.Count(int(p.Moment.Took.Milliseconds()))+" ms")
}

// headline says how far a protocol is from the failure of connect() or bind().
func (p *textPage) headline(label string, use *model.Pressure) {
	h := use.Headline()
	free := ", " + text.Count(h.Free) + " free"
	pool := text.Count(use.InUse) + " ports in use (" + decimalPercent(use.PoolPercent()) + " %)"
	var of string
	switch h.Scope {
	case model.ScopeTuple:
		of = "to " + h.Key.To() + advice.From(h.Limit)
	case model.ScopeBind:
		of = "for bind() on " + h.Key.Source.String()
	default:
		p.fact(label, pool+free)
		return
	}
	p.fact(label, decimalPercent(h.Percent())+" % used "+of+free)
	p.fact("", pool+" to all destinations together")
}

// translated says how far the fullest pool of translated ports is, where there is one.
func (p *textPage) translated() {
	if p.NAT == nil || len(p.NAT.Pools) == 0 {
		return
	}
	use := &p.NAT.Pools[0]
	to := model.TupleKey{Destination: use.Remote, Port: use.RemotePort}
	words := decimalPercent(use.Percent()) + " % of " + text.Plural(use.Capacity(), "port", "ports") + " of " + use.Address.String() + " used to " + to.To()
	if use.Evictable > 0 {
		words += ", " + text.Count(use.Evictable) + " of them may give way"
	}
	p.fact("SNAT", words)
}

func (p *textPage) states(protocols []source.Proto) {
	counts := p.cleanState.states(protocols)
	p.title("States, ", protocolNames(protocols))
	for _, s := range model.LifeOrder {
		if n := counts[s]; n > 0 {
			p.line("  ", left(s.String(), 12), right(text.Count(n), 10))
		}
	}
	p.line("  ", left("all", 12), right(text.Count(counts.Total()), 10))
}

func protocolNames(protocols []source.Proto) string {
	names := make([]string, len(protocols))
	for i, proto := range protocols {
		names[i] = strings.ToUpper(proto.String())
	}
	return strings.Join(names, " and ")
}

func (p *textPage) degraded() {
	limits := advice.Limits(p.Moment)
	if len(limits) == 0 {
		return
	}
	p.title("Not seen")
	for _, d := range limits {
		p.paragraph("  - ", "    ", d)
	}
}
