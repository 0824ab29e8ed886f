package model

import (
	"cmp"
	"slices"
	"time"

	"ephtop/source"
)

// WayPool is what this host holds of the ports that a NAT on the way has for one
// destination (Options.NATPorts). Such a NAT translates all addresses of the host
// to one, so that its network namespaces share them. It can't be asked: what it
// holds is told by the sockets of this host.
type WayPool struct {
	Remote     source.Addr
	RemotePort uint16
	Proto      source.Proto
	// Ports is Options.NATPorts.
	Ports int
	// Live are connections that were answered, of UDP the connected sockets: each
	// holds a port.
	Live int
	// Opening are in SYN_SENT: each holds a port, or got none. Unanswered are those
	// of them that nobody has answered for a while.
	Opening, Unanswered int
	// TimeWait are in TIME_WAIT, and Gone were seen to end without it within
	// ClosedSpan, as those do that the other end closes. A NAT keeps the port of what
	// is closed for a while: for how long is its own affair (Azure NAT gateway: 65 s
	// after FIN and 16 s after RST; Cloud NAT and Linux: 120 s).
	TimeWait, Gone int
	Level          Level
	// State is the namespace that holds most of it, an index into Overview.States,
	// and Process the process that does, an index into Overview.Processes, or
	// source.NoProcess.
	State   int
	Process int32
	Tier    Tier

	most int // ports of State
}

// ClosedSpan is for how long a connection counts that was seen to end.
const ClosedSpan = time.Minute

// Used is how many ports are held, or may be: at most all.
func (p *WayPool) Used() int { return min(p.Live+p.Opening+p.TimeWait+p.Gone, p.Ports) }

// Certain is how many are held for certain.
func (p *WayPool) Certain() int { return min(p.Live, p.Ports) }

// Unsure is the part of Used of which nobody but the NAT knows whether it is held.
func (p *WayPool) Unsure() int { return p.Used() - p.Certain() }

// Percent is the used share.
func (p *WayPool) Percent() float64 { return Percent(p.Used(), p.Ports) }

// Share is the same as a part of 1.
func (p *WayPool) Share() float64 { return p.Percent() / 100 }

// maxWayPools is how many pools are kept, and maxWayReports of how many there are
// findings.
const (
	maxWayPools   = 64
	maxWayReports = 5
)

// WayPool is the pool of a NAT on the way that Level is about, nil where that is about
// something else.
func (st *State) WayPool() *WayPool {
	if p := st.Way; p != nil && p.Level == st.Level && st.Level > st.PortsLevel() && st.NATPool() == nil {
		return p
	}
	return nil
}

// grade gives the level: that of what lives, which holds its ports for certain. What
// may hold one is worth a warning and no more, for how long a NAT keeps the port of
// what is closed nobody tells; unless connects stay without an answer meanwhile.
func (p *WayPool) grade(t Thresholds) {
	p.Level = max(t.Level(p.Certain(), p.Ports), min(t.Level(p.Used(), p.Ports), LevelWarning))
	if p.Live+p.TimeWait+p.Gone >= p.Ports && p.Unanswered >= minSilent {
		p.Level = max(p.Level, LevelCritical)
	}
}

// wayKey is a destination as a NAT tells them apart.
type wayKey struct {
	destination
	proto source.Proto
}

// ways says what a NAT on the way holds for this host, and where a limit shows that
// nobody told of. The States stand as their trackers do.
func (f *Fleet) ways(o *Overview) {
	o.Ways = o.Ways[:0]
	for _, st := range o.States {
		st.Way = nil
	}
	waiting := o.unanswered()
	if f.natPorts == 0 && !f.silences.any(waiting) {
		f.silences.expire(f.clock)
		return
	}
	local := o.localAddresses()
	toward := f.toward(o)
	for key := range toward {
		if key.addr.IsLoopback() || key.addr.IsWildcard() || local[key.addr] {
			delete(toward, key)
		}
	}
	if f.natPorts > 0 {
		passing := o.translatedToward()
		for key, n := range passing { // no socket of this host's
			if toward[key] == nil && !key.addr.IsLoopback() && !local[key.addr] {
				toward[key] = &wayCount{most: n.live + n.timeWait, state: n.state, process: source.NoProcess}
			}
		}
		f.budget(o, toward, passing, waiting)
	}
	f.limits(o, toward, waiting)
	o.behindWays()
	for _, st := range o.States {
		slices.SortStableFunc(st.Findings, compareFindings)
	}
}

// budget makes the pools, and the findings about them.
func (f *Fleet) budget(o *Overview, toward, passing map[wayKey]*wayCount, waiting map[destination]*unanswered) {
	for key, n := range toward {
		p := WayPool{
			Remote: key.addr, RemotePort: key.port, Proto: key.proto, Ports: f.natPorts,
			Live: n.live, Opening: n.opening, TimeWait: n.timeWait, Gone: n.gone,
			State: n.state, Process: n.process, Tier: n.tier, most: n.most,
		}
		if n := passing[key]; n != nil { // what sockets of this host hold is among it
			closed := max(p.TimeWait+p.Gone, n.timeWait)
			p.Live, p.TimeWait = max(p.Live, n.live), max(p.TimeWait, n.timeWait)
			p.Gone = closed - p.TimeWait
		}
		if w := waiting[key.destination]; w != nil && key.proto == source.TCP {
			p.Unanswered = min(w.count, p.Opening)
		}
		p.grade(f.thresholds)
		o.Ways = append(o.Ways, p)
	}
	slices.SortFunc(o.Ways, compareWays)
	o.Ways = o.Ways[:min(len(o.Ways), maxWayPools)]
	for i := range o.Ways {
		p := &o.Ways[i]
		st := o.States[p.State]
		if st.Way == nil {
			st.Way = p
		}
		if p.Level == LevelOK || i >= maxWayReports {
			continue
		}
		st.Level = max(st.Level, p.Level)
		st.Findings = append(st.Findings, Finding{
			Problem: WayFull, Level: p.Level, Proto: p.Proto, Tuple: TupleKey{Destination: p.Remote, Port: p.RemotePort},
			Process: p.Process, Tier: p.Tier, Count: p.Used(), Of: p.Ports, Live: p.Live, Way: p,
		})
	}
}

// compareWays puts the fullest first: of what is full, that which is so for
// certain. Ties by address, so that nothing changes places for nothing.
func compareWays(a, b WayPool) int {
	return cmp.Or(
		cmp.Compare(b.Level, a.Level), cmp.Compare(b.Used(), a.Used()), cmp.Compare(b.Live, a.Live),
		slices.Compare(a.Remote[:], b.Remote[:]), cmp.Compare(a.RemotePort, b.RemotePort), cmp.Compare(a.Proto, b.Proto),
	)
}

// renumberWays follows the States, which have changed places.
func (o *Overview) renumberWays(before []*State) {
	for i := range o.Ways {
		o.Ways[i].State = slices.Index(o.States, before[o.Ways[i].State])
	}
}

// localAddresses are those of this host, as far as its sockets tell.
func (o *Overview) localAddresses() map[source.Addr]bool {
	local := make(map[source.Addr]bool)
	for _, st := range o.States {
		var last source.Addr
		for i := range st.Snapshot.Sockets {
			if a := st.Snapshot.Sockets[i].Local; a != last {
				local[a], last = true, a
			}
		}
	}
	return local
}
