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
	// Ports are the local ports in the range, distinct for each remote port and
	// added up over those of the kind.
	Ports int
	// Sockets hold these ports.
	Sockets int
}

// Kinds returns what the ephemeral ports of one protocol are used for, most
// ports first, from its consumers [model.ByService]. Unknown stands for the
// remote ports that are not well known; sockets that have no peer, and the
// ports that are blocked by them, are left out.
func Kinds(consumers []model.Consumer, proto source.Proto) []Use {
	var list []Use
	for i := range consumers {
		c := &consumers[i]
		if c.Port == 0 {
			continue
		}
		kind := KindOf(c.Port, proto)
		at := slices.IndexFunc(list, func(u Use) bool { return u.Kind == kind })
		if at < 0 {
			at = len(list)
			list = append(list, Use{Kind: kind})
		}
		list[at].Ports += c.Ports
		list[at].Sockets += c.Sockets
	}
	slices.SortFunc(list, func(a, b Use) int {
		return cmp.Or(cmp.Compare(b.Ports, a.Ports), cmp.Compare(b.Sockets, a.Sockets), cmp.Compare(a.Kind, b.Kind))
	})
	return list
}
