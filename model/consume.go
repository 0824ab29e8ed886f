package model

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"ephtop/source"
)

// noGroup is the group of a row that a grouping leaves out.
const noGroup int32 = -1

// maxRated bounds the consumers whose rate is followed, from the largest down.
const maxRated = 256

// rateSpan is the time constant of the consumers' rates.
const rateSpan = 5 * time.Second

// consumerCounts counts the holders of the ports of one protocol.
type consumerCounts struct {
	groupOf [NumGroupings][]int32 // by row
	list    []Consumer
	// lastPort is the port that a group was last seen with.
	lastPort []uint16

	bySlot    []int32 // groups of processes, by index and tier
	byUID     map[uint32]int32
	byTuple   []int32 // groups of destinations or services, by tuple
	byDest    map[destination]int32
	byService map[uint16]int32

	// for mostTo
	starts     []int32
	grouped    []int32
	tupleCount []int32

	past [NumGroupings]map[consumerKey]pastConsumer
}

// consumerKey is a consumer's identity from poll to poll.
type consumerKey struct {
	pid   int32
	start uint64
	tier  Tier
	dest  destination
	user  string
}

type pastConsumer struct {
	ports, closeWait    int
	rate, closeWaitRate float64
}

// consume fills in the consumers of the protocol, for each grouping.
func (c *census) consume(st *State) {
	cc := &c.consumers
	p := st.Of(c.proto)
	for g := range Grouping(NumGroupings) {
		cc.groupOf[g] = resize(cc.groupOf[g], len(st.Rows))
		cc.list = p.Consumers[g][:0]
		switch g {
		case ByProcess:
			cc.groupProcesses(st, c.proto)
		case ByUser:
			cc.groupUsers(st, c.proto)
		default:
			cc.groupTuples(c, st, g)
		}
		cc.countPorts(st, c, g)
		cc.mostTo(c, g)
		cc.rate(st, g)
		p.Consumers[g] = cc.list
		slices.SortFunc(p.Consumers[g], func(a, b Consumer) int { return compareConsumers(st, &a, &b) })
	}
}

// group adds a consumer and returns its index.
func (cc *consumerCounts) group(c Consumer) int32 {
	cc.list = append(cc.list, c)
	return int32(len(cc.list) - 1)
}

// groupProcesses puts a process's inferred sockets apart from its own.
func (cc *consumerCounts) groupProcesses(st *State, proto source.Proto) {
	cc.bySlot = resize(cc.bySlot, 2*len(st.Processes)+2)
	fill(cc.bySlot, noGroup)
	for i := range st.Rows {
		s := &st.Snapshot.Sockets[i]
		if s.Proto != proto {
			cc.groupOf[ByProcess][i] = noGroup
			continue
		}
		row := &st.Rows[i]
		slot, tier := 2*(row.Process+1), row.Tier
		if tier == OwnerInferred {
			slot++
		} else if tier == OwnerTraced {
			tier = OwnerObserved
		}
		if cc.bySlot[slot] == noGroup {
			cc.bySlot[slot] = cc.group(Consumer{Process: row.Process, Tier: tier})
		}
		cc.add(ByProcess, i, cc.bySlot[slot], s.State)
	}
}

// add counts one socket for its group.
func (cc *consumerCounts) add(g Grouping, row int, n int32, state source.State) {
	cc.groupOf[g][row] = n
	cc.list[n].Sockets++
	cc.list[n].States[state]++
}

// groupUsers goes by the uid of the process, else of the socket; a TIME_WAIT
// of no known process has neither.
func (cc *consumerCounts) groupUsers(st *State, proto source.Proto) {
	if cc.byUID == nil {
		cc.byUID = make(map[uint32]int32)
	}
	clear(cc.byUID)
	unknown := noGroup
	for i := range st.Rows {
		s := &st.Snapshot.Sockets[i]
		if s.Proto != proto {
			cc.groupOf[ByUser][i] = noGroup
			continue
		}
		uid, ok := st.uidOf(i)
		if !ok {
			if unknown == noGroup {
				unknown = cc.group(Consumer{Process: source.NoProcess})
			}
			cc.add(ByUser, i, unknown, s.State)
			continue
		}
		n, found := cc.byUID[uid]
		if !found {
			n = cc.group(Consumer{Process: source.NoProcess, Tier: OwnerObserved, User: st.userName(uid)})
			cc.byUID[uid] = n
		}
		cc.add(ByUser, i, n, s.State)
	}
}

// groupTuples goes by destination or by service. It leaves out the sockets
// that hold no ephemeral port.
func (cc *consumerCounts) groupTuples(c *census, st *State, g Grouping) {
	if cc.byDest == nil {
		cc.byDest = make(map[destination]int32)
		cc.byService = make(map[uint16]int32)
	}
	clear(cc.byDest)
	clear(cc.byService)
	cc.byTuple = resize(cc.byTuple, len(c.tuples))
	for i := range c.tuples {
		t := &c.tuples[i].TupleKey
		if g == ByDestination {
			cc.byTuple[i] = groupBy(cc, cc.byDest, destination{t.Destination, t.Port}, Consumer{Destination: t.Destination, Port: t.Port})
		} else {
			cc.byTuple[i] = groupBy(cc, cc.byService, t.Port, Consumer{Port: t.Port})
		}
	}
	fill(cc.groupOf[g], noGroup)
	none := noGroup
	for _, i := range c.order {
		n := noGroup
		if c.tupleOf[i] != noTuple {
			n = cc.byTuple[c.tupleOf[i]]
		} else {
			if none == noGroup {
				none = cc.group(Consumer{Process: source.NoProcess})
			}
			n = none
		}
		cc.add(g, int(i), n, st.Snapshot.Sockets[i].State)
	}
}

func groupBy[K comparable](cc *consumerCounts, groups map[K]int32, key K, c Consumer) int32 {
	n, ok := groups[key]
	if !ok {
		c.Process, c.Tier = source.NoProcess, OwnerObserved
		n = cc.group(c)
		groups[key] = n
	}
	return n
}

// countPorts counts each group's distinct ports.
func (cc *consumerCounts) countPorts(st *State, c *census, g Grouping) {
	cc.lastPort = resize(cc.lastPort, len(cc.list))
	clear(cc.lastPort)
	for _, i := range c.order {
		n := cc.groupOf[g][i]
		if port := st.Snapshot.Sockets[i].LocalPort; cc.lastPort[n] != port {
			cc.lastPort[n] = port
			cc.list[n].Ports++
		}
	}
}

// mostTo finds the tuple that holds the most sockets of each group.
func (cc *consumerCounts) mostTo(c *census, g Grouping) {
	cc.groupRows(c, g)
	cc.tupleCount = resize(cc.tupleCount, len(c.tuples))
	clear(cc.tupleCount)
	for n := range cc.list {
		rows := cc.grouped[cc.starts[n]:cc.starts[n+1]]
		best := int32(0)
		for _, i := range rows {
			t := c.tupleOf[i]
			cc.tupleCount[t]++
			if cc.tupleCount[t] > best {
				best = cc.tupleCount[t]
				cc.list[n].Most = c.tuples[t].TupleKey
			}
		}
		for _, i := range rows {
			cc.tupleCount[c.tupleOf[i]] = 0
		}
	}
}

// groupRows puts the rows that have a tuple into cc.grouped, by group: those
// of group n stand from cc.starts[n] to cc.starts[n+1].
func (cc *consumerCounts) groupRows(c *census, g Grouping) {
	cc.starts = resize(cc.starts, len(cc.list)+2)
	clear(cc.starts)
	total := 0
	for _, i := range c.order {
		if c.tupleOf[i] != noTuple {
			cc.starts[cc.groupOf[g][i]+2]++
			total++
		}
	}
	for n := 2; n < len(cc.starts); n++ {
		cc.starts[n] += cc.starts[n-1]
	}
	cc.grouped = resize(cc.grouped, total)
	for _, i := range c.order {
		if c.tupleOf[i] != noTuple {
			at := &cc.starts[cc.groupOf[g][i]+1]
			cc.grouped[*at] = i
			*at++
		}
	}
}

// rate smooths the growth of the largest consumers against the poll before.
func (cc *consumerCounts) rate(st *State, g Grouping) {
	past := cc.past[g]
	next := make(map[consumerKey]pastConsumer, min(len(cc.list), maxRated))
	seconds := st.Elapsed.Seconds()
	weight := 1 - math.Exp(-seconds/rateSpan.Seconds())
	least := cc.ratedFrom()
	for i := range cc.list {
		c := &cc.list[i]
		if c.Ports < least {
			continue
		}
		key := st.consumerKey(c)
		if before, ok := past[key]; ok && seconds > 0 {
			c.Rate = before.rate + weight*(float64(c.Ports-before.ports)/seconds-before.rate)
			grown := c.States[source.CloseWait] - before.closeWait
			c.CloseWaitRate = before.closeWaitRate + weight*(float64(grown)/seconds-before.closeWaitRate)
		}
		next[key] = pastConsumer{c.Ports, c.States[source.CloseWait], c.Rate, c.CloseWaitRate}
	}
	cc.past[g] = next
}

// ratedFrom is the number of ports from which a consumer is among the largest
// maxRated, roughly.
func (cc *consumerCounts) ratedFrom() int {
	if len(cc.list) <= maxRated {
		return 0
	}
	ports := make([]int, len(cc.list))
	for i := range cc.list {
		ports[i] = cc.list[i].Ports
	}
	slices.Sort(ports)
	return ports[len(ports)-maxRated] + 1
}

func (st *State) consumerKey(c *Consumer) consumerKey {
	key := consumerKey{tier: c.Tier, dest: destination{c.Destination, c.Port}, user: c.User}
	if c.Process != source.NoProcess {
		key.pid, key.start = st.Processes[c.Process].PID, st.Processes[c.Process].Start
	}
	return key
}

// uidOf gives the user of a row, as far as the kernel or the owner tells.
func (st *State) uidOf(row int) (uid uint32, ok bool) {
	if p := st.Process(row); p != nil {
		return p.UID, true
	}
	if s := &st.Snapshot.Sockets[row]; s.HasOwner() {
		return s.UID, true
	}
	return 0, false
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

// compareConsumers puts the most ports first, then the most sockets, then goes
// by name, so that nothing changes places for nothing.
func compareConsumers(st *State, a, b *Consumer) int {
	if d := cmp.Or(cmp.Compare(b.Ports, a.Ports), cmp.Compare(b.Sockets, a.Sockets)); d != 0 {
		return d
	}
	ka, kb := st.consumerKey(a), st.consumerKey(b)
	return cmp.Or(
		cmp.Compare(ka.pid, kb.pid), cmp.Compare(ka.start, kb.start), cmp.Compare(kb.tier, ka.tier),
		strings.Compare(ka.user, kb.user), cmp.Compare(ka.dest.port, kb.dest.port),
		bytes.Compare(ka.dest.addr[:], kb.dest.addr[:]))
}

func fill(s []int32, v int32) {
	for i := range s {
		s[i] = v
	}
}
