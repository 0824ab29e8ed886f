package source

import (
	"context"
	"slices"
	"time"
)

// Moment is one look at a host. The json tags of its types are what package
// recording names their fields by. It belongs to whoever passed it to Poll, and
// nothing changes it until it is passed again.
type Moment struct {
	// Time is when the look began, by the wall clock.
	Time time.Time `json:"-"`
	// Mono is the same by a clock that nobody sets, since some point in the
	// past: the distance of two moments of one run. 0 where the origin has no
	// such clock; the distance is then that of Time.
	Mono time.Duration `json:"mono"`
	// Took is how long the look lasted.
	Took time.Duration `json:"took"`

	Host   string `json:"host"`   // host name
	OS     string `json:"os"`     // runtime.GOOS of the host
	Kernel string `json:"kernel"` // release of the kernel, "" if unknown
	// Source names the origin as --source does: "sockdiag", "portable", …
	Source string `json:"source"`

	// Processes holds the processes that sockets point to. Their ids are those
	// that the host knows them by, whatever the namespace of their sockets.
	Processes []Process `json:"-"`
	// Exited are the processes that were found to have ended since the moment
	// before, of those that Processes or Events named lately. Where the origin
	// does not look for that, there are none.
	Exited []ProcessKey `json:"exited"`
	// Cgroups holds the control groups that sockets and processes point to, by
	// rising id. One that could not be found is not there.
	Cgroups []Cgroup `json:"cgroups"`
	// Snapshots holds the network namespaces that were looked at.
	Snapshots []Snapshot `json:"-"`
	// Quiet holds those that were not, since a proof says that they are far from
	// trouble, or since there was no time for them.
	Quiet []Brief `json:"quiet"`
	// NATs are the namespaces that track connections, where that can be asked.
	NATs []NAT `json:"nats"`
	// Room is the memory that Snapshots[i].Sockets are windows of, side by
	// side. Who reads a moment reads those.
	Room []Socket `json:"-"`

	// Traced says that Events holds what the kernel told since the moment
	// before; LostEvents counts what its buffer had no room for.
	Traced     bool    `json:"traced"`
	Events     []Event `json:"-"`
	LostEvents int     `json:"lost_events"`

	// Limits says what could not be seen.
	Limits []Limit `json:"limits"`
}

// Snapshot is one network namespace at one moment.
type Snapshot struct {
	Scope    Scope    `json:"-"`
	Settings Settings `json:"settings"`
	// Sockets holds every TCP and UDP socket of the namespace that was seen,
	// in no order, but for those that Rest counts.
	Sockets []Socket `json:"-"`
	// Rest counts the TCP connections for whose rows there was no room, and
	// RestPorts are the ports of the range that they hold, rising.
	Rest      []Rest      `json:"rest"`
	RestPorts []PortRange `json:"rest_ports"`
	// Age is how long ago the namespace was looked at, 0 for just now.
	Age time.Duration `json:"age"`

	// BoundListed says that bound and unconnected TCP sockets are among
	// Sockets (Linux 6.8 and later).
	BoundListed bool `json:"bound_listed"`
	// Inodes says that the origin knows inodes, so that a live socket without
	// one belongs to no process.
	Inodes bool `json:"inodes"`
	// BlockedKnown says that Blocked and VRFs hold every port that connect()
	// skips whatever the destination, so that nothing need be suspected.
	BlockedKnown bool `json:"blocked_known"`
	// Blocked are the TCP ports that connect() skips whatever the destination,
	// rising: those whose bind bucket was made by bind() or listen()
	// (__inet_hash_connect: fastreuse or fastreuseport is not negative). There
	// may be some outside of the range among them.
	Blocked []uint16 `json:"-"`
	// VRFs holds the same for the sockets in a VRF, which has bind buckets of
	// its own (inet_bind_bucket.l3mdev), by rising interface. One without
	// blocked ports is not there.
	VRFs []VRF `json:"-"`
}

// VRF is what is blocked in one layer-3 domain (ip-vrf(8)).
type VRF struct {
	// Interface is the index of the VRF's device, as in Socket.Interface.
	Interface uint32
	Blocked   []uint16 // as in Snapshot
}

// Brief is what is known of a network namespace that was not looked at.
type Brief struct {
	Scope Scope `json:"scope"`
	// Bound is the most ports that any tuple can hold: sockets in use and
	// TIME_WAIT together (/proc/PID/net/sockstat).
	Bound int `json:"bound"`
	// Usable is the number of ports that the system can pick there.
	Usable int `json:"usable"`
	// Assumed says that the range could not be read, and Usable is of the
	// system's default: then Bound proves nothing.
	Assumed bool `json:"assumed,omitempty"`
}

// Reset empties the moment and keeps its memory. No Snapshot is left.
func (m *Moment) Reset() {
	*m = Moment{
		Processes: m.Processes[:0], Cgroups: m.Cgroups[:0], Quiet: m.Quiet[:0], Snapshots: m.Snapshots[:0], Room: m.Room[:0],
		Events: m.Events[:0], Limits: m.Limits[:0], Exited: m.Exited[:0], NATs: m.NATs[:0],
	}
}

// Add adds an empty Snapshot of a namespace and returns it. The pointer is
// good until the next Add.
func (m *Moment) Add(scope Scope) *Snapshot {
	m.Snapshots = append(m.Snapshots, Snapshot{Scope: scope})
	return &m.Snapshots[len(m.Snapshots)-1]
}

// Limit adds what could not be seen; see [Limit].
func (m *Moment) Limit(code LimitCode, detail string) {
	m.Limits = append(m.Limits, Limit{Code: code, Detail: detail})
}

// SetLimit adds what could not be seen, in the place of what m has of that code.
// It leaves the memory of m.Limits alone, for others may read it.
func (m *Moment) SetLimit(code LimitCode, detail string) {
	m.Limits = slices.DeleteFunc(slices.Clone(m.Limits), func(l Limit) bool { return l.Code == code })
	m.Limit(code, detail)
}

// Since returns the time from an earlier moment to m: by the clock that nobody
// sets, where both have it, and never less than 0.
func (m *Moment) Since(earlier *Moment) time.Duration {
	if m.Mono > 0 && earlier.Mono > 0 {
		return max(0, m.Mono-earlier.Mono)
	}
	return max(0, m.Time.Sub(earlier.Time))
}

// Source is an origin of moments.
type Source interface {
	// Poll overwrites m with the present moment, reusing its memory. Polls of
	// one Source must not overlap. After an error the content of m is
	// undefined, and a later Poll may succeed. io.EOF says that there will be
	// no more moments.
	Poll(ctx context.Context, m *Moment) error
	// Close frees what the source holds. No Poll may follow.
	Close() error
}

// Abandoner is a Source that has something which outlives the process. Abandon
// ends that, in place of Close where a Poll does not return, from another goroutine.
type Abandoner interface {
	Source
	Abandon() error
}

// Grow makes room for n more sockets and a few: append would make it for a quarter
// more, which of 200,000 sockets is 4 MB in each of two moments.
func Grow(list []Socket, n int) []Socket {
	if most := len(list) + n; cap(list) < most {
		return append(make([]Socket, 0, most+most/16), list...)
	}
	return list
}
