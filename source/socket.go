package source

import (
	"fmt"
	"strings"
)

// Socket is one row of the kernel's socket tables. It holds no pointer and is
// kept small: a host in trouble has a hundred thousand of them.
type Socket struct {
	Local      Addr   `json:"local"`
	LocalPort  uint16 `json:"local_port"`
	Remote     Addr   `json:"remote"`
	RemotePort uint16 `json:"remote_port"`

	Proto Proto `json:"proto"`
	State State `json:"state"`
	// Family6 is true for a socket of AF_INET6, also where its addresses are
	// v4-mapped.
	Family6 bool  `json:"family6"`
	Timer   Timer `json:"timer"`
	// Retransmits counts the unacknowledged retransmissions or probes.
	Retransmits uint8 `json:"retransmits"`
	// Bind says who bound the socket to its port, where the origin knows.
	Bind Bind `json:"bind"`
	// Stamps says whether both ends send TCP timestamps, where the origin knows.
	Stamps Stamps `json:"stamps"`
	// V6Only says that a wildcard of IPv6 leaves IPv4 alone (IPV6_V6ONLY), where
	// the origin knows.
	V6Only bool `json:"v6only"`

	// Process is an index into Moment.Processes, or NoProcess.
	Process int32 `json:"-"`

	// Expires is what is left on Timer, in milliseconds.
	Expires uint32 `json:"-"`
	// Interface is the index of the interface that the socket is bound to, or
	// whose link-local address it has; 0 for none.
	Interface uint32 `json:"interface"`

	// UID and Inode are 0 in TIME_WAIT, where the kernel knows neither. Inode
	// is 0 too for an orphan and for a connection not accepted yet.
	UID   uint32 `json:"uid"`
	Inode uint32 `json:"inode"`

	// Cookie is the kernel's identity of the socket. TIME_WAIT keeps the cookie
	// of the connection that it comes from, if anything asked for it while
	// that lived; every dump does. 0 where the origin has none.
	Cookie uint64 `json:"cookie"`
	// Cgroup is the id of the socket's cgroup v2, or 0.
	Cgroup uint64 `json:"cgroup"`

	// ReceiveQueue and SendQueue are bytes not read yet, and bytes not
	// acknowledged yet. For LISTEN they are connections waiting to be
	// accepted, and the largest number of these.
	ReceiveQueue uint32 `json:"rx"`
	SendQueue    uint32 `json:"tx"`
}

// Bind says how a TCP socket came to its port.
type Bind uint8

// The ways.
const (
	BindUnknown Bind = iota
	// BindConnect: connect() picked it, so that it is free for other
	// destinations (SOCK_CONNECT_BIND, Linux 6.18; IP_BIND_ADDRESS_NO_PORT).
	BindConnect
	// BindExplicit: bind() or listen() did, or it is a listener's child, so that
	// the port is blocked for everyone.
	BindExplicit
	// BindPort: bind() did, and named the port (SOCK_BINDPORT_LOCK; Linux 6.18).
	BindPort
)

// String gives "unknown", "connect", "explicit" or "port".
func (b Bind) String() string {
	return [...]string{"unknown", "connect", "explicit", "port"}[min(b, BindPort)]
}

// Stamps says whether both ends of a connection send TCP timestamps, without
// which connect() takes no TIME_WAIT over.
type Stamps uint8

// What may be known.
const (
	StampsUnknown Stamps = iota
	StampsNone
	StampsBoth
)

// String gives "unknown", "none" or "both".
func (s Stamps) String() string {
	return [...]string{"unknown", "none", "both"}[min(s, StampsBoth)]
}

// NoProcess is the index of a socket's process when none is known.
const NoProcess int32 = -1

// HasOwner tells whether the kernel says in this row whose the socket is: a
// TIME_WAIT has no uid and no inode, only fillers for them.
func (s *Socket) HasOwner() bool { return s.State != TimeWait && s.Inode != 0 }

// Tuple is a four-tuple with its protocol: the identity of a connection.
type Tuple struct {
	Local      Addr   `json:"local"`
	Remote     Addr   `json:"remote"`
	LocalPort  uint16 `json:"local_port"`
	RemotePort uint16 `json:"remote_port"`
	Proto      Proto  `json:"proto"`
}

// Tuple gives the socket's four-tuple.
func (s *Socket) Tuple() Tuple {
	return Tuple{s.Local, s.Remote, s.LocalPort, s.RemotePort, s.Proto}
}

// String gives "tcp 10.0.0.9:41823 → 10.0.9.2:5432".
func (t Tuple) String() string {
	b := append([]byte(t.Proto.String()), ' ')
	b = AppendAddrPort(b, t.Local, t.LocalPort)
	b = append(b, " → "...)
	return string(AppendAddrPort(b, t.Remote, t.RemotePort))
}

// Proto is a transport protocol.
type Proto uint8

// The protocols, by their numbers in IP (IANA protocol numbers).
const (
	TCP Proto = 6
	UDP Proto = 17
)

// String gives "tcp" or "udp".
func (p Proto) String() string {
	switch p {
	case TCP:
		return "tcp"
	case UDP:
		return "udp"
	}
	return fmt.Sprintf("proto%d", uint8(p))
}

// ParseProto reads "tcp" or "udp" in any case.
func ParseProto(s string) (Proto, error) {
	switch strings.ToLower(s) {
	case "tcp":
		return TCP, nil
	case "udp":
		return UDP, nil
	}
	return 0, fmt.Errorf("unknown protocol %q: use tcp or udp", s)
}

// Timer is the kernel timer that runs on a socket (idiag_timer in
// linux/inet_diag.h).
type Timer uint8

// The timers.
const (
	TimerNone       Timer = 0
	TimerRetransmit Timer = 1
	TimerKeepalive  Timer = 2
	TimerTimeWait   Timer = 3
	TimerProbe      Timer = 4
)

// String names the timer as ss does; "" for none.
func (t Timer) String() string {
	switch t {
	case TimerNone:
		return ""
	case TimerRetransmit:
		return "on"
	case TimerKeepalive:
		return "keepalive"
	case TimerTimeWait:
		return "timewait"
	case TimerProbe:
		return "persist"
	}
	return "unknown"
}
