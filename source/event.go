package source

import "time"

// Event is something that the kernel told at the moment when it happened, in
// the thread that did it; see [Moment.Events].
type Event struct {
	Kind EventKind `json:"kind"`
	// Time is when it happened.
	Time time.Time `json:"at"`
	// Tuple is the connection. Its LocalPort is 0 for ConnectFailed, for want
	// of a port; Local is then the wildcard if no address was chosen yet.
	Tuple Tuple `json:"tuple"`
	// Netns is the namespace of the connection, as in [Scope.Netns]; 0 where the
	// process ended before it could be asked for.
	Netns uint64 `json:"netns"`
	// Cookie is that of the namespace, as in [Scope.Cookie]: one that ended since
	// may have left its number to another. 0 where it is not known.
	Cookie uint64 `json:"netns_cookie,omitzero"`
	// ByThread says that the event does not tell the connection's namespace: Netns
	// is that of the thread, which is likely the same.
	ByThread bool `json:"by_thread,omitzero"`
	// Process did it; none, with PID 0, is known where the kernel's own threads
	// did. Its Start and Command may be unknown if it ended before
	// it could be looked up; its Cgroup is that in which it happened.
	Process Process `json:"process"`
}

// WantedPort reports whether any port would have done, and none was free.
func (e *Event) WantedPort() bool {
	return e.Kind == ConnectFailed || e.Kind == BindFailed && e.Tuple.LocalPort == 0
}

// EventKind says what an Event is about.
type EventKind uint8

// The kinds of event.
const (
	// Closed: a process closed a connection that was established, and so will
	// leave a TIME_WAIT (ESTABLISHED → FIN_WAIT1).
	Closed EventKind = iota
	// ConnectFailed: connect() found no free port (SYN_SENT → CLOSE with no
	// local port).
	ConnectFailed
	// BindFailed: bind(), listen(), or the bind that UDP makes when it connects or
	// sends, found no free port, or, where Tuple.LocalPort is not 0, that somebody
	// has the one that was named. Tuple.Local says on which address; the remote
	// end is not known.
	BindFailed
	// BoundFirst: connect() on a socket that was bound explicitly, whose port is
	// blocked for everyone from then on (CLOSE → SYN_SENT with a local port).
	BoundFirst
	// AddressRefused: connect() or bind() said EADDRNOTAVAIL, and not for want
	// of a port: there is no such address on this host.
	AddressRefused
)

var eventKinds = [...]string{"closed", "connect failed", "bind failed", "bound first", "address refused"}

// String gives "closed", "connect failed", "bind failed", "bound first" or
// "address refused".
func (k EventKind) String() string { return eventKinds[min(int(k), len(eventKinds)-1)] }
