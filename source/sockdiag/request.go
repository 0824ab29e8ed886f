package sockdiag

import (
	"encoding/binary"

	"ephtop/source"
)

// Sizes and numbers of linux/netlink.h, linux/sock_diag.h and
// linux/inet_diag.h.
const (
	nlmsgHeaderLen = 16

	nlmsgNoop    = 1
	nlmsgError   = 2
	nlmsgDone    = 3
	nlmsgOverrun = 4

	flagRequest    = 0x1
	flagDump       = 0x300
	flagDumpIntr   = 0x10
	typeTCPGetSock = 18 // TCPDIAG_GETSOCK: all families in one dump
	typeByFamily   = 20 // SOCK_DIAG_BY_FAMILY
	afUnspec       = 0
	afInet         = 2
	afInet6        = 10
	sockIDLen      = 48
	requestLen     = nlmsgHeaderLen + 4 + sockIDLen + 8 // struct inet_diag_req
	requestV2Len   = nlmsgHeaderLen + 8 + sockIDLen     // struct inet_diag_req_v2
	rowLen         = 72                                 // struct inet_diag_msg
	attrHeaderLen  = 4
	attrCgroupID   = 21 // INET_DIAG_CGROUP_ID
	noCookie       = ^uint32(0)
	boundInactive  = 1 << 13              // TCP_BOUND_INACTIVE
	allStates      = boundInactive<<1 - 2 // and all before, from TCP_ESTABLISHED
	maxRedials     = 3
	bufferSize     = 64 << 10
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
		b = appendHeader(b, requestLen, typeTCPGetSock, seq)
		b = append(b, afUnspec, 0, 0, 0) // family, source and destination prefix, extensions
		b = appendSockID(b)
		b = binary.NativeEndian.AppendUint32(b, states)
		return binary.NativeEndian.AppendUint32(b, 0) // idiag_dbs, unused by dumps
	}
	b = appendHeader(b, requestV2Len, typeByFamily, seq)
	b = append(b, r.family, uint8(r.proto), 0, 0) // family, protocol, extensions, padding
	b = binary.NativeEndian.AppendUint32(b, states)
	return appendSockID(b)
}

func appendHeader(b []byte, length int, kind uint16, seq uint32) []byte {
	b = binary.NativeEndian.AppendUint32(b, uint32(length))
	b = binary.NativeEndian.AppendUint16(b, kind)
	b = binary.NativeEndian.AppendUint16(b, flagRequest|flagDump)
	b = binary.NativeEndian.AppendUint32(b, seq)
	return binary.NativeEndian.AppendUint32(b, 0) // the kernel's port id
}

// appendSockID appends a struct inet_diag_sockid that matches everything.
func appendSockID(b []byte) []byte {
	b = append(b, make([]byte, sockIDLen-8)...)
	b = binary.NativeEndian.AppendUint32(b, noCookie)
	return binary.NativeEndian.AppendUint32(b, noCookie)
}
