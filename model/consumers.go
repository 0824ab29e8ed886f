package model

import (
	"bytes"
	"cmp"
	"slices"
	"strings"

	"ephtop/source"
)

// Grouping says by what the holders of ports are put together.
type Grouping uint8

// The groupings, in the order in which the key b goes through them.
const (
	ByProcess Grouping = iota
	ByDestination
	ByService
	ByUser
	// ByContainer and ByUnit count all sockets, as ByProcess and ByUser do.
	// They have consumers only where the moment has control groups.
	ByContainer
	ByUnit

	NumGroupings = 6
)

// String gives "process", "destination", "service", "user", "container" or
// "unit".
func (g Grouping) String() string {
	return [...]string{"process", "destination", "service", "user", "container", "unit"}[g%NumGroupings]
}

// NextGrouping gives the grouping that follows g, past those for which nothing is
// known here. Nothing is known of a nil State.
func (st *State) NextGrouping(g Grouping) Grouping {
	for g = (g + 1) % NumGroupings; g >= ByContainer && !st.names(g); {
		g = (g + 1) % NumGroupings
	}
	return g
}

// names reports whether anything has a name in a grouping by control groups.
func (st *State) names(g Grouping) bool {
	if st == nil {
		return false
	}
	for _, p := range [...]*Protocol{&st.TCP, &st.UDP} {
		if slices.ContainsFunc(p.Consumers[g], func(c Consumer) bool { return c.Name != "" }) {
			return true
		}
	}
	return false
}

// Consumer is a holder of ports.
type Consumer struct {
	// Process is an index into State.Processes with ByProcess, else
	// source.NoProcess. It is NoProcess too for the sockets of no known
	// process.
	Process int32
	// Tier is OwnerInferred with ByProcess where all of its ports are, OwnerUnknown
	// where no process is known, and OwnerObserved else. With ByContainer and
	// ByUnit it is OwnerUnknown where the control group is not known.
	Tier Tier
	// Destination and Port hold with ByDestination, Port alone with ByService.
	Destination source.Addr
	Port        uint16
	// User holds with ByUser; "" for sockets of no known user.
	User string
	// Name holds with ByContainer and ByUnit; "" for sockets that are in none. It
	// holds too where the consumer stands for several processes of that name:
	// then Process is none, Processes their number, and Ended how many of them
	// have ended (see FoldSmall).
	Name             string
	Processes, Ended int

	// Ports counts the distinct local ports in the range, Likely those of them
	// that are merely inferred to be the process's: the others were seen with it.
	Ports, Likely int
	// Sockets counts all sockets, in the range or not.
	Sockets int
	States  StateCounts
	// Rate is the growth of Ports in ports per second, over real time. What was
	// another's until more was known of it is no growth.
	Rate float64
	// CloseWaitRate is the growth of its sockets in CLOSE_WAIT, per second.
	CloseWaitRate float64
	// Most is the tuple that holds the most of its sockets.
	Most        TupleKey
	mostSockets int
	// closeWaitPorts are the ports in the range that it holds in CLOSE_WAIT and
	// does not listen on; closeWaitPort is the last one that was counted.
	closeWaitPorts int
	closeWaitPort  uint16
	// seen are its ports that are not inferred, seenPort the last one that was
	// counted; bound are those that are bound first, for certain or suspected.
	seen, bound int
	seenPort    uint16
	fresh       int // ports that it may hold since the look before at most
	uid         uint32
	small       bool // it holds next to nothing
	// key is the consumer's identity from poll to poll: the number of its
	// process, of its destination, its port, its user. Numbers are not used again
	// while anything is remembered of them.
	key uint64
}

// grade says how sure it is that the ports are the process's. What is inferred
// holds a port, always.
func (c *Consumer) grade() {
	c.Likely = c.Ports - c.seen
	c.Tier = tierOf(c.Process, c.seen, c.Likely)
}

// ConsumerKey is a consumer's identity from one state to the next.
type ConsumerKey struct {
	process source.ProcessKey
	dest    destination
	name    string
	unknown bool
}

// ConsumerKey returns the identity of one of the state's consumers, among those
// of one grouping.
func (st *State) ConsumerKey(c *Consumer) ConsumerKey {
	key := ConsumerKey{
		dest: destination{c.Destination, c.Port}, name: cmp.Or(c.User, c.Name), unknown: c.Tier == OwnerUnknown,
	}
	if c.Process != source.NoProcess {
		key.process = st.Processes[c.Process].Key()
	}
	return key
}

// compareConsumers puts the most ports first, then the most sockets, then goes
// by name, so that nothing changes places for nothing.
func (st *State) compareConsumers(a, b Consumer) int {
	if d := cmp.Or(cmp.Compare(b.Ports, a.Ports), cmp.Compare(b.Sockets, a.Sockets)); d != 0 {
		return d
	}
	ka, kb := st.ConsumerKey(&a), st.ConsumerKey(&b)
	return cmp.Or(
		cmp.Compare(ka.process.PID, kb.process.PID), cmp.Compare(ka.process.Start, kb.process.Start),
		cmp.Compare(one(ka.unknown), one(kb.unknown)),
		strings.Compare(ka.name, kb.name), cmp.Compare(ka.dest.port, kb.dest.port),
		bytes.Compare(ka.dest.addr[:], kb.dest.addr[:]))
}

// AppendConsumers appends to dst the consumers of the protocols, most ports
// first, each with its sums. The pools of two protocols are apart, so that a port
// that is held in both counts twice.
func (st *State) AppendConsumers(dst []Consumer, g Grouping, protocols ...source.Proto) []Consumer {
	if len(protocols) == 0 {
		return dst
	}
	begin := len(dst)
	dst = append(dst, st.Of(protocols[0]).Consumers[g]...)
	if len(protocols) == 1 {
		return dst
	}
	index := make(map[ConsumerKey]int, len(dst)-begin)
	for i := range dst[begin:] {
		index[st.ConsumerKey(&dst[begin+i])] = begin + i
	}
	for _, proto := range protocols[1:] {
		for _, c := range st.Of(proto).Consumers[g] {
			if i, ok := index[st.ConsumerKey(&c)]; ok {
				dst[i].add(&c)
			} else {
				dst = append(dst, c)
			}
		}
	}
	slices.SortFunc(dst[begin:], st.compareConsumers)
	return dst
}

// add adds what another protocol, or another process, has.
func (c *Consumer) add(o *Consumer) {
	if o.Ports > c.Ports {
		c.Most = o.Most
	}
	c.Ports += o.Ports
	c.Likely += o.Likely
	c.Sockets += o.Sockets
	c.Rate += o.Rate
	c.small = c.small && o.small
	for s, n := range o.States {
		c.States[s] += n
	}
	if c.Tier == OwnerInferred || o.Tier == OwnerInferred {
		c.Tier = tierOf(c.Process, c.Ports-c.Likely, c.Likely)
	}
}
