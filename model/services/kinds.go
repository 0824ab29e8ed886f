package services

import (
	"cmp"
	"slices"

	"ephtop/model"
	"ephtop/source"
)

// Use is what one kind of service takes of the ephemeral ports, as far as
// the remote port tells the kind.
type Use struct {
	Kind Kind
	// Ports are the distinct local ports in the range.
	Ports int
	// Sockets hold these ports.
	Sockets int
}

// Kinds returns what the ephemeral ports of one protocol are used for, most
// ports first. Unknown stands for the remote ports that are not well known;
// sockets that have no peer, and the ports that are blocked by them, are left
// out.
func Kinds(st *model.State, proto source.Proto) []Use {
	var list []Use
	var shared []Kind // of several remote ports
	consumers := st.Of(proto).Consumers[model.ByService]
	for i := range consumers {
		c := &consumers[i]
		if c.Port == 0 {
			continue
		}
		kind := KindOf(c.Port, proto)
		at := slices.IndexFunc(list, func(u Use) bool { return u.Kind == kind })
		if at < 0 {
			list = append(list, Use{kind, c.Ports, c.Sockets})
			continue
		}
		list[at].Sockets += c.Sockets
		if !slices.Contains(shared, kind) {
			shared = append(shared, kind)
		}
	}
	for _, kind := range shared {
		at := slices.IndexFunc(list, func(u Use) bool { return u.Kind == kind })
		list[at].Ports = portsOf(st, proto, kind)
	}
	slices.SortFunc(list, func(a, b Use) int {
		return cmp.Or(cmp.Compare(b.Ports, a.Ports), cmp.Compare(b.Sockets, a.Sockets), cmp.Compare(a.Kind, b.Kind))
	})
	return list
}

// portsOf counts the distinct local ports that are held towards services of a
// kind: one may be held towards several.
func portsOf(st *model.State, proto source.Proto, kind Kind) int {
	var ports source.PortSet
	for i := range st.Rows {
		s := &st.Snapshot.Sockets[i]
		if s.Proto == proto && st.Rows[i].Outgoing && KindOf(s.RemotePort, proto) == kind {
			ports.Add(s.LocalPort)
		}
	}
	return ports.Len()
}
