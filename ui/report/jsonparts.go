package report

import (
	"ephtop/model"
	"ephtop/model/services"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/text"
)

type jsonFinding struct {
	Problem  string          `json:"problem"`
	Level    string          `json:"level"`
	Title    string          `json:"title"`
	Seen     string          `json:"seen"`
	Why      string          `json:"why"`
	Remedies []advice.Remedy `json:"remedies"`
	// Namespace is left out where there is but one.
	Namespace *jsonScope `json:"namespace,omitempty"`
}

// findings writes what is wrong, most urgent first: in all namespaces.
func (p *jsonPage) findings(o *Options) {
	list, several := p.Findings, o.several()
	if several {
		list = o.Overview.Findings
	}
	p.list("findings", len(list), func(i int) {
		f, st := &list[i], p.State
		var in *jsonScope
		if several {
			st = o.Overview.States[f.State]
			scope := newScope(&st.Snapshot.Scope)
			in = &scope
		}
		a := advice.Of(st, f)
		p.value(jsonFinding{f.Problem.String(), f.Level.String(), a.Title, a.Seen, a.Why, append([]advice.Remedy{}, a.Remedies...), in})
	})
}

type jsonKind struct {
	Proto   string `json:"proto"`
	Kind    string `json:"kind"`
	Ports   int    `json:"ports"`
	Sockets int    `json:"sockets"`
}

var bothProtocols = [...]source.Proto{source.TCP, source.UDP}

// kinds writes what the ports are used for, as far as the remote ports tell.
func (p *jsonPage) kinds() {
	var list []jsonKind
	for _, proto := range bothProtocols {
		for _, k := range services.Kinds(p.State, proto) {
			list = append(list, jsonKind{proto.String(), k.Kind.String(), k.Ports, k.Sockets})
		}
	}
	p.list("kinds", len(list), func(i int) { p.value(list[i]) })
}

type jsonBindPool struct {
	Address string  `json:"address"`
	Used    int     `json:"used"`
	Free    int     `json:"free"`
	Percent float64 `json:"percent"`
	Level   string  `json:"level"`
	Bound   int     `json:"bound,omitempty"` // sockets that were bound, for certain or likely
}

// bindPools writes what is left to bind() on each local address, the fullest
// first.
func (p *jsonPage) bindPools() {
	pools := make(map[string][]jsonBindPool)
	for _, proto := range bothProtocols {
		list := []jsonBindPool{}
		for _, b := range p.Of(proto).Pressure.BindPools {
			list = append(list, jsonBindPool{b.Local.String(), b.Used, b.Free, tenth(b.Percent()), b.Level.String(), b.Bound})
		}
		pools[proto.String()] = list
	}
	p.field("bind_pools", pools)
}

type jsonFailures struct {
	Observed bool          `json:"observed"`
	Count    int           `json:"count"`
	By       []jsonFailure `json:"by"`
}

// jsonFailure counts the failed connects of one process to one destination.
type jsonFailure struct {
	PID         int32  `json:"pid"`
	Name        string `json:"name"`
	Destination string `json:"destination"`
	Port        uint16 `json:"port"`
	Count       int    `json:"count"`
}

func newFailures(st *model.State) jsonFailures {
	f := jsonFailures{st.Failures.Observed, st.Failures.Count, []jsonFailure{}}
	for i := range st.Failures.By {
		b := &st.Failures.By[i]
		f.By = append(f.By, jsonFailure{b.Process.PID, text.Sanitize(b.Process.Name), b.Destination.String(), b.Port, b.Count})
	}
	return f
}

// reasons writes what could not be seen.
func (p *jsonPage) reasons() {
	list := advice.Limits(p.Moment)
	p.list("degraded", len(list), func(i int) { p.value(text.Sanitize(list[i])) })
}
