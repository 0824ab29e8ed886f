package model

// PoolKind says from which ports a socket takes its own.
type PoolKind uint8

// The kinds.
const (
	// PoolRange is the system's range.
	PoolRange PoolKind = iota
	// PoolSourcePorts are ports that the caller names itself, as a proxy does.
	PoolSourcePorts
	// PoolSourcePort is one port that the caller names itself.
	PoolSourcePort
	// PoolLocalRange is a range of the socket's own (IP_LOCAL_PORT_RANGE).
	PoolLocalRange
	// PoolReserved are the ports below 1024 that NFS and RPC clients use
	// (bindresvport).
	PoolReserved
	// PoolOwnUDP are UDP ports that a process picks by itself, as a resolver does.
	PoolOwnUDP
)

// String gives the kind as in JSON.
func (k PoolKind) String() string {
	return [...]string{"range", "source-ports", "source-port", "local-port-range", "reserved-ports", "own-udp-ports"}[min(k, PoolOwnUDP)]
}

// Limit says which ports a private pool has, both ends included. All but
// PoolReserved are as wide as was seen: nothing tells how they are configured.
type Limit struct {
	Kind      PoolKind
	Low, High uint16
}

// Size is the number of ports; 0 for the range.
func (l Limit) Size() int {
	if l.Kind == PoolRange {
		return 0
	}
	return int(l.High) - int(l.Low) + 1
}

// round reports whether the ends look like ones that somebody wrote down, as
// 2000-2019, 4001-4100 and 3000-3063 do and 2000-2011 does not.
func (l Limit) round() bool {
	size := l.Size()
	return l.Low%10 <= 1 && (l.High%10 == 9 || l.High%10 == 0 || size&(size-1) == 0)
}

// Of is how many ports there are: usable ones where it is the range.
func (l Limit) Of(usable int) int {
	if l.Kind == PoolRange {
		return usable
	}
	return l.Size()
}
