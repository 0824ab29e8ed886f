package model

import (
	"math"
	"slices"
	"strconv"
	"time"

	"ephtop/source"
)

// noGroup is the number of a consumer that is not known yet.
const noGroup int32 = -1

// maxRated bounds the consumers whose rate is followed, from the largest down.
const maxRated = 256

// rateSpan is the time constant of the consumers' rates.
const rateSpan = 5 * time.Second

// consumerCounts counts the holders of the ports of one protocol, for all
// groupings at once, and remembers how they grow.
type consumerCounts struct {
	*consumerTally
	// past is by Consumer.key.
	past, spare [NumGroupings]map[uint64]pastConsumer
}

// consumerTally is what is needed of consumerCounts during an update only.
type consumerTally struct {
	lists [NumGroupings][]Consumer
	// lastPort is the port that a consumer was last counted with.
	lastPort [NumGroupings][]uint16
	registry *registry

	bySlot    []int32 // consumers by process, by number
	slots     []int32 // of bySlot that are taken
	users     []int32 // of the consumers by process, noGroup for that of no process
	byUID     map[uint32]int32
	byService map[uint16]int32
	unknown   int32 // the consumer of no known user
	none      [NumGroupings]int32
	scattered int32     // the consumer of the destinations that are left out
	shares    pairTable // of the users in the tuples
	cgroups   cgroupCounts
	// boundPorts counts the ports that are bound and not connected.
	boundPorts int
	sizes      []int
}

// noKey is the key of the consumer that stands for what has none.
const noKey = 1 << 63

// scatteredKey is that of the consumer of all destinations that are left out.
const scatteredKey = noKey + 1

type pastConsumer struct {
	ports, closeWait    int
	rate, closeWaitRate float64
	small               bool
}

// begin empties the counts. What p held before is reused.
func (cc *consumerTally) begin(st *State, p *Protocol, r *registry) {
	if cc.byUID == nil {
		cc.byUID = make(map[uint32]int32)
		cc.byService = make(map[uint16]int32)
	}
	clear(cc.byUID)
	clear(cc.byService)
	cc.registry = r
	for _, slot := range cc.slots {
		cc.bySlot[slot] = noGroup
	}
	cc.slots = cc.slots[:0]
	for len(cc.bySlot) < len(r.processes)+1 {
		cc.bySlot = append(cc.bySlot, noGroup)
	}
	cc.unknown = noGroup
	for g := range cc.lists {
		cc.lists[g] = p.Consumers[g][:0]
		cc.lastPort[g] = cc.lastPort[g][:0]
		cc.none[g] = noGroup
	}
	cc.scattered = noGroup
	cc.boundPorts = 0
	cc.users = cc.users[:0]
	cc.shares.begin()
	cc.beginCgroups(st)
}

// reserve makes room for so many consumers.
func (cc *consumerTally) reserve(g Grouping, n int) {
	cc.lists[g] = slices.Grow(cc.lists[g], max(0, n-len(cc.lists[g])))
	cc.lastPort[g] = slices.Grow(cc.lastPort[g], max(0, n-len(cc.lastPort[g])))
}

// add adds a consumer and returns its number.
func (cc *consumerTally) add(g Grouping, c Consumer) int32 {
	cc.lists[g] = push(cc.lists[g], c)
	cc.lastPort[g] = append(cc.lastPort[g], 0)
	return int32(len(cc.lists[g]) - 1)
}

// whose counts a socket for its process and its user, and returns the consumer by
// process; of sockets without a process, of which each has a user of its own,
// the consumer by user with all bits flipped.
func (cc *consumerTally) whose(row *Row, s *source.Socket) int32 {
	slot := row.Process + 1
	if cc.bySlot[slot] == noGroup {
		cc.slots = append(cc.slots, slot)
		cc.bySlot[slot] = cc.add(ByProcess, Consumer{Process: row.Process, key: uint64(slot)})
		user := noGroup
		if row.Process != source.NoProcess {
			user = cc.userNumber(cc.registry.processes[row.Process].UID)
		}
		cc.users = append(cc.users, user)
	}
	n := cc.bySlot[slot]
	cc.countSocket(ByProcess, n, s.State)
	user := cc.users[n]
	if user == noGroup {
		user = cc.user(s)
		n = ^user
	}
	cc.countSocket(ByUser, user, s.State)
	return n
}

// user gives the user of a socket without a process. A TIME_WAIT has none.
func (cc *consumerTally) user(s *source.Socket) int32 {
	if s.HasOwner() {
		return cc.userNumber(s.UID)
	}
	return cc.unknownUser()
}

// unknownUser is the consumer of what has no known user.
func (cc *consumerTally) unknownUser() int32 {
	if cc.unknown == noGroup {
		cc.unknown = cc.add(ByUser, Consumer{Process: source.NoProcess, key: noKey})
	}
	return cc.unknown
}

// process gives the consumer by process of a holder.
func (cc *consumerTally) process(h *holder) int32 {
	if h.whose < 0 {
		return cc.bySlot[source.NoProcess+1]
	}
	return h.whose
}

func (cc *consumerTally) userNumber(uid uint32) int32 {
	n, ok := cc.byUID[uid]
	if !ok {
		if len(cc.byUID) >= maxUsers {
			return cc.unknownUser()
		}
		n = cc.add(ByUser, Consumer{Process: source.NoProcess, Tier: OwnerObserved, uid: uid, key: uint64(uid)})
		cc.byUID[uid] = n
	}
	return n
}

func (cc *consumerTally) countSocket(g Grouping, n int32, state source.State) {
	c := &cc.lists[g][n]
	c.Sockets++
	c.States[state]++
}

// count counts the port of a socket for all its consumers, and the socket
// itself for those that only have sockets with an ephemeral port.
func (cc *consumerTally) count(st *State, c *census, h *holder) {
	process, user := cc.process(h), ^h.whose
	if h.whose >= 0 {
		user = cc.users[process]
	}
	cc.countPort(ByProcess, process, h)
	cc.countPort(ByUser, user, h)
	p := &cc.lists[ByProcess][process]
	p.bound += one(h.is(isBound))
	if !h.is(isInferred) && p.seenPort != h.port {
		p.seenPort = h.port
		p.seen++
	}
	if h.state == source.CloseWait && h.tuple != noTuple && p.closeWaitPort != h.port {
		p.closeWaitPort = h.port
		p.closeWaitPorts++
	}
	dest, service := cc.tupleNumbers(st, c, h)
	cc.countSocket(ByDestination, dest, h.state)
	cc.countSocket(ByService, service, h.state)
	cc.countPort(ByDestination, dest, h)
	cc.countPort(ByService, service, h)
	cc.countCgroup(h)
	if h.tuple != noTuple {
		cc.shares.find(h.tuple, user).live++
	}
}

func (cc *consumerTally) countPort(g Grouping, n int32, h *holder) {
	if cc.lastPort[g][n] != h.port {
		cc.lastPort[g][n] = h.port
		c := &cc.lists[g][n]
		c.Ports++
		if h.is(isFresh) {
			c.fresh++
		}
	}
}

// tupleNumbers gives the consumers by destination and by service.
func (cc *consumerTally) tupleNumbers(st *State, c *census, h *holder) (dest, service int32) {
	switch {
	case h.is(isScattered):
		return cc.scatteredNumber(), cc.serviceNumber(st.Snapshot.Sockets[h.row].RemotePort)
	case h.tuple == noTuple:
		return cc.noneOf(ByDestination), cc.noneOf(ByService)
	}
	t := &c.tuples.tuples[h.tuple]
	if t.destGroup == noGroup {
		place := &c.tuples.dests.places[t.dest]
		if place.group == noGroup {
			place.group = cc.add(ByDestination, Consumer{
				Process: source.NoProcess, Tier: OwnerObserved, Destination: place.addr, Port: place.port, key: uint64(t.dest),
			})
		}
		t.destGroup = place.group
		t.service = cc.serviceNumber(t.use.Port)
	}
	return t.destGroup, t.service
}

func (cc *consumerTally) serviceNumber(port uint16) int32 {
	n, ok := cc.byService[port]
	if !ok {
		n = cc.add(ByService, Consumer{Process: source.NoProcess, Tier: OwnerObserved, Port: port, key: uint64(port)})
		cc.byService[port] = n
	}
	return n
}

// scatteredNumber is the consumer of the ports that are held towards
// destinations that are left out.
func (cc *consumerTally) scatteredNumber() int32 {
	if cc.scattered == noGroup {
		cc.scattered = cc.add(ByDestination, Consumer{Process: source.NoProcess, Tier: OwnerObserved, key: scatteredKey})
	}
	return cc.scattered
}

// noneOf is the consumer of the ports that are held towards no destination.
func (cc *consumerTally) noneOf(g Grouping) int32 {
	if cc.none[g] == noGroup {
		cc.none[g] = cc.add(g, Consumer{Process: source.NoProcess, key: noKey})
	}
	return cc.none[g]
}

// finish names and sorts the consumers. st.Processes must be there.
func (cc *consumerCounts) finish(st *State, c *census) {
	for i := range cc.lists[ByUser] {
		if u := &cc.lists[ByUser][i]; u.Tier != OwnerUnknown {
			u.User = st.userName(u.uid)
		}
	}
	for i := range cc.lists[ByProcess] {
		cc.lists[ByProcess][i].grade()
	}
	cc.mostTo(c)
	p := st.Of(c.proto)
	for g := range Grouping(NumGroupings) {
		cc.rate(st, p, g)
		p.Consumers[g] = cc.lists[g]
		slices.SortFunc(p.Consumers[g], st.compareConsumers)
	}
}

// mostTo finds for each consumer the tuple that holds the most of its sockets.
func (cc *consumerTally) mostTo(c *census) {
	for _, n := range c.tuples.active {
		t := &c.tuples.tuples[n]
		if t.destGroup != noGroup {
			cc.most(ByDestination, t.destGroup, t.use.Live+t.use.TimeWait, c, n)
			cc.most(ByService, t.service, t.use.Live+t.use.TimeWait, c, n)
		}
	}
	for i := range c.pairs.list {
		p := &c.pairs.list[i]
		cc.most(ByProcess, p.process, p.live+p.timeWait, c, p.tuple)
	}
	for i := range cc.shares.list {
		p := &cc.shares.list[i]
		cc.most(ByUser, p.process, p.live, c, p.tuple)
	}
	if len(cc.cgroups.places) == 0 {
		return
	}
	for i := range cc.cgroups.containers.list {
		p := &cc.cgroups.containers.list[i]
		cc.most(ByContainer, p.process, p.live, c, p.tuple)
	}
	for i := range cc.cgroups.units.list {
		p := &cc.cgroups.units.list[i]
		cc.most(ByUnit, p.process, p.live, c, p.tuple)
	}
}

func (cc *consumerTally) most(g Grouping, n int32, sockets int, c *census, tuple int32) {
	if best := &cc.lists[g][n]; sockets > best.mostSockets {
		best.mostSockets = sockets
		best.Most = c.tuples.tuples[tuple].use.TupleKey
	}
}

// rate smooths the growth of the largest consumers against the poll before.
func (cc *consumerCounts) rate(st *State, p *Protocol, g Grouping) {
	past, next := cc.past[g], cc.spare[g]
	if len(cc.lists[g]) == 0 {
		clear(past)
		return
	}
	if next == nil {
		next = make(map[uint64]pastConsumer)
	}
	clear(next)
	seconds := st.Elapsed.Seconds()
	weight := 1 - math.Exp(-seconds/rateSpan.Seconds())
	least, little := cc.ratedFrom(g), nextToNothing(&p.Pressure)
	found := cc.found(g)
	for i := range cc.lists[g] {
		c := &cc.lists[g][i]
		c.small = c.Process != source.NoProcess && c.seen < little
		if c.Ports < least && c.States[source.CloseWait] == 0 {
			continue
		}
		before, ok := past[c.key]
		c.small = c.small && (!ok || before.small || c.seen < little/2)
		c.Rate, c.CloseWaitRate = before.rate, before.closeWaitRate
		if ok && seconds > 0 {
			more := min(c.Ports-before.ports, c.fresh)
			if c.Tier == OwnerUnknown && more < 0 {
				more = min(more+found, 0)
			}
			c.Rate += weight * (float64(more)/seconds - before.rate)
			grown := c.States[source.CloseWait] - before.closeWait
			c.CloseWaitRate += weight * (float64(grown)/seconds - before.closeWaitRate)
		}
		next[c.key] = pastConsumer{c.Ports, c.States[source.CloseWait], c.Rate, c.CloseWaitRate, c.small}
	}
	cc.past[g], cc.spare[g] = next, past
}

// found is how many of the ports that consumers hold more than before are of
// sockets that were there before: whose they are has been found out since.
func (cc *consumerCounts) found(g Grouping) (n int) {
	for i := range cc.lists[g] {
		c := &cc.lists[g][i]
		if c.Tier != OwnerUnknown {
			n += max(c.Ports-cc.past[g][c.key].ports-c.fresh, 0)
		}
	}
	return n
}

// ratedFrom is the number of ports from which a consumer is among the largest
// maxRated, roughly.
func (cc *consumerCounts) ratedFrom(g Grouping) int {
	list := cc.lists[g]
	if len(list) <= maxRated {
		return 0
	}
	cc.sizes = resize(cc.sizes, len(list))
	for i := range list {
		cc.sizes[i] = list[i].Ports
	}
	slices.Sort(cc.sizes)
	return cc.sizes[len(list)-maxRated] + 1
}

// userName gives the name under which a process of the user is known, or the
// uid in decimal.
func (st *State) userName(uid uint32) string {
	for i := range st.Processes {
		if p := &st.Processes[i]; p.UID == uid && p.User != "" {
			return p.User
		}
	}
	return strconv.FormatUint(uint64(uid), 10)
}
