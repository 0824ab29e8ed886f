package model

import (
	"cmp"
	"slices"

	"ephtop/model/services"
	"ephtop/source"
)

// KindUse is what one kind of service takes of the ephemeral ports, as far as
// the remote port tells the kind.
type KindUse struct {
	Kind services.Kind
	// Ports are the local ports in the range, distinct for each remote port and
	// added up over those of the kind.
	Ports int
	// Sockets hold these ports.
	Sockets int
}

// Kinds says what the ephemeral ports of one protocol are used for, most ports
// first. services.Unknown stands for the remote ports that are not well known;
// sockets that have no peer, and the ports that are blocked by them, are left
// out.
func (st *State) Kinds(proto source.Proto) []KindUse {
	var list []KindUse
	for i := range st.Of(proto).Consumers[ByService] {
		c := &st.Of(proto).Consumers[ByService][i]
		if c.Port == 0 {
			continue
		}
		kind := services.KindOf(c.Port, proto)
		at := slices.IndexFunc(list, func(u KindUse) bool { return u.Kind == kind })
		if at < 0 {
			at = len(list)
			list = append(list, KindUse{Kind: kind})
		}
		list[at].Ports += c.Ports
		list[at].Sockets += c.Sockets
	}
	slices.SortFunc(list, func(a, b KindUse) int {
		return cmp.Or(cmp.Compare(b.Ports, a.Ports), cmp.Compare(b.Sockets, a.Sockets), cmp.Compare(a.Kind, b.Kind))
	})
	return list
}
