package report

import (
	"ephtop/model"
	"ephtop/source"
)

// jsonNAT is a pool of translated ports.
type jsonNAT struct {
	Address     string  `json:"address"`
	Destination string  `json:"destination"`
	Port        uint16  `json:"port"`
	Proto       string  `json:"proto"`
	Used        int     `json:"used"`
	Ports       int     `json:"ports"`
	Evictable   int     `json:"evictable"`
	Percent     float64 `json:"percent"`
	Unreplied   int     `json:"unreplied"`
	// Loss is the share of new connections whose first packet finds no port.
	Loss    float64         `json:"loss_percent"`
	Level   string          `json:"level"`
	Outlook jsonOutlook     `json:"outlook"`
	Holders []jsonNATHolder `json:"holders"`
	// Namespace is left out where nothing is known of namespaces.
	Namespace *jsonScope `json:"namespace,omitempty"`
}

// jsonNATHolder holds ports of a pool. Without a pid, only its address is known.
type jsonNATHolder struct {
	Client    string     `json:"client"`
	PID       int32      `json:"pid,omitempty"`
	Name      string     `json:"name,omitempty"`
	Ports     int        `json:"ports"`
	Namespace *jsonScope `json:"namespace,omitempty"`
}

// nats writes the pools of translated ports: those of all namespaces, the worst
// first, where there is an overview, else those of the one.
func (p *jsonPage) nats(o *Options) {
	var states []*model.State
	list := []model.NATState{}
	switch {
	case o.Overview != nil:
		states, list = o.Overview.States, o.Overview.NATs
	case p.NAT != nil:
		list = append(list, *p.NAT)
	}
	pools := []jsonNAT{}
	for i := range list {
		n := &list[i]
		for j := range n.Pools {
			pools = append(pools, p.newNAT(&n.Scope, &n.Pools[j], states))
		}
	}
	p.list("snat", len(pools), func(i int) { p.value(pools[i]) })
}

func (p *jsonPage) newNAT(scope *source.Scope, use *model.NATPoolUse, states []*model.State) jsonNAT {
	j := jsonNAT{
		Address: use.Address.String(), Destination: use.Remote.String(), Port: use.RemotePort, Proto: use.Proto.String(),
		Used: use.Used, Ports: use.Capacity(), Evictable: use.Evictable, Percent: shareTenth(use.Percent()), Unreplied: use.Unreplied,
		Loss: tenth(100 * use.Loss), Level: use.Level.String(), Outlook: newOutlook(&use.Outlook), Holders: []jsonNATHolder{}, Namespace: optionalScope(scope),
	}
	for i := range use.Holders {
		h := &use.Holders[i]
		holder := jsonNATHolder{Client: h.Client.String(), Ports: h.Ports}
		if h.Process >= 0 && int(h.Process) < len(p.Processes) {
			of := &p.Processes[h.Process]
			holder.PID, holder.Name = of.PID, p.names[h.Process]
		}
		if h.State >= 0 && h.State < len(states) {
			holder.Namespace = optionalScope(&states[h.State].Snapshot.Scope)
		}
		j.Holders = append(j.Holders, holder)
	}
	return j
}

// optionalScope is nil where nothing is known of namespaces.
func optionalScope(s *source.Scope) *jsonScope {
	if s.Netns == 0 {
		return nil
	}
	scope := newScope(s)
	return &scope
}
