package model

import "ephtop/source"

// Grouping says by what the holders of ports are put together.
type Grouping uint8

// The groupings, in the order in which the key b goes through them.
const (
	ByProcess Grouping = iota
	ByDestination
	ByService
	ByUser

	NumGroupings = 4
)

// String gives "process", "destination", "service" or "user".
func (g Grouping) String() string {
	return [...]string{"process", "destination", "service", "user"}[g%NumGroupings]
}

// Consumer is a holder of ports.
type Consumer struct {
	// Process is an index into State.Processes with ByProcess, else
	// source.NoProcess. It is NoProcess too for the sockets of no known
	// process.
	Process int32
	// Tier is OwnerObserved, OwnerInferred or OwnerUnknown with ByProcess.
	Tier Tier
	// Destination and Port hold with ByDestination, Port alone with ByService.
	Destination source.Addr
	Port        uint16
	// User holds with ByUser; "" for sockets of no known user.
	User string

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
	uid         uint32
	// key is the consumer's identity from poll to poll: the number of its
	// process and tier, of its destination, its port, its user. Numbers are not
	// used again while anything is remembered of them.
	key uint64
}
