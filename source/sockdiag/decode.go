package sockdiag

import (
	"encoding/binary"
	"errors"
	"fmt"
	"syscall"

	"ephtop/source"
)

// ErrMalformed is wrapped by errors about a reply that breaks the format of
// linux/netlink.h or linux/inet_diag.h.
var ErrMalformed = errors.New("malformed sock_diag reply")

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
		if len(b) < nlmsgHeaderLen {
			return dst, p, fmt.Errorf("%w: %d bytes where a message header was expected", ErrMalformed, len(b))
		}
		length := binary.NativeEndian.Uint32(b)
		if length < nlmsgHeaderLen || uint64(length) > uint64(len(b)) {
			return dst, p, fmt.Errorf("%w: message of %d bytes in %d", ErrMalformed, length, len(b))
		}
		kind := binary.NativeEndian.Uint16(b[4:])
		flags := binary.NativeEndian.Uint16(b[6:])
		body := b[nlmsgHeaderLen:length:length]
		mine := binary.NativeEndian.Uint32(b[8:]) == seq
		b = b[min(align4(int(length)), len(b)):]
		if !mine {
			continue
		}
		p.interrupted = p.interrupted || flags&flagDumpIntr != 0
		switch kind {
		case typeTCPGetSock, typeByFamily:
			dst = append(dst, source.Socket{})
			if err := decodeRow(&dst[len(dst)-1], body, proto); err != nil {
				return dst[:len(dst)-1], p, err
			}
		case nlmsgDone:
			p.done = true
			return dst, p, decodeErrno(body)
		case nlmsgError:
			return dst, p, decodeError(body)
		case nlmsgOverrun:
			p.interrupted = true
		case nlmsgNoop:
		default:
			return dst, p, fmt.Errorf("%w: message type %d", ErrMalformed, kind)
		}
	}
	return dst, p, nil
}

// decodeErrno reads the result of a dump, which NLMSG_DONE carries as a
// negative errno (netlink_dump_done).
func decodeErrno(b []byte) error {
	if len(b) < 4 {
		return nil
	}
	if errno := int32(binary.NativeEndian.Uint32(b)); errno < 0 {
		return syscall.Errno(-int64(errno))
	}
	return nil
}

// decodeError reads an NLMSG_ERROR, which in answer to a dump is always a
// refusal.
func decodeError(b []byte) error {
	if len(b) < 4 {
		return fmt.Errorf("%w: error message of %d bytes", ErrMalformed, len(b))
	}
	if err := decodeErrno(b); err != nil {
		return err
	}
	return fmt.Errorf("%w: error message without an error", ErrMalformed)
}

// decodeRow reads a struct inet_diag_msg and its attributes into s, which is
// zero.
func decodeRow(s *source.Socket, b []byte, proto source.Proto) error {
	if len(b) < rowLen {
		return fmt.Errorf("%w: socket of %d bytes, want %d", ErrMalformed, len(b), rowLen)
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
		return fmt.Errorf("%w: address family %d", ErrMalformed, b[0])
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
	for len(b) >= attrHeaderLen {
		length := int(binary.NativeEndian.Uint16(b))
		if length < attrHeaderLen || length > len(b) {
			return fmt.Errorf("%w: attribute of %d bytes in %d", ErrMalformed, length, len(b))
		}
		switch kind := binary.NativeEndian.Uint16(b[2:]); {
		case kind == attrCgroupID && length >= attrHeaderLen+8:
			s.Cgroup = binary.NativeEndian.Uint64(b[attrHeaderLen:])
		case kind == attrInfo && length > attrHeaderLen+infoOptions:
			s.Stamps = source.StampsNone
			if b[attrHeaderLen+infoOptions]&optTimestamps != 0 {
				s.Stamps = source.StampsBoth
			}
		case kind == attrSockOpt && length >= attrHeaderLen+2:
			if s.Proto == source.TCP && s.RemotePort != 0 && b[attrHeaderLen+1]&firstBit != 0 {
				s.Bind = source.BindConnect
			}
		case kind == attrV6Only && length > attrHeaderLen:
			s.V6Only = b[attrHeaderLen] != 0
		}
		b = b[min(align4(length), len(b)):]
	}
	return nil
}

// firstBit is the first bit field of a byte, as C's compilers lay it out:
// bind_address_no_port in the second byte of struct inet_diag_sockopt.
var firstBit = binary.NativeEndian.AppendUint16(nil, 0x8001)[0]

// align4 rounds up to netlink's alignment.
func align4(n int) int { return (n + 3) &^ 3 }
