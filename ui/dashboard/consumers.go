package dashboard

import (
	"cmp"
	"slices"

	"ephtop/model"
	"ephtop/source"
)

// consumerKey is a consumer's identity from one state to the next.
type consumerKey struct {
	pid         int32
	start       uint64
	tier        model.Tier
	destination source.Addr
	port        uint16
	user, name  string
}

func keyOf(c *model.Consumer, st *model.State) consumerKey {
	k := consumerKey{tier: c.Tier, destination: c.Destination, port: c.Port, user: c.User, name: c.Name}
	if c.Process != source.NoProcess {
		p := &st.Processes[c.Process]
		k.pid, k.start = p.PID, p.Start
	}
	return k
}

// mergeConsumers adds the consumers of TCP and UDP up. Their pools are apart,
// so that a port that both hold counts twice.
func mergeConsumers(dst []model.Consumer, st *model.State, g model.Grouping) []model.Consumer {
	dst = append(dst, st.TCP.Consumers[g]...)
	index := make(map[consumerKey]int, len(dst))
	for i := range dst {
		index[keyOf(&dst[i], st)] = i
	}
	for _, c := range st.UDP.Consumers[g] {
		i, ok := index[keyOf(&c, st)]
		if !ok {
			dst = append(dst, c)
			continue
		}
		d := &dst[i]
		if c.Ports > d.Ports {
			d.Most = c.Most
		}
		d.Ports += c.Ports
		d.Sockets += c.Sockets
		d.Rate += c.Rate
		for s, n := range c.States {
			d.States[s] += n
		}
	}
	slices.SortStableFunc(dst, func(a, b model.Consumer) int {
		return cmp.Or(cmp.Compare(b.Ports, a.Ports), cmp.Compare(b.Sockets, a.Sockets))
	})
	return dst
}
