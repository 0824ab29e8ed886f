package sockdiag

import (
	"encoding/binary"

	"ephtop/source"
	"ephtop/source/netlink"
)

// Sizes and numbers of linux/sock_diag.h and
// linux/inet_diag.h.
const (
	typeTCPGetSock = 18 // TCPDIAG_GETSOCK: all families in one dump
	typeByFamily   = 20 // SOCK_DIAG_BY_FAMILY
	afUnspec       = 0
	afInet         = 2
	afInet6        = 10
	sockIDLen      = 48
	requestLen     = netlink.HeaderLen + 4 + sockIDLen + 8 // struct inet_diag_req
	requestV2Len   = netlink.HeaderLen + 8 + sockIDLen     // struct inet_diag_req_v2
	rowLen         = 72                                    // struct inet_diag_msg
	attrV6Only     = 11                                    // INET_DIAG_SKV6ONLY
	attrCgroupID   = 21                                    // INET_DIAG_CGROUP_ID
	attrInfo       = 2                                     // INET_DIAG_INFO: a struct tcp_info
	infoOptions    = 5                                     // tcpi_options in it
	optTimestamps  = 1                                     // TCPI_OPT_TIMESTAMPS
	attrSockOpt    = 22                                    // INET_DIAG_SOCKOPT
	noCookie       = ^uint32(0)
	boundInactive  = 1 << 13              // TCP_BOUND_INACTIVE
	allStates      = boundInactive<<1 - 2 // and all before, from TCP_ESTABLISHED
	maxRedials     = 3
)

// request is one dump to ask for.
type request struct {
	proto  source.Proto
	family uint8 // afUnspec only for TCP
}

// requests are the dumps that list every socket.
var requests = [...]request{
	{source.TCP, afUnspec},
	{source.UDP, afInet},
	{source.UDP, afInet6},
}

// append appends the netlink message that asks for the dump.
func (r request) append(b []byte, seq, states uint32) []byte {
	if r.family == afUnspec {
		b = netlink.AppendHeader(b, requestLen, typeTCPGetSock, netlink.Request|netlink.Dump, seq)
		b = append(b, afUnspec, 0, 0, 0) // family, source and destination prefix, extensions
		b = appendSockID(b)
		b = binary.NativeEndian.AppendUint32(b, states)
		return binary.NativeEndian.AppendUint32(b, 0) // idiag_dbs, unused by dumps
	}
	b = netlink.AppendHeader(b, requestV2Len, typeByFamily, netlink.Request|netlink.Dump, seq)
	b = append(b, r.family, uint8(r.proto), 0, 0) // family, protocol, extensions, padding
	b = binary.NativeEndian.AppendUint32(b, states)
	return appendSockID(b)
}

// appendExact appends the message that asks for one TCP socket, with what the
// kernel knows of its connection.
func appendExact(b []byte, seq uint32, s *source.Socket) []byte {
	b = netlink.AppendHeader(b, requestV2Len, typeByFamily, netlink.Request, seq)
	family, local, remote := uint8(afInet6), s.Local, s.Remote
	if !s.Family6 {
		family = afInet
		local, remote = source.Addr{}, source.Addr{}
		copy(local[:], s.Local[12:])
		copy(remote[:], s.Remote[12:])
	}
	b = append(b, family, uint8(source.TCP), 1<<(attrInfo-1), 0)
	b = binary.NativeEndian.AppendUint32(b, allStates)
	b = binary.BigEndian.AppendUint16(b, s.LocalPort)
	b = binary.BigEndian.AppendUint16(b, s.RemotePort)
	b = append(append(b, local[:]...), remote[:]...)
	b = binary.NativeEndian.AppendUint32(b, s.Interface)
	b = binary.NativeEndian.AppendUint32(b, noCookie)
	return binary.NativeEndian.AppendUint32(b, noCookie)
}

// appendSockID appends a struct inet_diag_sockid that matches everything.
func appendSockID(b []byte) []byte {
	b = append(b, make([]byte, sockIDLen-8)...)
	b = binary.NativeEndian.AppendUint32(b, noCookie)
	return binary.NativeEndian.AppendUint32(b, noCookie)
}
