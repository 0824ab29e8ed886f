package model

import (
	"cmp"
	"maps"
	"slices"

	"ephtop/source"
)

// End is something that can run out, and how much of it is used.
type End struct {
	Kind      EndKind
	Used, Max int
	// Index is that of the process, with EndDescriptors: into
	// Resources.Descriptors.
	Index int
}

// EndKind says what runs out.
type EndKind uint8

// The kinds of ends. Of those that are equally near, the first one counts.
const (
	EndPorts       EndKind = iota // towards the worst destination, or in all
	EndDescriptors                // of a process (RLIMIT_NOFILE)
	EndConntrack                  // entries of connection tracking
	EndTimeWait                   // TIME_WAIT that the kernel keeps
	EndFiles                      // open files of the host
	EndUDP                        // ports of UDP; far from it they are left out
	EndTranslated                 // ports of the fullest pool of translated ones
)

// Percent is how much is used.
func (e *End) Percent() float64 { return Percent(e.Used, e.Max) }

// Ends are what can run out, what is nearest to its end first.
func Ends(st *State, ev *source.Evidence) []End {
	h := st.TCP.Pressure.Headline()
	ports := h.Limit.Of(st.TCP.Pressure.Usable)
	ends := []End{{Kind: EndPorts, Used: ports - h.Free, Max: ports}}
	add := func(kind EndKind, used, most, index int) {
		if most > 0 {
			ends = append(ends, End{kind, used, most, index})
		}
	}
	for i := range ev.Resources.Descriptors {
		d := &ev.Resources.Descriptors[i]
		add(EndDescriptors, min(d.Open, d.Limit), d.Limit, i) // some are inherited from when the limit was higher
	}
	if ev.Conntrack.OK() {
		add(EndConntrack, ev.Conntrack.Count, ev.Conntrack.Max, 0)
	}
	add(EndTimeWait, st.TCP.States[source.TimeWait], st.Snapshot.Settings.MaxTimeWait, 0)
	add(EndFiles, ev.Resources.Files, ev.Resources.MaxFiles, 0)
	if udp := &st.UDP.Pressure; udp.InUse > 0 && st.Thresholds.Level(udp.InUse, udp.Usable) > LevelOK {
		add(EndUDP, udp.InUse, udp.Usable, 0)
	}
	if st.NAT != nil && len(st.NAT.Pools) > 0 {
		p := &st.NAT.Pools[0]
		add(EndTranslated, min(p.Used, p.Capacity()), p.Capacity(), 0)
	}
	slices.SortStableFunc(ends, func(a, b End) int { return cmp.Compare(b.Percent(), a.Percent()) })
	return ends
}

// ends judges what ends first, unless a point of its own does: that of the ports,
// of connection tracking, of TIME_WAIT, or of translated ports.
func (p *Point) ends(st *State, ev *source.Evidence) {
	p.Ends = Ends(st, ev)
	if first := &p.Ends[0]; first.Kind == EndDescriptors || first.Kind == EndFiles {
		p.Verdict = verdictOf(st.Thresholds.Level(first.Used, first.Max))
	}
}

// MostSockets gives the few processes that hold the most sockets, and so are
// nearest to running out of descriptors.
func (st *State) MostSockets() []source.Process {
	const few = 5
	open := make(map[int32]int)
	for i := range st.Snapshot.Sockets {
		if s := &st.Snapshot.Sockets[i]; s.HasOwner() && st.Rows[i].Process != source.NoProcess {
			open[st.Rows[i].Process]++
		}
	}
	held := slices.SortedFunc(maps.Keys(open), func(a, b int32) int {
		return cmp.Or(cmp.Compare(open[b], open[a]), cmp.Compare(st.Processes[a].PID, st.Processes[b].PID))
	})
	var list []source.Process
	for _, p := range held[:min(few, len(held))] {
		list = append(list, st.Processes[p])
	}
	return list
}
