package metrics

import (
	"iter"
	"strconv"
	"time"

	"ephtop/model"
	"ephtop/source"
	"ephtop/ui/advice"
)

// mostPools is the most addresses that have series.
const mostPools = 5

// lists are what there may be any number of.
type lists struct {
	tuples         keeper[tupleKey, model.TupleUse]
	processes      keeper[string, portShare]
	pools          keeper[poolKey, model.BindPool]
	namespaces     keeper[namespaceKey, namespace]
	nats           keeper[natKey, source.NATPool]
	ways           keeper[natKey, model.WayPool]
	noDestinations bool
	// several says that more than one namespace has been looked at: series that
	// have a label for it keep that.
	several bool
}

// tupleKey is what the series of a destination are labelled with. Several tuples
// may have one, as those of two interfaces.
type tupleKey struct {
	netns               string
	source, destination source.Addr
	port                uint16
}

type poolKey struct {
	netns string
	proto source.Proto
	local source.Addr
}

// natKey is what the series of a pool of translated ports are labelled with.
type natKey struct {
	netns           string
	address, remote source.Addr
	port            uint16
	proto           source.Proto
}

type namespaceKey struct{ name, kind string }

type namespace struct {
	used  float64
	level model.Level
	nat   float64 // of its fullest pool of translated ports
}

// portShare is some ports of all.
type portShare struct{ ports, of int }

func newLists(o Options) lists {
	worth := o.MinShare / 100
	return lists{
		tuples:         keeper[tupleKey, model.TupleUse]{places: o.Top, worth: worth, share: ownShare},
		processes:      keeper[string, portShare]{places: o.Top, worth: worth, share: func(s *portShare) float64 { return ratio(s.ports, s.of) }},
		pools:          keeper[poolKey, model.BindPool]{places: min(o.Top, mostPools), worth: worth, share: func(b *model.BindPool) float64 { return ratio(b.Used, b.Used+b.Free) }},
		namespaces:     keeper[namespaceKey, namespace]{places: o.Top, worth: worth, share: func(n *namespace) float64 { return max(n.used, n.nat) }},
		nats:           keeper[natKey, source.NATPool]{places: min(o.Top, mostPools), worth: worth, share: (*source.NATPool).Share},
		ways:           keeper[natKey, model.WayPool]{places: min(o.Top, mostPools), worth: worth, share: (*model.WayPool).Share},
		noDestinations: o.NoDestinations,
	}
}

// ownShare is what a tuple's own sockets hold, and not what is blocked for all. A
// private pool that is in no trouble holds nothing: it is as wide as it was seen.
func ownShare(t *model.TupleUse) float64 {
	if t.Pool != model.PoolRange && t.Level == model.LevelOK {
		return 0
	}
	return ratio(t.Live+t.TimeWait, t.Used+t.Free)
}

// ratio is a part of all, 0 of nothing.
func ratio(part, all int) float64 {
	if all <= 0 {
		return 0
	}
	return float64(part) / float64(all)
}

func (l *lists) render(p *pen, now time.Duration, o *model.Overview, about *model.State) {
	if len(o.States) > 1 && !l.several {
		l.several, l.tuples.kept, l.pools.kept = true, nil, nil
	}
	name := func(st *model.State) string {
		if !l.several {
			return ""
		}
		return label(advice.Namespace(&st.Snapshot.Scope))
	}
	// in adds the label of the namespace, where there are several.
	in := func(netns string, labels ...string) []string {
		if l.several {
			labels = append(labels, "netns", netns)
		}
		return labels
	}
	all := 0
	for _, st := range o.States {
		all += len(st.TCP.Pressure.Tuples)
	}
	chosen := l.tuples.choose(now, l.allTuples(o, name))
	p.gauge("tuples", "Sources, destinations and destination ports that hold ports, of all namespaces.", float64(all))
	p.gauge("tuples_exported", "Sources, destinations and destination ports that have series of their own.", float64(len(chosen)))
	for i := range chosen {
		k, t := &chosen[i].key, &chosen[i].value
		labels := in(k.netns, "source", k.source.String(), "port", strconv.Itoa(int(k.port)))
		if !l.noDestinations {
			labels = append(labels, "destination", k.destination.String())
		}
		p.gauge("tuple_used_ports", "Ports that cannot be had towards a destination.", float64(t.Used), labels...)
		p.gauge("tuple_time_wait_ports", "Ports in TIME_WAIT towards a destination.", float64(t.TimeWait), labels...)
		p.gauge("tuple_closes_per_second", "Connections to a destination that close in a second.", t.Outlook.CloseRate, labels...)
		p.gauge("tuple_first_half_used_ratio", "Used part of the ports that connect() tries first (one parity of the range) towards a destination.", t.FirstHalfPercent()/100, labels...)
	}
	for _, e := range l.processes.choose(now, allProcesses(o, about)) {
		p.gauge("process_ports", "Ports of the range that processes of a name hold, TCP and UDP, of all namespaces.", float64(e.value.ports), "process", e.key)
	}
	for _, e := range l.pools.choose(now, allPools(o, name)) {
		p.gauge("bind_pool_used_ports", "Ports that bind() of port 0 cannot have on an address.", float64(e.value.Used),
			in(e.key.netns, "proto", e.key.proto.String(), "address", e.key.local.String())...)
	}
	for _, e := range l.nats.choose(now, l.allNATs(o)) {
		labels := in(e.key.netns, "address", e.key.address.String(), "port", strconv.Itoa(int(e.key.port)), "proto", e.key.proto.String())
		if !l.noDestinations {
			labels = append(labels, "destination", e.key.remote.String())
		}
		p.gauge("snat_used_ports", "Ports that source NAT has given out from an address, towards a destination.", float64(e.value.Used), labels...)
		p.gauge("snat_ports", "Ports that source NAT has on an address, towards a destination, used and free.", float64(e.value.Capacity()), labels...)
	}
	for _, e := range l.ways.choose(now, l.allWays(o)) {
		labels := []string{"port", strconv.Itoa(int(e.key.port)), "proto", e.key.proto.String()}
		if !l.noDestinations {
			labels = append(labels, "destination", e.key.remote.String())
		}
		p.gauge("nat_on_the_way_used_ports", "Ports that this host holds of a NAT on the way, or may hold, towards a destination.", float64(e.value.Used()), labels...)
		p.gauge("nat_on_the_way_ports", "Ports that a NAT on the way has towards a destination, as --nat says.", float64(e.value.Ports), labels...)
	}
	if !l.several {
		return
	}
	for _, e := range l.namespaces.choose(now, allNamespaces(o)) {
		p.gauge("netns_worst_used_ratio", "Used part of the ports towards the destination that fails first, in a network namespace.", e.value.used,
			"netns", e.key.name, "kind", e.key.kind)
		p.gauge("netns_level", "The level of a network namespace, as of ephtop_level.", float64(e.value.level), "netns", e.key.name, "kind", e.key.kind)
	}
}

func (l *lists) allTuples(o *model.Overview, name func(*model.State) string) iter.Seq2[tupleKey, model.TupleUse] {
	return func(yield func(tupleKey, model.TupleUse) bool) {
		for _, st := range o.States {
			netns := name(st)
			for i := range st.TCP.Pressure.Tuples {
				t := &st.TCP.Pressure.Tuples[i]
				key := tupleKey{netns, t.Source, t.Destination, t.Port}
				if l.noDestinations {
					key.destination = source.Addr{}
				}
				if !yield(key, *t) {
					return
				}
			}
		}
	}
}

// allNATs gives the pools of translated ports. Where destinations are not told, those
// of one port are one, the fullest.
func (l *lists) allNATs(o *model.Overview) iter.Seq2[natKey, source.NATPool] {
	return func(yield func(natKey, source.NATPool) bool) {
		for i := range o.NATs {
			n := &o.NATs[i]
			name := ""
			if l.several {
				name = label(advice.Namespace(&n.Scope))
			}
			for j := range n.Pools {
				p := n.Pools[j].NATPool
				key := natKey{name, p.Address, p.Remote, p.RemotePort, p.Proto}
				if l.noDestinations {
					key.remote = source.Addr{}
				}
				if !yield(key, *p) {
					return
				}
			}
		}
	}
}

// allWays gives what a NAT on the way has, as allNATs does. It has no namespace.
func (l *lists) allWays(o *model.Overview) iter.Seq2[natKey, model.WayPool] {
	return func(yield func(natKey, model.WayPool) bool) {
		for _, w := range o.Ways {
			key := natKey{remote: w.Remote, port: w.RemotePort, proto: w.Proto}
			if l.noDestinations {
				key.remote = source.Addr{}
			}
			if !yield(key, w) {
				return
			}
		}
	}
}

// allProcesses puts processes of one name together. Their share is of the ports of
// the namespace that the page is about.
func allProcesses(o *model.Overview, about *model.State) iter.Seq2[string, portShare] {
	var names []string // in the order of the overview
	ports := make(map[string]int)
	for _, st := range o.States {
		for _, c := range st.AppendConsumers(nil, model.ByProcess, source.TCP, source.UDP) {
			if c.Process == source.NoProcess || c.Ports == 0 {
				continue
			}
			name := label(st.Processes[c.Process].Name)
			if _, ok := ports[name]; !ok {
				names = append(names, name)
			}
			ports[name] += c.Ports
		}
	}
	return func(yield func(string, portShare) bool) {
		for _, name := range names {
			if !yield(name, portShare{ports[name], about.TCP.Pressure.Usable}) {
				return
			}
		}
	}
}

func allPools(o *model.Overview, name func(*model.State) string) iter.Seq2[poolKey, model.BindPool] {
	return func(yield func(poolKey, model.BindPool) bool) {
		for _, st := range o.States {
			netns := name(st)
			for _, proto := range [...]source.Proto{source.TCP, source.UDP} {
				for _, b := range st.Of(proto).Pressure.BindPools {
					if !yield(poolKey{netns, proto, b.Local}, b) {
						return
					}
				}
			}
		}
	}
}

func allNamespaces(o *model.Overview) iter.Seq2[namespaceKey, namespace] {
	return func(yield func(namespaceKey, namespace) bool) {
		for _, st := range o.States {
			worse, _ := st.Worse()
			head := worse.Headline()
			key := namespaceKey{label(advice.Namespace(&st.Snapshot.Scope)), st.Snapshot.Scope.Kind.String()}
			n := namespace{used: head.Percent() / 100, level: st.Level}
			if st.NAT != nil && len(st.NAT.Pools) > 0 {
				n.nat = st.NAT.Pools[0].Share()
			}
			if !yield(key, n) {
				return
			}
		}
	}
}
