//go:build amd64 || arm64

package tables

import "ephtop/source"

// Sizes of the arrays in memory.
const (
	maxRows       = 8192
	maxPorts      = 8192
	maxNamespaces = 4096
	maxFDs        = 8192
	soughtBits    = 1 << 20
)

// memory is what the programs and we share (shared, in tables.bpf.c). Nothing in
// it is believed: counts are bounded where they are used.
type memory struct {
	request    request
	result     result
	sought     [soughtBits / 64]uint64
	namespaces [maxNamespaces]netns
	rows       [maxRows]row
	ports      [maxPorts]port
	fds        [maxFDs]descriptor
	reserved   source.PortSet
	lost       uint64

	pidNamespace, _ uint32
}

// request is what a call is to do.
type request struct {
	netns, only, bucket uint32
	rows, steps         uint32
	descriptor, filter  uint32
	pid, word           uint32
	start               uint64
}

// result is what it did.
type result struct {
	count, ports   uint32
	bucket, done   uint32
	restarts, torn uint32
	pid, word      uint32
	start, took    uint64
	knowsBind, cut uint32
}

// row is a socket. A timer's time is in ticks of the kernel's.
type row struct {
	local, remote           source.Addr
	localPort, remotePort   uint16
	state, flags            uint8
	timer, retransmits      uint8
	cookie, cgroup          uint64
	expires, netns          uint32
	inode, uid              uint32
	receiveQueue, sendQueue uint32
	iface, _                uint32
}

// Flags of a row.
const (
	family6     = 1
	stamps      = 2  // of a timewait: both ends sent timestamps
	bindPort    = 8  // SOCK_BINDPORT_LOCK
	connectBind = 16 // SOCK_CONNECT_BIND
)

// port is a port that connect() skips.
type port struct {
	netns, l3mdev uint32
	port, _       uint16
}

// netns is a network namespace.
type netns struct {
	cookie       uint64
	inode        uint32
	reuseDelay   uint32 // ms
	timeWaits    uint32
	maxTimeWaits int32
	low, high    uint16
	reuse        uint8
	timestamps   uint8
	ownTables, _ uint8
}

// Bits of netns.ownTables: tables that are not shared with others.
const (
	ownTCP = 1
	ownUDP = 2
)

// descriptor is one that is a socket.
type descriptor struct{ pid, fd, inode uint32 }
