package report

import (
	"cmp"
	"slices"
	"strings"

	"ephtop/model"
	"ephtop/source"
)

// holders gives the processes that hold ports of each tuple, most ports first.
// Inferred owners are left out: the ports of a tuple that no holder accounts
// for have no certain owner.
func (p *jsonPage) holders() map[model.TupleKey][]jsonHolder {
	type hold struct {
		of      model.TupleKey
		process int32
	}
	ports := make(map[hold]map[uint16]struct{})
	note := func(h hold, port uint16) {
		if ports[h] == nil {
			ports[h] = make(map[uint16]struct{})
		}
		ports[h][port] = struct{}{}
	}
	private := slices.DeleteFunc(slices.Clone(p.TCP.Pressure.Tuples), func(t model.TupleUse) bool { return t.Pool == model.PoolRange })
	for i := range p.Rows {
		s, process := &p.Snapshot.Sockets[i], p.owner(int32(i))
		if process == source.NoProcess || s.Proto != source.TCP {
			continue
		}
		key := p.Key(s)
		for _, t := range private {
			if key.Pool = t.Pool; key == t.TupleKey && s.LocalPort >= t.Limit.Low && s.LocalPort <= t.Limit.High {
				note(hold{key, process}, s.LocalPort)
			}
		}
		if key.Pool = model.PoolRange; p.Rows[i].Ephemeral {
			note(hold{key, process}, s.LocalPort)
		}
	}
	lists := make(map[model.TupleKey][]jsonHolder)
	for h, held := range ports {
		lists[h.of] = append(lists[h.of], p.holder(h.process, len(held)))
	}
	for _, list := range lists {
		slices.SortFunc(list, func(a, b jsonHolder) int {
			return cmp.Or(cmp.Compare(b.Ports, a.Ports), cmp.Compare(a.PID, b.PID), strings.Compare(a.Name, b.Name))
		})
	}
	return lists
}

// holdersOf gives the processes of one tuple: of UDP ports of its own, the one that
// has them.
func (p *jsonPage) holdersOf(t *model.TupleUse, holders map[model.TupleKey][]jsonHolder) []jsonHolder {
	if t.Pool == model.PoolOwnUDP {
		return []jsonHolder{p.holder(t.Process, t.Used)}
	}
	return append([]jsonHolder{}, holders[t.TupleKey]...)
}
