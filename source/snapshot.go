package source

import (
	"context"
	"time"
)

// Snapshot is what one poll saw of a host's sockets. A Snapshot belongs to
// whoever passed it to Poll, and nothing changes it until it is passed again.
type Snapshot struct {
	// Time is when the poll began. Live sources keep the monotonic clock in it.
	Time time.Time
	// Took is how long the poll lasted.
	Took time.Duration

	Host   string // host name
	OS     string // runtime.GOOS of the host
	Kernel string // release of the kernel, "" if unknown
	// Source names the origin as --source does: "sockdiag", "portable", …
	Source string

	Settings Settings
	// Sockets holds every TCP and UDP socket that was seen, in no order.
	Sockets []Socket
	// Processes holds the processes that Sockets point to.
	Processes []Process

	// BoundListed says that bound and unconnected TCP sockets are among
	// Sockets (Linux 6.8 and later).
	BoundListed bool

	// Traced says that Events holds what the kernel told since the snapshot
	// before; LostEvents counts what its buffer had no room for.
	Traced     bool
	Events     []Event
	LostEvents int

	// Degraded says, in one sentence each, what this poll could not see and
	// why, and what to do about it.
	Degraded []string
}

// Reset empties the snapshot and keeps its memory.
func (s *Snapshot) Reset() {
	*s = Snapshot{Sockets: s.Sockets[:0], Processes: s.Processes[:0], Events: s.Events[:0], Degraded: s.Degraded[:0]}
}

// Source is an origin of snapshots.
type Source interface {
	// Poll overwrites s with the present moment, reusing its memory. Polls of
	// one Source must not overlap. After an error the content of s is
	// undefined, and a later Poll may succeed. io.EOF says that there will be
	// no more moments.
	Poll(ctx context.Context, s *Snapshot) error
	// Close frees what the source holds. No Poll may follow.
	Close() error
}
