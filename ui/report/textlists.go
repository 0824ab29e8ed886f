package report

import (
	"strconv"

	"ephtop/model"
	"ephtop/model/services"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/text"
)

// findings lists what is wrong, most urgent first.
func (p *textPage) findings() {
	list := p.Findings
	if len(list) == 0 {
		return
	}
	p.title("Findings: ephtop doctor says what helps")
	for i := range list {
		f := &list[i]
		p.line("  ", p.level(f.Level, p.glyph(f.Level)), " ", p.name(advice.Of(p.State, f).Title))
	}
}

// failures says what failed, where that was listened to.
func (p *textPage) failures() {
	if !p.Failures.Observed {
		return
	}
	p.fact("failed", advice.Wanting(&p.Failures)+" for want of a port"+advice.NoneLately(&p.Failures))
	by := p.Failures.By
	for i := range by[:min(listed, len(by))] {
		b := &by[i]
		what := " to " + source.AddrPort(b.Destination, b.Port)
		if b.Kind == source.BindFailed {
			what = " on " + b.Local.String() + ", in bind()"
			if b.Proto == source.UDP {
				what = " on " + b.Local.String() + ", UDP"
			}
		}
		p.fact("", text.Count(b.Count)+" by "+text.Truncate(p.name(b.Process.Name), 20)+" "+strconv.Itoa(int(b.Process.PID))+what)
	}
	for _, words := range advice.Aside(&p.Failures) {
		p.fact("", words)
	}
}

// kinds lists what the ports are used for, as far as the remote ports tell.
func (p *textPage) kinds(protocols []source.Proto) {
	for _, proto := range protocols {
		list := services.Kinds(p.State, proto)
		if len(list) == 0 {
			continue
		}
		p.title("  ", left("Used for, "+protocolNames([]source.Proto{proto}), 20), right("PORTS", 18), right("SOCKETS", 9))
		for _, k := range list {
			p.line("  ", left(k.Kind.String(), 20), right(text.Count(k.Ports), 18), right(text.Count(k.Sockets), 9))
		}
	}
}

// tupleWidth holds any pair of IPv4 addresses with a port and an arrow.
const tupleWidth = 39

func (p *textPage) destinations() {
	tuples := p.TCP.Pressure.Tuples
	if len(tuples) == 0 {
		p.title("Worst destinations")
		p.line("  none: no TCP connection holds a port of the range")
		return
	}
	p.title("  ", left("Worst destinations", tupleWidth), right("USED", 7), right("FREE", 7), right("%", 6),
		right("TIME_WAIT", 10), right("1ST HALF", 9))
	for i := range tuples[:min(listed, len(tuples))] {
		p.tuple(&tuples[i])
	}
	p.more(len(tuples), "destination", "destinations")
}

// pair gives the begin of a line: lead, and a pair of addresses in width
// columns. Addresses that leave no room for the rest are put on lines of their
// own before, and the begin is then blank.
func (p *textPage) pair(lead, from, to string, width int) string {
	if text.Width(from+to) > width {
		p.line(lead, from)
		lead, from = blanks(text.Width(lead)), "  "
	}
	if text.Width(from+to) > width {
		p.line(lead, from, to)
		from, to = "", ""
	}
	return lead + left(from+to, width)
}

// tuple writes one destination.
func (p *textPage) tuple(t *model.TupleUse) {
	slow := decimalPercent(t.FirstHalfPercent())
	if t.Pool != model.PoolRange {
		slow = ""
	} else if t.SlowConnect() {
		slow = "slow"
	}
	p.line(p.pair(p.level(t.Level, p.glyph(t.Level))+" ", t.Source.String()+p.arrow(), t.To(), tupleWidth),
		right(text.Count(t.Used), 7), right(text.Count(t.Free), 7), p.level(t.Level, right(decimalPercent(t.Percent()), 6)), right(text.Count(t.TimeWait), 10), right(slow, 9))
	if from := advice.From(t.Limit); from != "" {
		p.line("   ", from)
	}
}

func (p *textPage) consumers(protocols []source.Proto) {
	list := p.AppendConsumers(nil, model.ByProcess, protocols...)
	p.title("  ", left("Top processes", 20), right("PID", 10), right("PORTS", 8), right("SOCKETS", 9), "  MOST TO")
	if len(list) == 0 {
		what := "socket"
		if len(protocols) == 1 && p.TCP.Pressure.InUse+p.UDP.Pressure.InUse > 0 {
			what = protocolNames(protocols) + " socket"
		}
		p.line("  none: no process was seen with a ", what)
	}
	for _, c := range list[:min(listed, len(list))] {
		name, pid := p.consumer(&c)
		most := ""
		if c.Most.Port != 0 {
			most = c.Most.To()
		}
		p.line("  ", left(name, 20), right(pid, 10), right(text.Count(c.Ports), 8), right(text.Count(c.Sockets), 9), "  ", p.cell(most, 29))
	}
	p.more(len(list), "process", "processes")
}

// consumer names a holder of ports in at most 20 columns: with its pid only
// where it was seen, and with a question mark where it is inferred. One that has
// ended says so.
func (p *textPage) consumer(c *model.Consumer) (name, pid string) {
	if c.Process == source.NoProcess {
		return "unknown", ""
	}
	name = p.name(p.names[c.Process])
	if c.Tier < model.OwnerObserved {
		return p.plain(text.Truncate(name, 19)) + "?", ""
	}
	mark := ""
	if _, ended := p.Exit(c.Process); ended {
		mark = " (ended)"
	}
	return p.plain(text.Truncate(name, 20-len(mark))) + mark, strconv.Itoa(int(p.Processes[c.Process].PID))
}

// more says how much a list leaves out.
func (p *textPage) more(n int, one, many string) {
	if n > listed {
		p.line("  and ", text.Plural(n-listed, "more "+one, "more "+many))
	}
}

func (p *textPage) connections(o *Options) {
	total := text.Plural(len(p.Rows), "socket", "sockets")
	p.title("Connections")
	if o.Filter == "" {
		p.line("  ", total, ": --filter lists some of them here, -o json and -o csv list all")
		return
	}
	words := text.Count(len(o.Rows)) + " of " + total + " pass the filter " + o.Filter
	if len(o.Rows) == 0 && o.several() {
		words += "; --netns looks at another namespace than " + p.namespace()
	}
	p.paragraph("  ", "  ", words)
	for _, row := range o.Rows {
		p.connection(row)
	}
}

func (p *textPage) connection(row int32) {
	s, r := &p.Snapshot.Sockets[row], &p.Rows[row]
	const ends = 46 // a pair of IPv4 addresses with ports
	from, to := source.AddrPort(s.Local, s.LocalPort)+p.arrow(), source.AddrPort(s.Remote, s.RemotePort)
	if s.State == source.Listen || s.State == source.Bound {
		from, to = source.AddrPort(s.Local, s.LocalPort), ""
	}
	owner := ""
	if r.Process != source.NoProcess {
		owner = p.name(p.names[r.Process])
		pid := " " + strconv.Itoa(int(p.Processes[r.Process].PID))
		if r.Tier == model.OwnerInferred {
			pid = "?"
		}
		owner = text.Truncate(owner, pageWidth-6-ends-1-12-len(pid)) + pid
	}
	p.line(p.pair("  "+s.Proto.String()+" ", from, to, ends), " ", left(s.State.String(), 12), p.plain(owner))
}
