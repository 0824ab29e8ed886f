package model

import (
	"slices"

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
	// Tier is OwnerObserved, OwnerInferred or OwnerUnknown with ByProcess. With
	// ByContainer and ByUnit it is OwnerUnknown where the control group is not
	// known.
	Tier Tier
	// Destination and Port hold with ByDestination, Port alone with ByService.
	Destination source.Addr
	Port        uint16
	// User holds with ByUser; "" for sockets of no known user.
	User string
	// Name holds with ByContainer and ByUnit; "" for sockets that are in none.
	Name string

	// Ports counts the distinct local ports in the range.
	Ports int
	// Sockets counts all sockets, in the range or not.
	Sockets int
	States  StateCounts
	// Rate is the growth of Ports in ports per second, over real time.
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
	uid            uint32
	// key is the consumer's identity from poll to poll: the number of its
	// process and tier, of its destination, its port, its user. Numbers are not
	// used again while anything is remembered of them.
	key uint64
}
