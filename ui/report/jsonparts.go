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
			list = append(list, jsonBindPool{b.Local.String(), b.Used, b.Free, shareTenth(b.Percent()), b.Level.String(), b.Bound})
		}
		pools[proto.String()] = list
	}
	p.field("bind_pools", pools)
}

// jsonFailures leaves out what did not happen, but for its first three.
type jsonFailures struct {
	Observed bool          `json:"observed"`
	Count    int           `json:"count"`
	By       []jsonFailure `json:"by"`
	// Binds and UDP are part of Count.
	Binds     int           `json:"binds,omitzero"`
	UDP       int           `json:"udp,omitzero"`
	Taken     int           `json:"taken,omitzero"`
	TakenBy   []jsonFailure `json:"taken_by,omitempty"`
	Refused   int           `json:"refused,omitzero"`
	RefusedBy []jsonFailure `json:"refused_by,omitempty"`
	Unplaced  int           `json:"unplaced,omitzero"`
	Lost      int           `json:"lost,omitzero"`
}

// jsonFailure counts what failed of one process, to one destination or on one
// address.
type jsonFailure struct {
	PID         int32  `json:"pid"`
	Name        string `json:"name"`
	Destination string `json:"destination"`
	Port        uint16 `json:"port"`
	Count       int    `json:"count"`
	// Kind, Proto, Address and LocalPort are left out of connects of TCP that found
	// no port.
	Kind      string `json:"kind,omitempty"`
	Proto     string `json:"proto,omitempty"`
	Address   string `json:"address,omitempty"`
	LocalPort uint16 `json:"local_port,omitzero"`
}

func newFailures(st *model.State) jsonFailures {
	f := &st.Failures
	return jsonFailures{
		Observed: f.Observed, Count: f.Count, By: newFailed(f.By), Binds: f.Binds, UDP: f.UDP, Taken: f.Taken, TakenBy: newFailed(f.TakenBy),
		Refused: f.Refused, RefusedBy: newFailed(f.RefusedBy), Unplaced: f.Unplaced, Lost: f.Lost,
	}
}

func newFailed(by []model.Failure) []jsonFailure {
	list := []jsonFailure{}
	for i := range by {
		b := &by[i]
		j := jsonFailure{PID: b.Process.PID, Name: text.Sanitize(b.Process.Name), Destination: b.Destination.String(), Port: b.Port, Count: b.Count}
		if b.Kind == source.BindFailed || b.Kind == source.AddressRefused {
			j.Kind, j.Proto, j.Address, j.LocalPort = b.Kind.String(), b.Proto.String(), b.Local.String(), b.LocalPort
		}
		list = append(list, j)
	}
	return list
}

// reasons writes what could not be seen.
func (p *jsonPage) reasons() {
	list := advice.Limits(p.Moment)
	p.list("degraded", len(list), func(i int) { p.value(text.Sanitize(list[i])) })
}

type jsonOutlook struct {
	Verdict   string   `json:"verdict"`
	InSeconds *float64 `json:"in_seconds"`
	SettlesAt *int     `json:"settles_at"`
}

func newOutlook(o *model.Outlook) jsonOutlook {
	j := jsonOutlook{Verdict: o.Trend.String()}
	if o.In > 0 || o.Trend == model.TrendFull {
		seconds := tenth(o.In.Seconds())
		j.InSeconds = &seconds
	}
	if o.Settles() {
		j.SettlesAt = &o.Plateau
	}
	return j
}
