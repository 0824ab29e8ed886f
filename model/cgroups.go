package model

import (
	"cmp"
	"slices"

	"ephtop/source"
)

// Cgroup gives the control group of a socket: its own, or else that of its
// process, which is all that is left of it in TIME_WAIT. It is nil where none is
// known.
func (st *State) Cgroup(s *source.Socket, r *Row) *source.Cgroup {
	if len(st.Cgroups) == 0 {
		return nil
	}
	at, ok := findCgroup(st.Cgroups, s.Cgroup)
	if !ok && r.Process != source.NoProcess {
		at, ok = findCgroup(st.Cgroups, st.Processes[r.Process].Cgroup)
	}
	if !ok {
		return nil
	}
	return &st.Cgroups[at]
}

// Container gives the name of the container or pod that a socket belongs to, ""
// for none. known says that none is told from not known.
func (st *State) Container(s *source.Socket, r *Row) (name string, known bool) {
	return st.container(st.Cgroup(s, r))
}

func (st *State) container(g *source.Cgroup) (name string, known bool) {
	scope := &st.Snapshot.Scope
	switch {
	case g != nil && g.Container != "":
		return g.Container, true
	case scope.Kind == source.ScopePod || scope.Kind == source.ScopeContainer:
		return scope.Name, true
	}
	return "", g != nil
}

// Home returns the container or pod that a process is in, and its unit of
// systemd; "" for what is not known, or none.
func (st *State) Home(process int32) (container, unit string) {
	var g *source.Cgroup
	if at, ok := findCgroup(st.Cgroups, st.Processes[process].Cgroup); ok {
		g = &st.Cgroups[at]
		unit = g.Unit
	}
	container, _ = st.container(g)
	return container, unit
}

func findCgroup(list []source.Cgroup, id uint64) (int, bool) {
	if id == 0 {
		return 0, false
	}
	return slices.BinarySearchFunc(list, id, func(g source.Cgroup, id uint64) int { return cmp.Compare(g.ID, id) })
}

// gatherCgroups appends to list the control groups of a moment, and those of
// before in which a process was that a TIME_WAIT may still point to.
func (r *registry) gatherCgroups(list, moment, before []source.Cgroup) []source.Cgroup {
	if len(moment) == 0 {
		return list
	}
	byID := func(a, b source.Cgroup) int { return cmp.Compare(a.ID, b.ID) }
	list = append(list, moment...)
	slices.SortStableFunc(list, byID) // in which they are, but for a recording's that are made up
	n := len(list)
	for i := range r.processes {
		id := r.processes[i].Cgroup
		if _, ok := findCgroup(list[:n], id); ok {
			continue
		}
		if at, ok := findCgroup(before, id); ok {
			list = append(list, before[at])
		}
	}
	if len(list) > n {
		slices.SortStableFunc(list, byID)
	}
	return slices.CompactFunc(list, func(a, b source.Cgroup) bool { return a.ID == b.ID })
}

// noCgroup is the number of the control group of a socket where the moment has
// none at all.
const noCgroup int32 = -1

// cgroupCounts counts for containers and units.
type cgroupCounts struct {
	st *State
	// places are the consumers of each control group, by its index in
	// State.Cgroups; the last one is that of sockets whose own is not known.
	places []cgroupPlace
	byName [2]map[string]int32 // consumers by container, by unit
	// recent is where the last look-ups ended, by some bits of the id.
	recent     [1 << 7]recentCgroup
	containers pairTable
	units      pairTable
}

type cgroupPlace struct{ container, unit int32 }

type recentCgroup struct {
	id uint64
	at int32
}

func (cc *consumerTally) beginCgroups(st *State) {
	g := &cc.cgroups
	g.st, g.places = st, g.places[:0]
	if len(st.Cgroups) == 0 {
		return
	}
	for range len(st.Cgroups) + 1 {
		g.places = append(g.places, cgroupPlace{noGroup, noGroup})
	}
	for i := range g.byName {
		if g.byName[i] == nil {
			g.byName[i] = make(map[string]int32)
		}
		clear(g.byName[i])
	}
	clear(g.recent[:])
	g.containers.begin()
	g.units.begin()
}

// find gives the index of a control group; false where it is not known.
func (g *cgroupCounts) find(id uint64) (int32, bool) {
	if id == 0 {
		return 0, false
	}
	r := &g.recent[id%uint64(len(g.recent))]
	if r.id != id {
		at, ok := findCgroup(g.st.Cgroups, id)
		if !ok {
			at = int(noCgroup)
		}
		*r = recentCgroup{id, int32(at)}
	}
	return r.at, r.at != noCgroup
}

// cgroup counts a socket for its container and its unit, and gives the number
// of its control group.
func (cc *consumerTally) cgroup(row *Row, s *source.Socket) int32 {
	g := &cc.cgroups
	if len(g.places) == 0 {
		return noCgroup
	}
	n, ok := g.find(s.Cgroup)
	if !ok && row.Process != source.NoProcess {
		n, ok = g.find(cc.registry.processes[row.Process].Cgroup)
	}
	if !ok {
		n = int32(len(g.places) - 1)
	}
	p := &g.places[n]
	if p.container == noGroup {
		cc.place(p, n)
	}
	cc.countSocket(ByContainer, p.container, s.State)
	cc.countSocket(ByUnit, p.unit, s.State)
	return n
}

// place finds the consumers of a control group.
func (cc *consumerTally) place(p *cgroupPlace, n int32) {
	var g *source.Cgroup
	unit := ""
	if st := cc.cgroups.st; int(n) < len(st.Cgroups) {
		g = &st.Cgroups[n]
		unit = g.Unit
	}
	container, known := cc.cgroups.st.container(g)
	p.container = cc.named(ByContainer, container, known)
	p.unit = cc.named(ByUnit, unit, g != nil)
}

// named gives the consumer of a name. Of those that have none, the ones of which
// this is known are told from the others by their tier.
func (cc *consumerTally) named(by Grouping, name string, known bool) int32 {
	if !known {
		return cc.noneOf(by)
	}
	index := cc.cgroups.byName[by-ByContainer]
	n, ok := index[name]
	if !ok {
		n = cc.add(by, Consumer{Process: source.NoProcess, Tier: OwnerObserved, Name: name, key: nameKey(name)})
		index[name] = n
	}
	return n
}

// nameKey hashes a name (FNV-1a).
func nameKey(name string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(name) {
		h = (h ^ uint64(name[i])) * 1099511628211
	}
	return h &^ noKey
}

// countCgroup counts the port of a socket for its container and its unit.
func (cc *consumerTally) countCgroup(h *holder) {
	if h.cgroup == noCgroup {
		return
	}
	g := &cc.cgroups
	p := g.places[h.cgroup]
	cc.countPort(ByContainer, p.container, h)
	cc.countPort(ByUnit, p.unit, h)
	if h.tuple != noTuple {
		g.containers.find(h.tuple, p.container).live++
		g.units.find(h.tuple, p.unit).live++
	}
}
