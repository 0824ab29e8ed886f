package report

import (
	"fmt"
	"strings"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
	"ephtop/ui/text"
)

// jsonWay is what a NAT on the way has for one destination.
type jsonWay struct {
	Destination string     `json:"destination"`
	Port        uint16     `json:"port"`
	Proto       string     `json:"proto"`
	Used        int        `json:"used"`
	Ports       int        `json:"ports"`
	Percent     float64    `json:"percent"`
	Live        int        `json:"live"`
	Opening     int        `json:"opening"`
	Unanswered  int        `json:"unanswered"`
	TimeWait    int        `json:"time_wait"`
	Closed      int        `json:"closed"`
	Level       string     `json:"level"`
	Process     *jsonOwner `json:"process,omitempty"`
	// Namespace is the one that holds most of it, left out where nothing is known of
	// namespaces.
	Namespace *jsonScope `json:"namespace,omitempty"`
}

// jsonOwner is who holds most of it.
type jsonOwner struct {
	PID  int32  `json:"pid"`
	Name string `json:"name"`
}

// ways writes what a NAT on the way has, the fullest first, if there is one.
func (p *jsonPage) ways(o *Options) {
	var list []model.WayPool
	switch {
	case o.Overview != nil:
		list = o.Overview.Ways
	case p.Way != nil:
		list = []model.WayPool{*p.Way}
	}
	if len(list) == 0 {
		return
	}
	p.list("nat_on_the_way", len(list), func(i int) {
		w := &list[i]
		j := jsonWay{
			Destination: w.Remote.String(), Port: w.RemotePort, Proto: w.Proto.String(), Used: w.Used(), Ports: w.Ports, Percent: shareTenth(w.Percent()),
			Live: w.Live, Opening: w.Opening, Unanswered: w.Unanswered, TimeWait: w.TimeWait, Closed: w.Gone, Level: w.Level.String(),
		}
		if w.Process >= 0 && int(w.Process) < len(p.Processes) {
			j.Process = &jsonOwner{p.Processes[w.Process].PID, p.names[w.Process]}
		}
		if o.Overview != nil {
			j.Namespace = optionalScope(&o.Overview.States[w.State].Snapshot.Scope)
		}
		p.value(j)
	})
}

func wayTo(p *model.WayPool) string {
	key := model.TupleKey{Destination: p.Remote, Port: p.RemotePort}
	return key.To()
}

// wayWords are about what a NAT on the way has, for a check.
func wayWords(p *model.WayPool) string {
	udp := ""
	if p.Proto == source.UDP {
		udp = "UDP "
	}
	words := fmt.Sprintf("%s %% of %s of the NAT on the way to %s used", spread(wayShare(p, rounded), p.Certain(), p.Used()), text.Plural(p.Ports, udp+"port", udp+"ports"), wayTo(p))
	if p.Level == model.LevelExhausted {
		words = fmt.Sprintf("no %sport of %s of the NAT on the way is free to %s", udp, text.Count(p.Ports), wayTo(p))
	}
	if p.Unanswered > 0 {
		words += fmt.Sprintf(", %s without an answer", text.Plural(p.Unanswered, "connect", "connects"))
	}
	return words
}

// limitWords are about a limit on the way that nobody told of, "" for none.
func limitWords(st *model.State) string {
	for i := range st.Findings {
		if f := &st.Findings[i]; f.Problem == model.WayLimit {
			return fmt.Sprintf("a limit on the way to %s, it seems: %s, %s without an answer", f.Tuple.To(),
				text.Plural(f.Live, "connection lives", "connections live"), text.Plural(f.Count, "connect", "connects"))
		}
	}
	return ""
}

// spread writes the least and the most that a figure may be: "30 to 20,000".
func spread(write func(int) string, least, most int) string {
	if least == most {
		return write(least)
	}
	return write(least) + " to " + write(most)
}

// wayShare writes a number of ports as a share of those of a NAT on the way.
func wayShare(p *model.WayPool, write func(percent float64) string) func(int) string {
	return func(n int) string { return write(model.Percent(n, p.Ports)) }
}

// fullestWay is the fullest pool of a NAT on the way, whichever namespace holds most
// of it; nil for none.
func (p *cleanState) fullestWay(o *Options) *model.WayPool {
	if o.Overview != nil && len(o.Overview.Ways) > 0 {
		return &o.Overview.Ways[0]
	}
	return p.Way
}

// fullestOf is that of some namespaces.
func fullestOf(states []*model.State) (fullest *model.WayPool) {
	for _, st := range states {
		if p := st.Way; p != nil && (fullest == nil || p.Level > fullest.Level || p.Level == fullest.Level && p.Used() > fullest.Used()) {
			fullest = p
		}
	}
	return fullest
}

// wayFact says how full the NAT on the way is, if there is one.
func (p *textPage) wayFact(o *Options) {
	if w := p.fullestWay(o); w != nil {
		_, words, _ := strings.Cut(advice.WayFact(w), "NAT ")
		p.fact("NAT", words)
	}
}
