package report

import (
	"cmp"
	"slices"

	"ephtop/model"
	"ephtop/source"
)

// holder is a process that holds ports of a tuple.
type holder struct {
	tuple, process int32 // indices into the tuples and State.Processes
	ports          int   // distinct local ports
}

// holders counts the distinct ports of each tuple by process, in the order of
// the tuples and most ports first. Inferred owners are left out: the ports of
// a tuple that no holder accounts for have no certain owner.
func (m *moment) holders(tuples []model.TupleUse) []holder {
	index := make(map[model.TupleKey]int32, len(tuples))
	for i := range tuples {
		index[tuples[i].TupleKey] = int32(i)
	}
	type hold struct {
		tuple, process int32
		port           uint16
	}
	var holds []hold
	for i := range m.Rows {
		s, process := &m.Snapshot.Sockets[i], m.owner(int32(i))
		if process == source.NoProcess || s.Proto != source.TCP || !m.Rows[i].Ephemeral {
			continue
		}
		if t, ok := index[model.TupleKey{Source: s.Local, Destination: s.Remote, Port: s.RemotePort}]; ok {
			holds = append(holds, hold{t, process, s.LocalPort})
		}
	}
	slices.SortFunc(holds, func(a, b hold) int {
		return cmp.Or(cmp.Compare(a.tuple, b.tuple), cmp.Compare(a.process, b.process), cmp.Compare(a.port, b.port))
	})

	var list []holder
	for i, h := range holds {
		switch {
		case i == 0 || h.tuple != holds[i-1].tuple || h.process != holds[i-1].process:
			list = append(list, holder{h.tuple, h.process, 1})
		case h.port != holds[i-1].port:
			list[len(list)-1].ports++
		}
	}
	slices.SortStableFunc(list, func(a, b holder) int {
		return cmp.Or(cmp.Compare(a.tuple, b.tuple), cmp.Compare(b.ports, a.ports),
			cmp.Compare(m.Processes[a.process].PID, m.Processes[b.process].PID))
	})
	return list
}

// consumers gives the processes that hold ports, most ports first, with the
// sums over the protocols asked for. A process has one entry for what it was
// seen to hold and another for what is inferred, and the entry without a
// process stands for the sockets of no known one.
func (m *moment) consumers(protocols []source.Proto) []model.Consumer {
	type key struct {
		process int32
		tier    model.Tier
	}
	var list []model.Consumer
	at := make(map[key]int)
	for _, p := range protocols {
		for _, c := range m.Of(p).Consumers[model.ByProcess] {
			i, seen := at[key{c.Process, c.Tier}]
			if !seen {
				at[key{c.Process, c.Tier}] = len(list)
				list = append(list, c)
				continue
			}
			list[i].Ports += c.Ports
			list[i].Sockets += c.Sockets
			add(&list[i].States, &c.States)
		}
	}
	slices.SortStableFunc(list, func(a, b model.Consumer) int {
		return cmp.Or(cmp.Compare(b.Ports, a.Ports), cmp.Compare(b.Sockets, a.Sockets), cmp.Compare(a.Process, b.Process))
	})
	return list
}
