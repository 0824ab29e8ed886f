package report

import (
	"strconv"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/text"
)

// namespace gives the name of the namespace that the report is about, "" where
// there is but one and nothing is known of it.
func (m *cleanState) namespace() string { return advice.Namespace(&m.Snapshot.Scope) }

// several reports whether the look saw more than one namespace.
func (o *Options) several() bool {
	return o.Overview != nil && len(o.Overview.States)+len(o.Overview.Quiet) > 1
}

type jsonScope struct {
	ID   uint64 `json:"id"`
	Name string `json:"name"`
	Kind string `json:"kind"`
}

type jsonNamespace struct {
	jsonScope
	PID          *int32     `json:"pid"`
	Level        string     `json:"level"`
	Percent      *float64   `json:"percent"`
	BoundPercent *float64   `json:"bound_percent"`
	Exact        bool       `json:"exact"`
	Age          int64      `json:"age_ms"`
	Sockets      int        `json:"sockets"`
	Worst        *jsonWorst `json:"worst"`
}

// unknownLevel stands for the level of a namespace that was not looked at and
// may be in trouble.
const unknownLevel = "unknown"

type jsonWorst struct {
	Destination string `json:"destination"`
	Port        uint16 `json:"port"`
}

func newScope(s *source.Scope) jsonScope {
	return jsonScope{s.Netns, advice.Namespace(s), s.Kind.String()}
}

// namespaces writes which namespace the object is about and which there are,
// the worst first. Nothing is written where the origin knows nothing of them.
func (p *jsonPage) namespaces(o *Options) {
	if p.namespace() == "" {
		return
	}
	p.field("namespace", newScope(&p.Snapshot.Scope))
	list := []jsonNamespace{lookedAt(p.State)}
	if o.Overview != nil {
		list = list[:0]
		for _, st := range o.Overview.States {
			list = append(list, lookedAt(st))
		}
		for i := range o.Overview.Quiet {
			list = append(list, quiet(&o.Overview.Quiet[i], p.Thresholds))
		}
	}
	p.list("namespaces", len(list), func(i int) { p.value(list[i]) })
}

func lookedAt(st *model.State) jsonNamespace {
	s := st.Snapshot
	head := st.TCP.Pressure.Headline()
	percent := shareTenth(head.Percent())
	n := jsonNamespace{
		jsonScope: newScope(&s.Scope), PID: known(s.Scope.PID), Level: st.Level.String(), Percent: &percent, Exact: true,
		Age: s.Age.Milliseconds(), Sockets: len(s.Sockets),
	}
	if head.Scope == model.ScopeTuple {
		n.Worst = &jsonWorst{head.Key.Destination.String(), head.Key.Port}
	}
	return n
}

func quiet(b *source.Brief, t model.Thresholds) jsonNamespace {
	n := jsonNamespace{jsonScope: newScope(&b.Scope), PID: known(b.Scope.PID), Level: unknownLevel, Sockets: b.Bound}
	if t.Quiet(b) {
		n.Level = model.LevelOK.String()
	}
	if !b.Assumed {
		bound := shareTenth(model.Percent(b.Bound, b.Usable))
		n.BoundPercent = &bound
	}
	return n
}

// known gives a pid, nil for none.
func known(pid int32) *int32 {
	if pid == 0 {
		return nil
	}
	return &pid
}

// namespaces lists the namespaces, the worst first, and counts the quiet ones.
func (p *textPage) namespaces(o *Options) {
	if !o.several() {
		return
	}
	const width, worstWidth = 32, 19
	p.title("  ", left("Namespaces", width), left("KIND", 10), right("%", 6), right("SOCKETS", 9), "  WORST TO")
	states := o.Overview.States
	for _, st := range states[:min(listed, len(states))] {
		head := st.TCP.Pressure.Headline()
		worst, percent := "", head.Percent()
		if nat := st.NATPool(); nat != nil {
			key := model.TupleKey{Destination: nat.Remote, Port: nat.RemotePort}
			if worst, percent = "SNAT "+key.To(), nat.Percent(); text.Width(worst) > worstWidth {
				worst = key.To()
			}
		} else if head.Scope == model.ScopeTuple {
			worst = head.Key.To()
		} else if head.Scope == model.ScopeBind {
			worst = "bind() " + head.Key.Source.String()
		}
		s := &st.Snapshot.Scope
		p.line(p.level(st.Level, p.glyph(st.Level)), " ", p.cell(p.name(advice.Namespace(s)), width-1), left(s.Kind.String(), 10),
			p.level(st.Level, right(decimalPercent(percent), 6)), right(text.Count(len(st.Snapshot.Sockets)), 9), "  ", p.cell(worst, worstWidth))
	}
	p.more(len(states), "namespace", "namespaces")
	var quiet, unknown, sockets int
	most := 0.0
	for i := range o.Overview.Quiet {
		switch b := &o.Overview.Quiet[i]; {
		case p.Thresholds.Quiet(b):
			quiet++
			most = max(most, model.Percent(b.Bound, b.Usable))
		default:
			unknown++
			sockets = max(sockets, b.Bound)
		}
	}
	if quiet > 0 {
		p.line("  and ", text.Plural(quiet, "quiet namespace", "quiet namespaces"), ", none of them above ", decimalPercent(most), " %")
	}
	if unknown > 0 {
		p.line("? and ", text.Plural(unknown, "namespace that was", "namespaces that were"), " not looked at, with up to ", text.Plural(sockets, "socket", "sockets"))
	}
}

// about says which of several namespaces the page is about.
func (p *textPage) about(o *Options) {
	if p.namespace() == "" {
		return
	}
	s := &p.Snapshot.Scope
	words := p.namespace()
	if kind := s.Kind.String(); kind != words {
		words += " (" + kind + ")"
	}
	if s.PID != 0 && s.Kind != source.ScopeHost {
		words += ", pid " + strconv.Itoa(int(s.PID))
	}
	if o.several() {
		of := len(o.Overview.States) + len(o.Overview.Quiet)
		place := "one of "
		if o.Overview.States[0] == p.State {
			place = "the worst of "
		}
		words += ", " + place + strconv.Itoa(of)
	}
	if age := p.Snapshot.Age; age >= time.Second {
		words += ", looked at " + text.Duration(age) + " ago"
	}
	p.fact("netns", words)
}

// elsewhere lists what is wrong in the other namespaces.
func (p *textPage) elsewhere(o *Options) {
	if o.Overview == nil {
		return
	}
	told := 0
	for i := range o.Overview.Findings {
		f := &o.Overview.Findings[i]
		st := o.Overview.States[f.State]
		if st == p.State {
			continue
		}
		if told++; told == 1 {
			p.title("In other namespaces")
		}
		if told > listed {
			continue
		}
		words := advice.Within(advice.Namespace(&st.Snapshot.Scope), advice.Of(st, f).Title)
		for i, l := range text.Wrap(p.name(words), pageWidth-4) {
			if i > 0 {
				p.line("    ", l)
				continue
			}
			p.line("  ", p.level(f.Level, p.glyph(f.Level)), " ", l)
		}
	}
	p.more(told, "finding", "findings")
}
