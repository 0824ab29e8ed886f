package model

import (
	"cmp"
	"slices"

	"ephtop/source"
)

// joinNATs finds whose the flows of translated pools are: those of pools that
// have a gauge or are worth a word, among the sockets of all namespaces. A
// connection is told by the four-tuple that it has before it is translated. Which
// pools the namespaces' connections pass is the result.
func (o *Overview) joinNATs() map[natRoute]*NATPoolUse {
	flows := make(map[source.Tuple]natOwner)
	var ports source.PortSet
	for i := range o.NATs {
		for j := range o.NATs[i].Pools {
			p := &o.NATs[i].Pools[j]
			if !p.known() {
				continue
			}
			for _, t := range p.Flows {
				flows[t] = natOwner{state: -1, process: source.NoProcess}
				ports.Add(t.LocalPort)
			}
		}
	}
	if len(flows) == 0 {
		return nil
	}
	for i, st := range o.States {
		for j := range st.Snapshot.Sockets {
			s := &st.Snapshot.Sockets[j]
			if !ports.Has(s.LocalPort) {
				continue
			}
			t := s.Tuple()
			if known, ok := flows[t]; ok && known.state < 0 {
				r := &st.Rows[j]
				flows[t] = natOwner{i, r.Process, r.Tier}
			}
		}
	}
	o.placeClients(flows)
	for i := range o.NATs {
		for j := range o.NATs[i].Pools {
			if p := &o.NATs[i].Pools[j]; p.known() {
				p.Holders = natHolders(p.NATPool, flows)
			}
		}
	}
	return o.routesOf(flows)
}

// knownShare is the part of a pool from which on it is known whose its ports are.
const knownShare = 0.1

func (p *NATPoolUse) known() bool { return len(p.Flows) > 0 && (p.worth() || p.Share() >= knownShare) }

// natOwner is whose a flow is.
type natOwner struct {
	state   int
	process int32
	tier    Tier
}

// placed is how many sockets of a namespace are looked at for an address of it.
const placed = 256

// placeClients finds the namespaces of flows without a socket by the address that they
// come from, where it is that of one namespace only: at the router a connection stays
// for longer than in TIME_WAIT.
func (o *Overview) placeClients(flows map[source.Tuple]natOwner) {
	const several = -2
	homes := make(map[source.Addr]int)
	for t, owner := range flows {
		if owner.state < 0 {
			homes[t.Local] = -1
		}
	}
	if len(homes) == 0 {
		return
	}
	for i, st := range o.States {
		list := st.Snapshot.Sockets
		for j := range list[:min(len(list), placed)] {
			local := list[j].Local
			if home, wanted := homes[local]; wanted && home != i && home != several {
				if homes[local] = i; home != -1 {
					homes[local] = several
				}
			}
		}
	}
	for t, owner := range flows {
		if home := homes[t.Local]; owner.state < 0 && home >= 0 {
			flows[t] = natOwner{home, source.NoProcess, OwnerUnknown}
		}
	}
}

// natHolders counts the flows of a pool by whose they are.
func natHolders(p *source.NATPool, flows map[source.Tuple]natOwner) []NATHolder {
	type key struct {
		client  source.Addr
		state   int
		process int32
	}
	counts := make(map[key]*NATHolder)
	for _, t := range p.Flows {
		owner := flows[t]
		k := key{t.Local, owner.state, owner.process}
		h := counts[k]
		if h == nil {
			h = &NATHolder{Client: t.Local, State: owner.state, Process: owner.process, Tier: owner.tier}
			counts[k] = h
		}
		h.Ports++
		h.Tier = min(h.Tier, owner.tier)
	}
	holders := make([]NATHolder, 0, len(counts))
	for _, h := range counts {
		h.Ports = (h.Ports*p.Used + len(p.Flows)/2) / len(p.Flows)
		holders = append(holders, *h)
	}
	slices.SortFunc(holders, func(a, b NATHolder) int {
		return cmp.Or(cmp.Compare(b.Ports, a.Ports), slices.Compare(a.Client[:], b.Client[:]),
			cmp.Compare(a.State, b.State), cmp.Compare(a.Process, b.Process))
	})
	return holders
}
