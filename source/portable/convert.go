package portable

import (
	"encoding/binary"
	"math"
	"net/netip"
	"syscall"

	gnet "github.com/shirou/gopsutil/v3/net"

	"ephtop/source"
)

// convert makes a socket of a row. It is false where the row is neither TCP
// nor UDP, or its addresses or ports cannot be read. The socket has no process
// yet, and no timer: gopsutil tells none, and a TIME_WAIT with its timer at 0
// would look as if it were at its end.
func convert(row *gnet.ConnectionStat) (source.Socket, bool) {
	s := source.Socket{Family6: row.Family == syscall.AF_INET6, Process: source.NoProcess}
	var scope1, scope2 uint32
	var ok1, ok2 bool
	s.Local, s.LocalPort, scope1, ok1 = endpoint(row.Laddr, s.Family6)
	s.Remote, s.RemotePort, scope2, ok2 = endpoint(row.Raddr, s.Family6)
	if !ok1 || !ok2 {
		return s, false
	}
	s.Interface = max(scope1, scope2)
	connected := s.RemotePort != 0 || !s.Remote.IsWildcard()
	switch row.Type {
	case syscall.SOCK_STREAM:
		s.Proto = source.TCP
		s.State = tcpState(row.Status)
		if s.State == source.Close && !connected && s.LocalPort != 0 {
			s.State = source.Bound
		}
	case syscall.SOCK_DGRAM:
		// UDP has no states of its own; gopsutil says "NONE" or nothing
		s.Proto = source.UDP
		s.State = source.Bound
		if connected {
			s.State = source.Established
		}
	default:
		return s, false
	}
	return s, true
}

// tcpState reads a state as /proc/net/tcp (through gopsutil), Windows
// (MIB_TCP_STATE, through gopsutil) and lsof (tcpstates of tcp_fsm.h, one of
// them misspelt by some versions) write it, where that is not what netstat does.
func tcpState(status string) source.State {
	switch status {
	case "SYN_RCVD", "SYN_RCDV":
		return source.SynRecv
	case "DELETE", "IDLE":
		return source.Close
	}
	s, err := source.ParseState(status)
	if err != nil {
		return source.Unknown
	}
	return s
}

// endpoint reads an address, which is "*" or nothing for the wildcard, and its
// port. The kernels of the BSD family put the index of the interface into the
// second group of a link-local address; it comes back as scope.
func endpoint(a gnet.Addr, six bool) (addr source.Addr, port uint16, scope uint32, ok bool) {
	if a.Port > math.MaxUint16 {
		return addr, 0, 0, false
	}
	port = uint16(a.Port)
	if a.IP == "" || a.IP == "*" {
		if !six {
			addr = source.Addr4([4]byte{})
		}
		return addr, port, 0, true
	}
	ip, err := netip.ParseAddr(a.IP)
	if err != nil {
		return addr, 0, 0, false
	}
	addr = source.AddrFrom(ip)
	if ip.Is6() && ip.IsLinkLocalUnicast() {
		scope = uint32(binary.BigEndian.Uint16(addr[2:]))
		addr[2], addr[3] = 0, 0
	}
	return addr, port, scope, true
}
