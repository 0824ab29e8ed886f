package sockdiag

import (
	"encoding/binary"
	"fmt"

	"ephtop/source"
	"ephtop/source/netlink"
)

// progress is what a datagram did to a dump.
type progress struct {
	done        bool // the last datagram of the dump
	interrupted bool // the kernel says that the dump is inconsistent
}

// decode appends the rows of one received datagram to dst. Messages of another
// sequence number are left-overs of an abandoned dump and skipped.
func decode(dst []source.Socket, b []byte, proto source.Proto, seq uint32) ([]source.Socket, progress, error) {
	var p progress
	for len(b) > 0 {
		m, rest, err := netlink.Next(b)
		if err != nil {
			return dst, p, err
		}
		if b = rest; m.Seq != seq {
			continue
		}
		p.interrupted = p.interrupted || m.Flags&netlink.DumpInterrupted != 0
		switch m.Type {
		case typeTCPGetSock, typeByFamily:
			dst = append(dst, source.Socket{})
			if err := decodeRow(&dst[len(dst)-1], m.Body, proto); err != nil {
				return dst[:len(dst)-1], p, err
			}
		case netlink.Done:
			p.done = true
			return dst, p, netlink.Errno(m.Body)
		case netlink.Error:
			return dst, p, netlink.Refusal(m.Body)
		case netlink.Overrun:
			p.interrupted = true
		case netlink.Noop:
		default:
			return dst, p, fmt.Errorf("%w: message type %d", netlink.ErrMalformed, m.Type)
		}
	}
	return dst, p, nil
}

// decodeRow reads a struct inet_diag_msg and its attributes into s, which is
// zero.
func decodeRow(s *source.Socket, b []byte, proto source.Proto) error {
	if len(b) < rowLen {
		return fmt.Errorf("%w: socket of %d bytes, want %d", netlink.ErrMalformed, len(b), rowLen)
	}
	switch b[0] {
	case afInet:
		s.Local = source.Addr4([4]byte(b[8:12]))
		s.Remote = source.Addr4([4]byte(b[24:28]))
	case afInet6:
		s.Local = source.Addr(b[8:24])
		s.Remote = source.Addr(b[24:40])
		s.Family6 = true
	default:
		return fmt.Errorf("%w: address family %d", netlink.ErrMalformed, b[0])
	}
	s.Proto = proto
	s.State = stateOf(b[1])
	s.Timer = source.Timer(b[2])
	s.Retransmits = b[3]
	s.LocalPort = binary.BigEndian.Uint16(b[4:])
	s.RemotePort = binary.BigEndian.Uint16(b[6:])
	s.Interface = binary.NativeEndian.Uint32(b[40:])
	s.Cookie = uint64(binary.NativeEndian.Uint32(b[44:])) | uint64(binary.NativeEndian.Uint32(b[48:]))<<32
	s.Expires = binary.NativeEndian.Uint32(b[52:])
	s.ReceiveQueue = binary.NativeEndian.Uint32(b[56:])
	s.SendQueue = binary.NativeEndian.Uint32(b[60:])
	s.Process = source.NoProcess
	// A timewait minisock has no owner: the kernel fills in zeros
	// (inet_twsk_diag_fill), also where its substate is FIN_WAIT2.
	if s.Timer != source.TimerTimeWait {
		s.UID = binary.NativeEndian.Uint32(b[64:])
		s.Inode = binary.NativeEndian.Uint32(b[68:])
	}
	return decodeAttrs(s, b[rowLen:])
}

// stateOf translates the kernel's state (include/net/tcp_states.h). The dump
// shows TCP_BOUND_INACTIVE, and UDP without a peer, as TCP_CLOSE.
func stateOf(k uint8) source.State {
	switch {
	case k == 7 || k == 13:
		return source.Bound
	case k == 12: // TCP_NEW_SYN_RECV
		return source.SynRecv
	case k >= 1 && k <= 11:
		return source.State(k)
	}
	return source.Unknown
}

// decodeAttrs reads the attributes that follow a row; unknown ones are
// skipped.
func decodeAttrs(s *source.Socket, b []byte) error {
	for len(b) >= netlink.AttrHeaderLen {
		kind, value, rest, err := netlink.NextAttr(b)
		if err != nil {
			return err
		}
		switch b = rest; {
		case kind == attrCgroupID && len(value) >= 8:
			s.Cgroup = binary.NativeEndian.Uint64(value)
		case kind == attrInfo && len(value) > infoOptions:
			s.Stamps = source.StampsNone
			if value[infoOptions]&optTimestamps != 0 {
				s.Stamps = source.StampsBoth
			}
		case kind == attrSockOpt && len(value) >= 2:
			if s.Proto == source.TCP && s.RemotePort != 0 && value[1]&firstBit != 0 {
				s.Bind = source.BindConnect
			}
		case kind == attrV6Only && len(value) > 0:
			s.V6Only = value[0] != 0
		}
	}
	return nil
}

// firstBit is the first bit field of a byte, as C's compilers lay it out:
// bind_address_no_port in the second byte of struct inet_diag_sockopt.
var firstBit = binary.NativeEndian.AppendUint16(nil, 0x8001)[0]
